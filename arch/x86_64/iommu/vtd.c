/* Intel VT for Directed I/O. Section numbers are of its specification, revision 3.4. */
#include <guests/lib/bh_format.h>
#include "apic.h"
#include "iommu_unit.h"

/* Registers, 11.4. */
enum { VER = 0x00, CAP = 0x08, ECAP = 0x10, GCMD = 0x18, GSTS = 0x1c, RTADDR = 0x20, CCMD = 0x28 };
enum { FSTS = 0x34, FECTL = 0x38, PMEN = 0x64, IQT = 0x88, IQA = 0x90, IRTA = 0xb8 };

/* GCMD and GSTS, 11.4.4. */
#define TRANSLATION (1u << 31)
#define ROOT	    (1u << 30)
#define WRITE_FLUSH (1u << 27)
#define QUEUE	    (1u << 26)
#define REMAP	    (1u << 25)
#define REMAP_TABLE (1u << 24)
#define GSTS_STAYS  (TRANSLATION | QUEUE | REMAP) /* what a command repeats; not: messages that are not remapped */

#define CAP_RWBF     (1ull << 4)
#define CAP_PMR	     (3ull << 5)
#define CAP_3_LEVELS (1ull << 9)
#define CAP_4_LEVELS (1ull << 10)
#define CAP_2M	     (1ull << 34)
#define CAP_1G	     (1ull << 35)
#define ECAP_C	     (1ull << 0)
#define ECAP_QI	     (1ull << 1)
#define ECAP_IR	     (1ull << 3)
#define ECAP_EIM     (1ull << 4)
#define ECAP_SC	     (1ull << 7)

#define CCMD_GLOBAL  (1ull << 63 | 1ull << 61)
#define IOTLB_GLOBAL (1ull << 63 | 1ull << 60 | 3ull << 48) /* and drain reads and writes */

#define FSTS_OVERFLOW 1u
#define FSTS_PENDING  2u

#define PAGE_SNOOP (1ull << 11)

static uint64_t common = UINT64_MAX, common_more = UINT64_MAX; /* what all units can */
static unsigned levels;
static uint64_t *root, *nothing; /* root tables: of segment 0, of all others */
static uint64_t *remap_table;	 /* 256 entries, by vector; NULL: interrupts are not remapped */
static bool eim;		 /* destinations of 32 bits */

static const char *look(struct iommu_unit *u)
{
	uint64_t cap = u->features = IOMMU_REGISTER(u, 64, CAP), ecap = u->more = IOMMU_REGISTER(u, 64, ECAP);
	unsigned width = (cap >> 16 & 0x3f) + 1, domains = 1u << (4 + 2 * (cap & 7));

	if (cap == UINT64_MAX || !IOMMU_REGISTER(u, 32, VER))
		return "does not answer";
	if (!(common & cap & (CAP_3_LEVELS | CAP_4_LEVELS)))
		return "has page tables of neither 3 nor 4 levels, or others than the units before";
	common &= cap;
	common_more &= ecap;
	levels = common & CAP_4_LEVELS ? 4 : 3;
	width = width < 12 + 9 * levels ? width : 12 + 9 * levels;
	iommu_vtd.reach = 1ull << width < iommu_vtd.reach ? 1ull << width : iommu_vtd.reach;
	iommu_vtd.domains = domains < iommu_vtd.domains ? domains : iommu_vtd.domains;
	iommu_vtd.format = paging_vtd;
	iommu_vtd.format.largest = common & CAP_2M ? common & CAP_1G ? 3 : 2 : 1;
	iommu_vtd.format.page = common_more & ECAP_SC ? PAGE_SNOOP : 0;
	return NULL;
}

static bool prepare(const struct iommu_tables *tables, bool remap)
{
	iommu.coherent = common_more & ECAP_C;
	root = iommu_pages(1);
	nothing = iommu_pages(1);
	if (remap && common_more & ECAP_IR && common_more & ECAP_QI)
		remap_table = iommu_pages(1);
	iommu_vtd.remaps = remap_table;
	eim = tables->x2apic && apic_is_x2apic() && common_more & ECAP_EIM;
	return root && nothing;
}

/* ---- tables ----------------------------------------------------------------------------------- */

/* 9.1, 9.3: root entries name a table of contexts for each bus. */
static uint64_t *entry(uint16_t device)
{
	uint64_t contexts = root[device >> 8 << 1];

	return contexts ? (uint64_t *)iommu_virtual(contexts & ~0xfffull) + (device & 0xff) * 2 : NULL;
}

static bool assign(uint16_t device, const struct paging *paging, uint16_t domain)
{
	uint64_t top = paging->root, *context;
	void *contexts = entry(device) ? NULL : iommu_pages(1);

	if (contexts)
		root[device >> 8 << 1] = iommu_physical(contexts) | 1;
	/* Tables of three levels are what the first entry of the fourth names. */
	if (levels == 3)
		top = paging_physical(*(uint64_t *)iommu_virtual(top), 4);
	context = entry(device);
	if (!context || !top)
		return false;
	context[1] = (uint64_t)domain << 8 | (levels - 2);
	context[0] = top;
	return true;
}

/* 9.10: the requester is checked. The entry is not there while it is changed. */
static bool remap(uint16_t device, unsigned vector, uint32_t apic_id, bool level)
{
	uint64_t *e = remap_table + 2 * vector;

	if (apic_id > 254 && !eim)
		return false;
	*(volatile uint64_t *)e = 0;
	e[1] = 1ull << 18 | device;
	*(volatile uint64_t *)e = (uint64_t)(eim ? apic_id : apic_id << 8) << 32 | vector << 16 | level << 4 | 1;
	iommu_write_back(e, 16);
	return true;
}

/* ---- the unit --------------------------------------------------------------------------------- */

static void set(const struct iommu_unit *u, uint32_t bit, bool on)
{
	uint32_t now = IOMMU_REGISTER(u, 32, GSTS) & GSTS_STAYS;

	IOMMU_REGISTER(u, 32, GCMD) = on ? now | bit : now & ~bit;
	iommu_await(u, GSTS, bit, on && bit != WRITE_FLUSH ? bit : 0);
}

/* 6.5: everything of context cache, IOTLB and interrupt entry cache; without a queue 11.4.6 and 11.4.8. */
static void flush(struct iommu_unit *u)
{
	unsigned iotlb = (u->more >> 8 & 0x3ff) * 16 + 8;

	if (u->features & CAP_RWBF)
		set(u, WRITE_FLUSH, true);
	if (u->queue) {
		iommu_command(u, 1 | 1 << 4, 0);
		iommu_command(u, 2 | 1 << 4 | 3 << 6, 0);
		iommu_command(u, u->more & ECAP_IR ? 4 : 1 | 1 << 4, 0);
		*u->answer = 0;
		iommu_command(u, 5 | 3 << 5 | 1ull << 32, iommu_physical(u->answer));
		iommu_await_answer(u, IQT);
		return;
	}
	IOMMU_REGISTER(u, 64, CCMD) = CCMD_GLOBAL;
	iommu_await(u, CCMD + 4, 1u << 31, 0);
	IOMMU_REGISTER(u, 64, iotlb) = IOTLB_GLOBAL;
	iommu_await(u, iotlb + 4, 1u << 31, 0);
}

static void start(struct iommu_unit *u)
{
	set(u, TRANSLATION, false); /* whatever the firmware has left on */
	set(u, REMAP, false);
	set(u, QUEUE, false);
	IOMMU_REGISTER(u, 32, FECTL) = 1u << 31; /* faults are looked for, see README.md */
	IOMMU_REGISTER(u, 64, RTADDR) = iommu_physical(u->place->segment ? nothing : root);
	set(u, ROOT, true);
	if (u->more & ECAP_QI) {
		iommu_create_queue(u);
		IOMMU_REGISTER(u, 64, IQT) = 0;
		IOMMU_REGISTER(u, 64, IQA) = iommu_physical(u->queue);
		set(u, QUEUE, true);
	}
	if (remap_table) {
		IOMMU_REGISTER(u, 64, IRTA) = iommu_physical(remap_table) | (eim ? 1u << 11 : 0) | 7; /* 2^(7 + 1) */
		set(u, REMAP_TABLE, true);
	}
	flush(u);
	if (remap_table)
		set(u, REMAP, true);
	set(u, TRANSLATION, true);
	if (u->features & CAP_PMR) {
		IOMMU_REGISTER(u, 32, PMEN) = 0; /* protected until then, perhaps by the firmware */
		iommu_await(u, PMEN, 1, 0);
	}
}

/* ---- faults ----------------------------------------------------------------------------------- */

/* Table 25, in words. */
static const char *const reasons[0x28] = {
	[0x1 ... 0x2] = "the device is closed",
	[0x3] = "its context entry is wrong",
	[0x4] = "no unit translates such an address",
	[0x5] = "its holder has nothing there that can be written",
	[0x6] = "its holder has nothing there",
	[0x7 ... 0x9] = "a table cannot be read",
	[0xa ... 0xc] = "a table is wrong",
	[0xd] = "it says that the address is translated, which it may not",
	[0x20] = "the message is wrong",
	[0x21 ... 0x22] = "there is no such interrupt",
	[0x23 ... 0x24] = "the table of interrupts is wrong",
	[0x25] = "its format is not remapped",
	[0x26] = "the interrupt is another device's",
};

static bool fault(struct iommu_unit *u, struct iommu_fault *f)
{
	unsigned offset = (u->features >> 24 & 0x3ff) * 16, records = (u->features >> 40 & 0xff) + 1;
	uint32_t status = IOMMU_REGISTER(u, 32, FSTS);

	for (; status & FSTS_PENDING && records; records--, offset += 16) {
		uint64_t low = IOMMU_REGISTER(u, 64, offset), high = IOMMU_REGISTER(u, 64, offset + 8);

		if (!(high >> 63))
			continue;
		*f = (struct iommu_fault){ .device = (uint16_t)high,
					   .number = (uint8_t)(high >> 32),
					   .write = !(high >> 62 & 1) };
		f->interrupt = f->number >= 0x20 && f->number < 0x30;
		f->address = f->interrupt ? low >> 48 : low & ~0xfffull;
		f->reason = f->number < sizeof(reasons) / sizeof(reasons[0]) ? reasons[f->number] : NULL;
		IOMMU_REGISTER(u, 32, offset + 12) = 1u << 31;
		return true;
	}
	if (status & FSTS_OVERFLOW)
		IOMMU_REGISTER(u, 32, FSTS) = FSTS_OVERFLOW;
	return false;
}

static void describe(const struct iommu_unit *u, char *text, size_t bytes)
{
	uint32_t version = IOMMU_REGISTER(u, 32, VER);

	bh_snprintf(text, bytes, "version %u.%u, tables of %u levels, pages up to %s, %s invalidation%s%s%s",
		    version >> 4 & 15, version & 15, levels,
		    iommu_vtd.format.largest == 3   ? "1 GiB"
		    : iommu_vtd.format.largest == 2 ? "2 MiB"
						    : "4 KiB",
		    u->queue ? "queued" : "register-based", remap_table ? ", interrupts remapped" : "",
		    eim ? " (x2APIC)" : "", u->more & ECAP_C ? "" : ", not coherent");
}

struct iommu_vendor iommu_vtd = {
	.name = "VT-d",
	.open = 1,
	.handle_in_address = true,
	.domains = 1u << 16,
	.reach = 1ull << 48,
	.look = look,
	.prepare = prepare,
	.start = start,
	.flush = flush,
	.entry = entry,
	.assign = assign,
	.remap = remap,
	.fault = fault,
	.describe = describe,
};
