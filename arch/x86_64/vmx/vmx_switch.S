/*
 * vmx_switch.S: between root and non-root mode.
 *
 * HOST_RSP of a vCPU points behind its gpr[16], so the exit's pushes land in the vCPU itself; only then comes the
 * CPU's stack. NMI and machine check have stacks of their own, and interrupts are off.
 */
#include "vmx_offsets.h"

	.text

/* vmx_enter(struct vcpu *rdi): does not return. The C stack ends here. */
	.globl vmx_enter
vmx_enter:
	cmpb	$0, VCPU_LAUNCHED(%rdi)
	mov	%rdi, %rsp
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rbx
	lea	8(%rsp), %rsp
	pop	%rbp
	pop	%rsi
	pop	%rdi
	pop	%r8
	pop	%r9
	pop	%r10
	pop	%r11
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	je	1f
	vmresume
	jmp	2f
1:	vmlaunch
2:	/* Neither happened: VMfail. Nothing of the guest's registers is lost. */
	lea	-128(%rsp), %rdi
	mov	%gs:CPU_STACK_TOP, %rsp
	call	vmx_entry_refused

	.globl vmx_exit_entry
vmx_exit_entry:
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	push	%r9
	push	%r8
	push	%rdi
	push	%rsi
	push	%rbp
	lea	-8(%rsp), %rsp
	push	%rbx
	push	%rdx
	push	%rcx
	push	%rax
	mov	%rsp, %rdi
	mov	%gs:CPU_STACK_TOP, %rsp
	call	vmx_exit

	.section .note.GNU-stack, "", @progbits
