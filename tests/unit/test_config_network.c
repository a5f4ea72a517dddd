/* Networks, ports and devices in bulkhead.conf. */
#include "config_text.h"
#include "boot/config_files.h"

#define LAN    "[network lan]\n"
#define GUEST  "[guest g]\nkernel = k\nmemory = 64M\n"
#define NATIVE "[native n]\nprogram = p\n"

static const struct bh_port *port_named(const char *name)
{
	for (uint32_t i = 0; i < config.network.ports; i++)
		if (!strcmp(config.network.port[i].name, name))
			return &config.network.port[i];
	fail_msg("there is no port %s", name);
	return NULL;
}

static void assert_mac(const struct bh_port *port, const char *expected)
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", port->mac[0], port->mac[1], port->mac[2],
		 port->mac[3], port->mac[4], port->mac[5]);
	assert_string_equal(text, expected);
}

static void test_all_keys(void **state)
{
	const struct bh_port *port;

	(void)state;
	/* The networks come later than who is on them. */
	no_error("[guest a]\nkernel = k\nmemory = 64M\n"
		 "networks = lan trusted mac 52:54:00:AB:cd:01 rate 10M, inside vlan 4094 queues 4\n"
		 "[guest b]\nkernel = k\nmemory = 64M\nnetworks = inside burst 1M trunk rate 100K\n"
		 "[network lan]\nnic = 0001:02:1f.6\n"
		 "[network inside]\nmtu = 9000\nbroadcasts = unlimited\n");
	assert_int_equal(config.network.networks, 2);
	assert_string_equal(config.network.network[0].name, "lan");
	assert_int_equal(config.network.network[0].uplink, 1);
	assert_int_equal(config.network.network[0].mtu, 1500);
	assert_int_equal(config.network.network[0].broadcasts, 1000);
	assert_int_equal(config.network.network[0].line, 9);
	assert_int_equal(config.nic[0].by, CONFIG_DEVICE_ADDRESS);
	assert_int_equal(config.nic[0].number, 1u << 16 | 2 << 8 | 31 << 3 | 6);
	assert_int_equal(config.nic[0].line, 10);
	assert_int_equal(config.network.network[1].uplink, 0);
	assert_int_equal(config.network.network[1].mtu, 9000);
	assert_int_equal(config.network.network[1].broadcasts, 0);
	assert_int_equal(config.nic[1].by, CONFIG_DEVICE_NONE);
	assert_int_equal(config.network.ports, 3);
	port = port_named("a.0");
	assert_int_equal(port->partition, 0);
	assert_int_equal(port->network, 0);
	assert_int_equal(port->flags, BH_PORT_TRUSTED);
	assert_int_equal(port->queues, 1);
	assert_int_equal(port->mtu, 1500);
	assert_int_equal(port->rate, 10 << 20);
	assert_int_equal(port->burst, 1 << 20);
	assert_mac(port, "52:54:00:ab:cd:01");
	port = port_named("a.1");
	assert_int_equal(port->network, 1);
	assert_int_equal(port->vlan, 4094);
	assert_int_equal(port->queues, 4);
	assert_int_equal(port->mtu, 9000);
	assert_int_equal(port->rate, 0);
	assert_int_equal(port->burst, 0);
	port = port_named("b.0");
	assert_int_equal(port->partition, 1);
	assert_int_equal(port->line, 8);
	assert_int_equal(port->flags, BH_PORT_TRUNK);
	assert_int_equal(port->rate, 100 << 10);
	assert_int_equal(port->burst, 1 << 20);
}

/* The console's port is a record like a guest's; where it stands in the file does not matter. */
static void test_console(void **state)
{
	const struct bh_console_address *console = &config.network.console;
	static const uint8_t inside[16] = { 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xab, 0xcd };
	const struct bh_port *port;

	(void)state;
	no_error("[machine]\nconsole = lan\n" LAN GUEST "networks = lan\n");
	port = port_named(BH_CONSOLE_PORT);
	assert_int_equal(port->partition, BH_PORT_OF_CONSOLE);
	assert_int_equal(port->line, 2);
	assert_int_equal(port->network, 0);
	assert_int_equal(port->mtu, 1500);
	assert_int_equal(port->flags, 0);
	assert_int_equal(port->mac[0], 2);
	assert_string_equal(console->hostname, "bulkhead");
	assert_int_equal(console->address[0], 0);
	assert_int_equal(console->prefix6, 0);
	no_error(GUEST "networks = lan\n" LAN "[machine]\nconsole = lan 10.0.2.5/24 gw 10.0.2.2 ip6 fd00::1:ABcd/64 "
		       "mac 52:54:00:12:34:56 vlan 7 hostname rack-5\n");
	port = port_named(BH_CONSOLE_PORT);
	assert_int_equal(port->vlan, 7);
	assert_mac(port, "52:54:00:12:34:56");
	assert_string_equal(console->hostname, "rack-5");
	assert_memory_equal(console->address, ((uint8_t[]){ 10, 0, 2, 5 }), 4);
	assert_memory_equal(console->gateway, ((uint8_t[]){ 10, 0, 2, 2 }), 4);
	assert_memory_equal(console->address6, inside, 16);
	assert_int_equal(console->prefix, 24);
	assert_int_equal(console->prefix6, 64);
	assert_memory_equal(console->time_server, ((uint8_t[16]){ 0 }), 16);
	no_error(LAN "[machine]\nconsole = lan 10.0.2.5/24 ntp 10.0.2.77\n");
	assert_memory_equal(console->time_server, ((uint8_t[]){ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 2, 77 }),
			    16);
	no_error(LAN "[machine]\nconsole = lan 10.0.2.5/24 gw 10.0.2.2 ntp 192.0.2.1\n");
	no_error(LAN "[machine]\nconsole = lan ntp fd00::1:abcd\n");
	assert_memory_equal(console->time_server, inside, 16);
	no_error(LAN "[machine]\nconsole = lan ip6 ::1:2/128\n");
	no_error(LAN "[machine]\nconsole = lan ip6 1:2:3:4:5:6:7::/1\n");
	no_error(LAN "[machine]\nconsole = lan ip6 1:2:3:4:5:6:7:8/1\n");
}

static void console_error(const char *value, const char *words)
{
	char text[256];

	snprintf(text, sizeof(text), LAN "[machine]\nconsole = %s\n", value);
	one_error(text, words);
	assert_non_null(strstr(told, "3: "));
	assert_int_equal(config.network.ports, 0);
}

static void test_console_errors(void **state)
{
	static const char *const addresses[] = { "10.0.2/24",	  "10.0.2.5",	   "10.0.2.5/31", "10.0.2.256/24",
						 "10.0.0x2.5/24", "10.0.2.5.6/24", "127.0.0.1/8", "224.0.0.1/24",
						 "0.0.0.1/24",	  "10.0.2.5/0",	   "10..2.5/24",  "10.0.2.5/" };
	static const char *const addresses6[] = { "fd00::1",
						  "::/64",
						  "fd00::1/129",
						  "ff02::1/64",
						  "1:2:3:4/64",
						  "fd00:::1/64",
						  "1::2::3/64",
						  "fd00:/64",
						  "12345::1/64",
						  "fd00::g/64",
						  ":1/64",
						  "1:2:3:4:5:6:7:8:9/64",
						  "1:2:3:4:5:6:7:8::/64",
						  "1:2:3:4::5:6:7:8/64" };
	char text[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		snprintf(text, sizeof(text), "lan %s", addresses[i]);
		console_error(text, "the address of a station");
	}
	for (unsigned i = 0; i < sizeof(addresses6) / sizeof(addresses6[0]); i++) {
		snprintf(text, sizeof(text), "lan ip6 %s", addresses6[i]);
		console_error(text, "`ip6` is followed by");
	}
	console_error("lam", "there is no network lam: did you mean lan?");
	console_error("5", "a name has letters");
	console_error("lan dhcp", "no option `dhcp`");
	console_error("lan gw 10.0.2.2", "goes with an address");
	console_error("lan 10.0.2.5/24 gw 10.0.3.2", "not a neighbour");
	console_error("lan 10.0.2.5/24 gw 10.0.2.5", "not a neighbour");
	console_error("lan 10.0.2.5/24 gw here", "`gw` is followed by");
	console_error("lan 10.0.2.0/24", "of its whole network");
	console_error("lan 10.0.2.255/24", "of its whole network");
	console_error("lan 10.0.2.5/24 10.0.2.6/24", "the address is there twice");
	console_error("lan ntp pool.example", "`ntp` is followed by");
	console_error("lan ntp 10.0.2.256", "`ntp` is followed by");
	console_error("lan ntp", "`ntp` is followed by");
	console_error("lan ntp ff02::101", "`ntp` is followed by");
	console_error("lan 10.0.2.5/24 ntp 10.0.2.5", "own address");
	console_error("lan 10.0.2.5/24 ntp 10.0.3.5", "add the router");
	console_error("lan hostname a_b", "letters, digits and - only");
	console_error("lan hostname", "the name is missing");
	console_error("lan vlan 5000", "`vlan`");
	one_error("[machine]\nconsole = lan\n", "2: there is no network lan: add a section [network lan]");
}

static void test_service(void **state)
{
	const struct config_partition *net = &config.partition[1];

	(void)state;
	no_error(NATIVE);
	assert_int_equal(config.net, UINT32_MAX);
	no_error("[native net]\nprogram = net.elf\n");
	no_error("[machine]\nservices-cpu = 3\nservices-weight = 77\n" LAN NATIVE "grants = inspect net\n");
	assert_int_equal(config.partitions, 2);
	assert_int_equal(config.net, 1);
	assert_string_equal(net->name, "net");
	assert_string_equal(net->image, "net.elf");
	assert_int_equal(net->kind, BH_KIND_NATIVE);
	assert_int_equal(net->line, 4);
	assert_int_equal(net->memory_bytes, 8 << 20);
	assert_int_equal(net->vcpus, 1);
	assert_int_equal(net->cpu[0], 3);
	assert_int_equal(net->weight, 77);
	assert_int_equal(net->cap_percent, 100);
	assert_false(net->dedicated);
	assert_true(net->autostart);
	assert_int_equal(net->restart, CONFIG_RESTART_ALWAYS);
	assert_int_equal(net->restart_limit, UINT32_MAX);
	assert_false(net->trusted_for_dma);
	assert_int_equal(config.partition[0].grant[0].partition, 1);
	no_error("[machine]\ntrusted-for-dma = net\n" LAN NATIVE);
	assert_true(net->trusted_for_dma);
	assert_false(config.partition[0].trusted_for_dma);
	no_error("[network a]\nnic = ethernet\n[network b]\nnic = 00:02.0\n[network c]\nnic = class 0200\n" NATIVE);
	assert_int_equal(net->memory_bytes, 16 << 20);
}

static void test_service_has_no_place(void **state)
{
	char text[4096] = LAN;

	(void)state;
	one_error(LAN GUEST "networks = lan\n[native net]\nprogram = p\n", "6: the name net is the network service's");
	assert_int_equal(config.net, UINT32_MAX);
	assert_int_equal(config.network.networks, 0);
	assert_int_equal(config.network.ports, 0);
	assert_non_null(strstr(config.partition[0].error, "line 5: its network lan has an error"));
	assert_non_null(strstr(config.partition[1].error, "the name net"));
	for (int i = 0; i < CONFIG_PARTITIONS; i++)
		sprintf(text + strlen(text), "[native n%d]\nprogram = p\n", i);
	one_error(text, "1: networks need a place for their service among the 32 partitions");
	one_error(LAN "[native n]\nprogram = net.elf\n", "3: net.elf is the network service's program");
	one_error(LAN NATIVE "[channel c]\nbetween = n, net\n", "5: the channel joins net, which is no partition");
}

static void test_network_errors(void **state)
{
	(void)state;
	one_error("[network 1]\n", "1: a name has letters");
	one_error("[network all]\n", "are reserved");
	one_error(LAN LAN, "2: the network lan is there twice, in line 1 and in line 2");
	assert_int_equal(config.network.networks, 0);
	one_error("[network a]\n[network b]\n[network c]\n[network d]\n[network e]\n[network f]\n[network g]\n"
		  "[network h]\n[network i]\n",
		  "9: i is one network too many: 8 at most");
	assert_int_equal(config.network.networks, 8);
	one_error(LAN "speed = 1\n", "2: unknown key `speed`; the keys of a network are nic, mtu, broadcasts");
	one_error(LAN "mtu = 575\n", "2: `mtu`: `575` is not a number from 576 to 9000");
	one_error(LAN "mtu = 9001\n", "`9001` is not a number from 576 to 9000");
	one_error(LAN "broadcasts = 0\n", "2: `broadcasts` is how many frames to many");
	one_error(LAN "broadcasts = few\n", "2: `broadcasts` is how many frames to many");
	one_error(LAN "nic = wlan\n", "2: `nic` is `ethernet`");
	one_error(LAN "nic = 00:20.0\n", "2: `nic` is `ethernet`");
	/* Who is on it fails with it, and the others do not. */
	one_error("[network lan]\nmtu = 1\n" GUEST "networks = lan\n[network b]\n[guest h]\nkernel = k\nmemory = "
		  "64M\nnetworks = b\n",
		  "2: `mtu`");
	assert_non_null(strstr(config.partition[0].error, "line 6: its network lan has an error"));
	assert_string_equal(config.partition[1].error, "");
	assert_int_equal(config.network.networks, 1);
	assert_string_equal(config.network.network[0].name, "b");
	assert_int_equal(config.network.ports, 1);
	assert_int_equal(port_named("h.0")->network, 0);
	assert_string_equal(config.partition[config.net].name, "net");
	assert_int_equal(parse_bytes(LAN "\1\n" NATIVE, strlen(LAN NATIVE) + 2), 1);
	assert_int_equal(config.network.networks, 0);
}

static void port_error(const char *networks, const char *expected)
{
	char text[512];

	snprintf(text, sizeof(text), "%s[network inside]\n%snetworks = %s\n", LAN, GUEST, networks);
	one_error(text, expected);
	assert_string_not_equal(config.partition[0].error, "");
	assert_int_equal(config.network.networks, 2);
}

static void test_port_errors(void **state)
{
	(void)state;
	port_error("lam", "6: there is no network lam: did you mean lan?");
	port_error("insied", "6: there is no network insied: did you mean inside?");
	one_error(GUEST "networks = lan\n", "4: there is no network lan: add a section [network lan]");
	port_error("lan,,inside", "6: a network's name begins each part of `networks`: the name is missing");
	port_error("lan mac", "`mac` is followed by the address of one station");
	port_error("lan mac 52:54:00:12:34", "`mac` is followed by the address of one station");
	port_error("lan mac 52:54:00:12:34:56:", "`mac` is followed by the address of one station");
	port_error("lan mac 52:54:00:12:34:5g", "`mac` is followed by the address of one station");
	port_error("lan mac 01:00:5e:00:00:01", "`mac` is followed by the address of one station");
	port_error("lan mac 00:00:00:00:00:00", "`mac` is followed by the address of one station");
	port_error("lan vlan 0", "`vlan`: `0` is not a number from 1 to 4094");
	port_error("lan vlan 4095", "`vlan`: `4095` is not a number from 1 to 4094");
	port_error("lan vlan 1 trunk", "`vlan` and `trunk` exclude each other");
	port_error("lan vlan 1 vlan 2", "`vlan` is there twice for one network");
	port_error("lan rate 10", "`rate = 10`: a size is a number and K, M or G");
	port_error("lan rate 0K", "`rate = 0` is out of range: 1K to 1T");
	port_error("lan burst 1M", "`burst` goes with `rate`");
	port_error("lan rate 1M burst 63K", "`burst = 63K` is out of range: 64K to 1G");
	port_error("lan queues 5", "`queues`: `5` is not a number from 1 to 4");
	port_error("lan queues 0", "`queues`: `0` is not a number from 1 to 4");
	port_error("lan inside", "there is no option `inside`");
	port_error("lan, lan, lan, inside, lan", "6: `networks` names too many: a guest has 4 ports at most");
	one_error(LAN NATIVE "networks = lan\n", "4: unknown key `networks`");
	one_error(LAN "[guest abcdefghijklmnopqrstuvwxyz0123]\nkernel = k\nmemory = 64M\nnetworks = lan\n",
		  "5: a guest with `networks` has a name of 29 characters at most");
	no_error(LAN "[guest abcdefghijklmnopqrstuvwxyz012]\nkernel = k\nmemory = 64M\nnetworks = lan\n");
	assert_string_equal(config.network.port[0].name, "abcdefghijklmnopqrstuvwxyz012.0");
}

/* A guest that has no place in the list has no ports either. */
static void test_too_many_ports(void **state)
{
	char text[4096] = LAN;

	(void)state;
	for (int i = 0; i < 8; i++)
		sprintf(text + strlen(text), "[guest g%d]\nkernel = k\nmemory = 64M\nnetworks = lan,lan,lan,lan\n", i);
	no_error(text);
	assert_int_equal(config.network.ports, BH_PORTS);
	strcat(text, "[guest h]\nkernel = k\nmemory = 64M\nnetworks = lan\n");
	one_error(text, "37: `networks` makes one port too many: all guests have 32 at most");
	assert_int_equal(config.network.ports, BH_PORTS);
	one_error(LAN GUEST "networks = lan\n[guest g]\nkernel = k\nmemory = 64M\nnetworks = lan, lan\n", "used twice");
	assert_int_equal(config.network.ports, 1);
}

static void test_macs(void **state)
{
	(void)state;
	/* Of the name alone: the same beside other networks, guests and options. */
	no_error(LAN GUEST "networks = lan, lan\n");
	assert_mac(port_named("g.0"), "02:18:fa:d4:9f:65");
	assert_mac(port_named("g.1"), "02:18:fa:d4:9d:35");
	no_error("[network x]\n[guest h]\nkernel = k\nmemory = 64M\nnetworks = x\n" GUEST
		 "networks = lan vlan 3, x mac 02:18:fa:d4:9d:35\n" LAN);
	assert_mac(port_named("g.0"), "02:18:fa:d4:9f:65");
	/* Somebody has it already: hashed on; on another network it does not matter. */
	no_error(LAN GUEST
		 "networks = lan\n[guest h]\nkernel = k\nmemory = 64M\nnetworks = lan mac 02:18:fa:d4:9f:65\n");
	assert_mac(port_named("h.0"), "02:18:fa:d4:9f:65");
	assert_mac(port_named("g.0"), "02:70:ce:8a:2e:01");
	no_error("[network x]\n" LAN GUEST "networks = lan, x mac 02:18:fa:d4:9f:65\n");
	assert_mac(port_named("g.0"), "02:18:fa:d4:9f:65");
	one_error(LAN GUEST "networks = lan mac 52:54:00:12:34:56\n[guest h]\nkernel = k\nmemory = 64M\n"
			    "networks = lan mac 52:54:00:12:34:56\n",
		  "9: the address 52:54:00:12:34:56 is g.0's already, in line 5");
	assert_string_equal(config.partition[0].error, "");
	assert_int_equal(config.network.ports, 1);
	no_error(LAN "[network x]\n" GUEST "networks = lan mac 52:54:00:12:34:56, x mac 52:54:00:12:34:56\n");
}

static void test_devices(void **state)
{
	const struct config_grant *grant = config.partition[0].grant;

	(void)state;
	no_error(NATIVE "trusted-for-dma = yes\n"
			"grants = device 00:1f.2, device 0001:ff:00.7, device class 02:00, device class 010a\n");
	assert_true(config.partition[0].trusted_for_dma);
	assert_int_equal(grant[0].type, CONFIG_GRANT_DEVICE);
	assert_int_equal(grant[0].first, CONFIG_DEVICE_ADDRESS);
	assert_int_equal(grant[0].last, 0x1f << 3 | 2);
	assert_int_equal(grant[1].last, 0x1ff07);
	assert_int_equal(grant[2].first, CONFIG_DEVICE_CLASS);
	assert_int_equal(grant[2].last, 0x0200);
	assert_int_equal(grant[3].last, 0x010a);
	one_error(NATIVE "grants = device\n", "3: `device` is followed by the address of a PCI device or by its class");
	one_error(NATIVE "grants = device 1f.2\n", "3: `device` is followed by");
	one_error(NATIVE "grants = device 00:20.0\n", "3: `device` is followed by");
	one_error(NATIVE "grants = device 00:1f.8\n", "3: `device` is followed by");
	one_error(NATIVE "grants = device 000:00:1f.2\n", "3: `device` is followed by");
	one_error(NATIVE "grants = device 00:00:00:1f.2\n", "3: `device` is followed by");
	one_error(NATIVE "grants = device class\n", "3: `device` is followed by");
	one_error(NATIVE "grants = device class 2\n", "3: `device` is followed by");
	one_error(GUEST "grants = device 00:1f.2\n", "4: only a native can be granted `device`");
	one_error(NATIVE "trusted-for-dma = net\n", "3: `trusted-for-dma` is `yes` or `no`");
	one_error(GUEST "trusted-for-dma = no\n", "4: unknown key `trusted-for-dma`");
	one_error("[machine]\ntrusted-for-dma = yes\n", "2: `trusted-for-dma`: `yes` is no service that has devices");
}

static void test_devices_named_twice(void **state)
{
	const char *two = NATIVE "grants = device 00:1f.2\n[native m]\nprogram = p\ngrants = device 0000:00:1f.2\n";

	(void)state;
	one_error(two, "6: the device 0000:00:1f.2 is partition n's already, in line 3");
	assert_string_equal(config.partition[0].error, "");
	one_error(NATIVE "grants = device 00:1f.2, device 00:1f.2\n", "3: the device 0000:00:1f.2 is partition n's");
	no_error(NATIVE "grants = device class 02:00, device class 02:00\n");
	no_error(NATIVE "grants = device 00:1f.2, device 0001:00:1f.2\n");
	one_error(LAN "nic = 00:02.0\n[network b]\nnic = 00:02.0\n",
		  "4: the device 0000:00:02.0 is network lan's already, in line 2");
	assert_int_equal(config.network.networks, 1);
	one_error(LAN "nic = 00:02.0\n" NATIVE "grants = device 00:02.0\n",
		  "5: the device 0000:00:02.0 is network lan's already, in line 2");
	assert_int_equal(config.network.networks, 1);
	one_error(NATIVE "grants = device 00:02.0\n" LAN "nic = 00:02.0\n",
		  "5: the device 0000:00:02.0 is partition n's already, in line 3");
	assert_int_equal(config.network.networks, 0);
	assert_string_equal(config.partition[0].error, "");
}

/* The example that the README points to is right. */
static void test_example(void **state)
{
	static char text[16384];
	FILE *file = fopen("boot/networks.conf", "rb");

	(void)state;
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = 0;
	fclose(file);
	no_error(text);
	assert_int_equal(config.network.networks, 2);
	assert_int_equal(config.network.ports, 5);
	assert_true(config.partition[config.net].trusted_for_dma);
}

static void test_files_of_the_console(void **state)
{
	const struct bh_console_file *file = config.network.file;

	(void)state;
	no_error("[machine]\nkey = keys/console.key\ntokens = tokens.txt\nconsole = lan\ncertificate = "
		 "console.pem\n" LAN);
	assert_string_equal(file[BH_FILE_TOKENS].path, "tokens.txt");
	assert_string_equal(file[BH_FILE_TOKENS].name, "tokens");
	assert_string_equal(file[BH_FILE_CERTIFICATE].path, "console.pem");
	assert_string_equal(file[BH_FILE_KEY].path, "keys/console.key");
	assert_int_equal(file[BH_FILE_KEY].line, 2);
	assert_int_equal(file[BH_FILE_KEY].failed | file[BH_FILE_TOKENS].failed, 0);
	no_error("[machine]\ntokens = t\n");
	assert_string_equal(file[BH_FILE_KEY].path, "");
	one_error("[machine]\ncertificate = c\n", "2: `certificate` and `key` go together: `key` names");
	assert_int_equal(file[BH_FILE_CERTIFICATE].failed, 1);
	one_error("[machine]\n\nkey = c\n", "3: `certificate` and `key` go together: `certificate` names");
	one_error("[machine]\ntokens = ../t\n", "no `..`");
	assert_int_equal(file[BH_FILE_TOKENS].failed, 1);
	one_error("[guest g]\nkernel = k\nmemory = 64M\ntokens = t\n", "unknown key `tokens`");
}

/* A file that is not there is told with its line, and is the console's loss alone. */
static void test_a_console_without_its_files(void **state)
{
	static struct config_file list[CONFIG_FILES];

	(void)state;
	no_error("[machine]\ntokens = t\nkey = k\ncertificate = c\n" GUEST);
	assert_int_equal(config_files(&config, list), 3);
	assert_string_equal(list[0].path, "k");
	assert_string_equal(list[1].path, "t");
	told[0] = 0;
	config_file_fail(&config, &list[1], "it is gone", report, NULL);
	assert_string_equal(told, "2: `tokens`: t: it is gone\n");
	assert_int_equal(config.network.file[BH_FILE_TOKENS].failed, 1);
	assert_string_equal(config.partition[0].error, "");
	told[0] = 0;
	config_file_fail(&config, &list[0], "it is gone", report, NULL);
	assert_non_null(strstr(told, "3: `key`: k: it is gone\n"));
	assert_non_null(strstr(told, "g: k: it is gone\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_files_of_the_console),
		cmocka_unit_test(test_a_console_without_its_files),
		cmocka_unit_test(test_console_errors),
		cmocka_unit_test(test_service),
		cmocka_unit_test(test_service_has_no_place),
		cmocka_unit_test(test_network_errors),
		cmocka_unit_test(test_port_errors),
		cmocka_unit_test(test_too_many_ports),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_devices_named_twice),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
