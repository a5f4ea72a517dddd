/* command_text.c: what the kernel says in text: log, caps, pci, iommu, audit. */
#include "commands.h"
#include "machine.h"
#include "screen.h"

#define LOG_BYTES     65536u
#define LINE_LONGEST  256u /* the kernel's are no longer */
#define LINES_DEFAULT 24
#define LINES_MAX     10000
#define TEXT_MAX      65536u /* more than any text of the kernel's */

/* Returns how many bytes there were. */
static uint64_t print_all(enum bh_machine_text which)
{
	char text[8];
	unsigned count;
	uint64_t offset;

	for (offset = 0; offset < TEXT_MAX; offset += count) {
		count = machine_text(which, offset, text);
		if (!count)
			break;
		screen_text(text, count);
	}
	return offset;
}

/*
 * The newest part of the log, in which so many lines are, up to LOG_BYTES; returns its length. No more than
 * that: every 8 bytes are a hypercall, and push an older exit out of the trace.
 */
static uint32_t read_log(char *log, uint64_t lines)
{
	uint64_t wanted = lines * LINE_LONGEST < LOG_BYTES - 8 ? lines * LINE_LONGEST : LOG_BYTES - 8;
	uint64_t first = machine_stat(BH_MACHINE_LOG_FIRST, 0);
	uint64_t end = machine_stat(BH_MACHINE_LOG_END, 0);
	uint32_t length = 0;

	if (end - first > wanted)
		first = end - wanted;
	for (uint64_t at = first; at < end;) {
		unsigned count = machine_text(BH_TEXT_LOG, at, log + length);

		/* Overwritten meanwhile: it is gone; go on with what is there. */
		at += count ? count : 8;
		length += count;
	}
	return length;
}

void command_log(const struct arguments *arguments)
{
	static char log[LOG_BYTES];
	uint64_t lines;

	if (!shell_count(arguments, LINES_DEFAULT, LINES_MAX, &lines))
		return;

	uint32_t length = read_log(log, lines), start = length;

	while (start && (lines || log[start - 1] != '\n')) {
		start--;
		lines -= start && log[start - 1] == '\n';
	}
	screen_text(log + start, length - start);
}

void command_caps(const struct arguments *arguments)
{
	(void)arguments;
	print_all(BH_TEXT_CAPS);
}

void command_pci(const struct arguments *arguments)
{
	(void)arguments;
	if (!print_all(BH_TEXT_PCI))
		screen_printf("The kernel knows of no PCI device.\n");
}

void command_iommu(const struct arguments *arguments)
{
	(void)arguments;
	if (!print_all(BH_TEXT_IOMMU))
		screen_printf("The kernel says nothing about an IOMMU.\n");
}

void command_audit(const struct arguments *arguments)
{
	int64_t found = machine_control(BH_AUDIT);

	(void)arguments;
	if (found == 0) {
		screen_printf("audit: clean\n");
		return;
	}
	if (found < 0) {
		screen_printf("The audit could not run: error %d.\n", (int)found);
		return;
	}
	print_all(BH_TEXT_AUDIT);
	screen_printf("audit: %u disagreement%s\n", (unsigned)found, found == 1 ? "" : "s");
}
