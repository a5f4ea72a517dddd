/*
 * trampoline.S: where a woken CPU begins, in real mode, at the page that the start-up IPI names. smp.c copies this there and
 * fills in what stands at the end; only positions relative to the page are used.
 */

#define AT(label) (label - trampoline_start)

	.section .rodata
	.balign 16
	.globl trampoline_start, trampoline_end
	.code16
trampoline_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	/* A CPU that was given up, or wakes twice, finds the claim taken. */
	xorl %eax, %eax
	xchgl %eax, AT(claim)
	testl %eax, %eax
	jz 1f
	lgdtl AT(gdt_pointer)
	movl $0x20, %eax		/* CR4.PAE */
	movl %eax, %cr4
	movl AT(cr3), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx		/* IA32_EFER: LME, NXE */
	movl $0x900, %eax
	xorl %edx, %edx
	wrmsr
	movl $0x80010033, %eax		/* CR0: PG WP NE ET MP PE: from real mode straight to long mode */
	movl %eax, %cr0
	ljmpl *AT(far_pointer)
1:	cli
	hlt
	jmp 1b

	.code64
long_mode:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movq stack(%rip), %rsp
	movq cpu(%rip), %rdi
	xorl %ebp, %ebp
	pushq $0
	movq entry(%rip), %rax
	jmp *%rax

	.balign 16
gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* code, 64-bit */
	.quad 0x00cf93000000ffff	/* data */
	.word 0				/* aligns the base */
gdt_pointer:
	.word 23
	.globl trampoline_gdt_base
trampoline_gdt_base:
	.long AT(gdt)			/* + page */
far_pointer:
	.globl trampoline_long_mode
trampoline_long_mode:
	.long AT(long_mode)		/* + page */
	.word 8

	.balign 8
	.globl trampoline_parameters
trampoline_parameters:			/* struct trampoline_parameters */
cr3:	.quad 0
stack:	.quad 0
cpu:	.quad 0
entry:	.quad 0
claim:	.long 0
	.long 0
trampoline_end:

	.section .note.GNU-stack, "", @progbits
