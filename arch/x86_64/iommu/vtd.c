/* Intel VT for Directed I/O. Section numbers are of its specification, revision 3.4. */
#include <guests/lib/bh_format.h>
#include "iommu_unit.h"

enum { /* registers, 11.4 */
       VER = 0x00,
       CAP = 0x08,
       ECAP = 0x10,
       GCMD = 0x18,
       GSTS = 0x1c,
       RTADDR = 0x20,
       CCMD = 0x28,
       FSTS = 0x34,
       FECTL = 0x38,
       PMEN = 0x64,
       IQT = 0x88,
       IQA = 0x90,
       IRTA = 0xb8,
};

/* GCMD and GSTS, 11.4.4. */
#define TRANSLATION (1u << 31)
#define ROOT	    (1u << 30)
#define WRITE_FLUSH (1u << 27)
#define QUEUE	    (1u << 26)
#define REMAP	    (1u << 25)
#define REMAP_TABLE (1u << 24)
#define GSTS_STAYS                                                                                        \
	(TRANSLATION | QUEUE | REMAP) /* what a command must repeat. Not: interrupts as without remapping \
				       */

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
#define REMAPS	   256u

static uint64_t common = UINT64_MAX, common_more = UINT64_MAX; /* what all units can */
static unsigned levels;
static uint64_t *root, *nothing; /* root tables: of segment 0, of all others */
static uint64_t *remap_table;	 /* REMAPS entries; NULL: interrupts are not remapped */
static uint32_t remap_key[REMAPS];
static bool eim;

static const char *look(struct iommu_unit *u)
{
	static const uint16_t domain_bits[] = { 4, 6, 8, 10, 12, 14, 16, 16 };
	uint64_t cap = u->features = iommu_read64(u, CAP), ecap = u->more = iommu_read64(u, ECAP);
	unsigned width = (cap >> 16 & 0x3f) + 1;

	if (cap == UINT64_MAX || !iommu_read32(u, VER))
		return "does not answer";
	if (!(common & cap & (CAP_3_LEVELS | CAP_4_LEVELS)))
		return "has page tables of neither 3 nor 4 levels, or others than the units before";
	common &= cap;
	common_more &= ecap;
	iommu_coherent = common_more & ECAP_C;
	levels = common & CAP_4_LEVELS ? 4 : 3;
	width = width < (levels == 4 ? 48 : 39) ? width : levels == 4 ? 48 : 39;
	if (1ull << width < iommu_vtd.reach)
		iommu_vtd.reach = 1ull << width;
	if (1u << domain_bits[cap & 7] < iommu_vtd.domains)
		iommu_vtd.domains = 1u << domain_bits[cap & 7];
	iommu_vtd.format = paging_vtd;
	iommu_vtd.format.largest = common & CAP_2M ? common & CAP_1G ? 3 : 2 : 1;
	iommu_vtd.format.page = common_more & ECAP_SC ? PAGE_SNOOP : 0;
	return NULL;
}

static bool prepare(const struct iommu_tables *tables, bool remap, bool x2apic)
{
	(void)tables;
	root = iommu_pages(1);
	nothing = iommu_pages(1);
	if (remap && (common_more & (ECAP_IR | ECAP_QI)) == (ECAP_IR | ECAP_QI))
		remap_table = iommu_pages(1);
	eim = x2apic && common_more & ECAP_EIM;
	iommu_vtd.remaps = remap_table;
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

	if (!entry(device)) {
		void *contexts = iommu_pages(1);

		if (!contexts)
			return false;
		root[device >> 8 << 1] = iommu_physical(contexts) | 1;
	}
	/* Tables of three levels are what the first entry of the fourth names. */
	if (levels == 3)
		top = paging_physical(*(uint64_t *)iommu_virtual(top), 4);
	if (!top)
		return false;
	context = entry(device);
	context[1] = (uint64_t)domain << 8 | (levels - 2);
	context[0] = top;
	return true;
}

/* 9.10: the requester is checked. The entry is not there while it is changed. */
static int remap(uint16_t device, unsigned index, unsigned vector, uint32_t apic_id, bool level)
{
	uint32_t key = 1u << 31 | (uint32_t)device << 8 | index, free = REMAPS, i;
	uint64_t *e;

	if (!remap_table || (apic_id > 254 && !eim))
		return -1;
	for (i = 0; i < REMAPS && remap_key[i] != key; i++) {
		if (!remap_key[i] && free == REMAPS)
			free = i;
	}
	i = i < REMAPS ? i : free;
	if (i == REMAPS)
		return -1;
	remap_key[i] = key;
	e = remap_table + 2 * i;
	*(volatile uint64_t *)e = 0;
	e[1] = 1ull << 18 | device;
	*(volatile uint64_t *)e = (uint64_t)(eim ? apic_id : apic_id << 8) << 32 | vector << 16 | level << 4 | 1;
	iommu_write_back(e, 16);
	return (int)i;
}

/* ---- the unit --------------------------------------------------------------------------------- */

static void set(const struct iommu_unit *u, uint32_t bit, bool on)
{
	uint32_t now = iommu_read32(u, GSTS) & GSTS_STAYS;

	iommu_write32(u, GCMD, on ? now | bit : now & ~bit);
	iommu_await(u, GSTS, bit, on && bit != WRITE_FLUSH ? bit : 0);
}

/* 6.5.2: everything of context cache, IOTLB and interrupt entry cache. */
static void flush(struct iommu_unit *u)
{
	unsigned iotlb = (u->more >> 8 & 0x3ff) * 16 + 8;

	if (u->features & CAP_RWBF)
		set(u, WRITE_FLUSH, true);
	if (u->queue) {
		iommu_command(u, 1 | 1 << 4, 0);
		iommu_command(u, 2 | 1 << 4 | 3 << 6, 0);
		if (remap_table)
			iommu_command(u, 4, 0);
		*u->answer = 0;
		iommu_command(u, 5 | 3 << 5 | 1ull << 32, iommu_physical(u->answer));
		iommu_await_answer(u, IQT);
		return;
	}
	iommu_write64(u, CCMD, CCMD_GLOBAL);
	iommu_await(u, CCMD + 4, 1u << 31, 0);
	iommu_write64(u, iotlb, IOTLB_GLOBAL);
	iommu_await(u, iotlb + 4, 1u << 31, 0);
}

static void start(struct iommu_unit *u)
{
	set(u, TRANSLATION, false); /* whatever the firmware has left on */
	set(u, REMAP, false);
	set(u, QUEUE, false);
	iommu_write32(u, FECTL, 1u << 31); /* faults are looked for, see README.md */
	iommu_write64(u, RTADDR, iommu_physical(u->place->segment ? nothing : root));
	set(u, ROOT, true);
	if (u->more & ECAP_QI) {
		iommu_create_queue(u);
		iommu_write64(u, IQT, 0);
		iommu_write64(u, IQA, iommu_physical(u->queue));
		set(u, QUEUE, true);
	}
	if (remap_table) {
		iommu_write64(u, IRTA, iommu_physical(remap_table) | (eim ? 1u << 11 : 0) | 7); /* 2^(7 + 1) */
		set(u, REMAP_TABLE, true);
	}
	flush(u);
	if (remap_table)
		set(u, REMAP, true);
	set(u, TRANSLATION, true);
	if (u->features & CAP_PMR) {
		iommu_write32(u, PMEN, 0); /* protected until then, perhaps by the firmware */
		iommu_await(u, PMEN, 1, 0);
	}
}

/* ---- faults ----------------------------------------------------------------------------------- */

/* Table 25, in words. */
static const char *const reasons[] = {
	[0x1] = "the device is closed",
	[0x2] = "the device is closed",
	[0x3] = "its context entry is wrong",
	[0x4] = "beyond the addresses that the unit translates",
	[0x5] = "nothing of its holder's that it may write",
	[0x6] = "nothing of its holder's that it may read",
	[0x7] = "a page table cannot be read",
	[0x8] = "the root table cannot be read",
	[0x9] = "the context table cannot be read",
	[0xa] = "reserved bits in its root entry",
	[0xb] = "reserved bits in its context entry",
	[0xc] = "reserved bits in a page table",
	[0xd] = "a translated address, which it may not use",
	[0x20] = "reserved bits in the interrupt's message",
	[0x21] = "no such interrupt",
	[0x22] = "no such interrupt",
	[0x23] = "the table of interrupts cannot be read",
	[0x24] = "reserved bits in the interrupt's entry",
	[0x25] = "an interrupt of the old format",
	[0x26] = "an interrupt of another device",
};

static bool fault(struct iommu_unit *u, struct iommu_fault *f)
{
	unsigned offset = (u->features >> 24 & 0x3ff) * 16, records = (u->features >> 40 & 0xff) + 1;
	uint32_t status = iommu_read32(u, FSTS), reason;

	for (; status & FSTS_PENDING && records; records--, offset += 16) {
		uint64_t low = iommu_read64(u, offset), high = iommu_read64(u, offset + 8);

		if (!(high >> 63))
			continue;
		reason = high >> 32 & 0xff;
		*f = (struct iommu_fault){
			.device = (uint16_t)high,
			.write = !(high >> 62 & 1),
			.interrupt = reason >= 0x20 && reason < 0x30,
			.address = low & ~0xfffull,
			.reason = reason < sizeof(reasons) / sizeof(reasons[0]) ? reasons[reason] : NULL,
		};
		iommu_write32(u, offset + 12, 1u << 31);
		return true;
	}
	if (status & FSTS_OVERFLOW)
		iommu_write32(u, FSTS, FSTS_OVERFLOW);
	return false;
}

static void describe(const struct iommu_unit *u, char *text, size_t bytes)
{
	uint32_t version = iommu_read32(u, VER);

	bh_snprintf(text, bytes, "version %u.%u, tables of %u levels%s%s, %s invalidation%s%s%s", version >> 4 & 15,
		    version & 15, levels, u->features & CAP_2M ? ", 2 MiB pages" : "",
		    u->features & CAP_1G ? ", 1 GiB pages" : "", u->queue ? "queued" : "register-based",
		    remap_table ? ", interrupts remapped" : "", eim ? " (x2APIC)" : "",
		    u->more & ECAP_C ? "" : ", not coherent");
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
