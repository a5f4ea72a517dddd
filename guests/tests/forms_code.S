/*
 * forms_code.S: VMMCALL and CPUID with all prefixes, each a function of its own, which adds 3 to EDI if it went on where
 * the instruction ends. A native cannot write code, so all of it stands here.
 */
	.macro	put	bytes:vararg
	.byte	\bytes
	.byte	0xff, 0xc7, 0xff, 0xc7, 0xff, 0xc7	/* inc %edi, thrice */
	ret
	.endm

	/* A function in a table of its kind. */
	.macro	form	opcode, prefixes:vararg
	.pushsection .rodata.forms_\opcode, "a"
	.quad	1f
	.popsection
1:	.byte	\prefixes
	.ifc	\opcode, vmmcall
	put	0x0f, 0x01, 0xd9
	.else
	put	0x0f, 0xa2
	.endif
	.endm

	.text
	.irp	opcode, vmmcall, cpuid
	.pushsection .rodata.forms_\opcode, "a"
	.balign	8
	.globl	forms_\opcode
forms_\opcode:
	.popsection
	.irp	prefix, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3
	form	\opcode, \prefix
	form	\opcode, \prefix, \prefix
	.irp	rex, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f
	form	\opcode, \prefix, \rex
	form	\opcode, \rex, \prefix
	form	\opcode, \rex
	.endr
	.endr
	form	\opcode, 0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x48
	.endr
	form	cpuid, 0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0x48

	.pushsection .rodata.forms_vmmcall, "a"
	.quad	0
	.popsection
	.pushsection .rodata.forms_cpuid, "a"
	.quad	0
	.popsection

	/* The same offset in pages of their own, for one address that leads to one or the other. */
	.irpc	page, abcd
	.balign	4096
	.globl	forms_page_\page
forms_page_\page:
	.skip	0x123, 0xcc
	.ifc	\page, a
	put	0x0f, 0xa2
	.endif
	.ifc	\page, b
	put	0xf3, 0x0f, 0xa2
	.endif
	.ifc	\page, c
	put	0x0f, 0x01, 0xd9
	.endif
	.ifc	\page, d
	put	0x66, 0x48, 0x0f, 0x01, 0xd9
	.endif
	.endr
	.balign	4096

	.section .note.GNU-stack, "", @progbits
