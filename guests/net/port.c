/* port.c: from records and channels to ports; link states; signals. */
#include "port.h"
#include "bytes.h"
#include "guests/lib/bh.h"
#include "table.h"

struct net net;

/* Counters of a service that nobody looks at: without the channel "network". */
static struct bh_port_stat unseen[BH_PORT_NUMBERS];

struct port *port_add(unsigned number, unsigned network)
{
	struct port *port = &net.port[number];

	port->bit = 1ull << number;
	port->number = (uint8_t)number;
	port->network = (uint8_t)network;
	port->stat = net.channel ? &net.channel->port[number] : &unseen[number];
	/* The channel outlives a restart: the counters go on, and what was taken down stays so. */
	port->admin = !port->stat->present || port->stat->admin;
	port->stat->present = 1;
	bucket_start(&port->patience, bh_info()->tsc_hz / 4, bh_info()->tsc_hz / 1000, bh_info()->tsc_hz);
	net.network[network].ports |= port->bit;
	return port;
}

static bool open_channel(struct port *port, const struct bh_info_handle *handle)
{
	struct bh_port_channel *channel = (struct bh_port_channel *)(uintptr_t)handle->address;

	if (handle->bytes < sizeof(*channel))
		return false;
	port->channel = channel;
	port->handle = handle->handle;
	frames_open_reader(&port->out, &channel->out_writer, &channel->out_reader, channel->out);
	frames_open_writer(&port->in, &channel->in_writer, &channel->in_reader, channel->in);
	share_start(&net.share[port->number], bh_ticks_ms(1));
	return bh_call3(BH_CHANNEL_BIND, handle->handle, 0, port->number) == 0;
}

static void start_port(unsigned number, const struct bh_port *record, const struct bh_network *network)
{
	const struct bh_info_handle *handle = bh_find(record->name, BH_HANDLE_CHANNEL);
	uint64_t hz = bh_info()->tsc_hz;
	struct port *port;

	if (!handle) {
		bh_printf("net: port %s has no channel\n", record->name);
		return;
	}
	port = port_add(number, record->network);
	port->trusted = record->flags & BH_PORT_TRUSTED;
	port->trunk = record->flags & BH_PORT_TRUNK;
	port->vlan = port->trunk ? 0 : record->vlan;
	port->mtu = record->mtu ? record->mtu : network->mtu;
	port->mac = bytes_mac(record->mac);
	memcpy(port->stat->mac, record->mac, sizeof(record->mac));
	bucket_start(&port->rate, record->rate, record->burst, hz);
	bucket_start(&port->many, network->broadcasts, network->broadcasts / 16, hz);
	if (!open_channel(port, handle)) {
		bh_printf("net: the channel of port %s cannot be used\n", record->name);
		net.network[record->network].ports &= ~port->bit;
		port->stat->present = 0;
		return;
	}
	net.guests |= port->bit;
	port_set_link(port, port->admin);
}

void port_start(const struct bh_network_records *records)
{
	net.networks = records->networks < BH_NETWORKS ? records->networks : BH_NETWORKS;
	for (unsigned i = 0; i < net.networks; i++)
		bh_strlcpy(net.network[i].name, records->network[i].name, BH_NAME_BYTES);
	for (unsigned i = 0; i < records->ports && i < BH_PORTS; i++)
		if (records->port[i].name[0] && records->port[i].network < net.networks)
			start_port(i, &records->port[i], &records->network[records->port[i].network]);
}

void port_forget(void)
{
	for (uint64_t left = net.guests | net.nics; left; left &= left - 1) {
		struct port *port = &net.port[__builtin_ctzll(left)];

		port->rests = port->waits_since = port->waiters = 0;
		port->stalled = false;
	}
	for (unsigned i = 0; i < net.networks; i++) {
		net.network[i].ports &= ~net.guests;
		net.network[i].learning = 0;
		net.network[i].trunks = false;
	}
	for (uint64_t left = net.guests; left; left &= left - 1)
		memset(&net.port[__builtin_ctzll(left)], 0, sizeof(net.port[0]));
	net.guests = 0;
}

void port_gone(uint64_t ports)
{
	for (; ports; ports &= ports - 1) {
		unsigned number = (unsigned)__builtin_ctzll(ports);

		memset(net.channel ? &net.channel->port[number] : &unseen[number], 0, sizeof(unseen[0]));
	}
}

/* Would their frames be told apart by the address alone? */
static bool collide(const struct port *a, const struct port *b)
{
	return a->network == b->network && a->mac == b->mac && (a->trunk || b->trunk || a->vlan == b->vlan);
}

static void fix_address(struct port *port)
{
	for (uint64_t left = net.guests & (port->bit - 1); left; left &= left - 1) {
		const struct port *other = &net.port[__builtin_ctzll(left)];

		if (other->refused || !collide(port, other))
			continue;
		port->refused = true;
		bh_strlcpy(port->stat->words, "refused: its address is another port's", sizeof(port->stat->words));
		bh_printf("net: port %u of network %s has the address of port %u: what it sends is dropped\n",
			  port->number, net.network[port->network].name, other->number);
		return;
	}
	table_fix(port->network, port->trunk ? TABLE_VLAN_ANY : port->vlan, port->mac, port->number);
	net.network[port->network].trunks |= port->trunk;
}

void port_start_table(void)
{
	uint64_t learning = 0;

	for (uint64_t left = net.guests; left; left &= left - 1)
		fix_address(&net.port[__builtin_ctzll(left)]);
	for (uint64_t left = net.guests | net.nics; left; left &= left - 1) {
		const struct port *port = &net.port[__builtin_ctzll(left)];

		if (port->trusted && !port->refused)
			net.network[port->network].learning |= port->bit;
	}
	for (unsigned i = 0; i < net.networks; i++)
		learning |= net.network[i].learning;
	table_divide(learning);
}

void port_refresh(struct port *port)
{
	struct bh_port_stat *stat = port->stat;

	stat->present = 1;
	stat->admin = port->admin;
	if (port->nic) {
		stat->driver = port->nic->state == NIC_RUNS;
		stat->link = port_is_open(port);
		memcpy(stat->words, port->nic->words, sizeof(stat->words));
		memcpy(stat->mac, port->nic->mac, sizeof(stat->mac)); /* known when it was started at last */
		return;
	}
	stat->driver = atomic_load(&port->channel->driver) != 0;
	stat->link = port->admin;
}

void port_set_link(struct port *port, bool up)
{
	port->admin = up;
	table_forget(port->number);
	port_refresh(port);
	if (!port->channel)
		return;
	atomic_store(&port->channel->link, up);
	bh_call1(BH_CHANNEL_SIGNAL, port->handle);
}

static void flush(struct port *port)
{
	bool ask = false;

	if (port->nic) {
		nic_flush(port->nic);
		return;
	}
	if (net.wrote & port->bit)
		ask = frames_must_signal_reader(&port->in);
	if (net.took & port->bit)
		ask |= frames_must_signal_writer(&port->out);
	if (ask)
		bh_signals_add(&net.signals, port->handle);
}

void port_flush(void)
{
	for (uint64_t left = net.wrote | net.took; left; left &= left - 1)
		flush(&net.port[__builtin_ctzll(left)]);
	net.wrote = net.took = 0;
}
