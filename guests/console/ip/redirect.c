#include "redirect.h"
#include "guests/lib/bh.h"
#include "ip.h"
#include "lwip/tcp.h"

#define PORT	    80
#define CONNECTIONS 16
#define PATIENCE_MS 5000

struct redirect {
	struct tcp_pcb *pcb; /* NULL: free */
	uint64_t began;
	uint16_t bytes;
	char request[REDIRECT_REQUEST_BYTES];
};

static struct redirect pool[CONNECTIONS];

static void detach(struct redirect *redirect)
{
	struct tcp_pcb *pcb = redirect->pcb;

	redirect->pcb = NULL;
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_err(pcb, NULL);
	tcp_poll(pcb, NULL, 0);
	/* It goes on without us, until a new connection needs its place. */
	tcp_setprio(pcb, TCP_PRIO_MIN);
}

static err_t end(struct redirect *redirect)
{
	struct tcp_pcb *pcb = redirect->pcb;

	detach(redirect);
	if (tcp_close(pcb) == ERR_OK)
		return ERR_OK;
	tcp_abort(pcb);
	return ERR_ABRT;
}

static err_t answer(struct redirect *redirect)
{
	static char text[REDIRECT_ANSWER_BYTES];
	char own[64];
	size_t bytes;

	ipaddr_ntoa_r(&redirect->pcb->local_ip, own + 1, sizeof(own) - 2);
	if (IP_IS_V6(&redirect->pcb->local_ip)) {
		own[0] = '[';
		bh_strlcpy(own + strlen(own), "]", 2);
	}
	bytes = redirect_answer(redirect->request, redirect->bytes, own + (own[0] != '['), text);
	if (tcp_write(redirect->pcb, text, (u16_t)bytes, TCP_WRITE_FLAG_COPY) == ERR_OK)
		tcp_output(redirect->pcb);
	return end(redirect);
}

static err_t receive(void *context, struct tcp_pcb *pcb, struct pbuf *data, err_t error)
{
	struct redirect *redirect = context;
	uint16_t room = (uint16_t)(sizeof(redirect->request) - redirect->bytes);

	(void)error;
	if (!data)
		return end(redirect);
	redirect->bytes += pbuf_copy_partial(data, redirect->request + redirect->bytes, room, 0);
	tcp_recved(pcb, data->tot_len);
	pbuf_free(data);
	return redirect_is_complete(redirect->request, redirect->bytes) ? answer(redirect) : ERR_OK;
}

static err_t poll(void *context, struct tcp_pcb *pcb)
{
	struct redirect *redirect = context;

	if (ip_now_ms() - redirect->began < PATIENCE_MS)
		return ERR_OK;
	detach(redirect);
	tcp_abort(pcb);
	return ERR_ABRT;
}

static void gone(void *context, err_t error)
{
	(void)error;
	((struct redirect *)context)->pcb = NULL;
}

static err_t accept(void *context, struct tcp_pcb *pcb, err_t error)
{
	struct redirect *redirect = pool;

	(void)context;
	if (error != ERR_OK || !pcb)
		return ERR_VAL;
	while (redirect < pool + CONNECTIONS && redirect->pcb)
		redirect++;
	if (redirect == pool + CONNECTIONS) {
		tcp_abort(pcb);
		return ERR_ABRT;
	}
	redirect->pcb = pcb;
	redirect->began = ip_now_ms();
	redirect->bytes = 0;
	tcp_setprio(pcb, TCP_PRIO_NORMAL);
	tcp_arg(pcb, redirect);
	tcp_recv(pcb, receive);
	tcp_err(pcb, gone);
	tcp_poll(pcb, poll, 2);
	return ERR_OK;
}

bool redirect_start(void) { return ip_listen(PORT, accept); }
