/*
 * svm_switch.S: between the kernel and the guest.
 *
 * VMRUN keeps the kernel's RSP for the exit: it is the vCPU itself, which begins with gpr[]; only when these are saved
 * comes the CPU's stack. From CLGI on to STGI (svm_run.c) neither interrupts nor NMIs come. RAX and RSP of the guest
 * are in its VMCB; GS is the kernel's in C and the guest's in the guest, FS, TR and LDTR stay the guest's in the first
 * stage.
 */
#include "svm_offsets.h"

	.text

/* svm_enter(struct vcpu *rdi): from the kernel's own state; does not return. The C stack ends here. */
	.globl svm_enter
svm_enter:
	clgi
	sti				/* with V_INTR_MASKING, IF at VMRUN says that interrupts end the run */
enter_held:
	mov	VCPU_VMCB_PHYSICAL(%rdi), %rax
	vmload	%rax
	mov	VCPU_VMCB(%rdi), %rax
	mov	0(%rdi), %rcx
	mov	%rcx, VMCB_RAX(%rax)
	mov	VCPU_VMCB_PHYSICAL(%rdi), %rax
	lea	8(%rdi), %rsp
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
	lea	-128(%rsp), %rsp
	jmp	run

/* The same vCPU goes on, RBX: the registers that C may have changed. */
resume:
	mov	VCPU_VMCB(%rbx), %rax
	mov	VMCB_GS_BASE(%rax), %rcx
	wrgsbase %rcx
	mov	0(%rbx), %rcx
	mov	%rcx, VMCB_RAX(%rax)
	mov	8(%rbx), %rcx
	mov	16(%rbx), %rdx
	mov	48(%rbx), %rsi
	mov	56(%rbx), %rdi
	mov	64(%rbx), %r8
	mov	72(%rbx), %r9
	mov	80(%rbx), %r10
	mov	88(%rbx), %r11
	mov	VCPU_VMCB_PHYSICAL(%rbx), %rax
	mov	%rbx, %rsp
	mov	24(%rbx), %rbx
run:
	vmrun	%rax

/*
 * The exit. The first stage gets by with the registers that C may change, and RBX, which CPUID answers in; C keeps the
 * others as the guest left them. The second stage may enter somebody else, so it saves these too.
 */
	mov	%rcx, 8(%rsp)
	mov	%rdx, 16(%rsp)
	mov	%rbx, 24(%rsp)
	mov	%rsi, 48(%rsp)
	mov	%rdi, 56(%rsp)
	mov	%r8, 64(%rsp)
	mov	%r9, 72(%rsp)
	mov	%r10, 80(%rsp)
	mov	%r11, 88(%rsp)
	rdgsbase %rax
	mov	VCPU_CPU(%rsp), %rcx
	wrgsbase %rcx
	mov	VCPU_VMCB(%rsp), %rsi
	mov	%rax, VMCB_GS_BASE(%rsi)
	mov	VMCB_RAX(%rsi), %r8
	mov	%r8, 0(%rsp)
	rdtsc
	shl	$32, %rdx
	or	%rax, %rdx
	mov	%rsp, %rbx
	mov	%rsp, %rdi
	mov	CPU_STACK_TOP(%rcx), %rsp
	call	*svm_quick		/* (vcpu, vmcb, tsc, cpu, rax) */
	cmp	$1, %eax		/* EXIT_RESUME, EXIT_RESIDENT, or more */
	jb	resume
	mov	%rbp, 40(%rbx)
	mov	%r12, 96(%rbx)
	mov	%r13, 104(%rbx)
	mov	%r14, 112(%rbx)
	mov	%r15, 120(%rbx)
	mov	%gs:CPU_RESIDENT, %rdi
	je	enter_held
	mov	%rbx, %rdi
	mov	%eax, %esi
	call	svm_exit

	.section .note.GNU-stack, "", @progbits
