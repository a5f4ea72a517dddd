/*
 * witness.c: fills all of its free memory with a pattern and reads it back for ever. Whatever its
 * neighbours do, it must not notice; if a word changes, that is the end, with a report of which.
 */
#include "bh.h"
#include "terminal.h"

static uint64_t pattern(uint64_t index) { return (index + 1) * 0x9e3779b97f4a7c15ull; }

/* All the memory that is left, in one piece; found by asking for less and less. */
static uint64_t *take_all(uint64_t *words)
{
	for (uint64_t bytes = bh_info()->memory_bytes; bytes >= 4096; bytes -= 4096) {
		uint64_t *memory = bh_alloc(bytes, 8);

		*words = bytes / 8;
		if (memory)
			return memory;
	}
	bh_fail("no memory to watch\n");
}

static void check(const uint64_t *memory, uint64_t words)
{
	for (uint64_t i = 0; i < words; i++)
		if (__atomic_load_n(&memory[i], __ATOMIC_RELAXED) != pattern(i))
			bh_fail("the word at %#lx is %#lx, I wrote %#lx\n", (uint64_t)&memory[i], memory[i],
				pattern(i));
}

int main(unsigned vcpu)
{
	struct terminal terminal;
	uint64_t words, *memory, next = 0;

	if (vcpu != 0)
		return 0;
	if (!terminal_open_console(&terminal, vcpu, 0))
		bh_fail("no channel \"console\"\n");
	memory = take_all(&words);
	for (uint64_t i = 0; i < words; i++)
		memory[i] = pattern(i);
	terminal_printf(&terminal, "witness: watching %u KiB\r\n", (unsigned)(words / 128));

	for (unsigned count = 1;; count++) {
		check(memory, words);
		if (bh_rdtsc() < next)
			continue;
		terminal_printf(&terminal, "witness: %u times unchanged\r\n", count);
		next = bh_rdtsc() + bh_ticks_ms(1000);
	}
}
