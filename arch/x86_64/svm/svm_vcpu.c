#include <guests/lib/bh_string.h>
#include "cpu.h"
#include "exception.h"
#include "guest_msr.h"
#include "guest_state.h"
#include "instructions.h"
#include "msr.h"
#include "partition.h"
#include "pool.h"
#include "svm.h"
#include "vcpu.h"

#define MSRPM_PAGES 2 /* 2 bits for each MSR of three ranges: read, write (APM vol. 2, 15.11) */
#define IOPM_PAGES  3 /* a bit for each port, and three more behind the last */

#define DR6_INIT 0xffff0ff0ull
#define PAT_INIT 0x0007040600070406ull

/* Shared by all vCPUs: what exits. */
static uint8_t *msrpm_native, *msrpm_guest, *iopm_all;

/* ---- permission maps --------------------------------------------------------------------------- */

static void pass(uint8_t *map, uint32_t msr, bool write)
{
	uint32_t bit = (msr & 0x1fff) * 2;

	if (msr >= 0xc0000000)
		map += 0x800;
	map[bit / 8] &= (uint8_t) ~((write ? 3u : 1u) << bit % 8);
}

static bool make_maps(void)
{
	msrpm_native = pool_alloc(MSRPM_PAGES);
	msrpm_guest = pool_alloc(MSRPM_PAGES);
	iopm_all = pool_alloc(IOPM_PAGES);
	if (!msrpm_native || !msrpm_guest || !iopm_all)
		return false;
	memset(msrpm_native, 0xff, MSRPM_PAGES * PAGE_BYTES);
	memset(msrpm_guest, 0xff, MSRPM_PAGES * PAGE_BYTES);
	memset(iopm_all, 0xff, IOPM_PAGES * PAGE_BYTES);
	pass(msrpm_guest, IA32_TSC, false); /* the offset applies */
	for (unsigned i = 0; i < GUEST_MSR_DIRECT; i++)
		pass(msrpm_guest, guest_msr_direct[i], true);
	return true;
}

/* A native's own ports do not exit. */
static bool make_iopm(struct vcpu *vcpu)
{
	const struct partition *partition = vcpu->partition;
	uint8_t *map = iopm_all;

	if (!vcpu->is_guest && partition->port_ranges) {
		map = pool_alloc(IOPM_PAGES);
		if (!map)
			return false;
		guest_port_bitmap(partition, map, IOPM_PAGES * PAGE_BYTES);
	}
	vcpu->arch.svm.iopm = map;
	return true;
}

/* ---- creation ---------------------------------------------------------------------------------- */

bool svm_vcpu_create(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = &vcpu->arch.svm;

	svm->vmcb = pool_alloc(1);
	if (!svm->vmcb)
		return false;
	svm->vmcb_physical = pool_physical(svm->vmcb);
	return (msrpm_native || make_maps()) && make_iopm(vcpu);
}

/* Without an ASID no translation of its life is found again; the next entry gives it a fresh one. */
void svm_vcpu_release(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = &vcpu->arch.svm;

	svm->generation = 0;
	svm->life++;
	svm_place_forget(vcpu);
}

/* ---- what every reset writes anew -------------------------------------------------------------- */

static void write_intercepts(struct vcpu *vcpu, struct vmcb *vmcb)
{
	vmcb->intercept_1 = VMCB_1_INTR | VMCB_1_NMI | VMCB_1_INIT | VMCB_1_RDPMC | VMCB_1_CPUID | VMCB_1_RSM |
			    VMCB_1_INVD | VMCB_1_HLT | VMCB_1_INVLPGA | VMCB_1_IOIO | VMCB_1_MSR | VMCB_1_FREEZE |
			    VMCB_1_SHUTDOWN;
	vmcb->intercept_2 = VMCB_2_VMRUN | VMCB_2_VMMCALL | VMCB_2_VMLOAD | VMCB_2_VMSAVE | VMCB_2_STGI | VMCB_2_CLGI |
			    VMCB_2_SKINIT | VMCB_2_WBINVD | VMCB_2_MONITOR | VMCB_2_MWAIT | VMCB_2_XSETBV |
			    VMCB_2_RDPRU;
	vmcb->intercept_exceptions = 1u << EXCEPTION_DB | 1u << EXCEPTION_AC | 1u << EXCEPTION_MC;
	if (vcpu->is_guest) {
		vmcb->intercept_1 |= svm_caps.stale_code ? VMCB_1_SWINT : 0;
		vmcb->intercept_cr |= 1u << (16 + 4); /* beside what guest_state_reset has made of CR4 */
	} else {
		vmcb->intercept_exceptions |= 1u << EXCEPTION_NM;
		vmcb->intercept_cr = 1u << 8 | 1u << (16 + 0) | 1u << (16 + 4) | 1u << (16 + 8);
		vmcb->intercept_dr = UINT32_MAX;
	}
}

static void write_control(struct vcpu *vcpu, struct vmcb *vmcb)
{
	write_intercepts(vcpu, vmcb);
	vmcb->iopm_base = pool_physical(vcpu->arch.svm.iopm);
	vmcb->msrpm_base = pool_physical(vcpu->is_guest ? msrpm_guest : msrpm_native);
	vmcb->tsc_offset = vcpu->arch.tsc_offset;
	vmcb->interrupt_control = VMCB_V_INTR_MASKING;
	vmcb->nested_control = 1;
	vmcb->nested_cr3 = vcpu->partition->ept.root;
}

void svm_vcpu_reset(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = &vcpu->arch.svm;

	svm_vcpu_release(vcpu);
	svm->cpu = cpus[vcpu->cpu];
	memset(svm->vmcb, 0, sizeof(*svm->vmcb));
	svm->virtual_interrupt = 0;
	svm->unreadable = 0;
	svm->vmcb->dr6 = DR6_INIT;
	svm->vmcb->dr7 = 0x400;
	svm->vmcb->g_pat = PAT_INIT;
	guest_state_reset(vcpu);
	/* With OSFXSR, SSE raises #NM, like all else that CR0.TS forbids. */
	if (!vcpu->is_guest)
		svm->vmcb->cr4 |= CR4_OSFXSR;
	write_control(vcpu, svm->vmcb);
}
