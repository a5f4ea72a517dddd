/*
 * The driver of virtio network devices with a hostile device, and capabilities of any form; see hostile_nic.h.
 */
#include <string.h>
#include "hostile_nic.h"
#include "tests/unit/fake_nic.h"
#include "tests/unit/fake_virtio_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool from_start = size && data[0] & 2;

	if (!size)
		return 0;
	fake_virtio_net_reset(BH_DEVICE_IRQ_MSIX);
	if (data[0] & 1)
		fake_virtio_net.offers = ~(1ull << 29);
	for (unsigned i = from_start ? data[0] / 16 : 0; i && size >= 3; i--, data += 2, size -= 2)
		fake_nic.config[0x30 + data[1] % 0xd0] = data[2];
	hostile_nic(0x10411af4, from_start, data + 1, size - 1);
	return 0;
}
