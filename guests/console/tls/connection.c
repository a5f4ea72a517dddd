#include "connection.h"
#include "guests/console/contact.h"
#include "guests/console/http/http.h"
#include "guests/console/ip/ip.h"
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"
#include "lwip/tcp.h"
#include "mbedtls/ssl_internal.h" /* mbedtls_ssl_flush_output, out_left */
#include "tls.h"

#define PORT	     443
#define HANDSHAKE_MS 10000 /* for all of it */
#define CLOSING_MS   5000  /* for what was sent to leave */
#define GRACE_MS     500   /* who is so young is not put off for another */
#define SOURCE_BYTES 48

enum phase { PHASE_FREE, PHASE_HANDSHAKE, PHASE_OPEN, PHASE_CLOSING };

struct connection {
	enum phase phase;
	bool inside;   /* a function below is at work on it, and will see to its end */
	bool notified; /* the peer has been told that nothing more comes */
	struct tcp_pcb *pcb;
	struct pbuf *received; /* not yet decrypted */
	struct http *http;     /* PHASE_OPEN: not NULL */
	uint64_t since;	       /* when it came into its phase; ms */
	mbedtls_ssl_context ssl;
	char source[SOURCE_BYTES];
};

static const mbedtls_ssl_config *config;
static struct connection pool[TLS_CONNECTIONS];

static void enter(struct connection *connection, enum phase phase)
{
	connection->phase = phase;
	connection->since = ip_now_ms();
}

/* ---- the end ---- */

/* lwIP's part is over, or goes on without us. */
static void release(struct connection *connection)
{
	if (connection->received)
		pbuf_free(connection->received);
	connection->received = NULL;
	connection->pcb = NULL;
	mbedtls_ssl_free(&connection->ssl);
	connection->phase = PHASE_FREE;
}

static struct tcp_pcb *detach(struct connection *connection)
{
	struct tcp_pcb *pcb = connection->pcb;

	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	tcp_err(pcb, NULL);
	tcp_poll(pcb, NULL, 0);
	tcp_setprio(pcb, TCP_PRIO_MIN);
	/* Data that nobody has read would make a reset of the close. */
	if (connection->received)
		tcp_recved(pcb, connection->received->tot_len);
	release(connection);
	return pcb;
}

/* The result is for lwIP, if it is lwIP that called: the pcb may be gone. */
static err_t hang_up(struct connection *connection)
{
	struct tcp_pcb *pcb = detach(connection);

	if (tcp_close(pcb) == ERR_OK)
		return ERR_OK;
	tcp_abort(pcb);
	return ERR_ABRT;
}

static err_t abort_now(struct connection *connection)
{
	struct http *http = connection->phase == PHASE_OPEN ? connection->http : NULL;

	tcp_abort(detach(connection));
	if (http)
		http_gone(http);
	return ERR_ABRT;
}

/* Of one that is closing: sends what is left, then the alert "close_notify" (RFC 5246, 7.2.1), then hangs up. */
static err_t settle(struct connection *connection)
{
	if (connection->phase != PHASE_CLOSING)
		return ERR_OK;
	if (mbedtls_ssl_flush_output(&connection->ssl) == MBEDTLS_ERR_SSL_WANT_WRITE)
		return ERR_OK;
	if (!connection->notified) {
		connection->notified = true;
		if (mbedtls_ssl_close_notify(&connection->ssl) == MBEDTLS_ERR_SSL_WANT_WRITE)
			return ERR_OK;
	}
	return hang_up(connection);
}

/* ---- mbedTLS' way to TCP ---- */

static int send_record(void *context, const unsigned char *data, size_t bytes)
{
	struct connection *connection = context;
	size_t room = tcp_sndbuf(connection->pcb);
	err_t error;

	if (bytes > room)
		bytes = room;
	if (!bytes)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	error = tcp_write(connection->pcb, data, (u16_t)bytes, TCP_WRITE_FLAG_COPY);
	if (error == ERR_MEM)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	return error == ERR_OK ? (int)bytes : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int receive_record(void *context, unsigned char *to, size_t bytes)
{
	struct connection *connection = context;
	u16_t count;

	if (!connection->received)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (bytes > connection->received->tot_len)
		bytes = connection->received->tot_len;
	count = pbuf_copy_partial(connection->received, to, (u16_t)bytes, 0);
	connection->received = pbuf_free_header(connection->received, count);
	tcp_recved(connection->pcb, count);
	return count;
}

/* ---- http's way to TLS ---- */

static size_t wire_room(void *wire)
{
	struct connection *connection = wire;
	int room;

	/* One record may wait in mbedTLS' own buffer. */
	if (connection->phase != PHASE_OPEN || connection->ssl.out_left)
		return 0;
	room = mbedtls_ssl_get_max_out_record_payload(&connection->ssl);
	return room > 0 ? (size_t)room : 0;
}

static void wire_send(void *wire, const void *data, size_t bytes)
{
	struct connection *connection = wire;

	/* WANT_WRITE: the record is made and kept. Any other error shows again at the next step. */
	if (bytes && bytes <= wire_room(wire))
		mbedtls_ssl_write(&connection->ssl, data, bytes);
	tcp_output(connection->pcb);
}

static void wire_close(void *wire)
{
	struct connection *connection = wire;

	connection->http = NULL;
	enter(connection, PHASE_CLOSING);
	if (!connection->inside)
		settle(connection);
}

static const struct http_transport transport = { wire_room, wire_send, wire_close };

/* ---- at work ---- */

static bool is_wait(int error) { return error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE; }

static void shake_hands(struct connection *connection)
{
	int error = mbedtls_ssl_handshake(&connection->ssl);

	if (is_wait(error))
		return;
	if (!error) {
		enter(connection, PHASE_OPEN);
		connection->http = http_open(&transport, connection, connection->source);
		if (connection->http)
			return;
	} else {
		connection->notified = true; /* of something worse */
	}
	enter(connection, PHASE_CLOSING);
}

static void read_all(struct connection *connection)
{
	static uint8_t plain[4096];
	int count;

	while (connection->phase == PHASE_OPEN) {
		count = mbedtls_ssl_read(&connection->ssl, plain, sizeof(plain));
		if (is_wait(count))
			return;
		if (count > 0) {
			http_receive(connection->http, plain, (size_t)count);
			continue;
		}
		/* The peer says that nothing more comes, or breaks the rules: either is the end. */
		http_gone(connection->http);
		connection->http = NULL;
		enter(connection, PHASE_CLOSING);
	}
}

static err_t step(struct connection *connection)
{
	connection->inside = true;
	if (connection->phase == PHASE_HANDSHAKE)
		shake_hands(connection);
	read_all(connection);
	connection->inside = false;
	return settle(connection);
}

/* ---- lwIP calls ---- */

static err_t received(void *context, struct tcp_pcb *pcb, struct pbuf *data, err_t error)
{
	struct connection *connection = context;
	struct http *http = connection->phase == PHASE_OPEN ? connection->http : NULL;

	(void)pcb;
	(void)error;
	if (!data) {
		err_t result = hang_up(connection);

		if (http)
			http_gone(http);
		return result;
	}
	if (connection->phase == PHASE_CLOSING) {
		tcp_recved(pcb, data->tot_len);
		pbuf_free(data);
		return ERR_OK;
	}
	if (connection->received)
		pbuf_cat(connection->received, data);
	else
		connection->received = data;
	return step(connection);
}

static err_t sent(void *context, struct tcp_pcb *pcb, u16_t bytes)
{
	struct connection *connection = context;

	(void)pcb;
	(void)bytes;
	if (connection->phase == PHASE_HANDSHAKE)
		return step(connection);
	connection->inside = true;
	if (connection->phase == PHASE_OPEN && mbedtls_ssl_flush_output(&connection->ssl) == 0)
		http_sent(connection->http);
	connection->inside = false;
	return settle(connection);
}

/* Twice a second, also if nothing comes: time-outs, and what lacked memory the last time. */
static err_t poll(void *context, struct tcp_pcb *pcb)
{
	struct connection *connection = context;
	uint64_t age = ip_now_ms() - connection->since;

	if ((connection->phase == PHASE_HANDSHAKE && age > HANDSHAKE_MS) ||
	    (connection->phase == PHASE_CLOSING && age > CLOSING_MS))
		return abort_now(connection);
	return sent(context, pcb, 0);
}

static void gone(void *context, err_t error)
{
	struct connection *connection = context;
	struct http *http = connection->phase == PHASE_OPEN ? connection->http : NULL;

	(void)error;
	release(connection);
	if (http)
		http_gone(http);
}

/* ---- new ones ---- */

static bool is_from(const struct connection *connection, const char *source)
{
	return connection->phase != PHASE_FREE && !strcmp(connection->source, source);
}

/* The oldest that is not open, of `source` or, NULL, of any. */
static struct connection *find_victim(const char *source)
{
	struct connection *oldest = NULL;

	for (struct connection *c = pool; c < pool + TLS_CONNECTIONS; c++) {
		if (c->phase == PHASE_FREE || c->phase == PHASE_OPEN || (source && !is_from(c, source)))
			continue;
		if (!oldest || c->since < oldest->since)
			oldest = c;
	}
	return oldest && ip_now_ms() - oldest->since >= GRACE_MS ? oldest : NULL;
}

static struct connection *take_place(const char *source)
{
	struct connection *place = NULL;
	unsigned count = 0;

	for (struct connection *c = pool; c < pool + TLS_CONNECTIONS; c++) {
		count += is_from(c, source);
		if (c->phase == PHASE_FREE)
			place = c;
	}
	if (count >= TLS_PER_SOURCE)
		place = find_victim(source);
	else if (!place)
		place = find_victim(NULL);
	if (place && place->phase != PHASE_FREE)
		abort_now(place);
	return place;
}

static bool begin(struct connection *connection, struct tcp_pcb *pcb, const char *source)
{
	*connection = (struct connection){ .pcb = pcb };
	bh_strlcpy(connection->source, source, sizeof(connection->source));
	mbedtls_ssl_init(&connection->ssl);
	if (mbedtls_ssl_setup(&connection->ssl, config)) {
		release(connection);
		return false;
	}
	mbedtls_ssl_set_bio(&connection->ssl, connection, send_record, receive_record, NULL);
	enter(connection, PHASE_HANDSHAKE);
	return true;
}

static err_t accept(void *context, struct tcp_pcb *pcb, err_t error)
{
	struct connection *connection;
	char source[SOURCE_BYTES];

	(void)context;
	if (error != ERR_OK || !pcb)
		return ERR_VAL;
	ipaddr_ntoa_r(&pcb->remote_ip, source, sizeof(source));
	connection = take_place(source);
	if (!connection || !begin(connection, pcb, source)) {
		tcp_abort(pcb);
		return ERR_ABRT;
	}
	tcp_setprio(pcb, TCP_PRIO_NORMAL);
	tcp_nagle_disable(pcb);
	tcp_arg(pcb, connection);
	tcp_recv(pcb, received);
	tcp_sent(pcb, sent);
	tcp_err(pcb, gone);
	tcp_poll(pcb, poll, 1);
	return ERR_OK;
}

static uint64_t used(unsigned argument)
{
	unsigned count = 0;

	(void)argument;
	for (const struct connection *c = pool; c < pool + TLS_CONNECTIONS; c++)
		count += c->phase != PHASE_FREE;
	return count;
}

bool connection_start(const mbedtls_ssl_config *with)
{
	config = with;
	contact_add_pool(&(struct contact_pool){ "tls.connections", TLS_CONNECTIONS, used, 0 });
	return ip_listen(PORT, accept);
}
