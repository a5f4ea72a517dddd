/*
 * A network device by virtio 1.1, 5.1, on PCI: 1af4:1041, and 1af4:1000 as far as it is modern too. One pair of queues;
 * no offloads, so a buffer holds one frame behind a header that is zero.
 */
#include "virtio_net.h"

#define ID_MODERN	0x10411af4u
#define ID_TRANSITIONAL 0x10001af4u

#define F_MTU	 (1ull << 3)
#define F_MAC	 (1ull << 5)
#define F_STATUS (1ull << 16)

/* struct virtio_net_config: 5.1.4. */
#define CONFIG_MAC     0u
#define CONFIG_STATUS  6u
#define CONFIG_MTU     10u
#define BYTES_MAC      6u /* so long it is at least for the MAC, the status, the MTU */
#define BYTES_STATUS   8u
#define BYTES_MTU      12u
#define STATUS_LINK_UP 1u

#define RX_BUFFER_MIN 1526u /* 5.1.6.3.1 */
#define RX_TOTAL      0x100000u
#define TX_TOTAL      0x80000u
#define ISR_CONFIG    2u
#define STUCK_SECONDS 3u

enum { QUEUE_RX, QUEUE_TX };

static bool match(uint32_t id, uint32_t class_code)
{
	return id == ID_MODERN || (id == ID_TRANSITIONAL && class_code >> 16 == 0x02);
}

/* ---- start and stop ---------------------------------------------------------------------------- */

static uint32_t round64(uint32_t bytes) { return (bytes + 63) / 64 * 64; }

static bool prepare(struct nic *nic)
{
	uint32_t longest = VIRTIO_NET_HEADER_BYTES + nic->mtu + NIC_HEADERS;
	struct virtio_net *v;
	uint64_t dma;

	if (nic->own)
		return true;
	v = nic->own = nic_memory(nic, sizeof(struct virtio_net), 64, &dma);
	return v && virtio_queue_allocate(nic, &v->rx) && virtio_queue_allocate(nic, &v->tx) &&
	       nic_buffers(nic, &v->rx_buffers, round64(longest < RX_BUFFER_MIN ? RX_BUFFER_MIN : longest),
			   VIRTIO_QUEUE_MAX, RX_TOTAL, 0) &&
	       nic_buffers(nic, &v->tx_buffers, round64(longest), VIRTIO_QUEUE_MAX, TX_TOTAL, 0);
}

/* 5.1.4: without the status the link is always up. */
static bool link_up(struct nic *nic, struct virtio_net *v)
{
	return !(v->pci.features & F_STATUS) || virtio_get(nic, &v->pci.device, CONFIG_STATUS, 2) & STATUS_LINK_UP;
}

static void update_link(struct nic *nic)
{
	bool up = link_up(nic, virtio_net_of(nic));

	if (up != nic->link)
		nic_link(nic, up, 0);
}

/* 5.1.4.2: a device may take less than the network; longer frames are refused then. */
static bool read_config(struct nic *nic, struct virtio_net *v)
{
	uint32_t mtu;

	if (v->pci.features & F_MAC) {
		for (uint32_t i = 0; i < 6; i++)
			nic->mac[i] = (uint8_t)virtio_get(nic, &v->pci.device, CONFIG_MAC + i, 1);
	}
	if (!(v->pci.features & F_MTU))
		return true;
	mtu = virtio_get(nic, &v->pci.device, CONFIG_MTU, 2);
	if (mtu >= nic->mtu)
		return true;
	nic_fail(nic, NIC_STOPPED, "takes an MTU of %u, its network has %u", mtu, nic->mtu);
	return false;
}

static void fill(struct nic *nic, struct virtio_net *v)
{
	for (uint16_t i = 0; i < v->rx.buffers; i++)
		virtio_queue_add(&v->rx, i, v->rx_buffers.bytes);
	virtio_queue_interrupt(&v->rx, true);
	virtio_queue_tell(nic, &v->pci, &v->rx);
}

static bool start_queues(struct nic *nic, struct virtio_net *v)
{
	v->holds = v->tx_waits = v->unbound = false;
	v->tx_next = v->tx_taken_seen = 0;
	v->stuck = 0;
	return virtio_pci_vector(nic, &v->pci) &&
	       virtio_queue_start(nic, &v->pci, &v->rx, QUEUE_RX, &v->rx_buffers, true) &&
	       virtio_queue_start(nic, &v->pci, &v->tx, QUEUE_TX, &v->tx_buffers, false);
}

static bool may_work(struct nic *nic)
{
	if (!nic->access.master(nic->access.context, true)) {
		nic_fail(nic, NIC_STOPPED, "may not reach memory");
		return false;
	}
	if (nic->access.irqs && !nic->access.bind_irq(nic->access.context, 0)) {
		nic_fail(nic, NIC_STOPPED, "its interrupt cannot be bound");
		return false;
	}
	return true;
}

static uint64_t wanted(const struct virtio_net *v)
{
	return VIRTIO_F_EVENT_IDX | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_ORDER_PLATFORM | F_MAC |
	       (v->pci.device.bytes >= BYTES_STATUS ? F_STATUS : 0) | (v->pci.device.bytes >= BYTES_MTU ? F_MTU : 0);
}

/* 6.1: without ACCESS_PLATFORM it takes addresses for physical ones, whatever the IOMMU says. */
static bool respects_iommu(struct nic *nic, struct virtio_net *v)
{
	if (!nic->access.iommu || v->pci.features & VIRTIO_F_ACCESS_PLATFORM)
		return true;
	nic_fail(nic, NIC_STOPPED, "goes past the IOMMU (QEMU: iommu_platform=on)");
	return false;
}

static bool agree(struct nic *nic, struct virtio_net *v)
{
	return virtio_pci_find(nic, &v->pci, BYTES_MAC) && virtio_pci_reset(nic, &v->pci) &&
	       virtio_pci_features(nic, &v->pci, wanted(v), VIRTIO_F_VERSION_1) && respects_iommu(nic, v) &&
	       read_config(nic, v);
}

static bool start(struct nic *nic)
{
	struct virtio_net *v;

	if (!prepare(nic))
		return false;
	v = virtio_net_of(nic);
	if (!agree(nic, v) || !may_work(nic) || !start_queues(nic, v))
		return false;
	virtio_pci_add_status(nic, &v->pci, VIRTIO_DRIVER_OK);
	fill(nic, v);
	nic_link(nic, link_up(nic, v), 0);
	return true;
}

static void stop(struct nic *nic)
{
	struct virtio_net *v = virtio_net_of(nic);

	if (v && v->pci.common.bytes)
		virtio_pci_reset(nic, &v->pci);
}

/* ---- interrupts, once a second ----------------------------------------------------------------- */

/* With MSI-X one vector serves all: when no frame has come it was for the link. Reading ISR acknowledges INTx, 4.1.4.5.
 */
static void interrupt(struct nic *nic)
{
	struct virtio_net *v = virtio_net_of(nic);
	bool changed = !virtio_queue_pending(&v->rx);

	nic->counters.interrupts++;
	virtio_queue_interrupt(&v->rx, false);
	if (nic->access.irq_kind == BH_DEVICE_IRQ_INTX) {
		changed = virtio_get(nic, &v->pci.isr, 0, 1) & ISR_CONFIG;
		v->unbound = true;
	}
	if (changed)
		update_link(nic);
}

static bool may_sleep(struct nic *nic)
{
	struct virtio_net *v = virtio_net_of(nic);

	virtio_net_flush(nic);
	if (v->unbound && !nic->access.bind_irq(nic->access.context, 0)) {
		nic_fail(nic, NIC_FAILED, "its interrupt cannot be bound");
		return true;
	}
	v->unbound = false;
	virtio_queue_interrupt(&v->rx, true);
	virtio_queue_interrupt(&v->tx, v->tx_waits);
	if (v->tx_waits && virtio_net_room(nic, v)) {
		v->tx_waits = false;
		return false;
	}
	return nic->state != NIC_RUNS || (!v->holds && !virtio_queue_pending(&v->rx));
}

/* 2.1.2: a device in trouble asks to be reset. One that lost its status was reset by somebody. */
static bool well(struct nic *nic, struct virtio_net *v)
{
	uint8_t status = virtio_pci_status(nic, &v->pci);

	if (status == VIRTIO_GONE)
		nic_fail(nic, NIC_FAILED, "does not answer (its registers read as ones)");
	else if (status & VIRTIO_NEEDS_RESET)
		nic_fail(nic, NIC_FAILED, "asks to be reset");
	else if (!(status & VIRTIO_DRIVER_OK))
		nic_fail(nic, NIC_FAILED, "has forgotten its state");
	return nic->state == NIC_RUNS;
}

static void check(struct nic *nic)
{
	struct virtio_net *v = virtio_net_of(nic);

	if (!well(nic, v))
		return;
	update_link(nic);
	virtio_net_reclaim(nic, v);
	if (!nic->link || !v->tx.outstanding || v->tx.taken != v->tx_taken_seen)
		v->stuck = 0;
	else
		v->stuck++;
	v->tx_taken_seen = v->tx.taken;
	if (v->stuck >= STUCK_SECONDS && nic->state == NIC_RUNS)
		nic_fail(nic, NIC_FAILED, "stopped sending: %u frames wait", v->tx.outstanding);
}

const struct nic_driver virtio_net_driver = {
	.name = "virtio-net",
	.match = match,
	.start = start,
	.stop = stop,
	.reserve = virtio_net_reserve,
	.commit = virtio_net_commit,
	.flush = virtio_net_flush,
	.next = virtio_net_next,
	.done = virtio_net_done,
	.interrupt = interrupt,
	.may_sleep = may_sleep,
	.check = check,
};
