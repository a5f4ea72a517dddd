/* uplink.c: between the switch and the drivers. */
#include "uplink.h"
#include "device.h"
#include "events.h"
#include "guests/lib/bh.h"
#include "port.h"

static struct uplink {
	struct device device;
	struct nic nic;
	uint64_t oversize, errors; /* of its counters, what the port has counted already */
} uplinks[BH_NETWORKS];

static void start_nic(struct uplink *uplink, struct port *port, const struct bh_network *network)
{
	const struct bh_info_handle *handle = bh_find(network->name, BH_HANDLE_DEVICE);
	struct nic_access access;

	if (!handle) {
		bh_strlcpy(uplink->nic.words, "there is no such device", sizeof(uplink->nic.words));
		bh_printf("net: network %s has no NIC: the device is not there\n", network->name);
		return;
	}
	device_open(&uplink->device, handle, EVENT_NIC + port->network, &access);
	nic_start(&uplink->nic, &access, (uint32_t)device_stat(&uplink->device, BH_DEVICE_ID, 0),
		  (uint32_t)device_stat(&uplink->device, BH_DEVICE_CLASS, 0), port->mtu);
}

static void start_uplink(unsigned number, const struct bh_network *network)
{
	struct uplink *uplink = &uplinks[number];
	struct port *port = port_add(BH_PORT_NIC(number), number);

	memset(uplink, 0, sizeof(*uplink));
	/* Towards the wire it is a trunk, and everybody's address comes from there. */
	port->nic = &uplink->nic;
	port->trusted = true;
	port->trunk = true;
	port->mtu = network->mtu;
	bucket_start(&port->many, network->broadcasts, network->broadcasts / 16, bh_info()->tsc_hz);
	net.nics |= port->bit;
	start_nic(uplink, port, network);
	port_refresh(port);
}

void uplink_start(const struct bh_network_records *records)
{
	for (unsigned i = 0; i < net.networks; i++)
		if (records->network[i].uplink)
			start_uplink(i, &records->network[i]);
}

void uplink_event(uint64_t ports)
{
	for (; ports; ports &= ports - 1)
		nic_interrupt(net.port[__builtin_ctzll(ports)].nic);
}

/* The port's counters outlive a restart, the NIC's do not. */
static void count_new(struct port *port, enum bh_drop why, uint64_t now, uint64_t *before)
{
	port->stat->drops[why] += now - *before;
	*before = now;
}

void uplink_check(void)
{
	for (uint64_t left = net.nics; left; left &= left - 1) {
		struct port *port = &net.port[__builtin_ctzll(left)];
		struct uplink *uplink = &uplinks[port->network];
		const struct nic_counters *counters = &uplink->nic.counters;

		if (port->nic->access.context)
			nic_check(port->nic);
		count_new(port, BH_DROP_OVERSIZE, counters->rx_oversize, &uplink->oversize);
		count_new(port, BH_DROP_DEVICE, counters->rx_errors + counters->rx_missed, &uplink->errors);
	}
}

bool uplink_is_polled(void)
{
	for (uint64_t left = net.nics; left; left &= left - 1) {
		const struct nic *nic = net.port[__builtin_ctzll(left)].nic;

		if (nic->state == NIC_RUNS && !nic->access.irqs)
			return true;
	}
	return false;
}

uint64_t uplink_settle(uint64_t active)
{
	uint64_t again = 0;

	for (uint64_t left = net.nics & ~active; left; left &= left - 1)
		if (!nic_may_sleep(net.port[__builtin_ctzll(left)].nic))
			again |= left & -left;
	return again;
}
