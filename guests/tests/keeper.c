/*
 * keeper.c: looks through all memory that it has not been given a meaning for, says what it finds, and then
 * fills that memory with marks. A later life must find it empty.
 */
#include "bh.h"
#include "terminal.h"

#define MARK 0x6d61726b6d61726bull /* "markmark" */

extern uint64_t bh_image_end[];

/* Words that are not 0, from the end of the image to the end of the memory. */
static uint64_t found(const volatile uint64_t *from, const volatile uint64_t *end)
{
	uint64_t count = 0;

	for (const volatile uint64_t *word = from; word < end; word++)
		count += *word != 0;
	return count;
}

int main(unsigned vcpu)
{
	volatile uint64_t *from = bh_image_end;
	volatile uint64_t *end = (volatile uint64_t *)bh_info()->memory_bytes;
	struct terminal terminal;
	uint64_t words;

	if (vcpu != 0)
		return 0;
	if (!terminal_open_console(&terminal, vcpu, 0))
		bh_fail("no channel \"console\"\n");
	words = found(from, end);
	terminal_printf(&terminal, "keeper: life %u found %u words\r\n", (unsigned)bh_info()->restarts,
			(unsigned)words);
	for (volatile uint64_t *word = from; word < end; word++)
		*word = MARK;
	terminal_printf(&terminal, "keeper: keeps %u words\r\n", (unsigned)found(from, end));
	if (bh_info()->command[0] == 'f' && bh_info()->restarts == 0)
		bh_fail("asked to fail\n");
	for (;;)
		bh_call3(BH_WAIT, 0, BH_FOREVER, 0);
}
