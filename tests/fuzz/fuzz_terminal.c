/*
 * A terminal whose peer writes what it likes into the shared page between any two steps. Neither
 * end may leave its buffers or take more than the ring holds, and a well-behaved pair must work
 * again afterwards.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "guests/lib/bh.h"
#include "guests/lib/terminal.h"

int64_t bh_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	(void)number, (void)a, (void)b, (void)c, (void)d, (void)e;
	return 0;
}

static struct bh_info info;

const struct bh_info *bh_info(void) { return &info; }

uint64_t bh_rdtsc(void) { return 0; }

unsigned bh_vcpu(void) { return 0; }

static void check(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_terminal *shared = calloc(1, sizeof(*shared));
	uint8_t *buffer = malloc(BH_TERMINAL_OUT_BYTES);
	struct terminal end[2];

	memset(buffer, 'x', BH_TERMINAL_OUT_BYTES);
	terminal_open(&end[0], shared, 0, TERMINAL_PARTITION);
	terminal_open(&end[1], shared, 0, TERMINAL_CONSOLE);
	for (; size >= 6; data += 6, size -= 6) {
		struct terminal *terminal = &end[data[0] & 1];
		uint32_t value;
		size_t bytes, done;

		memcpy(&value, data + 2, 4);
		bytes = value % BH_TERMINAL_OUT_BYTES;
		switch (data[1] % 4) {
		case 0:
			done = terminal_write(terminal, buffer, bytes);
			check(done <= bytes);
			break;
		case 1:
			done = terminal_read(terminal, buffer, bytes);
			check(done <= bytes && done <= terminal->reader.size);
			break;
		case 2: ((uint32_t *)&shared->out_position)[data[0] % 64] = value; break;
		default: check(terminal_room(terminal) <= terminal->writer.size);
		}
	}

	while (terminal_read(&end[1], buffer, BH_TERMINAL_OUT_BYTES))
		;
	terminal_open(&end[0], shared, 0, TERMINAL_PARTITION);
	check(terminal_write(&end[0], "ok", 2) == 2);
	while (terminal_read(&end[1], buffer, BH_TERMINAL_OUT_BYTES))
		;
	check(terminal_write(&end[0], "ok", 2) == 2);
	check(terminal_read(&end[1], buffer, 2) == 2);
	check(!memcmp(buffer, "ok", 2));
	free(buffer);
	free(shared);
	return 0;
}
