/*
 * abi.h: everything that crosses the border between the kernel and a partition.
 *
 * This is the one header tree that kernel, services and guests share. The change log is in
 * guests/include/README.md; every layout below carries a static assertion.
 *
 * Hypercall convention: VMCALL (Intel) or VMMCALL (AMD), from ring 0 only. Number in RAX, arguments in
 * RDI, RSI, RDX, R10, R8; the result in RAX: zero or positive, or a negative error. No other register
 * changes. Numbers that are not in the list below return -BH_ENOSYS, as KVM's unknown ones do.
 */
#pragma once
#include <stdint.h>

#define BH_ABI_VERSION 1

/* CPUID leaf 0x40000000: EAX highest leaf, EBX ECX EDX this text. Leaf 0x40000001: EAX = BH_ABI_VERSION. */
#define BH_CPUID_LEAF	   0x40000000u
#define BH_CPUID_SIGNATURE "BulkheadBulk"

/* ---- errors ---------------------------------------------------------------------------------- */

#define BH_EPERM  1    /* the handle lacks the right, or the caller is not in ring 0 */
#define BH_EBADF  2    /* no such handle, or its object is gone */
#define BH_EINVAL 3    /* an argument is out of its range */
#define BH_ESTATE 4    /* the object is not in a state that allows this */
#define BH_ENOENT 5    /* nothing there: no such record, end of text */
#define BH_ENOMEM 6    /* no memory, or no place, is left for it */
#define BH_ENOSYS 1000 /* no such hypercall */

/* ---- hypercall numbers ----------------------------------------------------------------------- */

#define BH_HYPERCALL_BASE 0x42480000u

enum bh_hypercall {
	/* (): 0. Does nothing; measures the door. */
	BH_NULL = BH_HYPERCALL_BASE,

	/* (w0..w4): appends up to 40 bytes of text (ends at the first 0 byte) to the kernel's log. 0. */
	BH_LOG,

	/*
	 * (mask, deadline, flags, channel): waits until an event in `mask` is set, a message comes (monitor vCPUs), or
	 * the TSC reaches `deadline` (0: do not wait, BH_FOREVER: no deadline). Returns and clears the set
	 * events within `mask`; BH_EVENT_MESSAGE in the result says that the message page is filled; 0: the
	 * deadline has passed. With BH_WAIT_REPLY in `flags` the message page is first taken as the answer
	 * and the guest's vCPU goes on; -BH_ESTATE if there is no guest vCPU waiting for one. With BH_WAIT_SIGNAL a
	 * fourth argument is a channel whose peer is signalled first, as by BH_CHANNEL_SIGNAL. Not both.
	 */
	BH_WAIT,

	/* (vcpu, mask): sets event bits of a vCPU of the caller's own partition. 0, -BH_EINVAL. */
	BH_EVENT_SIGNAL,

	/* (exit_code): ends the caller's partition. 0 is an orderly end, anything else a failure. No return. */
	BH_EXIT,

	/* (w0..w4): appends up to 40 bytes of text to the caller's own report, kept after its end. 0. */
	BH_REPORT,

	/* (channel, vcpu, bit): the peer's signals set event `bit` (0..47) of `vcpu`. 0. */
	BH_CHANNEL_BIND,
	/* (channel): signals the peer, if it has bound its end. 0. */
	BH_CHANNEL_SIGNAL,
	/* (channel): epoch of the peer << 1 | 1 if the peer runs. The epoch rises at each start of the peer. */
	BH_CHANNEL_STAT,

	/*
	 * (irq, vcpu, bit): the device interrupt sets event `bit` of `vcpu`, and is unmasked. A level-triggered one is
	 * masked when it comes, until the next call. 0.
	 */
	BH_IRQ_BIND,

	/*
	 * (guest, address, data): delivers an MSI (SDM vol. 3, 11.11) to the monitor's guest. With
	 * BH_MSI_LEVEL in `data` the vector's EOI comes back as BH_MSG_EOI. 0, -BH_EINVAL.
	 */
	BH_GUEST_MSI,
	/*
	 * (guest, vcpu, offset, value, write): an access to the vCPU's local APIC by its MMIO offset
	 * (SDM vol. 3, table 11-1). Returns the register for a read; for a write 0, or the vector when it was
	 * the EOI of a level-triggered interrupt. Only between a message from that vCPU and the reply.
	 */
	BH_GUEST_APIC,
	/* (guest, how): BH_END_POWEROFF, BH_END_RESET or BH_END_FAILURE ends the guest and its monitor. No return. */
	BH_GUEST_END,

	/* (partition, enum bh_control): starts the operation; its end shows in BH_STAT_STATE. 0, -BH_ESTATE. */
	BH_PARTITION_CONTROL,
	/* (partition, enum bh_stat, index): the number. -BH_EINVAL for a field or index that is not there. */
	BH_PARTITION_STAT,
	/* (partition, offset): 8 bytes of its last report (ASCII, padded with 0). -BH_ENOENT past the end. */
	BH_PARTITION_REPORT,
	/*
	 * (partition, vcpu, age, word): word 0..3 of the vCPU's trace record; age 0 is the newest.
	 * Word 0: TSC at the exit. 1: enum bh_exit. 2: detail. 3: ticks from the exit to the next entry.
	 * -BH_ENOENT when the ring no longer holds that many.
	 */
	BH_PARTITION_TRACE,

	/* (machine, enum bh_machine_stat, index): the number. */
	BH_MACHINE_STAT,
	/* (machine, enum bh_machine_text, offset): 8 bytes of text (ASCII, padded with 0). -BH_ENOENT past it. */
	BH_MACHINE_TEXT,
	/* (machine, enum bh_machine_control): BH_AUDIT returns the number of disagreements found. */
	BH_MACHINE_CONTROL,

	/*
	 * (guest, block, bit): a write by OUT to one of the ports of doorbell block `block` sets event `bit` (0..47) of
	 * the monitor's last vCPU, and the guest goes on. With bit BH_DOORBELL_OFF the writes become messages again. 0.
	 */
	BH_GUEST_DOORBELL,

	/* (device, offset, bytes): `bytes` (1, 2, 4) of the device's configuration space (PCI 3.0, 6.1). */
	BH_DEVICE_READ,
	/*
	 * (device, offset, bytes, value): writes there. -BH_EPERM for what the kernel keeps: the header, MSI and MSI-X,
	 * power management, the reset bit; -BH_EINVAL outside of it or across a border. 0.
	 */
	BH_DEVICE_WRITE,
	/* (device, enum bh_device_stat, index): the number. -BH_EINVAL for a field or index that is not there. */
	BH_DEVICE_STAT,
	/* (device, on): lets the device write and read memory, or no longer. 0. */
	BH_DEVICE_MASTER,
	/*
	 * (device, index, vcpu, bit): interrupt `index` of the device (of MSI-X; 0 for MSI and INTx) sets event `bit`
	 * of `vcpu`. INTx is masked when it comes, until the next call. 0, -BH_EINVAL, -BH_ENOENT: it has no interrupt.
	 */
	BH_DEVICE_IRQ_BIND,
	/*
	 * (device, address): the address by which the device finds what the caller has at guest-physical `address`; it
	 * holds up to the next multiple of 2 MiB. -BH_EINVAL if that is not its own memory.
	 */
	BH_DEVICE_DMA,

	/*
	 * What is made at run time; the console's handle of the machine alone has the right BH_RIGHT_CREATE. Addresses
	 * are guest-physical; what lies there is in one 2 MiB frame of the caller's own memory, and read once.
	 *
	 * (machine, address): takes memory for an image as the struct bh_image at `address` has it. Its number;
	 * -BH_EINVAL: no such name, or another's, or no bytes; -BH_ENOMEM.
	 */
	BH_IMAGE_CREATE,
	/*
	 * (machine, image, address, bytes): the image's next bytes, up to the next multiple of 2 MiB at most. When all
	 * have come partitions can be made of it. 0, -BH_EINVAL: it misses fewer, or is of the boot.
	 */
	BH_IMAGE_WRITE,
	/* (machine, image): an uploaded image is gone, its memory free. 0, -BH_ESTATE: a partition has it, or it is of
	 * the boot. */
	BH_IMAGE_REMOVE,
	/* (machine, image, word): that word of its struct bh_image. -BH_ENOENT: this place is empty, behind the last,
	 * or has what is the console's own. */
	BH_IMAGE_STAT,
	/*
	 * (machine, address): makes the partition of the struct config_creation (boot/config.h) at `address`. 0, and
	 * all handles are in the caller's info page anew; -BH_EINVAL, -BH_ENOMEM: the log says why.
	 */
	BH_PARTITION_CREATE,
	/* (partition): removes one that was made so and is stopped; its memory is free. -BH_ESTATE: not (yet) stopped.
	   0. */
	BH_PARTITION_REMOVE,

	BH_HYPERCALL_END
};

/* ---- events, waiting ------------------------------------------------------------------------- */

#define BH_EVENT_BITS	 48	      /* events 0..47 are the program's own */
#define BH_EVENT_MESSAGE (1ull << 62) /* in the result of BH_WAIT only */
#define BH_FOREVER	 UINT64_MAX
#define BH_WAIT_REPLY	 1u
#define BH_WAIT_SIGNAL	 2u

/* ---- handles --------------------------------------------------------------------------------- */

typedef uint32_t bh_handle; /* bits 15:0 index, 31:16 generation */
#define BH_NO_HANDLE UINT32_MAX

enum bh_handle_type {
	BH_HANDLE_NONE,
	BH_HANDLE_PARTITION,
	BH_HANDLE_CHANNEL,
	BH_HANDLE_IMAGE,
	BH_HANDLE_IRQ,
	BH_HANDLE_MACHINE,
	BH_HANDLE_DEVICE,
};

#define BH_RIGHT_CONTROL 0x1u  /* start, stop, pause, ... (partition, machine) */
#define BH_RIGHT_INSPECT 0x2u  /* stat, report, trace, text */
#define BH_RIGHT_MONITOR 0x4u  /* BH_GUEST_*: the guest that this monitor looks after */
#define BH_RIGHT_USE	 0x8u  /* channel, image, irq, device */
#define BH_RIGHT_CREATE	 0x10u /* images and partitions (machine); it was made at run time (partition) */

/* ---- what a native program finds when it starts ----------------------------------------------- */

/*
 * Its memory is guest-physical 0 to memory_bytes. The program is loaded where its ELF segments say
 * (BH_GPA_IMAGE and up), each page with the permissions of its segment; what no segment covers is
 * readable and writable, not executable. Every vCPU starts in 64-bit mode at the ELF's entry, CR3 = BH_NATIVE_CR3
 * (page tables that the image brings with it), RDI = the vCPU's index, no stack. No interrupt is ever delivered
 * to it, whatever RFLAGS.IF says. Floating point and vector instructions end the partition.
 */
#define BH_GPA_INFO	0x10000ull
#define BH_GPA_IMAGE	0x100000ull
#define BH_NATIVE_CR3	BH_GPA_IMAGE
#define BH_GPA_SERVICE	0x14000ull	/* a service's records (network.h), read-only */
#define BH_GPA_MESSAGES 0x40000000ull	/* a monitor's message pages, one per guest vCPU */
#define BH_GPA_CHANNELS 0x80000000ull	/* channels; info says where each is */
#define BH_GPA_DEVICES	0xC0000000ull	/* registers of devices; BH_DEVICE_STAT says where each is */
#define BH_GPA_IMAGES	0x800000000ull	/* read-only images; info says where each is */
#define BH_GPA_GUEST	0x1000000000ull /* a monitor's window on its guest's memory: guest address + this */

#define BH_NAME_BYTES	 32
#define BH_COMMAND_BYTES 1024
#define BH_INFO_HANDLES	 192
#define BH_INFO_MAGIC	 0x6f666e4964616542ull

enum bh_kind { BH_KIND_GUEST = 1, BH_KIND_NATIVE, BH_KIND_MONITOR, BH_KIND_CONSOLE };

struct bh_info_handle {
	char name[BH_NAME_BYTES]; /* partition's, channel's or image's name; ends with 0 */
	uint32_t type;		  /* enum bh_handle_type */
	uint32_t rights;
	bh_handle handle;
	uint32_t kind;	  /* of a partition, or of the channel's peer: enum bh_kind, 0 otherwise */
	uint64_t address; /* guest-physical, where mapped (channel, image) */
	uint64_t bytes;
};
_Static_assert(sizeof(struct bh_info_handle) == 64, "ABI");

struct bh_info {
	uint64_t magic; /* BH_INFO_MAGIC */
	uint32_t abi_version;
	uint32_t kind; /* enum bh_kind */
	char name[BH_NAME_BYTES];
	uint64_t memory_bytes; /* own memory */
	uint64_t tsc_hz;       /* measured */
	uint64_t wall_seconds; /* seconds since 1970 UTC when the TSC was wall_tsc */
	uint64_t wall_tsc;
	uint32_t vcpus;
	uint32_t handles;     /* entries used below */
	uint32_t guest_vcpus; /* monitors: vCPUs of the guest; own vCPU i < guest_vcpus is paired with it */
	uint32_t restarts;
	uint64_t guest_memory_bytes;	/* monitors: RAM of the guest, guest-physical 0 up, no hole (see monitor) */
	char guest_name[BH_NAME_BYTES]; /* monitors */
	char command[BH_COMMAND_BYTES]; /* native: its arguments; monitor: its guest's command line */
	uint64_t reserved[8];
	struct bh_info_handle handle[BH_INFO_HANDLES];
};
#define BH_INFO_BYTES	 0x4000ull
#define BH_SERVICE_BYTES 0x1000ull
_Static_assert(sizeof(struct bh_info) <= BH_INFO_BYTES, "ABI");

/*
 * Well-known names in a monitor's info: partition handle of the guest (type PARTITION, right MONITOR), images
 * "kernel" and, where configured, "initrd", and the channel "console".
 * Every native partition has a channel "console" as well; its content is in terminal.h. The console
 * service has a channel and a partition handle per partition, both under the partition's name.
 */

/*
 * A guest's RAM: guest-physical 0 to BH_GUEST_LOW_MAX, and what is more from 4 GiB up. In the monitor's
 * window it stands at the same addresses plus BH_GPA_GUEST.
 */
#define BH_GUEST_LOW_MAX 0xC0000000ull
#define BH_GUEST_HIGH	 0x100000000ull

/* ---- messages from a guest's vCPU to its monitor ------------------------------------------------ */

struct bh_segment {
	uint64_t base;
	uint32_t limit;
	uint16_t selector;
	uint16_t
		access; /* as in a descriptor: bits 7:0 type, S, DPL, P; 15:12 AVL, L, D/B, G; or BH_SEGMENT_UNUSABLE */
};

#define BH_SEGMENT_UNUSABLE 0x0800u /* in `access`: a bit that no descriptor has */

enum bh_register {
	BH_RAX,
	BH_RCX,
	BH_RDX,
	BH_RBX,
	BH_RSP,
	BH_RBP,
	BH_RSI,
	BH_RDI,
	BH_R8,
	BH_R9,
	BH_R10,
	BH_R11,
	BH_R12,
	BH_R13,
	BH_R14,
	BH_R15
};
enum bh_segment_index { BH_ES, BH_CS, BH_SS, BH_DS, BH_FS, BH_GS, BH_LDTR, BH_TR, BH_SEGMENTS };

struct bh_vcpu_state {
	uint64_t gpr[16]; /* indexed by enum bh_register */
	uint64_t rip, rflags;
	uint64_t cr0, cr3, cr4, efer;
	struct bh_segment segment[BH_SEGMENTS];
	uint64_t gdtr_base, idtr_base;
	uint32_t gdtr_limit, idtr_limit;
};

/* Groups of state, for the masks below. */
#define BH_STATE_GPR	  0x1u	/* gpr[], without RSP */
#define BH_STATE_RIP	  0x2u	/* rip, rflags, gpr[BH_RSP] */
#define BH_STATE_CONTROL  0x4u	/* cr0, cr3, cr4, efer */
#define BH_STATE_SEGMENTS 0x8u	/* segment[] */
#define BH_STATE_TABLES	  0x10u /* gdtr, idtr */
#define BH_STATE_ALL	  0x1fu

enum bh_message_reason {
	BH_MSG_NONE,
	/*
	 * The guest's vCPU has not run yet: sent by nobody, but the page is in this state at start. A reply
	 * with state starts it (vCPU 0). The other vCPUs are started by the guest's INIT and SIPI.
	 */
	BH_MSG_START,
	/* IN or OUT. port, size (1, 2, 4), write, value: RAX, of which `size` bytes count. Answer of IN in value. The
	 * kernel moves RIP on. */
	BH_MSG_PIO,
	/* INS or OUTS, or with REP: state ALL in. The monitor does the work, and answers with state. */
	BH_MSG_PIO_STRING,
	/* Access to an address without memory: address, write; state ALL in. The monitor decodes; answers with state.
	 */
	BH_MSG_MMIO,
	/* RDMSR or WRMSR that is the monitor's business: msr in address, value. The kernel moves RIP on. */
	BH_MSG_MSR_READ,
	BH_MSG_MSR_WRITE,
	/* EOI of a level-triggered vector, number in value. */
	BH_MSG_EOI,
	/*
	 * The CPU does not enter the guest with these registers (SDM vol. 3, 26.3; APM vol. 2, 15.5.1): state ALL in.
	 * write: 0 by VT-x' rules, 1 by SVM's. value: the bits that may be set in CR4, and << 32 in EFER. address: how
	 * many bits a physical address has. The monitor ends the guest, or answers with state that can be entered.
	 */
	BH_MSG_REFUSED,
};

/* In `reply`, set by the monitor. */
#define BH_REPLY_GP 0x1u /* raise #GP(0) in the guest in place of finishing the instruction */

struct bh_message {
	uint32_t reason; /* enum bh_message_reason */
	uint32_t vcpu;
	uint16_t port;
	uint8_t size;
	uint8_t write;
	uint32_t reply; /* BH_REPLY_*; 0 when the message comes */
	uint64_t value;
	uint64_t address;
	uint32_t state_in;   /* BH_STATE_*: the groups below that the kernel has filled */
	uint32_t state_out;  /* BH_STATE_*: the groups that the reply sets; 0 when the message comes */
	uint64_t tsc_offset; /* guest TSC - TSC; with MSR messages */
	struct bh_vcpu_state state;
};
_Static_assert(sizeof(struct bh_segment) == 16, "ABI");
_Static_assert(sizeof(struct bh_message) <= 4096, "ABI");

#define BH_MSI_LEVEL 0x8000u /* data bit 15, trigger mode (SDM vol. 3, figure 11-25) */

enum bh_end { BH_END_POWEROFF = 1, BH_END_RESET, BH_END_FAILURE };

/*
 * Doorbells: ports of a guest whose writes need no answer (virtio's notify registers). They stand in blocks, so that
 * the exit path finds out with one look.
 */
#define BH_DOORBELL_PORT	0xC000u /* the first */
#define BH_DOORBELL_BLOCKS	16u
#define BH_DOORBELL_BLOCK_PORTS 64u
#define BH_DOORBELL_PORTS	(BH_DOORBELL_BLOCKS * BH_DOORBELL_BLOCK_PORTS) /* they begin at a multiple of this */
#define BH_DOORBELL_OFF		0xffu

/* ---- devices ------------------------------------------------------------------------------------- */

enum bh_device_stat {
	BH_DEVICE_ADDRESS,  /* segment << 16 | bus << 8 | device << 3 | function */
	BH_DEVICE_ID,	    /* device << 16 | vendor */
	BH_DEVICE_CLASS,    /* class << 16 | subclass << 8 | programming interface */
	BH_DEVICE_IRQS,	    /* how many interrupts it has; 0: none that the kernel can deliver */
	BH_DEVICE_IRQ_KIND, /* enum bh_device_irq */
	BH_DEVICE_IOMMU,    /* 1: it reaches its holder's memory only; 0: the holder is trusted for DMA */
	/* index: 0..5, base address register */
	BH_DEVICE_BAR_ADDRESS, /* guest-physical; 0: not there, or not memory */
	BH_DEVICE_BAR_BYTES,
};
enum bh_device_irq { BH_DEVICE_IRQ_NONE, BH_DEVICE_IRQ_INTX, BH_DEVICE_IRQ_MSI, BH_DEVICE_IRQ_MSIX };

/* MSRs that go to the monitor: KVM's paravirtual clock. */
#define BH_MSR_KVM_FIRST 0x4b564d00u
#define BH_MSR_KVM_LAST	 0x4b564dffu

/* ---- partitions, as the console sees them ------------------------------------------------------- */

enum bh_control { BH_START = 1, BH_STOP, BH_PAUSE, BH_RESUME, BH_RESTART };

enum bh_state {
	BH_STATE_FAILED_CONFIG, /* the configuration gave it what is not there; see its report */
	BH_STATE_STOPPED,
	BH_STATE_BUILDING,
	BH_STATE_RUNNING,
	BH_STATE_PAUSED,
	BH_STATE_DYING,	  /* vCPUs being stopped, memory being wiped */
	BH_STATE_REMOVED, /* nobody sees it: its handles are gone */
};

/* Why it is not running. */
enum bh_cause {
	BH_CAUSE_NONE,
	BH_CAUSE_NEVER_STARTED,
	BH_CAUSE_STOPPED,  /* by whoever holds the right */
	BH_CAUSE_FINISHED, /* BH_EXIT(0) */
	BH_CAUSE_POWEROFF,
	BH_CAUSE_FAILED, /* the report says why */
};

enum bh_stat {
	BH_STAT_STATE,	/* enum bh_state */
	BH_STAT_CAUSE,	/* enum bh_cause */
	BH_STAT_KIND,	/* enum bh_kind */
	BH_STAT_MEMORY, /* bytes */
	BH_STAT_VCPUS,
	BH_STAT_RESTARTS, /* starts after the first */
	BH_STAT_STARTED,  /* TSC at the last start */
	/* index: vCPU */
	BH_STAT_VCPU_CPU,	/* physical CPU */
	BH_STAT_VCPU_DEDICATED, /* 1, or 0: shared */
	BH_STAT_VCPU_RAN,	/* ticks in non-root mode */
	BH_STAT_VCPU_KERNEL,	/* ticks in the kernel on its behalf */
	BH_STAT_VCPU_MONITOR,	/* ticks that its monitor's paired vCPU ran, kernel included */
	BH_STAT_VCPU_EXITS,	/* index: vCPU | enum bh_exit << 16 */
};

/* Reasons of exits, of both vendors. */
enum bh_exit {
	BH_EXIT_OTHER,
	BH_EXIT_CPUID,
	BH_EXIT_HLT,
	BH_EXIT_PIO,
	BH_EXIT_MMIO,
	BH_EXIT_MSR_READ,
	BH_EXIT_MSR_WRITE,
	BH_EXIT_HYPERCALL,
	BH_EXIT_INTERRUPT,
	BH_EXIT_TIMER,
	BH_EXIT_INTERRUPT_WINDOW,
	BH_EXIT_CONTROL_REGISTER,
	BH_EXIT_DEBUG_REGISTER,
	BH_EXIT_XSETBV,
	BH_EXIT_EXCEPTION,
	BH_EXIT_EOI,
	BH_EXIT_APIC,
	BH_EXIT_TRIPLE_FAULT,
	BH_EXIT_INVALID_STATE,
	BH_EXIT_CACHE,
	BH_EXIT_NMI,
	BH_EXIT_REASONS
};
#define BH_EXIT_NAMES                                                                                           \
	{                                                                                                       \
		"other", "cpuid", "hlt", "pio", "mmio", "rdmsr", "wrmsr", "hypercall", "interrupt", "timer",    \
			"interrupt window", "control register", "debug register", "xsetbv", "exception", "eoi", \
			"apic", "triple fault", "invalid state", "cache", "nmi"                                 \
	}

/* ---- images ------------------------------------------------------------------------------------- */

#define BH_IMAGES	    64
#define BH_IMAGE_NAME_BYTES 128

struct bh_image {
	char name[BH_IMAGE_NAME_BYTES]; /* letters, digits, . - and _; ends with 0 */
	uint64_t bytes;
	/* Nobody looks at these when one is made. */
	uint64_t missing;  /* bytes that have not come yet */
	uint64_t uploaded; /* 0: of the boot */
};
_Static_assert(sizeof(struct bh_image) == 152, "ABI");

/* ---- the machine -------------------------------------------------------------------------------- */

enum bh_machine_stat {
	BH_MACHINE_CPUS, /* CPUs that came up */
	BH_MACHINE_TSC_HZ,
	BH_MACHINE_MEMORY,	 /* bytes of RAM that the firmware reported */
	BH_MACHINE_MEMORY_FREE,	 /* bytes owned by nobody */
	BH_MACHINE_KERNEL_BYTES, /* bytes that the kernel keeps for itself */
	BH_MACHINE_KERNEL_FREE,	 /* of these, not in use */
	BH_MACHINE_KERNEL_256G,	 /* what it would keep on a machine with 256 GiB and this configuration */
	BH_MACHINE_LOG_FIRST,	 /* position of the oldest byte in the log ring */
	BH_MACHINE_LOG_END,	 /* position after the newest */
	BH_MACHINE_CPU_APIC_ID,	 /* index: CPU */
	BH_MACHINE_CPU_IDLE,	 /* index: CPU; ticks idle */
};
enum bh_machine_text {
	BH_TEXT_CAPS = 1,
	BH_TEXT_LOG /* offset: position */,
	BH_TEXT_AUDIT,
	BH_TEXT_PCI,
	BH_TEXT_IOMMU
};
enum bh_machine_control { BH_REBOOT = 1, BH_POWEROFF, BH_AUDIT, BH_CRASH_KERNEL };
