/* command_net.c: the networks' ports, what went through them, and the addresses behind them. */
#include "commands.h"
#include "network.h"
#include "network_words.h"
#include "screen.h"
#include "traffic.h"
#include "words.h"

#define MAC	   "%02x:%02x:%02x:%02x:%02x:%02x"
#define BYTES(m)   (m)[0], (m)[1], (m)[2], (m)[3], (m)[4], (m)[5]
#define TABLE_STEP 16

static const char *const drop_names[] = BH_DROP_NAMES;
_Static_assert(sizeof(drop_names) / sizeof(drop_names[0]) == BH_DROPS, "a name for each");

/* What NAME chooses: a network with all of it, or some ports. */
static bool chosen(const char *name, unsigned network, const struct network_port *port)
{
	return !name || (network < network_count && !strcmp(networks[network].name, name)) ||
	       (port && network_port_is(port, name));
}

/* ---- for people ---- */

static void show_flow(const char *name, const char *middle, const char *vlan, const char *way, uint64_t frames,
		      uint64_t bytes)
{
	char count[WORDS_BYTES], size[WORDS_BYTES];

	bh_snprintf(count, sizeof(count), "%llu", (unsigned long long)frames);
	screen_printf("%-12s %-22s %5s %-3s %10s %9s", name, middle, vlan, way, count, words_size(size, bytes));
}

static void show_rate(bool known, uint64_t frames, uint64_t bytes)
{
	char size[WORDS_BYTES];

	if (known)
		screen_printf(" %9llu %9s\n", (unsigned long long)frames, words_size(size, bytes));
	else
		screen_printf(" %9s %9s\n", "-", "-");
}

static void show_drops(const struct bh_port_stat *stat)
{
	bool any = false;

	for (unsigned i = 0; i < BH_DROPS; i++) {
		if (!stat->drops[i])
			continue;
		screen_printf("%s %s %llu", any ? "," : "    dropped:", drop_names[i],
			      (unsigned long long)stat->drops[i]);
		any = true;
	}
	if (any)
		screen_printf("\n");
}

static void show_words(const struct bh_port_stat *stat)
{
	if (!stat->words[0])
		return;
	screen_printf("    ");
	screen_text(stat->words, strlen(stat->words));
	screen_printf("\n");
}

static const char *link_words(const struct bh_port_stat *stat)
{
	if (!stat->present)
		return "not there";
	if (!stat->admin)
		return stat->driver ? "taken down" : "taken down, no driver";
	if (!stat->link)
		return stat->driver ? "link down" : "link down, no driver";
	return stat->driver ? "link up" : "link up, no driver";
}

static void show_port(const struct network_port *port, const struct bh_port_stat *stat, const struct traffic *rates)
{
	static const struct traffic none;
	const uint8_t *address = port->guest ? port->guest->mac : stat->mac;
	char mac[WORDS_BYTES], vlan[8] = "-";
	bool known = rates != NULL;

	if (!rates)
		rates = &none;
	bh_snprintf(mac, sizeof(mac), MAC, BYTES(address));
	if (port->guest && port->guest->flags & BH_PORT_TRUNK)
		bh_strlcpy(vlan, "trunk", sizeof(vlan));
	else if (port->guest && port->guest->vlan)
		bh_snprintf(vlan, sizeof(vlan), "%u", port->guest->vlan);
	show_flow(port->name, mac, vlan, "out", stat->out_frames, stat->out_bytes);
	show_rate(known, rates->out_frames, rates->out_bytes);
	show_flow("", link_words(stat), "", "in", stat->in_frames, stat->in_bytes);
	show_rate(known, rates->in_frames, rates->in_bytes);
	show_words(stat);
	show_drops(stat);
}

static void show_network(unsigned network, const struct network_snapshot *before, const struct network_snapshot *now,
			 const char *name)
{
	const struct bh_network *record = &networks[network];
	bool any = false, anew = before->life != now->life || before->tsc >= now->tsc;

	for (unsigned i = 0; i < network_port_count; i++) {
		const struct network_port *port = &network_ports[i];
		const struct bh_port_stat *stat = &now->port[port->number];
		struct traffic rates;
		bool known;

		if (port->network != network || !chosen(name, network, port))
			continue;
		if (!any)
			screen_printf("%s: MTU %u, %s%s\n", record->name, record->mtu,
				      record->uplink ? "with an uplink" : "isolated",
				      now->tap_on[network] ? ", tapped" : "");
		any = true;
		known = !anew && traffic_between(&rates, &before->port[port->number], stat, now->tsc - before->tsc,
						 bh_info()->tsc_hz);
		show_port(port, stat, known ? &rates : NULL);
	}
	if (!any && chosen(name, network, NULL))
		screen_printf("%s: MTU %u, no ports\n", record->name, record->mtu);
}

static void show_all(const char *name)
{
	/* Now, and when it was last asked: rates are between the two. */
	static struct network_snapshot snapshots[2];
	static unsigned latest;
	const struct network_snapshot *before = &snapshots[latest];
	struct network_snapshot *now = &snapshots[latest ^= 1];

	if (!network_words_running())
		screen_printf("These are the numbers that it left:\n");
	network_look(now);
	screen_printf("%-12s %-22s %5s %-3s %10s %9s %9s %9s\n", "PORT", "ADDRESS, LINK", "VLAN", "", "FRAMES", "BYTES",
		      "FRAMES/S", "BYTES/S");
	for (unsigned i = 0; i < network_count; i++)
		show_network(i, before, now, name);
}

/* ---- for programs: keys and numbers ---- */

static void key(const char *what, const char *name, const char *field, uint64_t number)
{
	screen_printf("%s.%s.%s %llu\n", what, name, field, (unsigned long long)number);
}

static void port_keys(const struct network_port *port, const struct bh_port_stat *stat)
{
	const char *name = port->name;

	key("port", name, "present", stat->present);
	key("port", name, "link", stat->link);
	key("port", name, "admin", stat->admin);
	key("port", name, "driver", stat->driver);
	key("port", name, "vlan", port->guest ? port->guest->vlan : 0);
	key("port", name, "out_frames", stat->out_frames);
	key("port", name, "out_bytes", stat->out_bytes);
	key("port", name, "in_frames", stat->in_frames);
	key("port", name, "in_bytes", stat->in_bytes);
	for (unsigned i = 0; i < BH_DROPS; i++) {
		char field[WORDS_BYTES];

		bh_snprintf(field, sizeof(field), "drops.%s", drop_names[i]);
		key("port", name, words_key(field), stat->drops[i]);
	}
}

static void all_keys(const char *name)
{
	static struct network_snapshot now;

	network_look(&now);
	screen_printf("now %llu\n", (unsigned long long)now.tsc);
	screen_printf("tsc_hz %llu\n", (unsigned long long)bh_info()->tsc_hz);
	screen_printf("service %u\n", network_state() == NETWORK_RUNS);
	screen_printf("tap_lost %llu\n", (unsigned long long)now.tap_lost);
	for (unsigned i = 0; i < network_count; i++) {
		if (!chosen(name, i, NULL))
			continue;
		key("network", networks[i].name, "mtu", networks[i].mtu);
		key("network", networks[i].name, "uplink", networks[i].uplink);
		key("network", networks[i].name, "tap", now.tap_on[i] != 0);
	}
	for (unsigned i = 0; i < network_port_count; i++)
		if (chosen(name, network_ports[i].network, &network_ports[i]))
			port_keys(&network_ports[i], &now.port[network_ports[i].number]);
}

/* ---- the learned addresses ---- */

static void show_entry(const struct bh_mac_entry *entry)
{
	const struct network_port *port = network_port_numbered(entry->port);
	char vlan[8] = "-";

	if (entry->vlan)
		bh_snprintf(vlan, sizeof(vlan), "%u", entry->vlan);
	screen_printf(MAC " %5s %-16s %-16s %8u s\n", BYTES(entry->mac), vlan,
		      entry->network < network_count ? networks[entry->network].name : "?", port ? port->name : "?",
		      entry->age);
}

static void show_table(const char *name)
{
	struct bh_mac_entry entry[TABLE_STEP];
	unsigned first = 0, count, any = 0;

	if (!network_words_running() || !network_words_done(network_request(BH_NETWORK_TABLE, 0, 0)))
		return;
	screen_printf("%-17s %5s %-16s %-16s %10s\n", "ADDRESS", "VLAN", "NETWORK", "PORT", "SEEN AGO");
	while ((count = network_table(entry, first, TABLE_STEP))) {
		for (unsigned i = 0; i < count; i++) {
			if (!chosen(name, entry[i].network, network_port_numbered(entry[i].port)))
				continue;
			show_entry(&entry[i]);
			any++;
		}
		first += count;
	}
	if (!any)
		screen_printf("No address has been learned.\n");
}

void command_net(const struct arguments *arguments)
{
	const char *name = arguments->word;

	if (!network_words_ready() || (name && !network_words_any(name)))
		return;
	switch (arguments->flag) {
	case 'k': all_keys(name); break;
	case 'm': show_table(name); break;
	default: show_all(name); break;
	}
}
