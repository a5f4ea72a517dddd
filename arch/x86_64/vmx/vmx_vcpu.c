#include <guests/lib/bh_string.h>
#include "cpu.h"
#include "cpu_this.h"
#include "exception.h"
#include "guest_apic.h"
#include "guest_cpuid.h"
#include "guest_msr.h"
#include "guest_state.h"
#include "instructions.h"
#include "interrupt.h"
#include "msr.h"
#include "partition.h"
#include "pool.h"
#include "vcpu.h"
#include "vmx.h"

/* Shared by all vCPUs: what exits. One bit each for reads and writes of the two ranges (24.6.9). */
static uint8_t *msr_bitmap_native, *msr_bitmap_guest, *msr_bitmap_guest_x2apic;
static uint16_t last_vpid;

/* ---- MSR bitmaps ------------------------------------------------------------------------------- */

static void pass(uint8_t *bitmap, uint32_t msr, bool read, bool write)
{
	uint32_t bit = msr & 0x1fff;
	uint8_t *low = bitmap + (msr >= 0xc0000000 ? 1024 : 0) + bit / 8;

	if (read)
		low[0] &= (uint8_t) ~(1u << bit % 8);
	if (write)
		low[2048] &= (uint8_t) ~(1u << bit % 8);
}

/*
 * With APIC-register virtualization reads find the value in the page, but for the timer's current
 * count and ICR; with virtual-interrupt delivery the writes of TPR and EOI are done by the hardware
 * (29.5). It could do self-IPIs too, but they mostly come with interrupts off (see vmx_run.c).
 */
static void pass_x2apic(uint8_t *bitmap)
{
	static const struct {
		uint16_t first, last;
	} readable[] = { { 0x802, 0x803 }, { 0x808, 0x808 }, { 0x80a, 0x80a }, { 0x80d, 0x80d },
			 { 0x80f, 0x828 }, { 0x832, 0x838 }, { 0x83e, 0x83e } };

	if (vmx_caps.apic_registers) {
		for (unsigned i = 0; i < sizeof(readable) / sizeof(readable[0]); i++) {
			for (uint32_t msr = readable[i].first; msr <= readable[i].last; msr++)
				pass(bitmap, msr, true, false);
		}
	}
	if (vmx_caps.interrupt_delivery) {
		pass(bitmap, 0x808, false, true);
		pass(bitmap, 0x80b, false, true);
	}
}

static bool make_bitmaps(void)
{
	msr_bitmap_native = pool_alloc(1);
	msr_bitmap_guest = pool_alloc(1);
	msr_bitmap_guest_x2apic = pool_alloc(1);
	if (!msr_bitmap_native || !msr_bitmap_guest || !msr_bitmap_guest_x2apic)
		return false;
	memset(msr_bitmap_native, 0xff, 4096);
	memset(msr_bitmap_guest, 0xff, 4096);
	pass(msr_bitmap_guest, IA32_TSC, true, false); /* the offset applies */
	for (unsigned i = 0; i < GUEST_MSR_DIRECT; i++)
		pass(msr_bitmap_guest, guest_msr_direct[i], true, true);
	memcpy(msr_bitmap_guest_x2apic, msr_bitmap_guest, 4096);
	pass_x2apic(msr_bitmap_guest_x2apic);
	return true;
}

/* ---- creation ---------------------------------------------------------------------------------- */

static bool make_io_bitmaps(struct vcpu *vcpu)
{
	const struct partition *partition = vcpu->partition;
	uint8_t *bitmaps;

	if (!partition->port_ranges)
		return true;
	bitmaps = pool_alloc(2);
	if (!bitmaps)
		return false;
	guest_port_bitmap(partition, bitmaps, 8192);
	vcpu->arch.vmx.io_bitmaps = bitmaps;
	return true;
}

bool vmx_vcpu_create(struct vcpu *vcpu)
{
	uint32_t *vmcs = pool_alloc(1);

	if (!vmcs || (!msr_bitmap_native && !make_bitmaps()))
		return false;
	if (!vcpu->is_guest && !make_io_bitmaps(vcpu))
		return false;
	*vmcs = vmx_caps.revision;
	vcpu->arch.vmx.vmcs = pool_physical(vmcs);
	if (vmx_caps.vpid)
		vcpu->arch.vmx.vpid = ++last_vpid;
	return true;
}

void vmx_vcpu_release(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();

	vmclear(vcpu->arch.vmx.vmcs);
	vcpu->arch.resumable = false;
	if (cpu->resident == vcpu)
		cpu->resident = NULL;
}

/* ---- what every reset writes anew -------------------------------------------------------------- */

static void set_host(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();

	vmwrite(HOST_CS_SELECTOR, GDT_CODE);
	vmwrite(HOST_SS_SELECTOR, GDT_DATA);
	vmwrite(HOST_DS_SELECTOR, GDT_DATA);
	vmwrite(HOST_ES_SELECTOR, GDT_DATA);
	vmwrite(HOST_FS_SELECTOR, 0);
	vmwrite(HOST_GS_SELECTOR, 0);
	vmwrite(HOST_TR_SELECTOR, GDT_TSS);
	vmwrite(HOST_FS_BASE, 0);
	vmwrite(HOST_GS_BASE, (uint64_t)cpu);
	vmwrite(HOST_TR_BASE, (uint64_t)&cpu->arch.tss);
	vmwrite(HOST_GDTR_BASE, (uint64_t)cpu->arch.gdt);
	vmwrite(HOST_IDTR_BASE, interrupt_idt_base());
	vmwrite(HOST_SYSENTER_CS, 0);
	vmwrite(HOST_SYSENTER_ESP, 0);
	vmwrite(HOST_SYSENTER_EIP, 0);
	vmwrite(HOST_CR0, read_cr0());
	vmwrite(HOST_CR3, read_cr3());
	vmwrite(HOST_CR4, read_cr4());
	vmwrite(HOST_IA32_PAT, rdmsr(IA32_PAT));
	vmwrite(HOST_IA32_EFER, rdmsr(IA32_EFER));
	vmwrite(HOST_RSP, (uint64_t)vcpu->arch.gpr);
	vmwrite(HOST_RIP, (uint64_t)vmx_exit_entry);
}

static uint32_t guest_secondary(void)
{
	uint32_t bits = 0;

	bits |= vmx_caps.rdtscp ? SECONDARY_RDTSCP : 0;
	bits |= vmx_caps.invpcid ? SECONDARY_INVPCID : 0;
	bits |= vmx_caps.xsaves ? SECONDARY_XSAVES : 0;
	bits |= vmx_caps.apic_registers ? SECONDARY_APIC_REGISTERS : 0;
	bits |= vmx_caps.interrupt_delivery ? SECONDARY_INTERRUPT_DELIVERY : 0;
	return bits;
}

static void choose_controls(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->arch.vmx;

	vmx->pin = vmx_caps.pin | PIN_EXTERNAL_INTERRUPT | PIN_NMI;
	vmx->primary = vmx_caps.primary | PRIMARY_TSC_OFFSETTING | PRIMARY_HLT | PRIMARY_MWAIT | PRIMARY_RDPMC |
		       PRIMARY_MSR_BITMAPS | PRIMARY_MONITOR | PRIMARY_SECONDARY;
	vmx->secondary = vmx_caps.secondary | SECONDARY_EPT | SECONDARY_WBINVD | SECONDARY_UNRESTRICTED_GUEST |
			 (vmx->vpid ? SECONDARY_VPID : 0);
	/* Real CPUs without the TRUE controls force CR3 exiting on; with EPT that is not needed. */
	vmx->primary &= ~(PRIMARY_CR3_LOAD | PRIMARY_CR3_STORE);
	vmx->primary |= vmx->io_bitmaps ? PRIMARY_IO_BITMAPS : PRIMARY_IO;
	if (vcpu->is_guest) {
		vmx->primary |= PRIMARY_TPR_SHADOW;
		vmx->secondary |= guest_secondary();
	} else {
		vmx->primary |= PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE | PRIMARY_MOV_DR;
	}
	vmx->preemption_timer = false;
	vmx->armed = VMX_NOT_ARMED;
	vmx->interrupt_window = false;
}

static void write_controls(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->arch.vmx;
	uint32_t exceptions = 1u << EXCEPTION_DB | 1u << EXCEPTION_AC | 1u << EXCEPTION_MC;

	vmwrite(PIN_BASED_CONTROLS, vmx->pin);
	vmwrite(PRIMARY_CONTROLS, vmx->primary);
	vmwrite(SECONDARY_CONTROLS, vmx->secondary);
	vmwrite(EXIT_CONTROLS, vmx_caps.exit | EXIT_SAVE_DEBUG | EXIT_HOST_64BIT | EXIT_ACK_INTERRUPT | EXIT_SAVE_PAT |
				       EXIT_LOAD_PAT | EXIT_SAVE_EFER | EXIT_LOAD_EFER);
	vmwrite(ENTRY_CONTROLS, vmx_caps.entry | ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER);
	vmwrite(EXCEPTION_BITMAP, exceptions | (vcpu->is_guest ? 0 : 1u << EXCEPTION_NM));
	vmwrite(EPT_POINTER, vcpu->partition->ept.root | vmx_caps.eptp_flags);
	vmwrite(TSC_OFFSET, vcpu->arch.tsc_offset);
	vmwrite(VMCS_LINK_POINTER, UINT64_MAX);
	if (vmx->vpid)
		vmwrite(VPID, vmx->vpid);
	if (vmx->io_bitmaps) {
		vmwrite(IO_BITMAP_A, pool_physical(vmx->io_bitmaps));
		vmwrite(IO_BITMAP_B, pool_physical(vmx->io_bitmaps + 4096));
	}
	vmwrite(MSR_BITMAPS, pool_physical(vcpu->is_guest ? msr_bitmap_guest : msr_bitmap_native));
}

static void write_apic_controls(struct vcpu *vcpu)
{
	vmwrite(VIRTUAL_APIC_ADDRESS, pool_physical(vcpu->arch.apic.page));
	vmwrite(TPR_THRESHOLD, 0);
	if (vmx_caps.interrupt_delivery) {
		vmwrite(GUEST_INTERRUPT_STATUS, 0);
		for (unsigned i = 0; i < 4; i++) {
			vmwrite(EOI_EXIT_BITMAP_0 + 2 * i, 0);
			vcpu->arch.vmx.eoi_exit[i] = 0;
		}
	}
	if (vmx_caps.xsaves)
		vmwrite(XSS_EXITING_BITMAP, 0);
}

void vmx_apic_mode_changed(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->arch.vmx;
	bool x2apic = guest_apic_is_x2apic(&vcpu->arch.apic) && vmx_caps.apic_registers;

	vmx_make_current(vcpu);
	vmx->secondary = x2apic ? vmx->secondary | SECONDARY_X2APIC : vmx->secondary & ~SECONDARY_X2APIC;
	vmwrite(SECONDARY_CONTROLS, vmx->secondary);
	vmwrite(MSR_BITMAPS, pool_physical(x2apic ? msr_bitmap_guest_x2apic : msr_bitmap_guest));
}

/*
 * The bits of CR0 and CR4 that the guest does not own: what VMX fixes, and what no policy offers.
 * It reads what it last wrote to them.
 */
static void write_masks(struct vcpu *vcpu)
{
	uint64_t cr0 = CR0_NE | CR0_NW | CR0_CD;
	uint64_t cr4 = ~(guest_cpuid_policy(vcpu)->cr4 & ~(uint64_t)CR4_MCE);

	if (!vcpu->is_guest) {
		cr0 = ~0ull;
		cr4 = ~0ull;
	}
	vmwrite(CR0_MASK, cr0);
	vmwrite(CR4_MASK, cr4);
}

/* ---- register state ---------------------------------------------------------------------------- */

static void write_state(struct vcpu *vcpu)
{
	vcpu->arch.vmx.pending = 0;
	vmwrite(GUEST_DR7, 0x400);
	vmwrite(GUEST_IA32_DEBUGCTL, 0);
	vmwrite(GUEST_IA32_PAT, 0x0007040600070406ull);
	vmwrite(GUEST_SYSENTER_CS, 0);
	vmwrite(GUEST_SYSENTER_ESP, 0);
	vmwrite(GUEST_SYSENTER_EIP, 0);
	vmwrite(GUEST_ACTIVITY_STATE, 0);
	vmwrite(GUEST_PENDING_DEBUG, 0);
	vmwrite(ENTRY_INTERRUPTION_INFO, 0);
	guest_state_reset(vcpu);
	/* With OSFXSR, SSE raises #NM, like all else that CR0.TS forbids. */
	if (!vcpu->is_guest)
		vmwrite(GUEST_CR4, vmread(GUEST_CR4) | CR4_OSFXSR);
}

/*
 * Translations of the former life, whose memory has been wiped, and those of its tables, which another partition may
 * have had: entries that were present have been taken out, so they are invalidated on each CPU before it uses the
 * tables again (28.3.3.1, 28.3.3.4). New entries need nothing.
 */
static void forget_translations(struct vcpu *vcpu)
{
	struct {
		uint64_t vpid, address;
	} descriptor = { vcpu->arch.vmx.vpid, 0 }, tables = { vcpu->partition->ept.root | vmx_caps.eptp_flags, 0 };

	__asm__ volatile("invept %0, %1" : : "m"(tables), "r"(1ull) : "cc", "memory");
	if (vcpu->arch.vmx.vpid)
		__asm__ volatile("invvpid %0, %1" : : "m"(descriptor), "r"(1ull) : "cc", "memory");
}

void vmx_vcpu_reset(struct vcpu *vcpu)
{
	vmx_vcpu_release(vcpu);
	vmx_make_current(vcpu);
	choose_controls(vcpu);
	set_host(vcpu);
	write_controls(vcpu);
	write_masks(vcpu);
	write_state(vcpu);
	if (vcpu->is_guest) {
		write_apic_controls(vcpu);
		vmx_apic_mode_changed(vcpu);
	}
	forget_translations(vcpu);
}
