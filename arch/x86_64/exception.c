#include "exception.h"
#include <stddef.h>
#include "cpu_this.h"
#include "instructions.h"
#include "log.h"
#include "machine.h"
#include "paging.h"
#include "panic.h"

/* linker.ld and entry.S */
extern const char kernel_text_start[], kernel_text_end[];
extern const char msr_try_read_at[], msr_try_write_at[], msr_try_failed[];

#define VECTOR_GENERAL_PROTECTION 13u
#define VECTOR_PAGE_FAULT	  14u

static const char *const name[32] = {
	"#DE divide error",
	"#DB debug",
	"NMI",
	"#BP breakpoint",
	"#OF overflow",
	"#BR bound range",
	"#UD invalid opcode",
	"#NM no device",
	"#DF double fault",
	"coprocessor",
	"#TS invalid TSS",
	"#NP segment not present",
	"#SS stack fault",
	"#GP general protection",
	"#PF page fault",
	"reserved 15",
	"#MF x87 error",
	"#AC alignment check",
	"#MC machine check",
	"#XM SIMD error",
	"#VE virtualization",
	"#CP control protection",
	[28] = "#HV",
	"#VC",
	"#SX",
};

unsigned exception_backtrace(uint64_t rsp, uint64_t *value, unsigned n)
{
	/* All stacks are multiples of a page; none is longer than CPU_STACK_BYTES. */
	uint64_t end = (rsp | (PAGING_4K - 1)) + 1;
	unsigned found = 0;

	if (cpu_count) {
		uint64_t top = cpu_this()->arch.stack_top;

		if (rsp < top && rsp >= top - CPU_STACK_BYTES)
			end = top;
	}
	for (rsp = (rsp + 7) & ~7ull; rsp < end && found < n; rsp += 8) {
		uint64_t v = *(const uint64_t *)rsp;

		if (v >= (uint64_t)kernel_text_start && v < (uint64_t)kernel_text_end)
			value[found++] = v;
	}
	return found;
}

static void log_registers(const struct interrupt_frame *f)
{
#define U(x) ((unsigned long)(x))
	log_printf("rip %016lx rflags %08lx cs %02lx error 0x%lx", U(f->rip), U(f->rflags), U(f->cs), U(f->error));
	log_printf("rax %016lx rbx %016lx rcx %016lx rdx %016lx", U(f->rax), U(f->rbx), U(f->rcx), U(f->rdx));
	log_printf("rsi %016lx rdi %016lx rbp %016lx rsp %016lx", U(f->rsi), U(f->rdi), U(f->rbp), U(f->rsp));
	log_printf("r8  %016lx r9  %016lx r10 %016lx r11 %016lx", U(f->r8), U(f->r9), U(f->r10), U(f->r11));
	log_printf("r12 %016lx r13 %016lx r14 %016lx r15 %016lx", U(f->r12), U(f->r13), U(f->r14), U(f->r15));
	log_printf("cr0 %016lx cr2 %016lx cr3 %016lx cr4 %016lx", U(read_cr0()), U(read_cr2()), U(read_cr3()),
		   U(read_cr4()));
#undef U
}

static bool resume_msr_try(struct interrupt_frame *frame)
{
	if (frame->vector != VECTOR_GENERAL_PROTECTION ||
	    (frame->rip != (uint64_t)msr_try_read_at && frame->rip != (uint64_t)msr_try_write_at))
		return false;
	frame->rip = (uint64_t)msr_try_failed;
	return true;
}

void exception_handle(struct interrupt_frame *frame)
{
	uint64_t stack[8];
	unsigned n;
	const char *text = name[frame->vector] ? name[frame->vector] : "reserved";

	if (resume_msr_try(frame))
		return;
	machine_end_failed();
	panic_begin();
	log_printf("exception %lu (%s) in the kernel", (unsigned long)frame->vector, text);
	log_registers(frame);
	n = exception_backtrace(frame->rsp, stack, sizeof(stack) / sizeof(stack[0]));
	log_printf("return addresses on the stack, newest first:");
	for (unsigned i = 0; i < n; i++)
		log_printf("    0x%lx", (unsigned long)stack[i]);
	if (frame->vector == VECTOR_PAGE_FAULT)
		panic("%s: %s of %lx at %lx", text,
		      frame->error & 16	 ? "fetch"
		      : frame->error & 2 ? "write"
					 : "read",
		      (unsigned long)read_cr2(), (unsigned long)frame->rip);
	panic("%s at %lx", text, (unsigned long)frame->rip);
}
