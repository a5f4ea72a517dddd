/*
 * fuzz_bzimage.c: any bytes as a kernel image: refused with a reason, or a plan that fits. The first four bytes
 * choose the sizes of memory and initrd.
 */
#include <stdlib.h>
#include <string.h>
#include "guests/monitor/bzimage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct bzimage *image, uint64_t low, uint64_t initrd, const struct bzimage_plan *plan)
{
	if (plan->load < BZIMAGE_LOWEST || plan->load + image->init_size > low ||
	    image->payload_bytes > image->init_size)
		abort();
	if (!initrd)
		return;
	if (plan->initrd % 4096 || plan->initrd < plan->load + image->init_size || plan->initrd + initrd > low ||
	    plan->initrd + initrd - 1 > image->initrd_max)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bzimage image;
	struct bzimage_plan plan;
	char reason[BZIMAGE_REASON_BYTES] = "";
	uint16_t sizes[2];

	if (size < sizeof(sizes))
		return 0;
	memcpy(sizes, data, sizeof(sizes));
	data += sizeof(sizes);
	size -= sizeof(sizes);

	uint64_t low = (uint64_t)(sizes[0] % 1537) << 21, initrd = (uint64_t)sizes[1] * 5003;

	if (!bzimage_parse(data, size, &image, reason)) {
		if (!*reason)
			abort();
		return 0;
	}
	if (image.payload + image.payload_bytes > size || 0x1f1 + image.header_bytes > 0x290)
		abort();
	if (bzimage_place(&image, low, initrd, 50, &plan, reason))
		check(&image, low, initrd, &plan);
	else if (!*reason)
		abort();
	return 0;
}
