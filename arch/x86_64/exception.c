#include "exception.h"
#include "cpu_this.h"
#include "instructions.h"
#include "log.h"
#include "machine.h"
#include "paging.h"
#include "panic.h"

/* linker.ld */
extern const char kernel_text_start[], kernel_text_end[];

#define VECTOR_PAGE_FAULT 14u
#define STACK_VALUES	  16u

static const char *const name[] = { "#DE divide error",
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
				    "#CP control protection" };

void exception_log_stack(uint64_t rsp)
{
	/* All stacks are multiples of a page; none is longer than CPU_STACK_BYTES. */
	uint64_t end = (rsp | (PAGING_4K - 1)) + 1;
	unsigned found = 0;

	if (cpu_count) {
		uint64_t top = cpu_this()->arch.stack_top;

		if (rsp < top && rsp >= top - CPU_STACK_BYTES)
			end = top;
	}
	log_printf("return addresses on the stack, newest first:");
	for (rsp = (rsp + 7) & ~7ull; rsp < end && found < STACK_VALUES; rsp += 8) {
		const char *value = *(const char **)rsp;

		if (value >= kernel_text_start && value < kernel_text_end) {
			log_printf("    %p", value);
			found++;
		}
	}
}

static void log_registers(const struct interrupt_frame *f)
{
	log_printf("rip %016lx rflags %08lx cs %02lx error 0x%lx", f->rip, f->rflags, f->cs, f->error);
	log_printf("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
	log_printf("rsi %016lx rdi %016lx rbp %016lx rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
	log_printf("r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8, f->r9, f->r10, f->r11);
	log_printf("r12 %016lx r13 %016lx r14 %016lx r15 %016lx", f->r12, f->r13, f->r14, f->r15);
	log_printf("cr0 %016lx cr2 %016lx cr3 %016lx cr4 %016lx", read_cr0(), read_cr2(), read_cr3(), read_cr4());
}

void exception_handle(const struct interrupt_frame *frame)
{
	const char *text = frame->vector < sizeof(name) / sizeof(name[0]) ? name[frame->vector] : "reserved";

	machine_end_failed();
	panic_begin();
	log_printf("exception %lu (%s) in the kernel", frame->vector, text);
	log_registers(frame);
	exception_log_stack(frame->rsp);
	if (frame->vector == VECTOR_PAGE_FAULT)
		panic("%s: %s of %lx at %lx", text,
		      frame->error & 16	 ? "fetch"
		      : frame->error & 2 ? "write"
					 : "read",
		      read_cr2(), frame->rip);
	panic("%s at %lx", text, frame->rip);
}
