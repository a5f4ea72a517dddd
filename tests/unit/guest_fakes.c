#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "guest_fakes.h"
#include "pool.h"

uint64_t clock_hz = 1000000000;
uint64_t fake_tsc;
uint64_t fake_special[16];
unsigned fake_wakes[FAKE_VCPUS];
uint64_t fake_timer[FAKE_VCPUS];
unsigned fake_offset_changes, fake_mode_changes;
uint64_t fake_xcr0;
struct partition fake_partition;
struct vcpu fake_vcpu[FAKE_VCPUS];

static struct {
	uint32_t leaf, subleaf;
	struct cpuid words;
} answers[64];
static unsigned answer_count;

void fake_cpuid_clear(void) { answer_count = 0; }

void fake_cpuid_set(uint32_t leaf, uint32_t subleaf, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	unsigned i = 0;

	while (i < answer_count && (answers[i].leaf != leaf || answers[i].subleaf != subleaf))
		i++;
	assert(i < 64);
	answers[i].leaf = leaf;
	answers[i].subleaf = subleaf;
	answers[i].words = (struct cpuid){ eax, ebx, ecx, edx };
	if (i == answer_count)
		answer_count++;
}

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	for (unsigned i = 0; i < answer_count; i++)
		if (answers[i].leaf == leaf && answers[i].subleaf == subleaf)
			return answers[i].words;
	return (struct cpuid){ 0 };
}

uint64_t clock_now(void) { return fake_tsc; }

void xsetbv(uint64_t value) { fake_xcr0 = value; }

uint64_t xgetbv(void) { return fake_xcr0; }

void *pool_alloc(unsigned pages)
{
	void *memory = aligned_alloc(4096, pages * 4096ul);

	return memory ? memset(memory, 0, pages * 4096ul) : NULL;
}

void vcpu_wake(struct vcpu *vcpu) { fake_wakes[vcpu->index]++; }

void vcpu_request(struct vcpu *vcpu, uint32_t request) { atomic_fetch_or(&vcpu->requests, request); }

void vcpu_set_timer(struct vcpu *vcpu, uint64_t tsc) { fake_timer[vcpu->index] = tsc; }

static uint64_t read_special(struct vcpu *vcpu, enum virt_register reg)
{
	(void)vcpu;
	return fake_special[reg];
}

static void write_special(struct vcpu *vcpu, enum virt_register reg, uint64_t value)
{
	(void)vcpu;
	fake_special[reg] = value;
}

static void offset_changed(struct vcpu *vcpu)
{
	(void)vcpu;
	fake_offset_changes++;
}

static void mode_changed(struct vcpu *vcpu)
{
	(void)vcpu;
	fake_mode_changes++;
}

static const struct virt_ops fake_virt = {
	.read_special = read_special,
	.write_special = write_special,
	.tsc_offset_changed = offset_changed,
	.apic_mode_changed = mode_changed,
};
const struct virt_ops *virt = &fake_virt;

void fake_start(unsigned vcpus)
{
	memset(&fake_partition, 0, sizeof(fake_partition));
	memset(fake_vcpu, 0, sizeof(fake_vcpu));
	memset(fake_special, 0, sizeof(fake_special));
	memset(fake_wakes, 0, sizeof(fake_wakes));
	fake_offset_changes = fake_mode_changes = 0;
	fake_tsc = 1000000;
	fake_partition.kind = BH_KIND_GUEST;
	fake_partition.vcpus = vcpus;
	for (unsigned i = 0; i < vcpus; i++) {
		struct vcpu *vcpu = &fake_vcpu[i];

		fake_partition.vcpu[i] = vcpu;
		vcpu->partition = &fake_partition;
		vcpu->index = i;
		vcpu->is_guest = true;
		assert(guest_apic_create(vcpu));
		guest_apic_reset(vcpu);
	}
}

void fake_end(void)
{
	for (unsigned i = 0; i < fake_partition.vcpus; i++)
		free(fake_vcpu[i].arch.apic.page);
}
