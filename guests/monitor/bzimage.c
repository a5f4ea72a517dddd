/* bzimage.c: the setup header's checks. Offsets and names are the boot protocol's. */
#include "bzimage.h"
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"

#define SETUP_SECTS	 0x1f1
#define SYSSIZE		 0x1f4
#define BOOT_FLAG	 0x1fe
#define JUMP_LENGTH	 0x201
#define HEADER		 0x202
#define VERSION		 0x206
#define LOADFLAGS	 0x211
#define INITRD_ADDR_MAX	 0x22c
#define KERNEL_ALIGNMENT 0x230
#define XLOADFLAGS	 0x236
#define CMDLINE_SIZE	 0x238
#define PREF_ADDRESS	 0x258
#define INIT_SIZE	 0x260
#define HEADER_MIN_END	 0x264 /* of protocol 2.12 */
#define HEADER_MAX_END	 0x290 /* boot_params has other things from here on */

#define BOOT_FLAG_VALUE 0xaa55
#define HEADER_MAGIC	0x53726448u /* "HdrS" */
#define VERSION_MIN	0x020c
#define LOADED_HIGH	0x01
#define XLF_KERNEL_64	0x0001
#define SECTOR		512
#define DEFAULT_SECTS	4
#define PAGE		4096ull
#define MIB		(1ull << 20)
#define HIGHEST		(1ull << 32) /* sizes and addresses beyond are nonsense */

#define REFUSE(...)                                                     \
	do {                                                            \
		bh_snprintf(reason, BZIMAGE_REASON_BYTES, __VA_ARGS__); \
		return false;                                           \
	} while (0)

/* The file is little-endian, as is the CPU. */
static uint64_t field(const uint8_t *file, unsigned offset, unsigned bytes)
{
	uint64_t value = 0;

	memcpy(&value, file + offset, bytes);
	return value;
}

static bool is_power_of_two(uint64_t value) { return value && !(value & (value - 1)); }

static unsigned long mib_up(uint64_t bytes) { return (unsigned long)((bytes + MIB - 1) / MIB); }

static bool check_kind(const uint8_t *file, uint64_t bytes, char *reason)
{
	if (bytes < HEADER_MIN_END)
		REFUSE("not a Linux kernel: the file has %lu bytes, its header alone ends at %u", (unsigned long)bytes,
		       HEADER_MIN_END);
	if (field(file, BOOT_FLAG, 2) != BOOT_FLAG_VALUE || field(file, HEADER, 4) != HEADER_MAGIC)
		REFUSE("not a Linux kernel: no \"HdrS\" at offset 0x202 (a bzImage for x86 is "
		       "expected)");
	if (field(file, VERSION, 2) < VERSION_MIN)
		REFUSE("boot protocol %lu.%02lu is too old: 2.12 (Linux 3.8) or later is needed",
		       (unsigned long)field(file, VERSION + 1, 1), (unsigned long)field(file, VERSION, 1));
	if (!(field(file, LOADFLAGS, 1) & LOADED_HIGH))
		REFUSE("a zImage, which loads below 1 MiB: a bzImage is expected");
	if (!(field(file, XLOADFLAGS, 2) & XLF_KERNEL_64))
		REFUSE("no 64-bit entry (XLF_KERNEL_64 is clear): a 32-bit kernel cannot be "
		       "started");
	return true;
}

static void read_fields(const uint8_t *file, struct bzimage *image)
{
	uint64_t sectors = field(file, SETUP_SECTS, 1);

	image->header_bytes = HEADER + (uint32_t)field(file, JUMP_LENGTH, 1) - BZIMAGE_HEADER;
	image->payload = ((sectors ? sectors : DEFAULT_SECTS) + 1) * SECTOR;
	image->payload_bytes = field(file, SYSSIZE, 4) * 16;
	image->init_size = field(file, INIT_SIZE, 4);
	image->preferred = field(file, PREF_ADDRESS, 8);
	image->alignment = field(file, KERNEL_ALIGNMENT, 4);
	image->initrd_max = field(file, INITRD_ADDR_MAX, 4);
	image->command_max = (uint32_t)field(file, CMDLINE_SIZE, 4);
}

static bool check_sizes(const struct bzimage *image, uint64_t bytes, char *reason)
{
	uint64_t header_end = BZIMAGE_HEADER + (uint64_t)image->header_bytes;

	if (header_end < HEADER_MIN_END || header_end > HEADER_MAX_END)
		REFUSE("absurd header: it ends at %#lx, where 0x264 to 0x290 is possible", (unsigned long)header_end);
	if (image->payload_bytes <= BZIMAGE_ENTRY_64)
		REFUSE("absurd header: a kernel of %lu bytes (syssize)", (unsigned long)image->payload_bytes);
	if (image->payload >= bytes || image->payload_bytes > bytes - image->payload)
		REFUSE("truncated: the header promises %lu bytes, the file has %lu",
		       (unsigned long)(image->payload + image->payload_bytes), (unsigned long)bytes);
	if (image->init_size < image->payload_bytes)
		REFUSE("absurd header: init_size %#lx is less than the kernel's own %#lx bytes",
		       (unsigned long)image->init_size, (unsigned long)image->payload_bytes);
	return true;
}

static bool check_addresses(const struct bzimage *image, char *reason)
{
	if (!is_power_of_two(image->alignment) || image->alignment < PAGE)
		REFUSE("absurd header: kernel_alignment %#lx is not a power of two from 4096 on",
		       (unsigned long)image->alignment);
	if (image->preferred < BZIMAGE_LOWEST || image->preferred >= HIGHEST || image->preferred % PAGE)
		REFUSE("absurd header: pref_address %#lx is not a page between 1 MiB and 4 GiB",
		       (unsigned long)image->preferred);
	return true;
}

bool bzimage_parse(const void *file, uint64_t bytes, struct bzimage *image, char reason[BZIMAGE_REASON_BYTES])
{
	if (!check_kind(file, bytes, reason))
		return false;
	read_fields(file, image);
	return check_sizes(image, bytes, reason) && check_addresses(image, reason);
}

static uint64_t align_up(uint64_t value, uint64_t alignment) { return (value + alignment - 1) & ~(alignment - 1); }

/*
 * The plan with the kernel where it prefers to be, and the initrd's last byte as high as may be; false if they do not
 * fit so. A kernel that is put lower, relocatable or not, moves itself there all the same and needs init_size from
 * there on (Linux, boot.rst, pref_address).
 */
static bool fits(const struct bzimage *image, uint64_t low_bytes, uint64_t initrd_bytes, struct bzimage_plan *plan)
{
	uint64_t top = image->initrd_max + 1 < low_bytes ? image->initrd_max + 1 : low_bytes;
	uint64_t kernel_end = image->preferred + image->init_size;

	plan->load = image->preferred;
	plan->initrd = 0;
	if (kernel_end > low_bytes)
		return false;
	if (!initrd_bytes)
		return true;
	if (initrd_bytes > top)
		return false;
	plan->initrd = (top - initrd_bytes) & ~(PAGE - 1);
	return plan->initrd >= kernel_end;
}

/* Says what would have fitted. */
static bool refuse_place(const struct bzimage *image, uint64_t low_bytes, uint64_t initrd_bytes, char *reason)
{
	uint64_t need = align_up(image->preferred + image->init_size, PAGE) + align_up(initrd_bytes, PAGE);

	if (initrd_bytes >= HIGHEST || (initrd_bytes && need > image->initrd_max + 1))
		REFUSE("the initrd has %lu MiB, and this kernel takes one only below %#lx, behind itself",
		       mib_up(initrd_bytes), (unsigned long)image->initrd_max + 1);
	REFUSE("%lu MiB of memory are too little: the kernel needs %lu MiB from %#lx on, the initrd has "
	       "%lu MiB; %lu MiB would do",
	       (unsigned long)(low_bytes / MIB), mib_up(image->init_size), (unsigned long)image->preferred,
	       mib_up(initrd_bytes), mib_up(need));
}

bool bzimage_place(const struct bzimage *image, uint64_t low_bytes, uint64_t initrd_bytes, uint64_t command_bytes,
		   struct bzimage_plan *plan, char reason[BZIMAGE_REASON_BYTES])
{
	if (command_bytes > image->command_max)
		REFUSE("the command line has %lu bytes, this kernel takes %u", (unsigned long)command_bytes,
		       image->command_max);
	return fits(image, low_bytes, initrd_bytes, plan) || refuse_place(image, low_bytes, initrd_bytes, reason);
}
