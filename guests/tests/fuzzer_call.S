/*
 * fuzzer_call.S: one hypercall with every register chosen, from ring 0 or ring 3.
 *
 * fuzzer_call(registers): loads RAX..R15 (without RSP) from the array in RDI, calls, stores them there. The order is
 * that of enum bh_register.
 */
	.text

/* With the array's address in (%rsp) and all else free. Comes back by `ret`. */
fuzzer_do:
	mov	8(%rsp), %rdi
	mov	8*1(%rdi), %rcx
	mov	8*2(%rdi), %rdx
	mov	8*3(%rdi), %rbx
	mov	8*5(%rdi), %rbp
	mov	8*6(%rdi), %rsi
	mov	8*8(%rdi), %r8
	mov	8*9(%rdi), %r9
	mov	8*10(%rdi), %r10
	mov	8*11(%rdi), %r11
	mov	8*12(%rdi), %r12
	mov	8*13(%rdi), %r13
	mov	8*14(%rdi), %r14
	mov	8*15(%rdi), %r15
	mov	8*0(%rdi), %rax
	mov	8*7(%rdi), %rdi
	cmpb	$0, bh_use_vmmcall(%rip)
	jne	1f
	vmcall
	jmp	2f
1:	vmmcall
2:	push	%rdi
	mov	16(%rsp), %rdi
	mov	%rax, 8*0(%rdi)
	mov	%rcx, 8*1(%rdi)
	mov	%rdx, 8*2(%rdi)
	mov	%rbx, 8*3(%rdi)
	mov	%rbp, 8*5(%rdi)
	mov	%rsi, 8*6(%rdi)
	popq	8*7(%rdi)
	mov	%r8, 8*8(%rdi)
	mov	%r9, 8*9(%rdi)
	mov	%r10, 8*10(%rdi)
	mov	%r11, 8*11(%rdi)
	mov	%r12, 8*12(%rdi)
	mov	%r13, 8*13(%rdi)
	mov	%r14, 8*14(%rdi)
	mov	%r15, 8*15(%rdi)
	ret

	.macro	save
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	.endm
	.macro	restore
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	.endm

	.globl	fuzzer_call
fuzzer_call:
	save
	push	%rdi
	call	fuzzer_do
	pop	%rdi
	restore
	ret

/* The same from ring 3: down by IRETQ, up again by INT 80h. RSI: the top of a stack for ring 3. */
	.globl	fuzzer_call3
fuzzer_call3:
	save
	mov	%rsp, fuzzer_rsp(%rip)
	sub	$8, %rsi
	mov	%rdi, (%rsi)
	push	$0x1b				/* SS: user data */
	push	%rsi
	push	$2				/* RFLAGS */
	push	$0x23				/* CS: user code */
	lea	1f(%rip), %rax
	push	%rax
	iretq
1:	call	fuzzer_do
	int	$0x80
	ud2

/* INT 80h: ring 0 again, on the stack that the TSS names, which is not kept. */
	.globl	fuzzer_back
fuzzer_back:
	mov	fuzzer_rsp(%rip), %rsp
	mov	$0x10, %eax
	mov	%eax, %ss
	restore
	ret

	.bss
	.balign	8
fuzzer_rsp:
	.skip	8

	.section .note.GNU-stack, "", @progbits
