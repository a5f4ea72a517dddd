/*
 * handle.h: what a partition was granted, as indexes into its own table.
 *
 * The tables are filled at boot from the configuration; only those of the console and of the net service change
 * afterwards, by the console's own calls on the CPU of both, so looking up takes no lock. A handle survives the restart
 * of its holder; the generation is there for objects that come and go.
 */
#pragma once
#include <stdint.h>
#include <bulkhead/abi.h>

#define HANDLE_MAX   BH_INFO_HANDLES /* the console's; one page's worth is enough for the others */
#define HANDLE_USUAL 32

struct partition;
struct vcpu;

struct handle {
	void *object;  /* struct partition, struct channel or struct boot_image; NULL: machine, irq
			*/
	uint32_t type; /* enum bh_handle_type */
	uint32_t rights;
	uint16_t generation;
	uint16_t number; /* channels: which end this holder is; irq: which ISA interrupt, 0 to 15 */
	char name[BH_NAME_BYTES];
	uint64_t address, bytes; /* where mapped */
};

/* Adds a handle; -1 when the table is full. */
int handle_add(struct partition *holder, const struct handle *handle);

/* Nobody has a handle to `object` any more. */
void handle_revoke(const void *object);

static inline bh_handle handle_value(const struct handle *handle, unsigned index)
{
	return (uint32_t)handle->generation << 16 | index;
}
