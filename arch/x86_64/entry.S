/* entry.S: the kernel's entry, the stubs of exceptions and interrupts, and MSRs that may not be there. */
#define CPU_STACK_BYTES 16384 /* arch_cpu.h */

	.text

/* From the loader: interrupts off, RDI = boot_info. This stack stays the boot CPU's. */
	.globl kernel_entry
kernel_entry:
	cld
	leaq boot_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	call kernel_main
1:	cli
	hlt
	jmp 1b

/*
 * 256 stubs of 16 bytes: each makes the frame of interrupt.h. Exceptions 8, 10-14, 17, 21, 29 and 30 bring an error
 * code (SDM vol. 3, table 6-1); the others get a 0.
 */
	.balign 16
	.globl interrupt_stubs
interrupt_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if vector > 31
	pushq $0
	.elseif !((0x60227d00 >> vector) & 1)
	pushq $0
	.endif
	pushq $vector
	jmp interrupt_common
	.set vector, vector + 1
	.endr

interrupt_common:
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movq %rsp, %rdi			/* 22 words since the CPU aligned it: aligned again */
	call interrupt_entry
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
	addq $16, %rsp
	iretq

/* bool rdmsr_try(uint32_t msr, uint64_t *value): exception.c resumes a #GP at msr_try_failed. */
	.globl rdmsr_try, wrmsr_try, msr_try_read_at, msr_try_write_at, msr_try_failed
rdmsr_try:
	movl %edi, %ecx
msr_try_read_at:
	rdmsr
	movl %eax, (%rsi)
	movl %edx, 4(%rsi)
	movl $1, %eax
	ret

/* bool wrmsr_try(uint32_t msr, uint64_t value) */
wrmsr_try:
	movl %edi, %ecx
	movl %esi, %eax
	movq %rsi, %rdx
	shrq $32, %rdx
msr_try_write_at:
	wrmsr
	movl $1, %eax
	ret

msr_try_failed:
	xorl %eax, %eax
	ret

	.bss
	.balign 4096
	.globl boot_stack_guard, boot_stack_top
boot_stack_guard:
	.skip 4096
	.skip CPU_STACK_BYTES
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
