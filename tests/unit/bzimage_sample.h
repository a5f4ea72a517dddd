/* bzimage_sample.h: the smallest file that is a Linux kernel by its header. */
#pragma once
#include <stdint.h>
#include <string.h>

#define SAMPLE_SETUP   (3 * 512)
#define SAMPLE_PAYLOAD 4096
#define SAMPLE_BYTES   (SAMPLE_SETUP + SAMPLE_PAYLOAD)

static inline void sample_put(uint8_t *file, unsigned offset, uint64_t value, unsigned bytes)
{
	memcpy(file + offset, &value, bytes);
}

/* Protocol 2.15, relocatable, 64-bit entry, prefers 16 MiB, needs 8 MiB there. */
static inline void sample_bzimage(uint8_t file[SAMPLE_BYTES])
{
	memset(file, 0, SAMPLE_SETUP);
	for (unsigned i = 0; i < SAMPLE_PAYLOAD; i++)
		file[SAMPLE_SETUP + i] = (uint8_t)(i * 7 + i / 256);
	file[0x1f1] = 2; /* setup_sects */
	sample_put(file, 0x1f4, SAMPLE_PAYLOAD / 16, 4);
	sample_put(file, 0x1fe, 0xaa55, 2);
	sample_put(file, 0x200, 0x6aeb, 2); /* the header ends at 0x26c */
	memcpy(file + 0x202, "HdrS", 4);
	sample_put(file, 0x206, 0x020f, 2);
	file[0x211] = 0x01;
	sample_put(file, 0x22c, 0x7fffffff, 4);
	sample_put(file, 0x230, 0x200000, 4);
	file[0x234] = 1;
	sample_put(file, 0x236, 0x003f, 2);
	sample_put(file, 0x238, 2047, 4);
	sample_put(file, 0x258, 0x1000000, 8);
	sample_put(file, 0x260, 0x800000, 4);
}
