#include "identity.h"

#define ENTRY_PRESENT 1ull
#define ENTRY_LARGE   0x80ull /* of levels 3 and 2 */
#define ENTRY_ADDRESS 0x000ffffffffff000ull
#define HALF_END      (1ull << 47) /* what lies higher has another sign */

/* Bytes of the page that has `address` at that very address; 0: none has. */
static uint64_t page_bytes(uint64_t root, uint64_t address)
{
	uint64_t table = root & ENTRY_ADDRESS;

	for (unsigned shift = 39; shift >= 12; shift -= 9) {
		uint64_t entry = ((const uint64_t *)table)[address >> shift & 511], bytes = 1ull << shift;

		if (!(entry & ENTRY_PRESENT))
			return 0;
		table = entry & ENTRY_ADDRESS;
		if (shift == 12 || (shift < 39 && entry & ENTRY_LARGE))
			return ((table ^ address) & ENTRY_ADDRESS & ~(bytes - 1)) == 0 ? bytes : 0;
	}
	return 0;
}

bool identity_maps(uint64_t root, uint64_t physical, uint64_t bytes)
{
	uint64_t end = physical + bytes;

	if (end < physical || end > HALF_END)
		return false;
	while (physical < end) {
		uint64_t page = page_bytes(root, physical);

		if (!page)
			return false;
		physical = (physical | (page - 1)) + 1;
	}
	return true;
}
