/* network.c: from the configuration's records to cards on the bus; turns. */
#include "network.h"

#define DEVICES_MASK ((1u << PCI_DEVICES) - 1)

/* ---- what cards ask for ---------------------------------------------------------------------------------- */

static void deliver_msi(void *context, uint64_t address, uint32_t data)
{
	const struct machine *machine = context;

	bh_call3(BH_GUEST_MSI, machine->guest, address, data);
}

static void kick(void *context, unsigned index)
{
	const struct machine *machine = context;

	bh_call2(BH_EVENT_SIGNAL, machine->vcpus, 1ull << MACHINE_EVENT_DOORBELL(index));
}

/*
 * Notify registers that are where the kernel's doorbells are become one. Where they are not, or if the kernel will not,
 * writes come as messages and do the same, more slowly. So it does no harm that a card which leaves a block turns off
 * what another one, which the guest has put there meanwhile, has turned on.
 */
static void set_doorbell(void *context, unsigned index, uint32_t port, bool on)
{
	const struct machine *machine = context;
	uint32_t block = (port - BH_DOORBELL_PORT) / BH_DOORBELL_BLOCK_PORTS; /* below the first it wraps around */

	if (block < BH_DOORBELL_BLOCKS)
		bh_call3(BH_GUEST_DOORBELL, machine->guest, block,
			 on ? (uint64_t)MACHINE_EVENT_DOORBELL(index) : BH_DOORBELL_OFF);
}

/* ---- assembly -------------------------------------------------------------------------------------------- */

static void add_card(struct machine *machine, const struct bh_port *port)
{
	const struct bh_info_handle *handle = bh_find(port->name, BH_HANDLE_CHANNEL);
	unsigned index = machine->nets;
	struct virtio_net_setup setup = { .port = port,
					  .index = index,
					  .memory = &machine->memory,
					  .outside = { deliver_msi, kick, set_doorbell, machine },
					  .signals = &machine->signals };

	if (!handle || handle->bytes < BH_PORT_CHANNEL_BYTES ||
	    bh_call3(BH_CHANNEL_BIND, handle->handle, machine->vcpus, MACHINE_EVENT_CHANNEL(index))) {
		bh_printf("no channel for network port %s\n", port->name);
		return;
	}
	/* What is above 4 GiB is not mapped from the start; channels lie below. */
	setup.channel = (struct bh_port_channel *)(uintptr_t)handle->address;
	setup.handle = handle->handle;
	virtio_net_init(&machine->net[index], &setup);
	pci_add(&machine->pci, index, &machine->net[index].virtio.function);
	machine->nets++;
}

void network_init(struct machine *machine, const struct bh_network_records *records)
{
	for (unsigned i = 0; i < records->ports && i < BH_PORTS_PER_GUEST; i++)
		add_card(machine, &records->port[i]);
}

/* ---- turns ----------------------------------------------------------------------------------------------- */

uint64_t network_service(struct machine *machine, uint64_t events, uint64_t now)
{
	uint64_t deadline = BH_FOREVER;
	uint32_t signalled = events >> MACHINE_EVENT_CHANNEL(0) & DEVICES_MASK;
	uint32_t notified = events >> MACHINE_EVENT_DOORBELL(0) & DEVICES_MASK;
	uint32_t due = machine->unfinished | notified | signalled;

	machine->unfinished = 0;
	for (unsigned i = 0; i < machine->nets; i++) {
		struct virtio_net *net = &machine->net[i];

		if (due >> i & 1 && virtio_net_service(net, notified >> i & 1, signalled >> i & 1))
			machine->unfinished |= 1u << i;
		if (now >= net->complete)
			virtio_net_complete(net);
		if (net->complete < deadline)
			deadline = net->complete;
	}
	return machine->unfinished ? 0 : deadline;
}
