/*
 * fake_nic.h: what a NIC's driver is handed, on the host: memory that the device addresses elsewhere, time that passes
 * only in `pause`, and registers of a model (fake_e1000.h, fake_virtio_net.h). What no driver may do aborts the
 * program.
 */
#pragma once
#include "drivers/nic.h"

#define FAKE_NIC_MEMORY 0x800000u
#define FAKE_NIC_DMA	0x1234400000ull /* where the device finds it: above 4 GiB, a multiple of 2 MiB */
#define FAKE_NIC_BLOCKS 16u

struct fake_nic {
	struct nic nic;
	struct nic_access access;
	uint8_t *memory;
	size_t used;
	struct { /* what was allocated; block 0 is the driver's own state */
		uint8_t *data;
		size_t bytes;
	} blocks[FAKE_NIC_BLOCKS];
	unsigned block_count;
	size_t memory_left; /* `allocate` fails beyond it */
	bool master, no_master, no_bind;
	unsigned binds, accesses; /* to registers */
	uint64_t paused;	  /* microseconds */
	unsigned says;
	char said[128]; /* the last */
	uint8_t config[256];
	uint64_t (*read)(unsigned bar, uint32_t offset, unsigned bytes);
	void (*write)(unsigned bar, uint32_t offset, unsigned bytes, uint64_t value);
};
extern struct fake_nic fake_nic;

/* All anew; `nic` is zero, nothing allocated. */
void fake_nic_reset(void);

/* Aborts when it does not hold. */
void fake_nic_check(bool holds, const char *what);

/* What the device finds at `address`, `bytes` long. It must have been allocated, and the device be a bus master. */
void *fake_nic_dma(uint64_t address, uint64_t bytes);
