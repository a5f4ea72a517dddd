/*
 * vmx_switch.S: between root and non-root mode.
 *
 * HOST_RSP of a vCPU is the vCPU itself, which begins with gpr[]; only when these are saved comes the CPU's stack. NMI
 * and machine check have stacks of their own, and interrupts are off.
 */
#include "vmx_offsets.h"

	.text

/* Offsets of the registers in gpr[]. */
	.set .Loffset, 0
	.irp register, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	.set .Lgpr_\register, .Loffset
	.set .Loffset, .Loffset + 8
	.endr

/* vmx_enter(struct vcpu *rdi): does not return. The C stack ends here. */
	.globl vmx_enter
vmx_enter:
	cmpb	$0, VCPU_LAUNCHED(%rdi)
	mov	%rdi, %rsp
	.irp register, rax, rcx, rdx, rbx
	pop	%\register
	.endr
	lea	8(%rsp), %rsp
	.irp register, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	pop	%\register
	.endr
	je	1f
	vmresume
	jmp	2f
1:	movb	$1, VCPU_LAUNCHED-128(%rsp)
	vmlaunch
2:	/* Neither happened: VMfail. Nothing of the guest's registers is lost. */
	lea	-128(%rsp), %rdi
	mov	%gs:CPU_STACK_TOP, %rsp
	call	vmx_entry_refused

/*
 * The first stage gets by with the registers that C may change, and RBX, which CPUID answers in; C keeps the others as
 * the guest left them. The second stage may enter somebody else, so it saves these too.
 */
	.globl vmx_exit_entry
vmx_exit_entry:
	.irp register, rax, rcx, rdx, rbx, rsi, rdi, r8, r9, r10, r11
	mov	%\register, .Lgpr_\register(%rsp)
	.endr
	mov	%rsp, %rbx
	mov	%rsp, %rdi
	mov	%gs:CPU_STACK_TOP, %rsp
	call	vmx_quick
	cmp	$1, %eax		/* EXIT_RESUME, EXIT_RESIDENT, or more */
	jae	1f
	.irp register, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11, rbx
	mov	.Lgpr_\register(%rbx), %\register
	.endr
	vmresume
	ud2			/* nothing in the VMCS has changed since the last entry */
1:
	.irp register, rbp, r12, r13, r14, r15
	mov	%\register, .Lgpr_\register(%rbx)
	.endr
	mov	%gs:CPU_RESIDENT, %rdi
	je	vmx_enter
	mov	%rbx, %rdi
	mov	%eax, %esi
	call	vmx_exit

	.section .note.GNU-stack, "", @progbits
