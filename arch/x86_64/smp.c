#include "smp.h"
#include <stddef.h>
#include <guests/lib/bh_format.h>
#include <guests/lib/bh_string.h>
#include "address_space.h"
#include "apic.h"
#include "clock.h"
#include "cpu_this.h"
#include "instructions.h"
#include "log.h"
#include "machine.h"
#include "spinlock.h"
#include "start.h"

#define INIT_MICROSECONDS    10000u /* SDM vol. 3, 9.4.4.1 */
#define STARTUP_MICROSECONDS 200u
#define ANSWER_MICROSECONDS  200000u
#define STARTUPS	     10u /* the SDM wants 2 */
#define SYNC_ROUNDS	     4u

/* At the end of trampoline.S. */
struct trampoline_parameters {
	uint64_t cr3; /* below 4 GiB */
	uint64_t stack, cpu, entry;
	_Atomic uint32_t claim; /* 1: a CPU may come; the one that comes makes it 0 */
	uint32_t pad;
};
_Static_assert(sizeof(struct trampoline_parameters) == 40, "trampoline.S");

extern const uint8_t trampoline_start[], trampoline_end[], trampoline_parameters[];
extern const uint8_t trampoline_gdt_base[],
	trampoline_long_mode[]; /* 32 bits each; the page's address is to be added */

/* The TSC goes back and forth between the boot CPU (even turns) and the new one (odd turns). */
static struct {
	_Atomic uint32_t turn;
	uint64_t last;	    /* TSC of whoever had the last turn */
	uint64_t backwards; /* by how many ticks the other's TSC was behind, at most */
} sync;

static struct trampoline_parameters *parameters; /* in the trampoline page */

static void sync_turns(uint32_t parity)
{
	for (uint32_t turn = parity; turn < 2 * SYNC_ROUNDS; turn += 2) {
		uint64_t now;

		while (atomic_load(&sync.turn) != turn)
			spin_pause();
		__asm__ volatile("lfence" : : : "memory");
		now = clock_now();
		if (now < sync.last && sync.last - now > sync.backwards)
			sync.backwards = sync.last - now;
		sync.last = now;
		atomic_store(&sync.turn, turn + 1);
	}
}

/* The C entry of a woken CPU, on its own stack. */
_Noreturn static void ap_entry(struct cpu *cpu)
{
	arch_cpu_load(cpu);
	address_space_load();
	apic_enable();
	/* One that was given up and comes after all has taken another's place, where nobody could reach it. */
	if (apic_id() != cpu->apic_id)
		cpu_halt();
	clock_enable();
	cpu->arch.online = true;
	sync_turns(1);
	cpu_main(cpu);
}

static bool wait_for(const _Atomic bool *flag, uint64_t microseconds)
{
	uint64_t end = clock_now() + clock_ticks(microseconds);

	while (!atomic_load(flag)) {
		if (clock_now() >= end)
			return false;
		spin_pause();
	}
	return true;
}

static void *in_copy(uint8_t *copy, const uint8_t *field) { return copy + (field - trampoline_start); }

static bool prepare_trampoline(uint64_t page)
{
	uint8_t *copy;

	if (!page || address_space_identity() > UINT32_MAX) {
		log_printf("smp: no page below 1 MiB, or the kernel lies above 4 GiB: only the boot "
			   "CPU is used");
		return false;
	}
	copy = mmio_map(page, PAGING_4K, PAGING_WB);
	if (!copy)
		return false;
	memcpy(copy, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	*(uint32_t *)in_copy(copy, trampoline_gdt_base) += (uint32_t)page;
	*(uint32_t *)in_copy(copy, trampoline_long_mode) += (uint32_t)page;
	parameters = in_copy(copy, trampoline_parameters);
	parameters->cr3 = address_space_identity();
	parameters->entry = (uint64_t)ap_entry;
	return true;
}

/* False if the CPU did not answer. */
static bool wake(struct cpu *cpu, uint64_t page)
{
	parameters->stack = cpu->arch.stack_top;
	parameters->cpu = (uint64_t)cpu;
	atomic_store(&parameters->claim, 1);

	apic_send_init(cpu->apic_id);
	clock_wait(INIT_MICROSECONDS);
	apic_send_startup(cpu->apic_id, page);
	if (wait_for(&cpu->arch.online, STARTUP_MICROSECONDS))
		return true;
	/* One that has started ignores them. A virtual one loses those that come before it has seen the INIT. */
	for (unsigned sent = 1; sent < STARTUPS; sent++) {
		apic_send_startup(cpu->apic_id, page);
		if (wait_for(&cpu->arch.online, ANSWER_MICROSECONDS))
			return true;
	}
	/* Whoever takes the claim first: from here on a late CPU halts in the trampoline. */
	return atomic_exchange(&parameters->claim, 0) == 0 && wait_for(&cpu->arch.online, ANSWER_MICROSECONDS);
}

static bool start_cpu(uint32_t apic_id, uint64_t page)
{
	struct cpu *cpu = arch_cpu_create(cpu_count, apic_id, 0);

	if (!cpu) {
		log_printf("smp: the kernel region has no room for CPU %u (APIC id %u)", cpu_count, apic_id);
		return false;
	}
	sync.turn = 0;
	sync.last = sync.backwards = 0;
	/* Its index is valid before it runs. */
	cpus[cpu_count] = cpu;
	if (!wake(cpu, page)) {
		log_printf("smp: the CPU with APIC id %u does not answer; left out", apic_id);
		/* Its memory stays taken: one that has come half-way might still use it. */
		cpus[cpu_count] = NULL;
		return true;
	}
	cpu_count++;
	sync_turns(0);
	/* Its last turn: before that nothing here may be used for the next CPU. */
	while (atomic_load(&sync.turn) != 2 * SYNC_ROUNDS)
		spin_pause();
	if (sync.backwards)
		log_printf("smp: the TSC of CPU %u is out of step by %lu ticks: time there is wrong", cpu->index,
			   sync.backwards);
	return true;
}

static bool may_start(uint32_t apic_id)
{
	if (apic_id == cpus[0]->apic_id)
		return false;
	if (apic_id < 255 || apic_is_x2apic())
		return true;
	log_printf("smp: APIC id %u needs an x2APIC; left out", apic_id);
	return false;
}

static void log_cpus(const char *source)
{
	char text[128];
	int n = 0;

	for (unsigned i = 0; i < cpu_count && n < 100; i++)
		n += bh_snprintf(text + n, sizeof(text) - (size_t)n, " %u", cpus[i]->apic_id);
	log_printf("smp: %u CPUs run, named by %s; APIC ids%s%s", cpu_count, source, text, n < 100 ? "" : " ...");
}

void smp_start(const struct boot_info *info)
{
	bool madt = machine_acpi.madt;
	const uint32_t *id = madt ? machine_acpi.apic_id : info->apic_id;
	uint32_t count = madt ? machine_acpi.cpus : info->cpus;

	if (machine_acpi.cpus_left_out)
		log_printf("smp: %u CPUs too many; this kernel is built for %u", machine_acpi.cpus_left_out, CPU_MAX);
	if (count > 1 && prepare_trampoline(info->trampoline)) {
		for (uint32_t i = 0; i < count && cpu_count < CPU_MAX; i++) {
			if (may_start(id[i]) && !start_cpu(id[i], info->trampoline))
				break;
		}
		mmio_unmap(parameters, sizeof(*parameters));
	}
	log_cpus(madt ? "ACPI" : count ? "EFI's MP services" : "nobody but itself");
}
