/* guest_memory.c: bounds checks, here and nowhere else. */
#include "guest_memory.h"
#include <bulkhead/abi.h>
#include "guests/lib/bh_string.h"

static bool reader_read(void *memory, uint64_t address, void *to, uint64_t bytes)
{
	return guest_memory_read(memory, address, to, bytes);
}

void guest_memory_init(struct guest_memory *memory, void *window, uint64_t bytes)
{
	memory->window = window;
	memory->low_bytes = bytes < BH_GUEST_LOW_MAX ? bytes : BH_GUEST_LOW_MAX;
	memory->high_bytes = bytes - memory->low_bytes;
	memory->reader = (struct guest_reader){ reader_read, memory };
}

static bool inside(uint64_t address, uint64_t bytes, uint64_t start, uint64_t length)
{
	return address >= start && bytes <= length && address - start <= length - bytes;
}

void *guest_memory_at(const struct guest_memory *memory, uint64_t address, uint64_t bytes)
{
	if (!bytes)
		return NULL;
	if (!inside(address, bytes, 0, memory->low_bytes) && !inside(address, bytes, BH_GUEST_HIGH, memory->high_bytes))
		return NULL;
	return memory->window + address;
}

bool guest_memory_read(const struct guest_memory *memory, uint64_t address, void *to, uint64_t bytes)
{
	const void *from = guest_memory_at(memory, address, bytes);

	if (from)
		memcpy(to, from, bytes);
	return from;
}

bool guest_memory_write(const struct guest_memory *memory, uint64_t address, const void *from, uint64_t bytes)
{
	void *to = guest_memory_at(memory, address, bytes);

	if (to)
		memcpy(to, from, bytes);
	return to;
}
