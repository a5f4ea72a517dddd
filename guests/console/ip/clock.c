#include "clock.h"
#include "guests/console/tls/entropy.h"
#include "guests/lib/bh.h"
#include "lwip/dhcp.h"
#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"
#include "ntp.h"

#define LOOK_MS 1000 /* for an address and a server */
#define WORTH_S 2    /* a smaller correction is made and not told */

static struct ntp ntp;
static struct udp_pcb *pcb; /* of the open question: each has a port of its own, that nobody can guess (RFC 9109) */
static ip_addr_t server;
static bool named, silent;
static struct clock_store own, *store = &own;
static void (*tell)(const char *server, int64_t seconds);

/* ---- the clock ---- */

static uint64_t own_clock(void)
{
	const struct bh_info *info = bh_info();
	uint64_t now = bh_rdtsc();

	return info->wall_seconds + (now > info->wall_tsc ? (now - info->wall_tsc) / info->tsc_hz : 0);
}

static int64_t behind;

uint64_t clock_now(void) { return bh_info()->wall_seconds || behind ? own_clock() + (uint64_t)behind : 0; }

static void set_clock(uint64_t seconds)
{
	int64_t missing = (int64_t)(seconds - own_clock()) - behind;

	behind += missing;
	store->behind = behind;
	store->check = ~(uint64_t)behind;
	if (missing >= WORTH_S || missing <= -WORTH_S)
		tell(ipaddr_ntoa(&server), missing);
}

/* ---- questions ---- */

static void look(void *unused);

static void close_question(void)
{
	if (pcb)
		udp_remove(pcb);
	pcb = NULL;
	sys_untimeout(look, NULL);
}

/* A line of the log has 50 characters, beside who says it. */
static void say(const char *words) { bh_printf("time server %s: %s\n", ipaddr_ntoa(&server), words); }

static void answered(enum ntp_answer answer, uint64_t seconds)
{
	static const char *const words[] = {
		[NTP_NO_TIME] = "it has no time", [NTP_SLOWER] = "asked too often", [NTP_STOP] = "refuses us"
	};

	silent = false;
	if (answer == NTP_TIME)
		set_clock(seconds);
	else if (answer >= NTP_SLOWER || ntp.failures == 1)
		say(words[answer]);
	sys_timeout(ntp.pause_s * 1000, look, NULL);
}

/* lwIP has compared where it is from: the question is connected. */
static void receive(void *context, struct udp_pcb *from, struct pbuf *frame, const ip_addr_t *address, u16_t port)
{
	uint8_t packet[NTP_BYTES];
	u16_t bytes = pbuf_copy_partial(frame, packet, sizeof(packet), 0);
	uint64_t seconds = 0;
	enum ntp_answer answer = ntp_read(&ntp, packet, bytes, &seconds);

	(void)context, (void)from, (void)address, (void)port;
	pbuf_free(frame);
	if (answer == NTP_STRAY)
		return;
	close_question();
	answered(answer, seconds);
}

static void ask(void)
{
	uint8_t random[NTP_COOKIE_BYTES], packet[NTP_BYTES];
	struct pbuf *frame = pbuf_alloc(PBUF_TRANSPORT, NTP_BYTES, PBUF_RAM);

	pcb = udp_new_ip_type(IP_GET_TYPE(&server));
	if (pcb && frame && udp_connect(pcb, &server, NTP_PORT) == ERR_OK) {
		entropy_fill(random, sizeof(random));
		ntp_ask(&ntp, random, packet);
		pbuf_take(frame, packet, sizeof(packet));
		udp_recv(pcb, receive, NULL);
		udp_send(pcb, frame);
	}
	if (frame)
		pbuf_free(frame);
	sys_timeout(NTP_PATIENCE_S * 1000, look, NULL);
}

static bool may_ask(void)
{
	return !ip_addr_isany_val(server) && !ntp.stopped && netif_default && netif_is_link_up(netif_default) &&
	       (IP_IS_V6_VAL(server) || !ip4_addr_isany(netif_ip4_addr(netif_default)));
}

/* Each second until there is somebody to ask; then when the answer is late, or the next question is due. */
static void look(void *unused)
{
	bool late = pcb != NULL;

	(void)unused;
	close_question();
	if (late) {
		ntp_silence(&ntp);
		if (!silent)
			say("no answer");
		silent = true;
		sys_timeout(ntp.pause_s * 1000, look, NULL);
	} else if (may_ask()) {
		ask();
	} else {
		sys_timeout(LOOK_MS, look, NULL);
	}
}

/* ---- whom to ask ---- */

static void set_server(const ip_addr_t *address)
{
	if (ip_addr_cmp(&server, address))
		return;
	close_question();
	server = *address;
	ntp = (struct ntp){ 0 };
	silent = false;
	if (!ip_addr_isany(address))
		sys_timeout(0, look, NULL);
}

/* For lwIP: what DHCP tells with each answer (RFC 2132, 8.3). The next declaration is not in its headers. */
void dhcp_set_ntp_servers(u8_t count, const ip4_addr_t *servers);

void dhcp_set_ntp_servers(u8_t count, const ip4_addr_t *servers)
{
	ip_addr_t address = IPADDR4_INIT(0);

	if (named)
		return;
	if (count)
		ip_addr_copy_from_ip4(address, servers[0]);
	set_server(&address);
}

static void set_named(const uint8_t bytes[16])
{
	static const uint8_t none[16], mapped[12] = { [10] = 0xff, [11] = 0xff };
	ip_addr_t address = IPADDR4_INIT(0);

	named = memcmp(bytes, none, sizeof(none)) != 0;
	if (!memcmp(bytes, mapped, sizeof(mapped))) {
		memcpy(&ip_2_ip4(&address)->addr, bytes + sizeof(mapped), 4);
	} else if (named) {
		IP_SET_TYPE_VAL(address, IPADDR_TYPE_V6);
		memcpy(ip_2_ip6(&address)->addr, bytes, 16);
	}
	if (named)
		set_server(&address);
}

void clock_start(const uint8_t bytes[16], struct clock_store *kept,
		 void (*corrected)(const char *server, int64_t seconds))
{
	struct clock_store copy = *kept;

	store = kept;
	tell = corrected;
	if (copy.check == ~(uint64_t)copy.behind)
		behind = copy.behind;
	set_named(bytes);
}
