#include "apic.h"
#include "address_space.h"
#include "cpu.h"
#include "instructions.h"
#include "interrupt.h"
#include "msr.h"
#include "panic.h"
#include "spinlock.h"

#define ICR_PENDING	 (1u << 12)
#define ICR_ASSERT	 (1u << 14)
#define ICR_ALL_BUT_SELF (3u << 18)

static bool x2apic;
static volatile uint32_t *registers; /* of the xAPIC, at the same address on all CPUs */

void apic_init(void)
{
	struct cpuid features = cpuid(1, 0);

	if (!(features.edx & 1u << 9))
		panic("this CPU has no local APIC (CPUID.1:EDX bit 9)");
	x2apic = features.ecx & 1u << 21;
	if (x2apic)
		return;
	registers = mmio_map(rdmsr(IA32_APIC_BASE) & 0x000ffffffffff000ull, PAGING_4K, PAGING_UC);
	if (!registers)
		panic("cannot map the local APIC");
}

bool apic_is_x2apic(void) { return x2apic; }

uint32_t apic_read(enum apic_register offset)
{
	if (x2apic)
		return (uint32_t)rdmsr(IA32_X2APIC_FIRST + offset / 16);
	return registers[offset / 4];
}

void apic_write(enum apic_register offset, uint32_t value)
{
	if (x2apic)
		wrmsr(IA32_X2APIC_FIRST + offset / 16, value);
	else
		registers[offset / 4] = value;
}

void apic_enable(void)
{
	uint64_t base = rdmsr(IA32_APIC_BASE) | APIC_BASE_EN;
	unsigned highest_lvt;

	/* From disabled the way to x2APIC leads through xAPIC (SDM vol. 3, 11.12.5). */
	wrmsr(IA32_APIC_BASE, base);
	if (x2apic)
		wrmsr(IA32_APIC_BASE, base | APIC_BASE_EXTD);

	apic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_TPR, 0);
	highest_lvt = apic_read(APIC_VERSION) >> 16 & 0xff;
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, APIC_NMI << 8);
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
	if (highest_lvt >= 4)
		apic_write(APIC_LVT_PERF, LVT_MASKED);
	if (highest_lvt >= 5)
		apic_write(APIC_LVT_THERMAL, LVT_MASKED);
}

uint32_t apic_id(void) { return x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24; }

void apic_eoi(void) { apic_write(APIC_EOI, 0); }

static void send(uint32_t target, uint32_t command)
{
	if (x2apic) {
		/* WRMSR to the x2APIC does not wait for earlier stores (SDM vol. 3, 11.12.3). */
		__asm__ volatile("mfence; lfence" : : : "memory");
		wrmsr(IA32_X2APIC_FIRST + APIC_ICR / 16, (uint64_t)target << 32 | command);
		return;
	}
	while (registers[APIC_ICR / 4] & ICR_PENDING)
		spin_pause();
	registers[APIC_ICR / 4 + 4] = target << 24;
	registers[APIC_ICR / 4] = command;
}

void kick_cpu(unsigned index) { send(cpus[index]->apic_id, VECTOR_KICK | ICR_ASSERT); }

void apic_send_nmi_all_but_self(void) { send(0, APIC_NMI << 8 | ICR_ASSERT | ICR_ALL_BUT_SELF); }

void apic_send_init(uint32_t target) { send(target, APIC_INIT << 8 | ICR_ASSERT); }

void apic_send_startup(uint32_t target, uint64_t page)
{
	send(target, APIC_SIPI << 8 | ICR_ASSERT | (uint32_t)(page >> 12));
}
