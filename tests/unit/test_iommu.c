#include "fake_system.h"
#include <string.h>
#include "address_space.h"
#include "apic.h"
#include "audit.h"
#include "clock.h"
#include "frame.h"
#include "iommu/iommu.h"
#include "iommu/iommu_unit.h"

/* A unit that works whenever the kernel looks at the clock, as it does when it waits. */

#define BASE	  0xfed90000ull
#define TICKS	  10
#define EDU	  0x28u /* 00:05.0 */
#define NIC	  0x30u
#define FIRMWARES 0x10u
#define IOAPIC	  0xf8u

static uint8_t registers[0x5000] __attribute__((aligned(4096)));
static struct iommu_tables tables;
static uint32_t head;
static unsigned flushes, dead, storm;
static uint64_t recorded[2]; /* upper halves of the fault records */
static bool overflow;
static char lines[1024];

#define R32(offset) (*(volatile uint32_t *)(registers + (offset)))
#define R64(offset) (*(volatile uint64_t *)(registers + (offset)))

bool apic_is_x2apic(void) { return true; }

void *mmio_map(uint64_t physical, uint64_t bytes, unsigned type)
{
	static uint8_t memory[8 * FAKE_MIB] __attribute__((aligned(4096)));

	if (type == PAGING_WB) /* of the units' tables: once */
		return bytes <= sizeof(memory) ? memory : NULL;
	assert_int_equal(physical, BASE);
	assert_true(bytes <= sizeof(registers));
	return registers;
}

static void line(const char *text)
{
	strcat(lines, text);
	strcat(lines, "\n");
}

/* Commands of 16 bytes; each one that ends a batch has its answer written. */
static void run_queue(bool amd, uint64_t base, uint32_t tail)
{
	for (; head != tail; head = (head + 16) % 4096) {
		const uint64_t *command = iommu_virtual((base & 0x000ffffffffff000ull) + head);
		bool waits = amd ? command[0] >> 60 == 1 : (command[0] & 15) == 5;
		uint64_t at = amd ? command[0] & 0x000ffffffffffff8ull : command[1];

		if (!waits)
			continue;
		*(uint32_t *)iommu_virtual(at) = amd ? (uint32_t)command[1] : (uint32_t)(command[0] >> 32);
		flushes++;
	}
}

/* What was written to its upper end clears a record; in a storm the next one is the same. */
static void clear_faults(void)
{
	for (unsigned i = 0; i < 2; i++) {
		if (R32(0x20c + 16 * i) != 1u << 31)
			continue;
		R64(0x208 + 16 * i) = storm ? recorded[i] : 0;
		storm -= storm > 0;
	}
	R32(0x34) = R64(0x208) >> 63 || R64(0x218) >> 63 ? 2 : 0;
}

static uint64_t vtd(void)
{
	uint32_t command = R32(0x18);

	fake_now += TICKS;
	clear_faults();
	if (dead)
		return fake_now += clock_hz;
	R32(0x1c) = command & 0xe7000000; /* status follows command */
	R64(0x28) &= ~(1ull << 63);	  /* CCMD */
	if (R64(0x118) >> 63)
		flushes++;
	R64(0x118) &= ~(1ull << 63); /* IOTLB */
	if (command & 1u << 26)
		run_queue(false, R64(0x90), R32(0x88));
	return fake_now;
}

static uint64_t amd(void)
{
	uint64_t control = R64(0x18);

	fake_now += TICKS;
	overflow = overflow && control & 1 << 2;
	R32(0x2020) =
		overflow | (control & 1 && control & 1 << 2 ? 8 : 0) | (control & 1 && control & 1 << 12 ? 16 : 0);
	if (R32(0x2020) & 16)
		run_queue(true, R64(8), R32(0x2008));
	return fake_now;
}

static void begin(uint32_t kind)
{
	memset(registers, 0, sizeof(registers));
	memset(&iommu, 0, sizeof(iommu));
	memset(&tables, 0, sizeof(tables));
	lines[0] = 0;
	head = flushes = dead = 0;
	for (unsigned i = 0; i < partition_count; i++)
		partitions[i]->dma.root = 0;
	tables.kind = kind;
	tables.remap = tables.x2apic = true;
	tables.units = tables.ioapics = 1;
	tables.unit[0] = (struct iommu_place){ .base = BASE, .all = kind == IOMMU_VTD };
	tables.ioapic[0] = (struct iommu_ioapic){ .id = 0, .device = IOAPIC };
	if (kind == IOMMU_AMD_VI) {
		tables.range[tables.ranges++] = (struct iommu_range){ .first = 0, .last = 0x37 };
		tables.range[tables.ranges++] =
			(struct iommu_range){ .first = 0x38, .last = 0x40, .aliased = true, .alias = 0x40 };
	}
	fake_clock = kind == IOMMU_VTD ? vtd : amd;
}

/* 4 levels of 2^8 domains, snooping, 1 GiB pages, queue, remapping with x2APIC; fault records at 0x200. */
static void begin_vtd(void)
{
	begin(IOMMU_VTD);
	R32(0) = 0x10;
	R64(8) = 2 | 1ull << 10 | 47 << 16 | 0x20ull << 24 | 3ull << 34 | 1ull << 40;
	R64(0x10) = 2 | 8 | 16 | 0x80 | 0x11 << 8;
}

static uint64_t *context(uint16_t device) { return iommu_vtd.entry(device); }

/* ---- VT-d -------------------------------------------------------------------------------------- */

static void test_vtd_begins(void **state)
{
	(void)state;
	begin_vtd();
	R64(0x10) &= ~1ull;
	iommu_init(&tables, line);
	assert_true(iommu_present());
	assert_string_equal(lines,
			    "iommu: VT-d unit at 0xfed90000: version 1.0, tables of 4 levels, pages up to 1 GiB, "
			    "queued invalidation, interrupts remapped (x2APIC), not coherent\n");
	assert_int_equal(R32(0x1c) & 0x86000000, 0x86000000);
	assert_int_equal(R32(0x18) & 0x800000, 0); /* messages as without remapping are refused */
	assert_int_equal(R32(0x38), 0x80000000);
	assert_int_equal(R64(0xb8) & 0xfff, 0x807);
	assert_true(flushes > 0);
	/* Nothing is open. */
	for (unsigned bus = 0; bus < 256; bus++)
		assert_null(context((uint16_t)(bus << 8)));
	assert_null(iommu_reserved());
}

static void test_vtd_opens(void **state)
{
	unsigned before;

	(void)state;
	assert_null(iommu_attach(EDU, the_ping));
	assert_int_equal(context(EDU)[0] & 1, 0);
	assert_int_equal(context(EDU)[0], the_ping->dma.root);
	assert_int_equal(context(EDU)[1], (uint64_t)(2 + the_ping->id) << 8 | 2);
	assert_int_equal(context(NIC)[0], 0);
	before = flushes;
	iommu_open(EDU);
	assert_int_equal(flushes, before + 1);
	assert_int_equal(context(EDU)[0], the_ping->dma.root | 1);
	assert_int_equal(audit_run(), 0);
	iommu_close(EDU);
	assert_int_equal(flushes, before + 2);
	assert_int_equal(context(EDU)[0], the_ping->dma.root);
	iommu_open(NIC); /* nobody's */
	assert_int_equal(context(NIC)[0], 0);
	assert_int_equal(flushes, before + 2);
}

static bool look(void *context, const struct paging_page *page)
{
	*(struct paging_page *)context = *page;
	return false;
}

static void test_what_they_reach(void **state)
{
	struct paging_page first;

	(void)state;
	assert_false(paging_walk(&the_ping->dma, look, &first));
	assert_int_equal(first.address, 0);
	assert_int_equal(first.physical, the_ping->extent[0].physical);
	assert_int_equal(first.flags, PAGING_READ | PAGING_WRITE);
	/* Snooped, and a second device has the same tables. */
	assert_null(iommu_attach(NIC, the_ping));
	assert_int_equal(context(NIC)[0], the_ping->dma.root);
	assert_string_equal(iommu_attach(EDU, the_pong),
			    "another partition has it, or one that the IOMMU cannot tell from it");
	assert_string_equal(iommu_attach(0x10000 | EDU, the_pong), "no IOMMU that works stands between it and memory");
	assert_int_equal(audit_run(), 0);
}

static void test_vtd_messages(void **state)
{
	uint64_t address, *entry;
	uint32_t data, high;

	(void)state;
	assert_true(iommu_msi(EDU, 0x45, 2, &address, &data));
	assert_int_equal(address, 0xfee00010 | 0x45 << 5);
	assert_int_equal(data, 0);
	entry = iommu_virtual(R64(0xb8) & ~0xfffull);
	entry += 2 * 0x45;
	assert_int_equal(entry[0], 4ull << 32 | 0x45 << 16 | 1); /* APIC ids are twice the CPU */
	assert_int_equal(entry[1], 1 << 18 | EDU);
	/* Another vector: another entry. Again, on another CPU: the same. */
	assert_true(iommu_msi(EDU, 0x46, 2, &address, &data));
	assert_int_equal(entry[2], 4ull << 32 | 0x46 << 16 | 1);
	assert_true(iommu_msi(EDU, 0x45, 3, &address, &data));
	assert_int_equal(entry[0], 6ull << 32 | 0x45 << 16 | 1);
	assert_false(iommu_msi(0x77, 0x45, 2, &address, &data));
	entry -= 2 * (0x45 - 0x34);
	assert_true(iommu_ioapic(0, 0x34, 0, true, &high));
	assert_int_equal(high, 0x34u << 17 | 1u << 16);
	assert_int_equal(entry[0], 0x34 << 16 | 1 << 4 | 1);
	assert_int_equal(entry[1], 1 << 18 | IOAPIC);
	assert_false(iommu_ioapic(1, 0x34, 0, true, &high));
}

static void put_fault(unsigned record, uint16_t device, uint8_t reason, bool read, uint64_t address)
{
	R64(0x200 + 16 * record) = address;
	recorded[record] = 1ull << 63 | (uint64_t)read << 62 | (uint64_t)reason << 32 | device;
	R64(0x208 + 16 * record) = recorded[record];
}

static void read_text(char text[4096])
{
	int64_t word;

	for (uint64_t at = 0; (word = iommu_text(at)) != -BH_ENOENT; at += 8) {
		memcpy(text + at, &word, 8);
		text[at + 8] = 0;
	}
}

static void test_vtd_faults(void **state)
{
	char text[4096];

	(void)state;
	iommu_poll();
	fake_log[0] = 0;
	fake_now += 2 * clock_hz;
	the_ping->report_bytes = 0;
	put_fault(1, EDU, 6, true, 0x12345000);
	storm = 1000;
	iommu_poll();
	storm = 0;
	assert_int_equal(iommu.device[0].faults, 256);
	assert_string_equal(fake_log, "iommu: device 00:05.0 of ping: read from 0x12345000 refused: its holder has "
				      "nothing there (6)");
	assert_int_equal(strncmp(the_ping->report, "device 00:05.0 of ping: read from 0x12345000", 44), 0);
	assert_int_equal(the_ping->report_bytes, strchr(the_ping->report, '\n') - the_ping->report + 1);
	iommu_poll();
	assert_int_equal(R64(0x218), 0);
	assert_int_equal(iommu.device[0].faults, 256);
	fake_log[0] = 0;
	fake_now += 2 * clock_hz;
	iommu_poll();
	assert_string_equal(fake_log, "iommu: 248 faults more were not shown");
	read_text(text);
	assert_non_null(strstr(text, "VT-d unit at 0xfed90000: version 1.0"));
	assert_non_null(strstr(text, "\ndevice 00:05.0 of ping: closed, 256 faults\n"));
	assert_non_null(strstr(text, "\ndevice 00:06.0 of ping: closed, 0 faults\n"));
	/* Of one that nobody has, and of an interrupt. */
	put_fault(0, 0x0708, 0x22, false, 5ull << 48);
	iommu_poll();
	assert_string_equal(fake_log,
			    "iommu: device 07:01.0 of nobody: interrupt 0x5 refused: there is no such interrupt (34)");
	put_fault(0, 0x0708, 0xee, false, 0x5000);
	fake_now += 2 * clock_hz;
	iommu_poll();
	assert_string_equal(fake_log,
			    "iommu: device 07:01.0 of nobody: write to 0x5000 refused: the unit says not why (238)");
}

static void test_dead(void **state)
{
	(void)state;
	dead = 1;
	EXPECT_PANIC(iommu_close(EDU));
	assert_string_equal(fake_panic,
			    "the IOMMU at 0xfed90000 does not answer: nobody can say what its devices still do");
	dead = 0;
}

/* One of an old machine: 3 levels, no queue, no remapping, no large pages, a write buffer. */
static void test_vtd_old(void **state)
{
	uint64_t address;
	uint32_t data;

	(void)state;
	begin_vtd();
	R64(8) = 1 << 4 | 1ull << 9 | 38 << 16 | 0x20ull << 24;
	R64(0x10) = 0x11 << 8;
	iommu_vtd.remaps = false;
	tables.remap = false;
	iommu_init(&tables, line);
	/* What it has in common with the one before: nothing. */
	assert_false(iommu_present());
	assert_int_equal(iommu_msi(EDU, 0x45, 2, &address, &data), false);
}

/* ---- AMD-Vi ------------------------------------------------------------------------------------ */

#define VALID (3ull | 4 << 9)

static void test_amd_begins(void **state)
{
	(void)state;
	begin(IOMMU_AMD_VI);
	R64(0x30) = 0x29d3;
	tables.regions = 1;
	tables.region[0] = (struct iommu_region){
		.base = 0x7000000000, .last = 0x7000001fff, .first_device = FIRMWARES, .last_device = FIRMWARES
	};
	iommu_init(&tables, line);
	assert_string_equal(lines, "iommu: AMD-Vi unit at 0xfed90000: features 29d3, tables of 4 levels, pages up to 1 "
				   "GiB, interrupts remapped\n");
	assert_int_equal(R64(0x18), 1 | 1 << 2 | 1 << 10 | 1 << 12);
	assert_int_equal(R64(0) & 0xfff, 511);
	for (unsigned i = 0; i < 0x10000; i++) {
		const uint64_t *entry = iommu_amd_vi.entry((uint16_t)i);

		if (i == FIRMWARES)
			continue;
		assert_int_equal(entry[0] & 0xfff0000000000fffull, VALID);
		assert_int_equal(entry[1], 0);
		assert_int_equal(entry[2] & 0xfff000000000003full,
				 i == IOAPIC ? 2ull << 60 | 8 << 1 | 1 : 1); /* none but the I/O APIC's */
	}
	/* What is the firmware's stays open to it, and to nobody else. */
	assert_int_equal(iommu_amd_vi.entry(FIRMWARES)[0], VALID | 3ull << 61 | iommu_reserved()->root);
	assert_string_equal(iommu_attach(FIRMWARES, the_ping), "the firmware keeps memory for it (RMRR or IVMD)");
	assert_int_equal(audit_run(), 0);
}

static void test_amd_opens(void **state)
{
	uint64_t *entry, address;
	uint32_t data, high = 0;

	(void)state;
	assert_null(iommu_attach(EDU, the_pong));
	entry = iommu_amd_vi.entry(EDU);
	assert_int_equal(entry[0], VALID | the_pong->dma.root);
	assert_int_equal(entry[1], 2 + the_pong->id);
	iommu_open(EDU);
	assert_int_equal(entry[0], VALID | the_pong->dma.root | 3ull << 61);
	assert_int_equal(audit_run(), 0);
	assert_true(iommu_msi(EDU, 0x45, 2, &address, &data));
	assert_int_equal(address, 0xfee00000);
	assert_int_equal(data, 0x45);
	assert_int_equal(((uint32_t *)iommu_virtual(entry[2] & 0xfffffffffffc0))[0x45], 0x45 << 16 | 4 << 8 | 1);
	assert_true(iommu_ioapic(0, 0x34, 3, true, &high));
	assert_int_equal(high, 0);
	entry = iommu_amd_vi.entry(IOAPIC);
	assert_int_equal(((uint32_t *)iommu_virtual(entry[2] & 0xfffffffffffc0))[0x34], 0x34 << 16 | 6 << 8 | 1);
	iommu_close(EDU);
	assert_int_equal(iommu_amd_vi.entry(EDU)[0], VALID | the_pong->dma.root);
	/* Two that the unit cannot tell from each other are one partition's. */
	assert_null(iommu_attach(0x38, the_ping));
	assert_string_equal(iommu_attach(0x39, the_pong),
			    "another partition has it, or one that the IOMMU cannot tell from it");
	assert_null(iommu_attach(0x39, the_ping));
	/* Their interrupts are two all the same. */
	assert_true(iommu_msi(0x38, 0x48, 2, &address, &data));
	assert_true(iommu_msi(0x39, 0x49, 2, &address, &data));
	entry = iommu_virtual(iommu_amd_vi.entry(0x40)[2] & 0xfffffffffffc0);
	assert_int_equal(((uint32_t *)entry)[0x48], 0x48 << 16 | 4 << 8 | 1);
	assert_int_equal(((uint32_t *)entry)[0x49], 0x49 << 16 | 4 << 8 | 1);
	assert_int_equal(iommu_amd_vi.entry(0x40)[0], VALID | the_ping->dma.root);
	assert_string_equal(iommu_attach(0x48, the_ping), "no IOMMU that works stands between it and memory");
}

static void test_amd_faults(void **state)
{
	uint64_t *log = iommu.unit[0].log;

	(void)state;
	fake_now += 2 * clock_hz;
	log[0] = 2ull << 60 | 1ull << 53 | EDU;
	log[1] = 0xabc000;
	log[2] = 2ull << 60 | EDU;
	log[3] = 0xdef000;
	iommu_poll();
	assert_string_equal(fake_log, "iommu: device 00:05.0 of pong: read from 0xdef000 refused: its holder has "
				      "nothing there, or the device is closed (2)");
	assert_int_equal(iommu.device[0].faults, 2);
	assert_int_equal(R64(0x2010), 32);
	/* Round, and stopped by too many. */
	for (unsigned i = 4; i < 512; i += 2)
		log[i] = 2ull << 60 | EDU;
	iommu_poll();
	assert_int_equal(R64(0x2010), 0);
	log[0] = 1ull << 60 | EDU;
	iommu_poll();
	assert_int_equal(R64(0x2010), 16);
	overflow = true;
	iommu_poll();
	assert_int_equal(R64(0x2010), 0);
	assert_int_equal(R64(0x18) & 4, 4);
}

static void test_amd_region_of_others(void **state)
{
	(void)state;
	begin(IOMMU_AMD_VI);
	R64(0x30) = 0x29d3;
	tables.regions = 1;
	tables.region[0] = (struct iommu_region){ .base = the_ping->extent[0].physical,
						  .last = the_ping->extent[0].physical + 0xfff,
						  .first_device = FIRMWARES,
						  .last_device = FIRMWARES };
	iommu_init(&tables, line);
	assert_int_equal(iommu_amd_vi.entry(FIRMWARES)[0] >> 61, 0);
	assert_int_equal(audit_run(), 0);
}

static void test_none(void **state)
{
	uint32_t high;

	(void)state;
	begin(IOMMU_NONE);
	iommu_init(&tables, line);
	assert_false(iommu_present());
	assert_string_equal(lines, "iommu: none: whoever is given a device is trusted with all memory\n");
	assert_false(iommu_ioapic(0, 0x34, 0, false, &high));
	begin(IOMMU_DAMAGED);
	iommu_init(&tables, line);
	assert_false(iommu_present());
	begin(IOMMU_AMD_VI);
	R64(0x30) = 0x2993;
	iommu_init(&tables, line);
	assert_false(iommu_present());
	assert_string_equal(iommu_attach(EDU, the_ping), "no IOMMU that works stands between it and memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vtd_begins),
		cmocka_unit_test(test_vtd_opens),
		cmocka_unit_test(test_what_they_reach),
		cmocka_unit_test(test_vtd_messages),
		cmocka_unit_test(test_vtd_faults),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_vtd_old),
		cmocka_unit_test(test_amd_begins),
		cmocka_unit_test(test_amd_opens),
		cmocka_unit_test(test_amd_faults),
		cmocka_unit_test(test_amd_region_of_others),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, fake_system, fake_system_end);
}
