/*
 * crt0.S: the first instructions of a native program, its page tables, GDT and exception entries.
 *
 * At entry (abi.h): 64-bit mode, interrupts off, CR3 = bh_pagetables, RDI = the vCPU's index, no stack. Every
 * vCPU comes through here.
 */
#include "layout.h"

	.section .text.start, "ax"
	.globl bh_entry
bh_entry:
	cmp	$BH_VCPUS_MAX, %rdi
	jae	2f

	mov	%rdi, %rax
	inc	%rax
	shl	$BH_STACK_SHIFT, %rax
	lea	bh_stacks(%rip), %rsp
	add	%rax, %rsp

	lgdt	gdt_register(%rip)
	lidt	idt_register(%rip)
	push	$BH_SELECTOR_CODE
	lea	1f(%rip), %rax
	push	%rax
	lretq
1:	mov	$BH_SELECTOR_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	xor	%ebp, %ebp
	call	bh_start			/* never returns */
2:	ud2

/* The code is read-only, so the choice is a branch and not a patch; it always goes the same way. */
	.text
	.globl	bh_hypercall
bh_hypercall:
	cmpb	$0, bh_use_vmmcall(%rip)
	jne	1f
	vmcall
	ret
1:	vmmcall
	ret

/*
 * Exceptions: each entry leaves vector and error code above what the CPU pushed, and one function in C says
 * what happened and ends the partition.
 */
	.text
	.macro	exception_entry vector, has_error
	.balign	16
exception_\vector:
	.ifeq	\has_error
	push	$0
	.endif
	push	$\vector
	jmp	exception_common
	.endm

	.altmacro
	.macro	exception_entries
	vector = 0
	.rept	32
	.if	vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
	exception_entry %vector, 1
	.else
	exception_entry %vector, 0
	.endif
	vector = vector + 1
	.endr
	.endm
	exception_entries

exception_common:
	mov	%rsp, %rdi
	and	$-16, %rsp
	cld
	call	bh_exception			/* never returns */
	ud2

	.macro	exception_address vector
	.quad	exception_\vector
	.endm
	.section .rodata
	.balign	8
	.globl	bh_exception_entries
bh_exception_entries:
	vector = 0
	.rept	32
	exception_address %vector
	vector = vector + 1
	.endr
	.noaltmacro

	.data
	.balign	8
	.globl	bh_gdt
bh_gdt:
	.quad	0
	.quad	0x00af9b000000ffff		/* BH_SELECTOR_CODE: 64-bit, ring 0, accessed */
	.quad	0x00cf93000000ffff		/* BH_SELECTOR_DATA: ring 0, writable, accessed */
gdt_register:
	.word	3 * 8 - 1
	.quad	bh_gdt
idt_register:
	.word	256 * 16 - 1
	.quad	bh_idt

	.section .bss.stacks, "aw", @nobits
	.balign	BH_STACK_BYTES
	.globl	bh_stacks
bh_stacks:
	.skip	BH_VCPUS_MAX * BH_STACK_BYTES

/*
 * Page tables (SDM vol. 3, 4.5): 0 to 4 GiB one to one, by 2 MiB pages; the first 2 MiB by 4 KiB pages, page 0
 * absent. Permissions are the EPT's business, so everything here is writable and executable. Accessed and dirty
 * bits are set already: the CPU then has nothing to write.
 */
#define TABLE 0x23				/* present, writable, accessed */
#define PAGE_4K 0x63				/* and dirty */
#define PAGE_2M 0xe3				/* and large */

	.section .pagetables, "aw", @progbits
	.balign	4096
	.globl	bh_pagetables
bh_pagetables:
	.quad	bh_pagetables + 0x1000 + TABLE
	.fill	511, 8, 0
	.quad	bh_pagetables + 0x2000 + TABLE
	.quad	bh_pagetables + 0x3000 + TABLE
	.quad	bh_pagetables + 0x4000 + TABLE
	.quad	bh_pagetables + 0x5000 + TABLE
	.fill	508, 8, 0
	.quad	bh_pagetables + 0x6000 + TABLE
	page = 1
	.rept	2047
	.quad	(page << 21) + PAGE_2M
	page = page + 1
	.endr
	.quad	0
	page = 1
	.rept	511
	.quad	(page << 12) + PAGE_4K
	page = page + 1
	.endr

	.section .note.GNU-stack, "", @progbits
