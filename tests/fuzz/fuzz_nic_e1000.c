/*
 * The drivers of the 82540EM and the 82574L with a hostile chip; see hostile_nic.h.
 */
#include "hostile_nic.h"
#include "tests/unit/fake_e1000.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_82574 = size && data[0] & 1;

	if (!size)
		return 0;
	fake_e1000_reset(is_82574, BH_DEVICE_IRQ_INTX);
	hostile_nic(is_82574 ? 0x10d38086 : 0x100e8086, data[0] & 2, data + 1, size - 1);
	return 0;
}
