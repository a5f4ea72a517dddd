#include "kernel_fakes.h"
#include <asm/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "address_space.h"
#include "clock.h"
#include "interrupt.h"
#include "guest_state.h"
#include "ioapic.h"
#include "log.h"
#include "machine.h"
#include "panic.h"
#include "pool.h"
#include <guests/lib/bh_format.h>
#include "start.h"
#include "vcpu_switch.h"
#include "window.h"

struct cpu fake_cpu[FAKE_CPUS];
struct cpu *cpus[CPU_MAX];
unsigned cpu_count;
struct paging kernel_paging;
const struct boot_info *start_boot_info;

uint64_t clock_hz = 1000000000;
uint64_t fake_now;
unsigned fake_kicks[FAKE_CPUS];
uint64_t fake_timer_deadline[FAKE_CPUS];

static uint8_t *frame[FAKE_RAM_END / FAKE_FRAME];
static uint8_t *region;

/* ---- CPUs and the clock ------------------------------------------------------------------------ */

static jmp_buf idled;

void (*fake_idle)(void);

void fake_on(unsigned index) { syscall(SYS_arch_prctl, ARCH_SET_GS, &fake_cpu[index]); }

uint64_t (*fake_clock)(void);
void (*fake_kicked)(unsigned index);

uint64_t clock_now(void) { return fake_clock ? fake_clock() : fake_now; }

uint64_t clock_ticks(uint64_t microseconds) { return clock_hz / 1000000 * microseconds; }

static unsigned this_index(void)
{
	struct cpu *cpu;

	__asm__("mov %%gs:0, %0" : "=r"(cpu));
	return cpu->index;
}

void clock_set_timer(uint64_t tsc) { fake_timer_deadline[this_index()] = tsc; }

void kick_cpu(unsigned index)
{
	assert_int_not_equal(index, this_index());
	fake_kicks[index]++;
	if (fake_kicked)
		fake_kicked(index);
}

void cpu_idle(void)
{
	if (!fake_idle)
		longjmp(idled, 1);
	fake_idle();
}

struct vcpu *fake_run(unsigned index)
{
	fake_on(index);
	return setjmp(idled) ? NULL : sched_next(&fake_cpu[index]);
}

/* ---- memory ------------------------------------------------------------------------------------ */

uint8_t *fake_memory(uint64_t physical)
{
	uint8_t **at = &frame[physical / FAKE_FRAME];

	assert_in_range(physical, 1, FAKE_RAM_END - 1);
	assert_false(physical >= FAKE_REGION && physical < FAKE_REGION + FAKE_REGION_BYTES);
	if (!*at)
		*at = calloc(1, FAKE_FRAME);
	return *at + physical % FAKE_FRAME;
}

bool fake_memory_is(uint64_t physical, uint64_t bytes, uint8_t value)
{
	uint64_t left = 0;
	const uint8_t *at = NULL;

	for (uint64_t done = 0; done < bytes; done++, left--) {
		if (!left) {
			at = fake_memory(physical + done);
			left = FAKE_FRAME - (physical + done) % FAKE_FRAME;
		}
		if (*at++ != value)
			return false;
	}
	return true;
}

void fake_memory_fill(uint64_t physical, uint64_t bytes, uint8_t value)
{
	for (uint64_t done = 0, chunk; done < bytes; done += chunk) {
		chunk = FAKE_FRAME - (physical + done) % FAKE_FRAME;
		chunk = chunk < bytes - done ? chunk : bytes - done;
		memset(fake_memory(physical + done), value, chunk);
	}
}

void (*fake_looked)(uint64_t physical);

void *window_map_slot(unsigned slot, uint64_t physical)
{
	assert_in_range(slot, 0, 1);
	if (fake_looked)
		fake_looked(physical);
	return fake_memory(physical);
}

/* ---- words ------------------------------------------------------------------------------------- */

char fake_log[512];
unsigned fake_log_lines;
char fake_panic[256];
bool fake_panic_expected;
jmp_buf fake_panicked;

void log_printf(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	bh_vsnprintf(fake_log, sizeof(fake_log), fmt, arguments);
	va_end(arguments);
	fake_log_lines++;
}

/* A log that has lost its first 100 bytes, and goes on for 20. */
uint64_t log_first(void) { return 100; }

uint64_t log_end(void) { return 120; }

size_t log_read(uint64_t position, char *buffer, size_t n)
{
	size_t done = 0;

	for (; position >= 100 && position + done < 120 && done < n; done++)
		buffer[done] = (char)('a' + (position + done - 100));
	return done;
}

static _Noreturn void end(void)
{
	if (!fake_panic_expected)
		fail_msg("panic: %s", fake_panic);
	longjmp(fake_panicked, 1);
}

void panic(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	bh_vsnprintf(fake_panic, sizeof(fake_panic), fmt, arguments);
	va_end(arguments);
	end();
}

void machine_reset(void)
{
	strcpy(fake_panic, "reset");
	end();
}

void machine_poweroff(void)
{
	strcpy(fake_panic, "poweroff");
	end();
}

/* ---- the back end ------------------------------------------------------------------------------ */

unsigned fake_resets, fake_startups, fake_releases, fake_skips, fake_gps, fake_get_states, fake_set_states;
struct vcpu *fake_virt_vcpu;
uint32_t fake_groups, fake_startup_vector;
struct bh_vcpu_state fake_state;
struct vcpu *fake_state_from, *fake_state_to;

static const struct paging_format *nested_paging(void) { return &paging_ept_1g; }

static bool virt_create(struct vcpu *vcpu)
{
	(void)vcpu;
	return true;
}

/* The vCPU's own CPU must be the caller. */
static void note(struct vcpu *vcpu, unsigned *count)
{
	assert_int_equal(vcpu->cpu, this_index());
	fake_virt_vcpu = vcpu;
	(*count)++;
}

static void virt_reset(struct vcpu *vcpu) { note(vcpu, &fake_resets); }

void guest_state_startup(struct vcpu *vcpu, uint32_t vector)
{
	note(vcpu, &fake_startups);
	fake_startup_vector = vector;
}

static void virt_release(struct vcpu *vcpu) { note(vcpu, &fake_releases); }

static void virt_skip(struct vcpu *vcpu) { note(vcpu, &fake_skips); }

static void virt_gp(struct vcpu *vcpu) { note(vcpu, &fake_gps); }

static void virt_get_state(struct vcpu *vcpu, uint32_t groups, struct bh_vcpu_state *state)
{
	note(vcpu, &fake_get_states);
	fake_groups = groups;
	*state = fake_state;
}

static void virt_set_state(struct vcpu *vcpu, uint32_t groups, const struct bh_vcpu_state *state)
{
	note(vcpu, &fake_set_states);
	fake_groups = groups;
	fake_state = *state;
}

static unsigned virt_exit_reason(unsigned number) { return number < BH_EXIT_REASONS ? number : BH_EXIT_OTHER; }

static const struct virt_ops fake_virt = {
	.exit_reason = virt_exit_reason,
	.name = "fake",
	.paging = nested_paging,
	.vcpu_create = virt_create,
	.vcpu_reset = virt_reset,
	.vcpu_release = virt_release,
	.get_state = virt_get_state,
	.set_state = virt_set_state,
	.skip = virt_skip,
	.inject_gp = virt_gp,
};
const struct virt_ops *virt = &fake_virt;

void vcpu_switch_state(struct vcpu *from, struct vcpu *to)
{
	fake_state_from = from;
	fake_state_to = to;
}

/* ---- a guest's CPU ----------------------------------------------------------------------------- */

bool guest_apic_create(struct vcpu *vcpu)
{
	vcpu->arch.apic.page = pool_alloc(1);
	return vcpu->arch.apic.page;
}

void guest_apic_power(struct vcpu *vcpu) { atomic_store(&vcpu->arch.apic.base, APIC_BASE_EN); }

void guest_apic_reset(struct vcpu *vcpu) { vcpu->arch.apic.attention = 0; }

void guest_apic_init(struct vcpu *vcpu) { vcpu->arch.apic.attention = 0; }

bool guest_apic_take(struct guest_apic *apic)
{
	(void)apic;
	return true;
}

/* Vector 32 is pending once a test has set `attention`. */
int guest_apic_scan(struct guest_apic *apic)
{
	(void)apic;
	return 32;
}

void guest_apic_timer_expired(struct vcpu *vcpu) { atomic_store(&vcpu->arch.apic.attention, APIC_ATTENTION_SCAN); }

int guest_apic_msi(struct partition *partition, uint64_t address, uint32_t data)
{
	(void)partition;
	(void)data;
	return (address & 0xfff00000) == 0xfee00000 ? 0 : -BH_EINVAL;
}

/* An APIC of one register, at every offset. */
uint32_t guest_apic_read(struct vcpu *vcpu, uint32_t offset) { return *(uint32_t *)vcpu->arch.apic.page + offset; }

/* Writing the EOI register ends vector 77. */
int guest_apic_write(struct vcpu *vcpu, uint32_t offset, uint32_t value)
{
	*(uint32_t *)vcpu->arch.apic.page = value;
	return offset == APIC_EOI ? 77 : -1;
}

void guest_msr_reset(struct vcpu *vcpu) { vcpu->arch.msr = (struct guest_msr){ 0 }; }

void xstate_init(struct xstate *xstate) { xstate->xcr0 = XCR0_X87; }

size_t xstate_bytes(void) { return sizeof(struct xstate) + 4096; }

/* ---- interrupts of devices --------------------------------------------------------------------- */

bool ioapic_route_isa(unsigned irq, unsigned vector, unsigned cpu_index)
{
	(void)vector;
	(void)cpu_index;
	return irq != 13; /* a pin that is not there */
}

static uint32_t wired;
uint32_t fake_unmasked;

bool ioapic_wire_pci(unsigned irq)
{
	wired |= 1u << irq;
	return irq != 13;
}

bool ioapic_is_level(unsigned irq) { return irq == 9 || wired >> irq & 1; }

void ioapic_mask(unsigned irq, bool mask) { fake_unmasked = (fake_unmasked & ~(1u << irq)) | (uint32_t)!mask << irq; }

/* ---- PCI ----------------------------------------------------------------------------------------- */

struct acpi machine_acpi = { .ecams = 1 }; /* bus 0 alone */

__attribute__((weak)) void *mmio_map(uint64_t physical, uint64_t bytes, unsigned type)
{
	static uint8_t registers[0x10000];
	static size_t used;
	void *at = registers + used;

	(void)physical;
	assert_int_equal(type, PAGING_UC);
	used += bytes;
	return used <= sizeof(registers) ? at : NULL;
}

/* ---- all of it --------------------------------------------------------------------------------- */

void fake_forget(void)
{
	memset(fake_kicks, 0, sizeof(fake_kicks));
	fake_log[0] = fake_panic[0] = 0;
	fake_log_lines = 0;
	fake_resets = fake_startups = fake_releases = fake_skips = fake_gps = 0;
	fake_get_states = fake_set_states = 0;
	fake_virt_vcpu = fake_state_from = fake_state_to = NULL;
	fake_idle = NULL;
	fake_looked = NULL;
	fake_clock = NULL;
	fake_kicked = NULL;
}

void fake_machine(unsigned count)
{
	fake_machine_end();
	fake_forget();
	fake_now = 1000000;
	cpu_count = count;
	for (unsigned i = 0; i < count; i++) {
		fake_cpu[i] = (struct cpu){ .self = &fake_cpu[i], .index = i, .apic_id = 2 * i };
		cpus[i] = &fake_cpu[i];
		fake_timer_deadline[i] = UINT64_MAX;
	}
	fake_on(0);
	region = aligned_alloc(4096, FAKE_REGION_BYTES);
	memset(region, 0xcc, FAKE_REGION_BYTES);
	pool_init(region, FAKE_REGION, FAKE_REGION_BYTES);
}

void fake_machine_end(void)
{
	free(region);
	region = NULL;
	for (unsigned i = 0; i < FAKE_RAM_END / FAKE_FRAME; i++) {
		free(frame[i]);
		frame[i] = NULL;
	}
}
