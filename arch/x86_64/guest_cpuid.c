/* Answers CPUID. The leaves that are asked often, and are the same for all vCPUs, are one look into
 * a table. */
#include "guest_cpuid.h"
#include <guests/lib/bh_string.h>
#include "partition.h"
#include "vcpu.h"
#include "virt.h"
#include "xstate.h"

/* Basic leaves whose answer depends on the vCPU or the subleaf. */
#define SPECIAL (1u << 1 | 1u << 4 | 1u << 7 | 1u << 0xb | 1u << 0xd)

#define KVM_LEAF      0x40000100u
#define KVM_SIGNATURE "KVMKVMKVM\0\0\0"
/* NOP_IO_DELAY, CLOCKSOURCE2, CLOCKSOURCE_STABLE_BIT (Linux, Documentation/virt/kvm/x86/cpuid.rst)
 */
#define KVM_FEATURES (1u << 1 | 1u << 3 | 1u << 24)

static struct guest_cpuid_policy policies[2]; /* [1]: guests, [0]: natives */

const struct guest_cpuid_policy *guest_cpuid_policy(const struct vcpu *vcpu) { return &policies[vcpu->is_guest]; }

void guest_cpuid_init(uint32_t missing)
{
	guest_cpuid_compute(&policies[0], false, missing);
	guest_cpuid_compute(&policies[1], true, missing);
}

/* Bits of an APIC ID that tell the cores of the one package apart. */
static uint32_t core_bits(const struct vcpu *vcpu)
{
	uint32_t count = vcpu->partition->vcpus;

	return count > 1 ? 32 - (uint32_t)__builtin_clz(count - 1) : 0;
}

static struct cpuid leaf_1(const struct vcpu *vcpu, struct cpuid r)
{
	bool osxsave = virt->read_special((struct vcpu *)vcpu, VIRT_CR4) & CR4_OSXSAVE;

	r.ebx |= vcpu->index << 24 | (1u << core_bits(vcpu)) << 16;
	if (r.ecx & 1u << 26 && osxsave)
		r.ecx |= 1u << 27;
	if (vcpu->partition->vcpus > 1)
		r.edx |= 1u << 28;
	if (vcpu->is_guest && !(atomic_load(&vcpu->arch.apic.base) & APIC_BASE_EN))
		r.edx &= ~(1u << 9);
	return r;
}

/* Caches of level 3 belong to the package, the others to each core. */
static struct cpuid leaf_4(const struct vcpu *vcpu, struct cpuid r)
{
	uint32_t others = (1u << core_bits(vcpu)) - 1;

	if (!r.eax)
		return r;
	if ((r.eax >> 5 & 7) >= 3)
		r.eax |= others << 14;
	r.eax |= others << 26;
	return r;
}

/* Extended topology: one thread per core, and the cores. */
static struct cpuid leaf_b(const struct vcpu *vcpu, uint32_t subleaf)
{
	struct cpuid r = { .ecx = subleaf & 0xff, .edx = vcpu->index };

	if (subleaf == 0) {
		r.ebx = 1;
		r.ecx |= 1u << 8;
	} else if (subleaf == 1) {
		r.eax = core_bits(vcpu);
		r.ebx = vcpu->partition->vcpus;
		r.ecx |= 2u << 8;
	}
	return r;
}

/* Bytes of an XSAVE area with these components; `compacted` as XSAVEC lays them out (SDM vol.
 * 1, 13.4.3). */
static uint32_t area_bytes(const struct guest_cpuid_policy *policy, uint64_t components, bool compacted)
{
	uint32_t bytes = CPUID_LEGACY_BYTES;

	for (uint32_t i = 2; i < CPUID_COMPONENTS; i++) {
		const struct cpuid *component = &policy->component[i];
		uint32_t start = component->ebx;

		if (!(components >> i & 1))
			continue;
		if (compacted)
			start = component->ecx & 2 ? (bytes + 63) & ~63u : bytes;
		if (start + component->eax > bytes)
			bytes = start + component->eax;
	}
	return bytes;
}

static struct cpuid leaf_d(const struct vcpu *vcpu, uint32_t subleaf)
{
	const struct guest_cpuid_policy *policy = guest_cpuid_policy(vcpu);
	struct cpuid r = { 0 };

	if (!policy->xcr0)
		return r;
	switch (subleaf) {
	case 0:
		r.eax = (uint32_t)policy->xcr0;
		r.ebx = area_bytes(policy, xstate_xcr0((struct vcpu *)vcpu), false);
		r.ecx = area_bytes(policy, policy->xcr0, false);
		return r;
	case 1:
		r.eax = policy->component[1].eax;
		if (r.eax & 2) /* XSAVEC; no bit of XSS is offered */
			r.ebx = area_bytes(policy, xstate_xcr0((struct vcpu *)vcpu), true);
		return r;
	default: return subleaf < CPUID_COMPONENTS ? policy->component[subleaf] : r;
	}
}

static struct cpuid signed_leaf(uint32_t highest, const char *signature)
{
	struct cpuid r = { .eax = highest };

	memcpy(&r.ebx, signature, 4);
	memcpy(&r.ecx, signature + 4, 4);
	memcpy(&r.edx, signature + 8, 4);
	return r;
}

static struct cpuid uncommon(const struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf)
{
	static const struct cpuid none;
	const struct guest_cpuid_policy *policy = guest_cpuid_policy(vcpu);

	switch (leaf) {
	case 1: return leaf_1(vcpu, policy->basic[1]);
	case 4: return subleaf < CPUID_CACHES ? leaf_4(vcpu, policy->cache[subleaf]) : none;
	case 7: return subleaf ? none : policy->basic[7];
	case 0xb: return leaf_b(vcpu, subleaf);
	case 0xd: return leaf_d(vcpu, subleaf);
	case BH_CPUID_LEAF: return signed_leaf(BH_CPUID_LEAF + 1, BH_CPUID_SIGNATURE);
	case BH_CPUID_LEAF + 1: return (struct cpuid){ .eax = BH_ABI_VERSION };
	case KVM_LEAF: return vcpu->is_guest ? signed_leaf(KVM_LEAF + 1, KVM_SIGNATURE) : none;
	case KVM_LEAF + 1: return vcpu->is_guest ? (struct cpuid){ .eax = KVM_FEATURES } : none;
	}
	if (leaf >> 28 == 4)
		return none;
	if (leaf - 0x80000000 < CPUID_EXTENDED)
		return policy->extended[leaf - 0x80000000];
	return policy->basic[CPUID_BASIC - 1];
}

static inline void answer(struct vcpu *vcpu, struct cpuid words)
{
	uint64_t *gpr = vcpu->arch.gpr;

	gpr[BH_RAX] = words.eax;
	gpr[BH_RBX] = words.ebx;
	gpr[BH_RCX] = words.ecx;
	gpr[BH_RDX] = words.edx;
}

static __attribute__((noinline)) void answer_uncommon(struct vcpu *vcpu, uint32_t leaf)
{
	answer(vcpu, uncommon(vcpu, leaf, (uint32_t)vcpu->arch.gpr[BH_RCX]));
}

void guest_cpuid(struct vcpu *vcpu)
{
	uint32_t leaf = (uint32_t)vcpu->arch.gpr[BH_RAX];

	if (leaf < CPUID_BASIC && !(SPECIAL >> leaf & 1))
		answer(vcpu, guest_cpuid_policy(vcpu)->basic[leaf]);
	else
		answer_uncommon(vcpu, leaf);
}
