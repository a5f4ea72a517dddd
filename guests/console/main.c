/* main.c: the console. It waits in one place, and does what has come in. */
#include "attach.h"
#include "creation.h"
#include "events.h"
#include "guests/lib/bh.h"
#include "machine.h"
#include "network.h"
#include "peers.h"
#include "pump.h"
#include "serial.h"
#include "shell.h"
#include "state.h"
#include "web.h"

#define COM1 0x3f8

static uint8_t port_read(void *context, unsigned offset)
{
	uint8_t value;

	(void)context;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"((uint16_t)(COM1 + offset)));
	return value;
}

static void port_write(void *context, unsigned offset, uint8_t value)
{
	(void)context;
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"((uint16_t)(COM1 + offset)));
}

/* The event first: an interrupt that comes before would be an edge that nobody heard. */
static void start_serial(void)
{
	static const struct serial_access access = { port_read, port_write, NULL };
	const struct bh_info_handle *irq = bh_find("irq4", BH_HANDLE_IRQ);
	int64_t error = irq ? bh_call3(BH_IRQ_BIND, irq->handle, 0, EVENT_SERIAL) : -BH_EBADF;

	if (error) {
		bh_printf("console: no serial interrupt: error %d\n", (int)error);
		pump_poll();
	}
	if (!serial_start(&access))
		bh_printf("console: no UART at 0x3f8\n");
}

int main(unsigned vcpu)
{
	const struct bh_network_records *records = (const struct bh_network_records *)BH_GPA_SERVICE;
	int byte;

	if (vcpu != 0)
		return 0;
	machine_start();
	peers_start();
	start_serial();
	shell_start();
	network_start(records);
	creation_start(state_open()->sections);
	web_start(records);
	/* What was printed before the channels were bound had no signal for us. */
	peers_receive(UINT64_MAX, NULL);
	for (;;) {
		pump_wait(BH_FOREVER);
		while ((byte = serial_read()) >= 0)
			shell_input((char)byte);
		shell_news();
	}
}
