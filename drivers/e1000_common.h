/*
 * e1000_common.h: what the drivers of the 82540EM and the 82574L share: rings of legacy descriptors, frames,
 * interrupts, link, and the watch over a NIC that stops. Numbers of sections as in e1000_registers.h.
 */
#pragma once
#include <stdatomic.h>
#include "e1000_registers.h"
#include "nic.h"

#define E1000_DESCRIPTORS 256u
#define E1000_RX_BYTES	  2048u
#define E1000_RX_RELEASE  32u /* so many buffers at most are kept back from the NIC */
#define E1000_ALL_ONES	  0xffffffffu
#define E1000_TX_TOTAL	  0x80000u

struct e1000_descriptor {
	_Atomic uint64_t address, word;
};

/*
 * Receiving: a frame stands in one or more buffers of 2048 bytes that follow each other in memory, so it is in one
 * piece without being copied; when it goes round the ring's end its rest is copied behind the last buffer. Sending: one
 * descriptor and one buffer a frame. The positions only grow (modulo 2^32).
 */
struct e1000 {
	struct e1000_descriptor *rx, *tx;
	uint64_t rx_dma, tx_dma;
	struct nic_buffers rx_buffers, tx_buffers;

	uint32_t rx_next;			 /* the descriptor to look at; the frame begins there */
	uint32_t rx_pieces;			 /* descriptors of the frame that are known */
	uint32_t rx_bytes;			 /* in them */
	uint32_t rx_kept;			 /* released, but RDT was not moved */
	bool rx_whole, rx_spoilt;		 /* the frame has its end; it has to be dropped */
	uint32_t tx_free, tx_told;		 /* the next one to fill; the NIC knows those before this one */
	uint32_t tx_clean;			 /* the NIC is done with those before */
	uint8_t tx_batch_end[E1000_DESCRIPTORS]; /* for the first of a batch: its last, the only one that is reported */
	uint32_t tx_buffer;			 /* of tx_free */
	bool tx_waits;

	uint32_t causes, causes_room;  /* IMS: always; when there was no room to send */
	uint32_t ctrl;		       /* CTRL: what this chip needs besides */
	bool unbound, armed;	       /* INTx came; IMS is set */
	uint32_t missed;	       /* MPC as last read, where reading does not clear it */
	uint32_t tx_clean_seen, stuck; /* a second ago; for so many seconds */
};

static inline struct e1000 *e1000_of(struct nic *nic) { return nic->own; }

static inline uint32_t e1000_get(struct nic *nic, uint32_t offset)
{
	return (uint32_t)nic->access.read(nic->access.context, 0, offset, 4);
}

static inline void e1000_set(struct nic *nic, uint32_t offset, uint32_t value)
{
	nic->access.write(nic->access.context, 0, offset, 4, value);
}

/* ---- e1000_common.c ---------------------------------------------------------------------------- */

/* Whether it answers; memory, if it is the first time. False after nic_fail. */
bool e1000_prepare(struct nic *nic);

/* No interrupts, no receiving, no sending. */
void e1000_quiet(struct nic *nic);

/* Quiet, CTRL.RST, and quiet again. False after nic_fail: it does not answer. */
bool e1000_reset(struct nic *nic);

/* Quiet, and reset as far as it still answers. */
void e1000_stop(struct nic *nic);

/*
 * The address: of RAL0 and RAH0, or of the EEPROM; to nic->mac, RAL0 and RAH0. `word` reads a word of the EEPROM. False
 * after nic_fail.
 */
bool e1000_address(struct nic *nic, bool (*word)(struct nic *nic, uint32_t index, uint32_t *value));

/* The EEPROM's word by EERD. False: it does not answer. */
bool e1000_eeprom(struct nic *nic, uint32_t command, uint32_t done, uint32_t *value);

/* Bounded wait of at most 50 ms: until the bits of `mask` in the register are `value`. */
bool e1000_wait(struct nic *nic, uint32_t offset, uint32_t mask, uint32_t value);

/* Rings, filters, moderation, link, interrupts: the NIC receives and sends afterwards. False after nic_fail. */
bool e1000_go(struct nic *nic);

/* ---- e1000_service.c --------------------------------------------------------------------------- */

/* nic_fail for one whose registers read as ones; false. */
bool e1000_gone(struct nic *nic);

/* The link by the register STATUS; it is said if it has changed or with `say`. */
void e1000_link(struct nic *nic, uint32_t status, bool say);

/* Operations of both drivers. */
void e1000_interrupt(struct nic *nic);
bool e1000_may_sleep(struct nic *nic);
void e1000_check(struct nic *nic);

/* ---- e1000_ring.c ------------------------------------------------------------------------------ */

bool e1000_rings_allocate(struct nic *nic);
void e1000_rings_start(struct nic *nic); /* RCTL and TCTL are off */
void e1000_rings_fill(struct nic *nic);	 /* RCTL is on: gives the NIC its buffers */

void *e1000_reserve(struct nic *nic, uint32_t bytes);
void e1000_commit(struct nic *nic, uint32_t bytes);
void e1000_flush(struct nic *nic);
bool e1000_next(struct nic *nic, const uint8_t **data, uint32_t *bytes);
void e1000_done(struct nic *nic);

/* Takes back what the NIC has sent. */
void e1000_reclaim(struct e1000 *e);
bool e1000_room(struct e1000 *e);
bool e1000_pending(struct e1000 *e); /* the NIC has written the next descriptor */
