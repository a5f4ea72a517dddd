/* The rules for entering a guest: good states break none, and each rule broken by itself is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <bulkhead/abi.h>
#include "guests/monitor/entry_rules.h"
#include "instructions.h"
#include "msr.h"

#define RFLAGS_VM 0x20000ull

/* A guest's, on a CPU with 40-bit physical addresses. */
static const struct entry_offer offer = { .cr4 = 0x3707ff, .efer = 0xd01, .address_bits = 40 };

typedef const char *rules_function(const struct bh_vcpu_state *state, const struct entry_offer *offer);

/* ---- states that are in order ------------------------------------------------------------------- */

/* As guests/monitor/linux_boot.c starts a 64-bit kernel. */
static struct bh_vcpu_state linux_start(void)
{
	struct bh_vcpu_state s = { .rip = 0x1000200,
				   .rflags = 2,
				   .cr0 = 0x80000033,
				   .cr3 = 0x2000,
				   .cr4 = 0x20,
				   .efer = 0x500,
				   .gdtr_base = 0x1000,
				   .gdtr_limit = 47 };

	for (unsigned i = BH_ES; i <= BH_GS; i++)
		s.segment[i] = (struct bh_segment){ 0, UINT32_MAX, 0x18, 0xc093 };
	s.segment[BH_CS] = (struct bh_segment){ 0, UINT32_MAX, 0x10, 0xa09b };
	s.segment[BH_LDTR] = (struct bh_segment){ 0, 0, 0, BH_SEGMENT_UNUSABLE };
	s.segment[BH_TR] = (struct bh_segment){ 0, 0x67, 0x20, 0x8b };
	return s;
}

/* As a vCPU is after INIT, with CD and NW as it sees them. */
static struct bh_vcpu_state after_init(void)
{
	struct bh_vcpu_state s = {
		.rip = 0xfff0, .rflags = 2, .cr0 = 0x60000010, .gdtr_limit = 0xffff, .idtr_limit = 0xffff
	};

	for (unsigned i = BH_ES; i <= BH_GS; i++)
		s.segment[i] = (struct bh_segment){ 0, 0xffff, 0, 0x93 };
	s.segment[BH_CS] = (struct bh_segment){ 0xffff0000, 0xffff, 0xf000, 0x9b };
	s.segment[BH_LDTR] = (struct bh_segment){ 0, 0xffff, 0, 0x82 };
	s.segment[BH_TR] = (struct bh_segment){ 0, 0xffff, 0, 0x8b };
	return s;
}

/* As vmx_vcpu.c starts a native; what it sees of CR4 is PAE. */
static struct bh_vcpu_state native_start(void)
{
	struct bh_vcpu_state s = linux_start();

	s.cr0 = 0x80010039;
	s.cr3 = BH_NATIVE_CR3;
	s.efer = 0xd00;
	s.rip = 0x140000;
	s.rflags = 0x202;
	for (unsigned i = BH_ES; i <= BH_GS; i++)
		s.segment[i].selector = 0x10;
	s.segment[BH_CS].selector = 8;
	return s;
}

/* A 64-bit kernel at work: high addresses, null segments, an LDT. */
static struct bh_vcpu_state linux_running(void)
{
	struct bh_vcpu_state s = linux_start();

	s.rip = 0xffffffff81000000;
	s.cr3 = 0xfffffff000;
	s.cr4 = 0x3606f0;
	s.efer = 0xd01;
	s.gdtr_base = s.idtr_base = s.segment[BH_TR].base = 0xfffffe0000001000;
	s.segment[BH_GS].base = 0xffff888000000000;
	for (unsigned i = BH_ES; i <= BH_GS; i++)
		if (i != BH_CS && i != BH_SS)
			s.segment[i].access = BH_SEGMENT_UNUSABLE;
	s.segment[BH_LDTR] = (struct bh_segment){ 0xffff888000001000, 15, 0x48, 0x82 };
	return s;
}

/* Ring 3 of a 32-bit kernel. */
static struct bh_vcpu_state protected_ring3(void)
{
	struct bh_vcpu_state s = linux_start();

	s.cr4 = 0;
	s.efer = 0;
	s.rflags = 0x202;
	for (unsigned i = BH_ES; i <= BH_GS; i++)
		s.segment[i] = (struct bh_segment){ 0, UINT32_MAX, 0x2b, 0xc0f3 };
	s.segment[BH_CS] = (struct bh_segment){ 0, UINT32_MAX, 0x23, 0xc0fb };
	s.segment[BH_TR].access = 0x83; /* a 16-bit TSS will do */
	return s;
}

static struct bh_vcpu_state virtual_8086(void)
{
	struct bh_vcpu_state s = protected_ring3();

	s.rflags |= RFLAGS_VM;
	for (unsigned i = BH_ES; i <= BH_GS; i++)
		s.segment[i] = (struct bh_segment){ 0x1230 + i * 16, 0xffff, (uint16_t)(0x123 + i), 0xf3 };
	return s;
}

static void breaks_none(struct bh_vcpu_state s)
{
	assert_null(entry_rules_broken_vmx(&s, &offer));
	assert_null(entry_rules_broken_svm(&s, &offer));
}

static void test_good_states(void **state)
{
	struct bh_vcpu_state s;

	(void)state;
	breaks_none(linux_start());
	breaks_none(after_init());
	breaks_none(native_start());
	breaks_none(linux_running());
	breaks_none(protected_ring3());
	breaks_none(virtual_8086());
	s = protected_ring3();
	s.segment[BH_CS].access = 0xc09f; /* conforming, of ring 0 */
	breaks_none(s);
	s = after_init();
	s.segment[BH_CS].access = 0x93; /* real mode runs in data, too */
	breaks_none(s);
	s.efer = EFER_LME; /* on its way to long mode, with a segment made for it and for 32 bits */
	s.segment[BH_CS].access = 0x609b;
	breaks_none(s);
	s = linux_start();
	s.rip = 1ull << 47; /* #GP, but inside */
	s.segment[BH_SS].access = 0xc097;
	breaks_none(s);
	s.rip = 0xfffffff0;
	s.segment[BH_CS].access = 0xc09b;
	s.segment[BH_SS] = s.segment[BH_DS] = s.segment[BH_LDTR] =
		(struct bh_segment){ 1ull << 47, 0, 4, BH_SEGMENT_UNUSABLE };
	breaks_none(s);
}

/* ---- each rule broken --------------------------------------------------------------------------- */

static void check(rules_function *broken, const struct bh_vcpu_state *s, const char *words)
{
	const char *found = broken(s, &offer);

	if (!words) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	if (strncmp(found, words, strlen(words)))
		fail_msg("\"%s\" was expected, not \"%s\"", words, found);
	assert_non_null(
		strstr(found, broken == entry_rules_broken_svm ? "APM vol. 2, 15.5.1)" : "SDM vol. 3, 26.3.1."));
}

/* `change` is made to the state `s`, whose segments are `seg`. NULL for the words: SVM enters. */
#define BREAK(from, change, vmx_words, svm_words)             \
	do {                                                  \
		struct bh_vcpu_state s = from();              \
		struct bh_segment *seg = s.segment;           \
                                                              \
		(void)seg;                                    \
		change;                                       \
		check(entry_rules_broken_vmx, &s, vmx_words); \
		check(entry_rules_broken_svm, &s, svm_words); \
	} while (0)
#define BOTH(from, change, words) BREAK(from, change, words, words)
#define VMX(from, change, words)  BREAK(from, change, words, NULL)
#define SVM(from, change, words)  BREAK(from, change, NULL, words)

static void test_both(void **state)
{
	(void)state;
	BOTH(linux_start, s.cr0 &= ~CR0_PE, "CR0.PG is set without CR0.PE in long mode (");
	BOTH(linux_start, s.cr4 &= ~CR4_PAE, "CR4.PAE is clear in long mode (");
	BOTH(linux_start, seg[BH_CS].access |= 0x4000, "CS.L and CS.D are both set in long mode (");
	BOTH(linux_start, s.cr0 |= 1ull << 32, "CR0 has a bit above 31 (");
	BOTH(linux_start, s.cr3 |= 1ull << 40, "CR3 exceeds the width of addresses (");
	BOTH(linux_start, s.cr3 |= 1ull << 63, "CR3 exceeds the width of addresses (");
	BOTH(linux_start, s.cr4 |= 1ull << 13, "CR4 has a bit that is not offered (");
	BOTH(after_init, s.cr4 |= 1ull << 40, "CR4 has a bit that is not offered (");
	BOTH(linux_start, s.efer |= 1ull << 12, "EFER has a bit that is not offered (");
}

static void test_svm(void **state)
{
	(void)state;
	/* VT-x does not look at them. */
	SVM(linux_start, s.cr0 |= CR0_NW, "CR0.NW is set without CR0.CD (");
}

static void test_control_registers(void **state)
{
	(void)state;
	VMX(protected_ring3, s.cr0 &= ~CR0_PE, "CR0.PG is set without CR0.PE (");
	VMX(linux_start, s.cr0 &= ~CR0_PG, "EFER.LMA is set without CR0.PG (");
	VMX(linux_start, s.efer &= ~EFER_LMA, "EFER.LMA and EFER.LME differ, with CR0.PG set (");
	VMX(linux_start, s.efer &= ~EFER_LME, "EFER.LMA and EFER.LME differ, with CR0.PG set (");
	VMX(protected_ring3, s.cr4 |= CR4_PCIDE, "CR4.PCIDE is set outside long mode (");
}

static void test_rip_and_rflags(void **state)
{
	(void)state;
	VMX(after_init, s.rip |= 1ull << 32, "RIP is above 4 GiB outside 64-bit mode (");
	VMX(linux_start, (s.rip = 1ull << 32, seg[BH_CS].access = 0xc09b), "RIP is above 4 GiB outside 64-bit mode (");
	VMX(linux_start, s.rip |= 1ull << 48, "RIP's bits 63 to 48 are not all the same (");
	VMX(linux_start, s.rflags |= 8, "RFLAGS has a reserved bit (");
	VMX(linux_start, s.rflags |= 0x20, "RFLAGS has a reserved bit (");
	VMX(linux_start, s.rflags |= 0x8000, "RFLAGS has a reserved bit (");
	VMX(linux_start, s.rflags |= 0x400000, "RFLAGS has a reserved bit (");
	VMX(linux_start, s.rflags |= 1ull << 63, "RFLAGS has a reserved bit (");
	VMX(linux_start, s.rflags = 0, "RFLAGS bit 1 is clear (");
	VMX(linux_start, s.rflags |= RFLAGS_VM, "RFLAGS.VM is set in long mode (");
	VMX(after_init, s.rflags |= RFLAGS_VM, "RFLAGS.VM is set in real mode (");
}

static void test_virtual_8086(void **state)
{
	static const char *const name[] = { "ES", "CS", "SS", "DS", "FS", "GS" };
	char words[80];

	(void)state;
	for (unsigned i = BH_ES; i <= BH_GS; i++) {
		snprintf(words, sizeof(words), "%s's base is not its selector times 16, in virtual-8086 mode (",
			 name[i]);
		VMX(virtual_8086, seg[i].base++, words);
		snprintf(words, sizeof(words), "%s's limit is not FFFFh, in virtual-8086 mode (", name[i]);
		VMX(virtual_8086, seg[i].limit--, words);
		snprintf(words, sizeof(words), "%s's access rights are not F3h, in virtual-8086 mode (", name[i]);
		VMX(virtual_8086, seg[i].access = 0x93, words);
		VMX(virtual_8086, seg[i].access = BH_SEGMENT_UNUSABLE, words);
	}
	VMX(virtual_8086, seg[BH_TR].access = 0x81, "TR is not a busy TSS (");
}

static void test_code_and_stack(void **state)
{
	(void)state;
	VMX(linux_start, seg[BH_CS].access = 0xa09a, "CS is not an accessed code segment (");
	VMX(linux_start, seg[BH_CS].access = 0xa097, "CS is not an accessed code segment (");
	VMX(linux_start, seg[BH_CS].access = BH_SEGMENT_UNUSABLE, "CS is not an accessed code segment (");
	VMX(protected_ring3, seg[BH_CS].access = 0xc0f3, "CS is a data segment with a DPL other than 0 (");
	VMX(linux_start, seg[BH_CS].access = 0xa0fb, "CS.DPL is not SS.DPL (");
	VMX(protected_ring3, seg[BH_CS].access = 0xc09b, "CS.DPL is not SS.DPL (");
	VMX(linux_start, seg[BH_CS].access = 0xa0ff, "CS conforms, with a DPL above SS.DPL (");
	VMX(linux_start, seg[BH_SS].access = 0xc092, "SS is not accessed, writable data (");
	VMX(linux_start, seg[BH_SS].access = 0xc09b, "SS is not accessed, writable data (");
	VMX(after_init, (seg[BH_CS].access = 0x93, seg[BH_SS].access = 0xf3),
	    "SS.DPL is not 0, with a data segment in CS (");
	VMX(after_init, (seg[BH_CS].access = 0xfb, seg[BH_SS].access = 0xf3), "SS.DPL is not 0 in real mode (");
	VMX(linux_start, seg[BH_CS].base = 1ull << 32, "CS's base is above 4 GiB (");
	VMX(linux_start, seg[BH_SS].base = 1ull << 32, "SS's base is above 4 GiB (");
}

static void test_data_segments(void **state)
{
	static const struct {
		unsigned index;
		const char *name;
	} data[] = { { BH_DS, "DS" }, { BH_ES, "ES" }, { BH_FS, "FS" }, { BH_GS, "GS" } };
	char words[80];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		unsigned at = data[i].index;

		snprintf(words, sizeof(words), "%s is not marked as accessed (", data[i].name);
		VMX(linux_start, seg[at].access = 0xc092, words);
		snprintf(words, sizeof(words), "%s is code that cannot be read (", data[i].name);
		VMX(linux_start, seg[at].access = 0xc099, words);
		snprintf(words, sizeof(words), "%s's base is %s (", data[i].name,
			 i < 2 ? "above 4 GiB" : "not canonical");
		VMX(linux_start, seg[at].base = 1ull << 47, words);
	}
	/* FS and GS have a base even if they are null. */
	VMX(linux_running, seg[BH_GS].base = 1ull << 47, "GS's base is not canonical (");
}

static void test_all_segments(void **state)
{
	static const char *const name[] = { "ES", "CS", "SS", "DS", "FS", "GS" };
	char words[80];

	(void)state;
	for (unsigned i = BH_ES; i <= BH_GS; i++) {
		snprintf(words, sizeof(words), "%s is a system segment (", name[i]);
		VMX(linux_start, seg[i].access &= (uint16_t)~0x10u, words);
		snprintf(words, sizeof(words), "%s is not present (", name[i]);
		VMX(linux_start, seg[i].access &= (uint16_t)~0x80u, words);
		snprintf(words, sizeof(words), "%s.G does not fit the limit (", name[i]);
		VMX(linux_start, seg[i].limit = 0xffffeffe, words);
		VMX(linux_start, seg[i].access &= (uint16_t)~0x8000u, words);
	}
}

static void test_system_segments(void **state)
{
	(void)state;
	VMX(linux_start, seg[BH_TR].access = BH_SEGMENT_UNUSABLE, "TR is unusable (");
	VMX(linux_start, seg[BH_TR].access = 0x89, "TR is not a busy TSS (");
	VMX(linux_start, seg[BH_TR].access = 0x83, "TR is not a busy TSS (");
	VMX(linux_start, seg[BH_TR].selector |= 4, "TR's selector is in the LDT (");
	VMX(linux_start, seg[BH_TR].access = 0x9b, "TR is not a system segment (");
	VMX(linux_start, seg[BH_TR].access = 0x0b, "TR is not present (");
	VMX(linux_start, seg[BH_TR].access = 0x808b, "TR.G does not fit the limit (");
	VMX(linux_start, seg[BH_TR].base = 1ull << 47, "TR's base is not canonical (");
	VMX(linux_running, seg[BH_LDTR].access = 0x83, "LDTR is not an LDT (");
	VMX(linux_running, seg[BH_LDTR].selector |= 4, "LDTR's selector is in the LDT (");
	VMX(linux_running, seg[BH_LDTR].access = 0x92, "LDTR is not a system segment (");
	VMX(linux_running, seg[BH_LDTR].access = 0x02, "LDTR is not present (");
	VMX(linux_running, seg[BH_LDTR].limit = 1 << 20, "LDTR.G does not fit the limit (");
	VMX(linux_running, seg[BH_LDTR].base = 1ull << 47, "LDTR's base is not canonical (");
	VMX(linux_start, s.gdtr_base = 1ull << 47, "GDTR's base is not canonical (");
	VMX(linux_start, s.idtr_base = 0xffff7fffffffffff, "IDTR's base is not canonical (");
	VMX(linux_start, s.gdtr_limit = 0x10000, "GDTR's limit is above FFFFh (");
	VMX(linux_start, s.idtr_limit = 0x10000, "IDTR's limit is above FFFFh (");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_states),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_svm),
		cmocka_unit_test(test_control_registers),
		cmocka_unit_test(test_rip_and_rflags),
		cmocka_unit_test(test_virtual_8086),
		cmocka_unit_test(test_code_and_stack),
		cmocka_unit_test(test_data_segments),
		cmocka_unit_test(test_all_segments),
		cmocka_unit_test(test_system_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
