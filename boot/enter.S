/*
 * enter.S: the loader's last instructions. They run in memory that the new tables map one to one.
 */
#define CR4_DROP ((1 << 7) | (1 << 17) | (1 << 23))	/* PGE, PCIDE, CET: SDM vol. 3, 2.5 */
#define CR0_WP   (1 << 16)
#define EFER     0xc0000080
#define EFER_NXE (1 << 11)

	.text

/* (tables, stack, entry, info). CET must go before WP may change; without PGE the move to CR3 flushes all. */
	.globl region_enter
region_enter:
	cli
	cld
	movq %rdx, %r8
	movq %cr4, %rax
	andq $~CR4_DROP, %rax
	movq %rax, %cr4
	movq %cr0, %rax
	orq $CR0_WP, %rax
	movq %rcx, %r9
	movq %rax, %r11
	movl $EFER, %ecx
	rdmsr
	orl $EFER_NXE, %eax
	wrmsr
	movq %rdi, %cr3
	movq %r11, %cr0
	movq %rsi, %rsp
	movq %r9, %rdi
	xorl %ebp, %ebp
	pushq $0			/* nobody to return to; aligns the stack as a call would */
	jmp *%r8
	.globl region_enter_end
region_enter_end:

	.section .note.GNU-stack, "", @progbits
