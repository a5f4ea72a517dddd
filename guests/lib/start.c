/* start.c: from crt0.S to main, and what an exception does. */
#include "bh.h"

struct gate { /* SDM vol. 3, figure 6-8 */
	uint16_t offset_low, selector;
	uint16_t flags; /* 15 present, 14:13 DPL, 11:8 type 14 (interrupt gate) */
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

struct exception_frame {
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

uint8_t bh_use_vmmcall;
struct gate bh_idt[256] __attribute__((aligned(16)));

extern void (*const bh_exception_entries[32])(void);
extern uint64_t bh_pagetables[];
extern char bh_stacks[];

_Noreturn void bh_start(unsigned vcpu);
_Noreturn void bh_exception(const struct exception_frame *frame);

static _Atomic bool ready;

void bh_gate(unsigned vector, void (*entry)(void), unsigned dpl)
{
	uint64_t offset = (uint64_t)entry;

	bh_idt[vector & 255] = (struct gate){
		.offset_low = (uint16_t)offset,
		.selector = BH_SELECTOR_CODE,
		.flags = (uint16_t)(0x8e00 | (dpl & 3) << 13),
		.offset_middle = (uint16_t)(offset >> 16),
		.offset_high = (uint32_t)(offset >> 32),
	};
}

static const char *exception_name(uint64_t vector)
{
	static const char *const names[] = {
		"divide error",
		"debug exception",
		"NMI",
		"breakpoint",
		"overflow",
		"bound range",
		"invalid opcode",
		"device not available",
		"double fault",
		"coprocessor",
		"invalid TSS",
		"segment not present",
		"stack fault",
		"general protection",
		"page fault",
		"reserved",
		"x87 floating point",
		"alignment check",
		"machine check",
		"SIMD floating point",
		"virtualization",
		"control protection",
	};

	return vector < sizeof(names) / sizeof(names[0]) ? names[vector] : "reserved";
}

_Noreturn void bh_exception(const struct exception_frame *frame)
{
	uint64_t cr2;

	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	bh_fail("vCPU %u: exception %u (%s), error code %#lx, at RIP %#lx, RSP %#lx, CR2 %#lx\n", bh_vcpu(),
		(unsigned)frame->vector, exception_name(frame->vector), frame->error, frame->rip, frame->rsp, cr2);
}

/* VMCALL and VMMCALL are each undefined on the other vendor's CPUs. Hygon's are AMD's in this. */
static uint8_t detect_vmmcall(void)
{
	uint32_t eax = 0, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return (ebx == 0x68747541 && edx == 0x69746e65 && ecx == 0x444d4163) || /* AuthenticAMD */
	       (ebx == 0x6f677948 && edx == 0x6e65476e && ecx == 0x656e6975);	/* HygonGenuine */
}

/*
 * Takes away the lowest page of each stack, so that an overflow ends the partition and does not
 * reach the neighbour's stack. The stacks lie in the first 2 MiB, which 4 KiB pages map (the
 * seventh table).
 */
static void guard_stacks(void)
{
	uint64_t *first_2m = bh_pagetables + 6 * 512;

	for (unsigned i = 0; i < BH_VCPUS_MAX; i++) {
		uint64_t page = (uint64_t)bh_stacks + (uint64_t)i * BH_STACK_BYTES;

		if (page >= 1ull << 21)
			return;
		first_2m[page >> 12] = 0;
		__asm__ volatile("invlpg (%0)" : : "r"(page) : "memory");
	}
}

static void initialise(void)
{
	const struct bh_info *info = bh_info();

	bh_use_vmmcall = detect_vmmcall();
	for (unsigned i = 0; i < 32; i++)
		bh_gate(i, bh_exception_entries[i], 0);
	guard_stacks();

	if (info->magic != BH_INFO_MAGIC)
		bh_fail("no information page: magic %#lx\n", info->magic);
	if (info->abi_version != BH_ABI_VERSION)
		bh_fail("built for ABI version %u, the kernel has %u\n", BH_ABI_VERSION, info->abi_version);

	atomic_store(&ready, true);
	for (unsigned i = 1; i < info->vcpus; i++)
		bh_call2(BH_EVENT_SIGNAL, i, 1ull << BH_EVENT_RUNTIME);
}

static void wait_until_ready(void)
{
	/* vCPU 0 chooses for itself; until it has, choose alike. The same value, so the race is
	 * none. */
	bh_use_vmmcall = detect_vmmcall();
	while (!atomic_load(&ready))
		bh_call3(BH_WAIT, 1ull << BH_EVENT_RUNTIME, BH_FOREVER, 0);
}

_Noreturn void bh_start(unsigned vcpu)
{
	if (vcpu == 0)
		initialise();
	else
		wait_until_ready();

	int result = main(vcpu);

	if (vcpu == 0)
		bh_exit(result);
	for (;;)
		bh_call3(BH_WAIT, 1ull << BH_EVENT_RUNTIME, BH_FOREVER, 0);
}
