/*
 * vmx_switch.S: between root and non-root mode.
 *
 * HOST_RSP of a vCPU is the vCPU itself, which begins with gpr[]; only when these are saved comes the CPU's stack. NMI
 * and machine check have stacks of their own, and interrupts are off.
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
	mov	%rax, 0(%rsp)
	mov	%rcx, 8(%rsp)
	mov	%rdx, 16(%rsp)
	mov	%rbx, 24(%rsp)
	mov	%rsi, 48(%rsp)
	mov	%rdi, 56(%rsp)
	mov	%r8, 64(%rsp)
	mov	%r9, 72(%rsp)
	mov	%r10, 80(%rsp)
	mov	%r11, 88(%rsp)
	mov	%rsp, %rbx
	mov	%rsp, %rdi
	mov	%gs:CPU_STACK_TOP, %rsp
	call	vmx_quick
	cmp	$1, %eax		/* EXIT_RESUME, EXIT_RESIDENT, or more */
	jae	1f
	mov	0(%rbx), %rax
	mov	8(%rbx), %rcx
	mov	16(%rbx), %rdx
	mov	48(%rbx), %rsi
	mov	56(%rbx), %rdi
	mov	64(%rbx), %r8
	mov	72(%rbx), %r9
	mov	80(%rbx), %r10
	mov	88(%rbx), %r11
	mov	24(%rbx), %rbx
	vmresume
	ud2			/* nothing in the VMCS has changed since the last entry */
1:	mov	%rbp, 40(%rbx)
	mov	%r12, 96(%rbx)
	mov	%r13, 104(%rbx)
	mov	%r14, 112(%rbx)
	mov	%r15, 120(%rbx)
	mov	%gs:CPU_RESIDENT, %rdi
	je	vmx_enter
	mov	%rbx, %rdi
	mov	%eax, %esi
	call	vmx_exit

	.section .note.GNU-stack, "", @progbits
