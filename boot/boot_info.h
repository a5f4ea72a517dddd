/*
 * boot_info.h: what the loader hands to the kernel: one structure.
 *
 * At entry: 64-bit mode, interrupts off, RDI = virtual address of boot_info, a stack of 16 KiB. The
 * loader's page tables map, and the kernel replaces them soon after:
 *   - the kernel's segments at their link addresses (KERNEL_BASE and up), read-only, writable or
 *     executable as the ELF says, never two of the last;
 *   - the kernel region (kernel image, boot_info, pool) at POOL_BASE + (physical - region_base),
 *     no execute;
 *   - physical 0 to 4 GiB one to one, so that the loader's last instructions run.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <bulkhead/state.h>
#include "acpi.h"
#include "config.h"
#include "iommu_tables.h"
#include "pci_scan.h"

#define BOOT_INFO_MAGIC	  0x746f6f4264616542ull
#define BOOT_INFO_VERSION 3

#define KERNEL_BASE 0xFFFFFFFF80000000ull /* link address of the kernel */
#define POOL_BASE   0xFFFFFF0000000000ull /* the kernel region stands here */

#define BOOT_CPUS     256
#define BOOT_RANGES   256
#define BOOT_IMAGES   64
#define BOOT_PROGRAMS 40
#define BOOT_SEGMENTS 6

/* UEFI memory types (UEFI 2.10, 7.2.1), reduced to what matters. Sorted by base, no overlaps. */
enum boot_memory {
	/* Usable once boot services are left: the loader's and boot services' memory too. */
	BOOT_MEMORY_FREE = 1,
	BOOT_MEMORY_KERNEL,	   /* the kernel region */
	BOOT_MEMORY_IMAGE,	   /* images and programs, 2 MiB aligned and padded with zeros */
	BOOT_MEMORY_FIRMWARE_CODE, /* runtime services */
	BOOT_MEMORY_FIRMWARE_DATA,
	BOOT_MEMORY_ACPI, /* reclaim and NVS: read, never given away */
	BOOT_MEMORY_MMIO,
	BOOT_MEMORY_RESERVED,
};

struct boot_range {
	uint64_t base, bytes; /* multiples of 4 KiB */
	uint32_t type;	      /* enum boot_memory */
	uint32_t pad;
};

/* A file, whole, in memory of type BOOT_MEMORY_IMAGE. Its 2 MiB frames hold nothing else. */
struct boot_image {
	char path[CONFIG_PATH_BYTES]; /* as the configuration names it */
	uint64_t bytes;
	uint64_t missing;  /* of one that is uploaded: bytes that have not come yet */
	uint64_t uploaded; /* 1; 0: the loader's */
	uint64_t physical; /* 2 MiB aligned */
};
_Static_assert(BOOT_IMAGES == BH_IMAGES && sizeof(struct bh_image) == offsetof(struct boot_image, physical),
	       "begins as struct bh_image");

/* A native program, its ELF parsed. Its segments lie in memory of type BOOT_MEMORY_IMAGE. */
struct boot_segment {
	uint64_t address;  /* guest-physical and virtual: the same. 4 KiB aligned */
	uint64_t physical; /* of the file's bytes; need not be aligned */
	uint64_t file_bytes;
	uint64_t memory_bytes;	       /* >= file_bytes; the rest is zero */
	uint32_t writable, executable; /* 0 or 1, never both */
};

struct boot_program {
	/* "monitor.elf", "console.elf", "net.elf", or as the configuration names it. */
	char path[CONFIG_PATH_BYTES];
	uint64_t entry;
	uint32_t segments;
	uint32_t pad;
	struct boot_segment segment[BOOT_SEGMENTS];
};

struct boot_framebuffer {
	uint64_t physical; /* 0: none */
	uint64_t bytes;
	uint32_t width, height; /* pixels */
	uint32_t stride;	/* pixels per line */
	uint32_t bgr;		/* 1: blue in the lowest byte, 0: red. 32 bits a pixel */
};

struct boot_info {
	uint64_t magic;
	uint32_t version, bytes;
	uint64_t region_base, region_bytes; /* the kernel region, multiples of 2 MiB */
	uint64_t image_base, image_bytes;   /* in it: the kernel's segments as loaded, in link order,
					       contiguous from KERNEL_BASE */
	uint64_t pool_base, pool_bytes;	    /* in it: free for the kernel's page allocator */
	uint64_t region_bytes_256g;	    /* what region_bytes would be with 256 GiB of RAM and this
					       configuration */
	uint64_t trampoline;		    /* a free 4 KiB page below 1 MiB, for starting CPUs */
	uint64_t efi_system_table;	    /* physical; runtime services are mapped one to one */
	/* EFI's GetTime as seconds since 1970 UTC, and RDTSC then. 0: no clock. */
	uint64_t wall_seconds, wall_tsc;
	/*
	 * Ticks a second by the timer that is named, of the TSC (0: that one stands still) and of the boot CPU's local
	 * APIC, undivided (0: its timer stands still). Agreed: two measurements do.
	 */
	uint64_t tsc_hz, apic_timer_hz;
	uint32_t tsc_agreed;
	char tsc_reference[20];
	/* From the firmware's source of random numbers; all 0: it has none. The kernel wipes it. */
	uint8_t seed[BH_SEED_BYTES];
	struct boot_framebuffer framebuffer;
	struct acpi acpi;
	struct pci_found pci;
	struct iommu_tables iommu;
	uint32_t boot_apic_id;
	uint32_t cpus;		     /* enabled CPUs that the MP Services protocol named; 0: no protocol */
	uint32_t apic_id[BOOT_CPUS]; /* [0] is the boot CPU's */
	uint32_t ranges, images, programs, pad;
	struct boot_range range[BOOT_RANGES];
	struct boot_image image[BOOT_IMAGES];
	struct boot_program program[BOOT_PROGRAMS];
	/* Errors of the configuration, a line each: "bulkhead.conf:LINE: text". Ends with 0. */
	char config_log[8192];
	struct config config;
};

/* The kernel's entry: linker.ld's ENTRY(kernel_entry). */
