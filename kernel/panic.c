#include "panic.h"
#include <stdatomic.h>
#include <guests/lib/bh_format.h>
#include "cpu_this.h"
#include "exception.h"
#include "instructions.h"
#include "log.h"
#include "machine.h"
#include "output.h"

#define TAIL_BYTES 4096u
#define NOBODY	   UINT32_MAX

static _Atomic uint32_t owner = NOBODY; /* index of the CPU that panics */
static bool reset_after;

void panic_set_reset(bool reset) { reset_after = reset; }

static uint32_t this_index(void) { return cpu_count ? cpu_this()->index : 0; }

bool panic_begin(void)
{
	uint32_t nobody = NOBODY;

	interrupts_off();
	if (!atomic_compare_exchange_strong(&owner, &nobody, this_index())) {
		if (nobody != this_index())
			cpu_halt();
		return false;
	}
	machine_stop_others();
	log_break_lock();
	if (!log_uart_enabled()) { /* the console had it: what the log said meanwhile has not been shown there */
		log_uart_enable(true);
		output_write("\n", 1, true);
		output_log(TAIL_BYTES, true);
	}
	return true;
}

_Noreturn static void end(void)
{
	if (reset_after) {
		log_printf("resetting, as machine.panic says");
		machine_reset();
	}
	log_printf("halted; machine.panic in bulkhead.conf can say reset in place of this");
	cpu_halt();
}

_Noreturn void panic(const char *fmt, ...)
{
	static _Atomic unsigned depth;
	char text[LOG_LINE_BYTES];
	va_list arguments;
	bool first = panic_begin();

	va_start(arguments, fmt);
	bh_vsnprintf(text, sizeof(text), fmt, arguments);
	va_end(arguments);

	switch (atomic_fetch_add(&depth, 1)) {
	case 0:
		log_printf("PANIC on CPU %u: %s", this_index(), text);
		if (first)
			exception_log_stack((uint64_t)__builtin_frame_address(0));
		end();
	case 1: log_printf("PANIC again, while reporting the first: %s", text); end();
	default: cpu_halt();
	}
}
