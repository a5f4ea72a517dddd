#include "ip.h"
#include "card.h"
#include "guests/console/contact.h"
#include "guests/console/events.h"
#include "guests/console/pump.h"
#include "guests/console/tls/entropy.h"
#include "guests/lib/bh.h"
#include "lwip/dhcp.h"
#include "lwip/ethip6.h"
#include "lwip/init.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/netif.h"
#include "lwip/stats.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"

#define TURN_MS	 5    /* then the serial line has its turn */
#define CHECK_MS 1000 /* looks after the link this often, should a signal be lost */

_Static_assert(CONTACT_ADDRESSES == 1 + LWIP_IPV6_NUM_ADDRESSES, "a place for each");

static struct netif netif;
static struct bh_network_records settings; /* a copy: names are pointed to */
static bool running, inside, busy, changed;
static uint64_t next_check;

/* ---- time ---- */

static uint64_t milliseconds(uint64_t ticks)
{
	uint64_t hz = bh_info()->tsc_hz;

	return ticks / hz * 1000 + ticks % hz * 1000 / hz;
}

uint64_t ip_now_ms(void) { return milliseconds(bh_rdtsc()); }

u32_t sys_now(void) { return (u32_t)ip_now_ms(); }

/* ---- addresses ---- */

static void note_change(struct netif *card)
{
	(void)card;
	changed = true;
}

/* A link-local address is of no use in a browser. */
static void tell_address6(unsigned i, char *text, size_t size)
{
	const ip6_addr_t *address = netif_ip6_addr(&netif, i);

	text[0] = 0;
	if (netif_is_link_up(&netif) && ip6_addr_isvalid(netif_ip6_addr_state(&netif, i)) &&
	    !ip6_addr_islinklocal(address)) {
		ip6addr_ntoa_r(address, text + 1, (int)size - 2);
		text[0] = '[';
		bh_strlcpy(text + strlen(text), "]", 2);
	}
	/* RFC 5952, 4.3 */
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'F')
			*text = (char)(*text - 'A' + 'a');
}

static void tell(unsigned index, const char *text)
{
	if (text[0] && strcmp(text, contact_address(index)))
		bh_printf("https://%s/ on %s\n", text, contact_network());
	contact_set_address(index, text);
}

static void tell_addresses(void)
{
	bool up = netif_is_link_up(&netif) && !ip4_addr_isany(netif_ip4_addr(&netif));
	char text[64] = "";

	changed = false;
	if (up)
		ip4addr_ntoa_r(netif_ip4_addr(&netif), text, sizeof(text));
	tell(0, text);
	for (unsigned i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
		tell_address6(i, text, sizeof(text));
		tell(1 + i, text);
	}
}

/* ---- memory ---- */

static uint64_t used(unsigned pool) { return pool < MEMP_MAX ? lwip_stats.memp[pool]->used : lwip_stats.mem.used; }

static void add_pools(void)
{
	static const struct contact_pool pools[] = {
		{ "ip.heap_bytes", MEM_SIZE, used, MEMP_MAX },
		{ "ip.buffers", PBUF_POOL_SIZE, used, MEMP_PBUF_POOL },
		{ "ip.references", MEMP_NUM_PBUF, used, MEMP_PBUF },
		{ "ip.segments", MEMP_NUM_TCP_SEG, used, MEMP_TCP_SEG },
		{ "ip.connections", MEMP_NUM_TCP_PCB, used, MEMP_TCP_PCB },
		{ "ip.reassembled", MEMP_NUM_REASSDATA, used, MEMP_REASSDATA },
		{ "ip.timers", 0, used, MEMP_SYS_TIMEOUT },
	};

	for (unsigned i = 0; i < sizeof(pools) / sizeof(pools[0]); i++)
		contact_add_pool(&pools[i]);
}

/* ---- at the start ---- */

static const struct bh_port *find_port(const struct bh_network_records *records)
{
	for (unsigned i = 0; i < records->ports && i < BH_PORTS; i++)
		if (!strcmp(records->port[i].name, BH_CONSOLE_PORT) && records->port[i].network < BH_NETWORKS)
			return &records->port[i];
	return NULL;
}

static ip4_addr_t address_of(const uint8_t *bytes)
{
	ip4_addr_t address;

	memcpy(&address.addr, bytes, sizeof(address.addr));
	return address;
}

static void add_card(const struct bh_console_address *console)
{
	ip4_addr_t address = address_of(console->address), gateway = address_of(console->gateway);
	ip4_addr_t mask = { console->prefix ? lwip_htonl(~(UINT32_MAX >> console->prefix)) : 0 };

	netif_add(&netif, &address, &mask, &gateway, NULL, card_init, netif_input);
	netif_set_default(&netif);
	netif_set_hostname(&netif, console->hostname);
	netif_set_status_callback(&netif, note_change);
	netif_create_ip6_linklocal_address(&netif, 1);
	netif.ip6_autoconfig_enabled = 1;
}

static void add_address6(const struct bh_console_address *console)
{
	ip6_addr_t address = { 0 };
	s8_t index;

	if (!console->prefix6)
		return;
	memcpy(address.addr, console->address6, sizeof(address.addr));
	if (netif_add_ip6_address(&netif, &address, &index) == ERR_OK)
		netif_ip6_addr_set_state(&netif, index, IP6_ADDR_TENTATIVE);
}

static void turn(uint64_t events);
static uint64_t deadline(void);

bool ip_start(const struct bh_network_records *records)
{
	static const struct pump_device device = { deadline, turn };
	const struct bh_console_address *console = &settings.console;
	const struct bh_port *port;

	settings = *records;
	settings.console.hostname[BH_NAME_BYTES - 1] = 0;
	port = find_port(&settings);
	if (!port)
		return false;
	settings.network[port->network].name[BH_NAME_BYTES - 1] = 0;
	contact_set_network(settings.network[port->network].name);
	if (!card_open(port)) {
		contact_set_problem("its port cannot be used; the log says why");
		return false;
	}
	entropy_start();
	lwip_init();
	add_pools();
	add_card(console);
	add_address6(console);
	netif_set_up(&netif);
	if (!console->prefix)
		dhcp_start(&netif);
	running = changed = true;
	pump_attach(&device);
	return true;
}

bool ip_listen(uint16_t port, tcp_accept_fn accept)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY), *listener;

	if (!pcb)
		return false;
	tcp_setprio(pcb, TCP_PRIO_MIN + 1);
	listener = tcp_bind(pcb, IP_ANY_TYPE, port) == ERR_OK ? tcp_listen(pcb) : NULL;
	if (!listener) {
		tcp_abort(pcb);
		return false;
	}
	tcp_accept(listener, accept);
	return true;
}

/* ---- in pump_wait ---- */

static void check_link(void)
{
	bool up = card_link();

	next_check = bh_rdtsc() + bh_ticks_ms(CHECK_MS);
	if (up == netif_is_link_up(&netif))
		return;
	changed = true;
	if (up)
		netif_set_link_up(&netif); /* asks DHCP and routers again, and tells the neighbours */
	else
		netif_set_link_down(&netif);
}

static uint64_t deadline(void)
{
	uint64_t now = bh_rdtsc(), until;
	uint32_t sleep;

	if (inside)
		return BH_FOREVER;
	sleep = sys_timeouts_sleeptime();
	if (busy || changed || !card_may_sleep())
		return 0;
	until = sleep == SYS_TIMEOUTS_SLEEPTIME_INFINITE ? BH_FOREVER : now + bh_ticks_ms(sleep);
	return until < next_check ? until : next_check;
}

/* What a connection asks for may wait in pump_wait itself: then lwIP is left alone until it is back. */
static void turn(uint64_t events)
{
	if (inside)
		return;
	inside = true;
	if (events & EVENT_PORT_MASK || bh_rdtsc() >= next_check)
		check_link();
	busy = card_receive(&netif, bh_ticks_ms(TURN_MS));
	sys_check_timeouts();
	if (changed)
		tell_addresses();
	card_flush();
	inside = false;
}
