/* linux_boot.c: boot_params, page tables, GDT and registers for the 64-bit entry. */
#include "linux_boot.h"
#include "acpi.h"
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"

#define GDT_ADDRESS	    0x1000ull
#define TABLES_ADDRESS	    0x2000ull
#define BOOT_PARAMS_ADDRESS 0x8000ull
#define COMMAND_ADDRESS	    0x20000ull
#define RAM_END		    0x9fc00ull
#define BIOS_ADDRESS	    0xe0000ull
#define HIGH_RAM	    0x100000ull

/* struct boot_params (Linux's zero-page.rst) */
#define PARAMS_BYTES	   4096
#define PARAMS_RSDP	   0x070
#define PARAMS_E820_COUNT  0x1e8
#define PARAMS_E820	   0x2d0
#define PARAMS_E820_MAX	   128
#define PARAMS_VID_MODE	   0x1fa
#define PARAMS_LOADER	   0x210
#define PARAMS_CODE32	   0x214
#define PARAMS_INITRD	   0x218
#define PARAMS_INITRD_SIZE 0x21c
#define PARAMS_COMMAND	   0x228

#define VID_MODE_NORMAL 0xffff
#define LOADER_UNKNOWN	0xff

#define E820_RAM      1
#define E820_RESERVED 2

/* Segments as the protocol demands: __BOOT_CS 10h, __BOOT_DS 18h, flat. */
#define BOOT_CS	    0x10
#define BOOT_DS	    0x18
#define BOOT_TR	    0x20
#define ACCESS_CODE 0xa09b /* G, L; present, code, readable, accessed */
#define ACCESS_DATA 0xc093 /* G, D/B; present, data, writable, accessed */
#define ACCESS_TSS  0x008b /* present, busy 64-bit TSS */

#define CR0_BOOT    0x80000033ull /* PG, NE, ET, MP, PE */
#define CR4_BOOT    0x20ull	  /* PAE */
#define EFER_BOOT   0x500ull	  /* LMA, LME */
#define RFLAGS_BOOT 2ull

#define PAGE_TABLE 0x07ull /* present, writable, user */
#define PAGE_LARGE 0x87ull

static void put(uint8_t *to, unsigned offset, uint64_t value, unsigned bytes) { memcpy(to + offset, &value, bytes); }

static void add_e820(uint8_t *params, uint64_t address, uint64_t bytes, uint32_t type)
{
	unsigned count = params[PARAMS_E820_COUNT];
	unsigned offset = PARAMS_E820 + 20 * count;

	if (!bytes || count == PARAMS_E820_MAX)
		return;
	put(params, offset, address, 8);
	put(params, offset + 8, bytes, 8);
	put(params, offset + 16, type, 4);
	params[PARAMS_E820_COUNT]++;
}

static void write_memory_map(const struct guest_memory *memory, uint8_t *params)
{
	add_e820(params, 0, RAM_END, E820_RAM);
	add_e820(params, RAM_END, 0xa0000 - RAM_END, E820_RESERVED);
	add_e820(params, BIOS_ADDRESS, HIGH_RAM - BIOS_ADDRESS, E820_RESERVED);
	add_e820(params, HIGH_RAM, memory->low_bytes - HIGH_RAM, E820_RAM);
	add_e820(params, BH_GUEST_HIGH, memory->high_bytes, E820_RAM);
}

static void write_params(const struct linux_boot *boot, const struct guest_memory *memory, const struct bzimage *image,
			 const struct bzimage_plan *plan, uint64_t rsdp)
{
	uint8_t *params = guest_memory_at(memory, BOOT_PARAMS_ADDRESS, PARAMS_BYTES);

	memset(params, 0, PARAMS_BYTES);
	memcpy(params + BZIMAGE_HEADER, (const uint8_t *)boot->kernel + BZIMAGE_HEADER, image->header_bytes);
	put(params, PARAMS_VID_MODE, VID_MODE_NORMAL, 2);
	put(params, PARAMS_LOADER, LOADER_UNKNOWN, 1);
	put(params, PARAMS_CODE32, plan->load, 4);
	put(params, PARAMS_INITRD, plan->initrd, 4);
	put(params, PARAMS_INITRD_SIZE, plan->initrd ? boot->initrd_bytes : 0, 4);
	put(params, PARAMS_COMMAND, COMMAND_ADDRESS, 4);
	put(params, PARAMS_RSDP, rsdp, 8);
	write_memory_map(memory, params);
}

/* PML4, PDPT, four page directories: 0 to 4 GiB. */
static void write_page_tables(const struct guest_memory *memory)
{
	uint64_t *tables = guest_memory_at(memory, TABLES_ADDRESS, 6 * 4096);

	memset(tables, 0, 6 * 4096);
	tables[0] = (TABLES_ADDRESS + 4096) | PAGE_TABLE;
	for (unsigned i = 0; i < 4; i++)
		tables[512 + i] = (TABLES_ADDRESS + (2 + i) * 4096ull) | PAGE_TABLE;
	for (unsigned i = 0; i < 4 * 512; i++)
		tables[1024 + i] = (uint64_t)i << 21 | PAGE_LARGE;
}

/* A flat descriptor with those access bits (SDM vol. 3, figure 3-8). */
static uint64_t descriptor(uint16_t access) { return 0x000f00000000ffffull | (uint64_t)access << 40; }

static void write_gdt(const struct guest_memory *memory)
{
	uint64_t *gdt = guest_memory_at(memory, GDT_ADDRESS, 6 * 8);

	memset(gdt, 0, 6 * 8);
	gdt[BOOT_CS / 8] = descriptor(ACCESS_CODE);
	gdt[BOOT_DS / 8] = descriptor(ACCESS_DATA);
	gdt[BOOT_TR / 8] = 0x0000890000000067ull; /* 16 bytes; available, limit 67h, base 0 */
}

static void set_state(const struct bzimage_plan *plan, struct bh_vcpu_state *state)
{
	const struct bh_segment data = { 0, UINT32_MAX, BOOT_DS, ACCESS_DATA };

	memset(state, 0, sizeof(*state));
	state->rip = plan->load + BZIMAGE_ENTRY_64;
	state->rflags = RFLAGS_BOOT;
	state->gpr[BH_RSI] = BOOT_PARAMS_ADDRESS;
	state->gpr[BH_RSP] = BOOT_PARAMS_ADDRESS; /* none is demanded, but below is free memory */
	state->cr0 = CR0_BOOT;
	state->cr3 = TABLES_ADDRESS;
	state->cr4 = CR4_BOOT;
	state->efer = EFER_BOOT;
	for (unsigned i = BH_ES; i <= BH_GS; i++)
		state->segment[i] = data;
	state->segment[BH_CS] = (struct bh_segment){ 0, UINT32_MAX, BOOT_CS, ACCESS_CODE };
	state->segment[BH_LDTR] = (struct bh_segment){ 0, 0, 0, BH_SEGMENT_UNUSABLE };
	state->segment[BH_TR] = (struct bh_segment){ 0, 0x67, BOOT_TR, ACCESS_TSS };
	state->gdtr_base = GDT_ADDRESS;
	state->gdtr_limit = 6 * 8 - 1;
}

static bool write_acpi(const struct linux_boot *boot, const struct guest_memory *memory, uint64_t *rsdp, char *reason)
{
	uint8_t *area = guest_memory_at(memory, BIOS_ADDRESS, HIGH_RAM - BIOS_ADDRESS);

	*rsdp = acpi_build(area, HIGH_RAM - BIOS_ADDRESS, BIOS_ADDRESS, boot->vcpus);
	if (!*rsdp)
		bh_snprintf(reason, BZIMAGE_REASON_BYTES, "the ACPI tables do not fit below 1 MiB");
	return *rsdp;
}

bool linux_boot(const struct linux_boot *boot, const struct guest_memory *memory, struct bh_vcpu_state *state,
		char reason[BZIMAGE_REASON_BYTES])
{
	size_t command_bytes = strnlen(boot->command, BH_COMMAND_BYTES - 1);
	struct bzimage image;
	struct bzimage_plan plan;
	uint64_t rsdp;

	/* The plan lies within low memory, above 1 MiB: so all that follows does. */
	if (!bzimage_parse(boot->kernel, boot->kernel_bytes, &image, reason) ||
	    !bzimage_place(&image, memory->low_bytes, boot->initrd ? boot->initrd_bytes : 0, command_bytes, &plan,
			   reason) ||
	    !write_acpi(boot, memory, &rsdp, reason))
		return false;

	guest_memory_write(memory, plan.load, (const uint8_t *)boot->kernel + image.payload, image.payload_bytes);
	if (plan.initrd)
		guest_memory_write(memory, plan.initrd, boot->initrd, boot->initrd_bytes);
	guest_memory_write(memory, COMMAND_ADDRESS, boot->command, command_bytes);
	write_page_tables(memory);
	write_gdt(memory);
	write_params(boot, memory, &image, &plan, rsdp);
	set_state(&plan, state);
	return true;
}
