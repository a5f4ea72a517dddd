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

/* Offsets of the registers in gpr[]. */
	.set .Loffset, 0
	.irp register, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	.set .Lgpr_\register, .Loffset
	.set .Loffset, .Loffset + 8
	.endr

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
	.irp register, rcx, rdx, rbx
	pop	%\register
	.endr
	lea	8(%rsp), %rsp
	.irp register, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	pop	%\register
	.endr
	lea	-128(%rsp), %rsp
	jmp	run

/* The same vCPU goes on, RBX: the registers that C may have changed. */
resume:
	mov	VCPU_VMCB(%rbx), %rax
	mov	VMCB_GS_BASE(%rax), %rcx
	wrgsbase %rcx
	mov	0(%rbx), %rcx
	mov	%rcx, VMCB_RAX(%rax)
	.irp register, rcx, rdx, rsi, rdi, r8, r9, r10, r11
	mov	.Lgpr_\register(%rbx), %\register
	.endr
	mov	VCPU_VMCB_PHYSICAL(%rbx), %rax
	mov	%rbx, %rsp
	mov	24(%rbx), %rbx
run:
	vmrun	%rax

/*
 * The exit. The first stage gets by with the registers that C may change, and RBX, which CPUID answers in; C keeps the
 * others as the guest left them. The second stage may enter somebody else, so it saves these too.
 */
	.irp register, rcx, rdx, rbx, rsi, rdi, r8, r9, r10, r11
	mov	%\register, .Lgpr_\register(%rsp)
	.endr
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
	.irp register, rbp, r12, r13, r14, r15
	mov	%\register, .Lgpr_\register(%rbx)
	.endr
	mov	%gs:CPU_RESIDENT, %rdi
	je	enter_held
	mov	%rbx, %rdi
	mov	%eax, %esi
	call	svm_exit

	.section .note.GNU-stack, "", @progbits
