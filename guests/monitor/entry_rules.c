#include "entry_rules.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <bulkhead/abi.h>
#include "guests/lib/control_registers.h"

#define RFLAGS_ONE	2ull /* must be 1 */
#define RFLAGS_VM	(1ull << 17)
#define RFLAGS_RESERVED 0xffffffffffc08028ull /* must be 0 */

#define SELECTOR_TI    0x4u
#define ACCESS_S       0x10u
#define ACCESS_PRESENT 0x80u
#define ACCESS_LONG    0x2000u
#define ACCESS_D       0x4000u
#define ACCESS_G       0x8000u
#define ACCESS_V86     0xf3u

#define SDM(section)  " (SDM vol. 3, " section ")"
#define BOTH(section) " (SDM vol. 3, " section "; APM vol. 2, 15.5.1)"

struct rule {
	bool broken;
	const char *words;
};

#define FIRST_BROKEN(rules) first_broken(rules, sizeof(rules) / sizeof((rules)[0]))

static const char *first_broken(const struct rule *rule, size_t rules)
{
	for (size_t i = 0; i < rules; i++)
		if (rule[i].broken)
			return rule[i].words;
	return NULL;
}

/* ---- what the rules speak of -------------------------------------------------------------------- */

static bool canonical(uint64_t address) { return address + (1ull << 47) < 1ull << 48; }

static bool usable(const struct bh_segment *segment) { return !(segment->access & BH_SEGMENT_UNUSABLE); }

static unsigned type(const struct bh_segment *segment) { return segment->access & 0xf; }

static unsigned dpl(const struct bh_segment *segment) { return segment->access >> 5 & 3; }

static bool in_ldt(const struct bh_segment *segment) { return usable(segment) && segment->selector & SELECTOR_TI; }

static bool is_system(const struct bh_segment *segment) { return usable(segment) && !(segment->access & ACCESS_S); }

static bool is_ordinary(const struct bh_segment *segment) { return segment->access & ACCESS_S; }

static bool absent(const struct bh_segment *segment) { return usable(segment) && !(segment->access & ACCESS_PRESENT); }

/* G says that the limit counts pages: its low 12 bits are then all ones; without G it has 20 bits. */
static bool odd_limit(const struct bh_segment *segment)
{
	bool pages = segment->access & ACCESS_G;

	return usable(segment) && (pages ? (segment->limit & 0xfff) != 0xfff : segment->limit >> 20 != 0);
}

static bool high_base(const struct bh_segment *segment) { return usable(segment) && segment->base >> 32; }

static bool far_base(const struct bh_segment *segment) { return usable(segment) && !canonical(segment->base); }

static bool not_accessed(const struct bh_segment *segment) { return usable(segment) && !(type(segment) & 1); }

static bool unreadable(const struct bh_segment *segment) { return usable(segment) && (type(segment) & 0xa) == 8; }

static bool not_v86_base(const struct bh_segment *segment) { return segment->base != (uint64_t)segment->selector << 4; }

static bool not_v86_limit(const struct bh_segment *segment) { return segment->limit != 0xffff; }

static bool not_v86_access(const struct bh_segment *segment) { return segment->access != ACCESS_V86; }

/* Rules of segment registers, by their names. */
#define ONE(name, broken, words)                                            \
	{                                                                   \
		broken(&s->segment[BH_##name]), #name words SDM("26.3.1.2") \
	}
#define DATA(broken, words) \
	ONE(DS, broken, words), ONE(ES, broken, words), ONE(FS, broken, words), ONE(GS, broken, words)
#define ALL(broken, words)    ONE(CS, broken, words), ONE(SS, broken, words), DATA(broken, words)
#define SYSTEM(broken, words) ONE(TR, broken, words), ONE(LDTR, broken, words)

/* ---- both vendors ------------------------------------------------------------------------------- */

static const char *common(const struct bh_vcpu_state *s, const struct entry_offer *offer)
{
	bool long_mode = s->efer & EFER_LME && s->cr0 & CR0_PG;
	uint16_t cs = s->segment[BH_CS].access;
	const struct rule rules[] = {
		{ long_mode && !(s->cr0 & CR0_PE), "CR0.PG is set without CR0.PE in long mode" BOTH("26.3.1.1") },
		{ long_mode && !(s->cr4 & CR4_PAE), "CR4.PAE is clear in long mode" BOTH("26.3.1.1") },
		{ long_mode && cs & ACCESS_LONG && cs & ACCESS_D,
		  "CS.L and CS.D are both set in long mode" BOTH("26.3.1.2") },
		{ s->cr0 >> 32, "CR0 has a bit above 31" BOTH("26.3.1.1") },
		{ s->cr3 >> (offer->address_bits), "CR3 exceeds the width of addresses" BOTH("26.3.1.1") },
		{ s->cr4 & ~offer->cr4, "CR4 has a bit that is not offered" BOTH("26.3.1.1") },
		{ s->efer & ~offer->efer, "EFER has a bit that is not offered" BOTH("26.3.1.1") },
	};

	return FIRST_BROKEN(rules);
}

/* ---- SVM ---------------------------------------------------------------------------------------- */

const char *entry_rules_broken_svm(const struct bh_vcpu_state *s, const struct entry_offer *offer)
{
	const char *words = common(s, offer);

	if (!words && (s->cr0 & (CR0_NW | CR0_CD)) == CR0_NW)
		words = "CR0.NW is set without CR0.CD (APM vol. 2, 15.5.1)";
	return words;
}

/* ---- VT-x --------------------------------------------------------------------------------------- */

static const char *control_registers(const struct bh_vcpu_state *s)
{
	bool pe = s->cr0 & CR0_PE, pg = s->cr0 & CR0_PG, lme = s->efer & EFER_LME, lma = s->efer & EFER_LMA;
	const struct rule rules[] = {
		{ pg && !pe, "CR0.PG is set without CR0.PE" SDM("26.3.1.1") },
		{ lma && !pg, "EFER.LMA is set without CR0.PG" SDM("26.3.1.1") },
		{ pg && lma != lme, "EFER.LMA and EFER.LME differ, with CR0.PG set" SDM("26.3.1.1") },
		{ !lma && s->cr4 & CR4_PCIDE, "CR4.PCIDE is set outside long mode" SDM("26.3.1.1") },
	};

	return FIRST_BROKEN(rules);
}

static const char *v86_segments(const struct bh_vcpu_state *s)
{
	const struct rule rules[] = {
		ALL(not_v86_base, "'s base is not its selector times 16, in virtual-8086 mode"),
		ALL(not_v86_limit, "'s limit is not FFFFh, in virtual-8086 mode"),
		ALL(not_v86_access, "'s access rights are not F3h, in virtual-8086 mode"),
	};

	return FIRST_BROKEN(rules);
}

/* The types of CS that the manual allows are 9, 11, 13 and 15, and 3 for unrestricted guests. */
static const char *segments(const struct bh_vcpu_state *s)
{
	const struct bh_segment *cs = &s->segment[BH_CS], *ss = &s->segment[BH_SS];
	bool code = (type(cs) & 9) == 9, data = type(cs) == 3, conforming = type(cs) & 4;
	const struct rule rules[] = {
		{ !code && !data, "CS is not an accessed code segment" SDM("26.3.1.2") },
		{ data && dpl(cs), "CS is a data segment with a DPL other than 0" SDM("26.3.1.2") },
		{ code && !conforming && dpl(cs) != dpl(ss), "CS.DPL is not SS.DPL" SDM("26.3.1.2") },
		{ code && dpl(cs) > dpl(ss), "CS conforms, with a DPL above SS.DPL" SDM("26.3.1.2") },
		{ usable(ss) && type(ss) != 3 && type(ss) != 7, "SS is not accessed, writable data" SDM("26.3.1.2") },
		{ dpl(ss) && data, "SS.DPL is not 0, with a data segment in CS" SDM("26.3.1.2") },
		{ dpl(ss) && !(s->cr0 & CR0_PE), "SS.DPL is not 0 in real mode" SDM("26.3.1.2") },
		DATA(not_accessed, " is not marked as accessed"),
		DATA(unreadable, " is code that cannot be read"),
		ALL(is_system, " is a system segment"),
		ALL(absent, " is not present"),
		ALL(odd_limit, ".G does not fit the limit"),
		ONE(CS, high_base, "'s base is above 4 GiB"),
		ONE(SS, high_base, "'s base is above 4 GiB"),
		ONE(DS, high_base, "'s base is above 4 GiB"),
		ONE(ES, high_base, "'s base is above 4 GiB"),
		{ !canonical(s->segment[BH_FS].base), "FS's base is not canonical" SDM("26.3.1.2") },
		{ !canonical(s->segment[BH_GS].base), "GS's base is not canonical" SDM("26.3.1.2") },
	};

	return FIRST_BROKEN(rules);
}

static const char *system_segments(const struct bh_vcpu_state *s)
{
	const struct bh_segment *tr = &s->segment[BH_TR], *ldtr = &s->segment[BH_LDTR];
	bool busy16 = type(tr) == 3 && !(s->efer & EFER_LMA);
	const struct rule rules[] = {
		{ !usable(tr), "TR is unusable" SDM("26.3.1.2") },
		{ type(tr) != 11 && !busy16, "TR is not a busy TSS" SDM("26.3.1.2") },
		{ usable(ldtr) && type(ldtr) != 2, "LDTR is not an LDT" SDM("26.3.1.2") },
		SYSTEM(in_ldt, "'s selector is in the LDT"),
		SYSTEM(is_ordinary, " is not a system segment"),
		SYSTEM(absent, " is not present"),
		SYSTEM(odd_limit, ".G does not fit the limit"),
		SYSTEM(far_base, "'s base is not canonical"),
		{ !canonical(s->gdtr_base), "GDTR's base is not canonical" SDM("26.3.1.3") },
		{ !canonical(s->idtr_base), "IDTR's base is not canonical" SDM("26.3.1.3") },
		{ s->gdtr_limit >> 16, "GDTR's limit is above FFFFh" SDM("26.3.1.3") },
		{ s->idtr_limit >> 16, "IDTR's limit is above FFFFh" SDM("26.3.1.3") },
	};

	return FIRST_BROKEN(rules);
}

static const char *rip_and_rflags(const struct bh_vcpu_state *s)
{
	bool lma = s->efer & EFER_LMA, code64 = lma && s->segment[BH_CS].access & ACCESS_LONG;
	uint64_t above = s->rip >> 48;
	const struct rule rules[] = {
		{ !code64 && s->rip >> 32, "RIP is above 4 GiB outside 64-bit mode" SDM("26.3.1.4") },
		/* Not quite canonical: bit 47 may differ. */
		{ code64 && above && above != 0xffff, "RIP's bits 63 to 48 are not all the same" SDM("26.3.1.4") },
		{ s->rflags & RFLAGS_RESERVED, "RFLAGS has a reserved bit" SDM("26.3.1.4") },
		{ !(s->rflags & RFLAGS_ONE), "RFLAGS bit 1 is clear" SDM("26.3.1.4") },
		{ s->rflags & RFLAGS_VM && lma, "RFLAGS.VM is set in long mode" SDM("26.3.1.4") },
		{ s->rflags & RFLAGS_VM && !(s->cr0 & CR0_PE), "RFLAGS.VM is set in real mode" SDM("26.3.1.4") },
	};

	return FIRST_BROKEN(rules);
}

const char *entry_rules_broken_vmx(const struct bh_vcpu_state *s, const struct entry_offer *offer)
{
	const char *words = common(s, offer);

	words = words ? words : control_registers(s);
	words = words ? words : rip_and_rflags(s);
	words = words ? words : s->rflags & RFLAGS_VM ? v86_segments(s) : segments(s);
	return words ? words : system_segments(s);
}
