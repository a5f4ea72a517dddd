/* entry.S: the kernel's entry, and the stubs of exceptions and interrupts. */
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
	.if vector > 31 || !((0x60227d00 >> (vector & 31)) & 1)
	pushq $0
	.endif
	pushq $vector
	.if vector < 32
	jmp exception_common
	.else
	jmp interrupt_common
	.endif
	.set vector, vector + 1
	.endr

/* Interrupts come to idle CPUs in great numbers: they save what C may change, and no more. */
interrupt_common:
	.irp register, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
	pushq %\register
	.endr
	cld
	movl 72(%rsp), %edi		/* 16 words since the CPU aligned it: aligned again */
	call interrupt_dispatch
	.irp register, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
	popq %\register
	.endr
	addq $16, %rsp
	iretq

exception_common:
	.irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	pushq %\register
	.endr
	cld
	movq %rsp, %rdi			/* 22 words since the CPU aligned it: aligned again */
	call exception_entry
	.irp register, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
	popq %\register
	.endr
	addq $16, %rsp
	iretq

	.bss
	.balign 4096
	.globl boot_stack_guard, boot_stack_top
boot_stack_guard:
	.skip 4096
	.skip CPU_STACK_BYTES
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
