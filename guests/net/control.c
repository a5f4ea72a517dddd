/* control.c: links, tables, taps. */
#include "control.h"
#include "events.h"
#include "guests/lib/bh.h"
#include "port.h"
#include "service.h"
#include "table.h"
#include "tap.h"

void control_start(void)
{
	const struct bh_info_handle *handle = bh_find("network", BH_HANDLE_CHANNEL);

	net.channel = NULL;
	if (!handle || handle->bytes < sizeof(*net.channel)) {
		bh_printf("net: no channel \"network\": the console cannot look in\n");
		return;
	}
	net.channel = (struct bh_network_channel *)(uintptr_t)handle->address;
	net.handle = handle->handle;
	bh_call3(BH_CHANNEL_BIND, net.handle, 0, EVENT_CONSOLE);
}

static int32_t set_link(uint32_t number, uint32_t up)
{
	if (number >= BH_PORT_NUMBERS || up > 1 || !((net.guests | net.nics) >> number & 1))
		return -BH_EINVAL;
	if (net.port[number].admin != (bool)up) {
		bh_printf("net: port %u of network %s is taken %s\n", number,
			  net.network[net.port[number].network].name, up ? "up" : "down");
		port_set_link(&net.port[number], up);
	}
	return 0;
}

static int32_t set_tap(uint32_t network, uint32_t on)
{
	if (network >= net.networks || on > 1)
		return -BH_EINVAL;
	tap_set(network, on);
	return 0;
}

static void refresh(void)
{
	for (uint64_t left = net.guests | net.nics; left; left &= left - 1)
		port_refresh(&net.port[__builtin_ctzll(left)]);
}

static int32_t list_table(void)
{
	refresh();
	net.channel->macs = table_list(net.channel->mac, net.now, bh_info()->tsc_hz);
	return 0;
}

static int32_t perform(uint32_t operation, uint32_t a, uint32_t b)
{
	switch (operation) {
	case BH_NETWORK_LINK: return set_link(a, b);
	case BH_NETWORK_TABLE: return list_table();
	case BH_NETWORK_TAP: return set_tap(a, b);
	case BH_NETWORK_PORTS: service_ports(); return 0;
	default: return -BH_EINVAL;
	}
}

void control_event(void)
{
	struct bh_network_channel *channel = net.channel;
	uint32_t request, operation, a, b;

	if (!channel)
		return;
	request = atomic_load(&channel->request);
	if (request == atomic_load(&channel->answered))
		return;
	operation = *(volatile uint32_t *)&channel->operation;
	a = *(volatile uint32_t *)&channel->a;
	b = *(volatile uint32_t *)&channel->b;
	channel->result = perform(operation, a, b);
	atomic_store(&channel->answered, request);
	bh_call1(BH_CHANNEL_SIGNAL, net.handle);
}
