/*
 * nic.h: network interface cards: what a driver is handed (struct nic_access), what it offers (struct nic_driver), and
 * what its user sees and calls (struct nic and the functions below).
 *
 * Nothing here takes a lock: one vCPU calls the functions of one NIC. Nothing waits but nic_start, nic_check and
 * nic_stop, and those for less than half a second, in `pause`.
 *
 * The user's loop is
 *
 *	event of the NIC: nic_interrupt
 *	while nic_next: copy the frame's header, look at it, copy the rest; nic_done
 *	for each frame to send: nic_reserve, fill it, nic_commit
 *	nic_flush
 *	nic_may_sleep: true: wait for events; false: go on with nic_next
 *
 * with nic_check once a second, which notices what no interrupt tells and starts a NIC again that has stopped.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <bulkhead/abi.h>

/* A frame is at most the MTU, an Ethernet header and a VLAN tag. No FCS, either way. */
#define NIC_HEADERS   18u
#define NIC_MTU_MIN   576u
#define NIC_MTU_MAX   9000u
#define NIC_MTU_USUAL 1500u
#define NIC_NO_DMA    UINT64_MAX
#define NIC_BARS      6u

/* What a driver is handed. It asks for nothing beyond the ends of BARs and of configuration space. */
struct nic_access {
	void *context;
	/* Registers of 1, 2, 4 or 8 bytes, at a multiple of their size. */
	uint64_t (*read)(void *context, unsigned bar, uint32_t offset, unsigned bytes);
	void (*write)(void *context, unsigned bar, uint32_t offset, unsigned bytes, uint64_t value);
	uint64_t bar_bytes[NIC_BARS]; /* 0: not there, or not memory */
	/* 1, 2 or 4 bytes of configuration space, offset 0..255. All ones, or no effect, when it is refused. */
	uint32_t (*config_read)(void *context, uint32_t offset, unsigned bytes);
	void (*config_write)(void *context, uint32_t offset, unsigned bytes, uint32_t value);
	/*
	 * `bytes` of zeroed memory, never given back, contiguous for the device: it never crosses a multiple of 2 MiB.
	 * NULL: none left. Drivers ask when they are started for the first time, for 2 MiB at most each time.
	 */
	void *(*allocate)(void *context, size_t bytes, size_t align);
	/* The device's address of memory from `allocate`; NIC_NO_DMA if it has none. */
	uint64_t (*dma)(void *context, const void *address);
	bool iommu;				/* BH_DEVICE_IOMMU: `dma` gives addresses that an IOMMU translates */
	bool (*master)(void *context, bool on); /* lets the device reach memory */
	/* Unmasks interrupt `index` (of MSI-X; otherwise 0); INTx has to be bound again after each one. */
	bool (*bind_irq)(void *context, unsigned index);
	enum bh_device_irq irq_kind;
	unsigned irqs; /* how many; 0: none, the NIC is looked at when its user comes by */
	uint64_t (*now)(void *context);
	uint64_t ticks_per_ms;				     /* of `now` */
	void (*pause)(void *context, unsigned microseconds); /* others run meanwhile */
	void (*say)(void *context, const char *format, ...) __attribute__((format(printf, 2, 3))); /* one line, no \n */
};

struct nic_counters {
	uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
	uint64_t rx_errors;   /* the NIC reported the frame as damaged, or its descriptor could not be */
	uint64_t rx_oversize; /* longer than the MTU allows */
	uint64_t rx_missed;   /* no buffer was free: the NIC's own counter */
	uint64_t tx_full;     /* nic_reserve found no room */
	uint64_t interrupts;
	uint64_t starts;
};

enum nic_state {
	NIC_ABSENT,  /* no driver, or it could not be started at all */
	NIC_RUNS,    /* the link may still be down */
	NIC_FAILED,  /* nic_check will try to start it again */
	NIC_STOPPED, /* for good: nic_stop, or the device broke the rules */
};

struct nic {
	const struct nic_driver *driver; /* NULL: none knows it */
	struct nic_access access;
	enum nic_state state;
	uint32_t mtu;
	uint8_t mac[6];
	bool link;
	uint32_t speed; /* Mbit/s; 0: not known */
	char words[64]; /* driver, link, or what is wrong; ends with 0 */
	struct nic_counters counters;
	/* For the drivers and nic.c. */
	void *own;
	uint32_t seconds, retry; /* until nic_check starts it again */
};

struct nic_driver {
	const char *name;
	/* `id` is device << 16 | vendor, `class_code` class << 16 | subclass << 8 | interface (PCI 3.0, 6.2.1). */
	bool (*match)(uint32_t id, uint32_t class_code);
	/* Resets it and makes it ready. Again after `stop`: what was allocated is used again. False after nic_fail. */
	bool (*start)(struct nic *nic);
	void (*stop)(struct nic *nic); /* resets it: no DMA, no interrupt. Also after a start that failed half-way */
	/* As the functions of the same names below; called when the NIC runs. */
	void *(*reserve)(struct nic *nic, uint32_t bytes);
	void (*commit)(struct nic *nic, uint32_t bytes);
	void (*flush)(struct nic *nic);
	bool (*next)(struct nic *nic, const uint8_t **data, uint32_t *bytes);
	void (*done)(struct nic *nic);
	void (*interrupt)(struct nic *nic);
	bool (*may_sleep)(struct nic *nic);
	void (*check)(struct nic *nic);
};

/*
 * Finds the driver and starts it. False: no driver (ABSENT), or it cannot be started; `words` says why and `say` has
 * said it. `nic` is zeroed by the caller and stays where it is.
 */
bool nic_start(struct nic *nic, const struct nic_access *access, uint32_t id, uint32_t class_code, uint32_t mtu);

/* No interrupt and no DMA comes after it. */
void nic_stop(struct nic *nic);

/* Once a second. A NIC that FAILED is started again, after longer and longer times up to a minute. */
void nic_check(struct nic *nic);

/*
 * Room for one frame of `bytes` (14 to MTU + NIC_HEADERS), to be filled by the caller and then committed, with the
 * bytes that it has then. NULL: there is none; an interrupt comes when there is, after nic_may_sleep. Reserved without
 * commit: forgotten.
 */
static inline void *nic_reserve(struct nic *nic, uint32_t bytes)
{
	return nic->state == NIC_RUNS && bytes <= nic->mtu + NIC_HEADERS ? nic->driver->reserve(nic, bytes) : NULL;
}

/* The reserved frame is complete; nic_flush sends it. `bytes` as was reserved or less. */
static inline void nic_commit(struct nic *nic, uint32_t bytes)
{
	if (nic->state == NIC_RUNS)
		nic->driver->commit(nic, bytes);
}

/* Tells the NIC about the frames committed and the buffers released since the last time: once after many of them. */
static inline void nic_flush(struct nic *nic)
{
	if (nic->state == NIC_RUNS)
		nic->driver->flush(nic);
}

/*
 * The next frame received, 14 to MTU + NIC_HEADERS bytes; it stays until nic_done. Called again before that it gives
 * the same one. A hostile device may change the bytes at any time: what is checked must be copied before.
 */
static inline bool nic_next(struct nic *nic, const uint8_t **data, uint32_t *bytes)
{
	return nic->state == NIC_RUNS && nic->driver->next(nic, data, bytes);
}

static inline void nic_done(struct nic *nic)
{
	if (nic->state == NIC_RUNS)
		nic->driver->done(nic);
}

/* Its event came: acknowledges. No further interrupt comes until nic_may_sleep. */
static inline void nic_interrupt(struct nic *nic)
{
	if (nic->state == NIC_RUNS)
		nic->driver->interrupt(nic);
}

/* Before waiting: interrupts come from now on. False: a frame, or room that was asked for, has come meanwhile. */
static inline bool nic_may_sleep(struct nic *nic) { return nic->state != NIC_RUNS || nic->driver->may_sleep(nic); }

/* ---- for drivers ------------------------------------------------------------------------------- */

/* Something is wrong: to `words` and `say`. The NIC stops; with NIC_FAILED for now, with NIC_STOPPED for good. */
void nic_fail(struct nic *nic, enum nic_state state, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The link's state as the driver sees it; a change is said. */
void nic_link(struct nic *nic, bool up, uint32_t speed);

/* Equal buffers in one piece of memory. */
struct nic_buffers {
	uint8_t *data;
	uint64_t dma;
	uint32_t bytes; /* of each */
	uint32_t count;
};

/* Zeroed memory with its address for the device. NULL after nic_fail. */
void *nic_memory(struct nic *nic, size_t bytes, size_t align, uint64_t *dma);

/* At most `count` buffers, `total` bytes and `slack` behind them. False after nic_fail. */
bool nic_buffers(struct nic *nic, struct nic_buffers *buffers, uint32_t bytes, uint32_t count, uint32_t total,
		 uint32_t slack);

extern const struct nic_driver e1000_driver, e1000e_driver, virtio_net_driver;
