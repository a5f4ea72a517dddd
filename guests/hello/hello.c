/*
 * hello.c: a native guest, to read and to change.
 *
 * It has no operating system and no virtual PC: a vCPU in 64-bit mode, some memory, and hypercalls.
 * It says what it is, counts the seconds, and answers what is typed at it (`attach hello` on the
 * console). `q` ends it. All that it may use is in guests/include/bulkhead/abi.h; guests/lib/bh.h
 * makes that comfortable.
 */
#include "bh.h"
#include "terminal.h"

#define TERMINAL_EVENT 0 /* any bit from 0 to 46: the console's signals arrive as this event */

/* Everything that the kernel tells a program at its start stands in one page of memory. */
static void introduce(struct terminal *terminal)
{
	const struct bh_info *info = bh_info();

	terminal_printf(terminal, "Hello from \"%s\": %u vCPU, %u MiB, TSC at %u MHz, start %u.\r\n", info->name,
			info->vcpus, (unsigned)(info->memory_bytes >> 20),
			(unsigned)((info->tsc_hz + 500000) / 1000000), info->restarts + 1);
	if (info->command[0])
		terminal_printf(terminal, "My arguments: %s\r\n", info->command);

	/* Its handles: the only things outside of its own memory that exist for it. */
	for (unsigned i = 0; i < info->handles; i++)
		terminal_printf(terminal, "Handle %#x: \"%s\", type %u, rights %#x\r\n", info->handle[i].handle,
				info->handle[i].name, info->handle[i].type, info->handle[i].rights);
}

/* A hypercall is like a function call: number and arguments in registers, a number back, negative
 * for an error. */
static void try_hypercalls(struct terminal *terminal)
{
	uint64_t start = bh_rdtsc();
	int64_t nothing = bh_call0(BH_NULL);
	uint64_t ticks = bh_rdtsc() - start;

	terminal_printf(terminal, "BH_NULL returned %d after %u ticks.\r\n", (int)nothing, (unsigned)ticks);
	terminal_printf(terminal, "A hypercall that does not exist returned %d.\r\n", (int)bh_call0(BH_HYPERCALL_END));
}

/* Answers what was typed; false when it was a q. */
static bool answer(struct terminal *terminal)
{
	char typed[64];
	size_t count;

	while ((count = terminal_read(terminal, typed, sizeof(typed)))) {
		for (size_t i = 0; i < count; i++) {
			if (typed[i] == 'q')
				return false;
			terminal_printf(terminal, "You typed '%c' (%u).\r\n",
					typed[i] >= ' ' && typed[i] <= '~' ? typed[i] : '.', (uint8_t)typed[i]);
		}
	}
	return true;
}

int main(unsigned vcpu)
{
	struct terminal terminal;

	if (vcpu != 0)
		return 0; /* parks: one vCPU is enough for this */
	if (!terminal_open_console(&terminal, vcpu, TERMINAL_EVENT))
		bh_fail("no channel \"console\"\n"); /* the report shows in the console's `list` */

	introduce(&terminal);
	try_hypercalls(&terminal);

	uint64_t second = bh_ticks_ms(1000), next = bh_rdtsc() + second;

	for (unsigned count = 1;;) {
		/* Sleeps until the console signals or the time has come; nobody is disturbed
		 * meanwhile. */
		int64_t events = bh_call3(BH_WAIT, 1ull << TERMINAL_EVENT, next, 0);

		if (events > 0 && !answer(&terminal))
			break;
		if (bh_rdtsc() >= next) {
			terminal_printf(&terminal, "hello %u\r\n", count++);
			next += second;
		}
	}
	terminal_printf(&terminal, "Goodbye.\r\n");
	return 0; /* the partition's exit code: 0 is an orderly end */
}
