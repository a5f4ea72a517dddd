#include <guests/lib/bh_format.h>
#include "cpu.h"
#include "guest_apic.h"
#include "guest_cpuid.h"
#include "instructions.h"
#include "msr.h"
#include "panic.h"
#include "pool.h"
#include "requirements.h"
#include "vmx.h"
#include "xstate.h"

#define IA32_VMX_BASIC		0x480u
#define IA32_VMX_PINBASED	0x481u /* then primary, exit, entry; the TRUE ones from 48Dh on */
#define IA32_VMX_PRIMARY	0x482u
#define IA32_VMX_EXIT		0x483u
#define IA32_VMX_ENTRY		0x484u
#define IA32_VMX_MISC		0x485u
#define IA32_VMX_CR0_FIXED0	0x486u
#define IA32_VMX_CR4_FIXED0	0x488u
#define IA32_VMX_SECONDARY	0x48bu
#define IA32_VMX_EPT_VPID_CAP	0x48cu
#define IA32_VMX_TRUE_PINBASED	0x48du
#define VMX_BASIC_TRUE_CONTROLS (1ull << 55)

#define FEATURE_CONTROL_LOCK	    0x1u
#define FEATURE_CONTROL_OUTSIDE_SMX 0x4u

#define EPT_CAP_WALK_4	     (1ull << 6)
#define EPT_CAP_WB	     (1ull << 14)
#define EPT_CAP_2M	     (1ull << 16)
#define EPT_CAP_1G	     (1ull << 17)
#define EPT_CAP_INVEPT_ONE   ((1ull << 20) | (1ull << 25))
#define VPID_CAP_INVVPID_ONE ((1ull << 32) | (1ull << 41))

struct vmx_caps vmx_caps;

/* ---- what must be there ------------------------------------------------------------------------ */

/* Allowed 1-settings are the upper half, bits that must be 1 the lower (SDM vol. 3, appendix A.3).
 */
static uint64_t controls(uint32_t msr)
{
	bool renamed = rdmsr(IA32_VMX_BASIC) & VMX_BASIC_TRUE_CONTROLS;

	if (renamed && msr >= IA32_VMX_PINBASED && msr <= IA32_VMX_ENTRY)
		msr += IA32_VMX_TRUE_PINBASED - IA32_VMX_PINBASED;
	return rdmsr(msr);
}

static bool allowed(uint32_t msr, uint32_t bit) { return controls(msr) >> 32 & bit; }

static const struct control {
	uint32_t msr, bit;
	const char *name;
} required[] = {
	{ IA32_VMX_PINBASED, PIN_EXTERNAL_INTERRUPT, "pin-based bit 0, external-interrupt exiting" },
	{ IA32_VMX_PINBASED, PIN_NMI, "pin-based bit 3, NMI exiting" },
	{ IA32_VMX_PRIMARY, PRIMARY_TSC_OFFSETTING, "primary bit 3, use TSC offsetting" },
	{ IA32_VMX_PRIMARY, PRIMARY_HLT, "primary bit 7, HLT exiting" },
	{ IA32_VMX_PRIMARY, PRIMARY_MWAIT, "primary bit 10, MWAIT exiting" },
	{ IA32_VMX_PRIMARY, PRIMARY_RDPMC, "primary bit 11, RDPMC exiting" },
	{ IA32_VMX_PRIMARY, PRIMARY_CR8_LOAD, "primary bit 19, CR8-load exiting" },
	{ IA32_VMX_PRIMARY, PRIMARY_CR8_STORE, "primary bit 20, CR8-store exiting" },
	{ IA32_VMX_PRIMARY, PRIMARY_TPR_SHADOW, "primary bit 21, use TPR shadow" },
	{ IA32_VMX_PRIMARY, PRIMARY_MOV_DR, "primary bit 23, MOV-DR exiting" },
	{ IA32_VMX_PRIMARY, PRIMARY_IO, "primary bit 24, unconditional I/O exiting" },
	{ IA32_VMX_PRIMARY, PRIMARY_IO_BITMAPS, "primary bit 25, use I/O bitmaps" },
	{ IA32_VMX_PRIMARY, PRIMARY_MSR_BITMAPS, "primary bit 28, use MSR bitmaps" },
	{ IA32_VMX_PRIMARY, PRIMARY_MONITOR, "primary bit 29, MONITOR exiting" },
	{ IA32_VMX_PRIMARY, PRIMARY_SECONDARY, "primary bit 31, secondary controls" },
	{ IA32_VMX_SECONDARY, SECONDARY_EPT, "secondary bit 1, extended page tables (EPT)" },
	{ IA32_VMX_SECONDARY, SECONDARY_WBINVD, "secondary bit 6, WBINVD exiting" },
	{ IA32_VMX_SECONDARY, SECONDARY_UNRESTRICTED_GUEST, "secondary bit 7, unrestricted guest" },
	{ IA32_VMX_EXIT, EXIT_HOST_64BIT, "exit bit 9, host address-space size" },
	{ IA32_VMX_EXIT, EXIT_ACK_INTERRUPT, "exit bit 15, acknowledge interrupt on exit" },
	{ IA32_VMX_EXIT, EXIT_SAVE_PAT | EXIT_LOAD_PAT, "exit bits 18, 19, save and load IA32_PAT" },
	{ IA32_VMX_EXIT, EXIT_SAVE_EFER | EXIT_LOAD_EFER, "exit bits 20, 21, save and load IA32_EFER" },
	{ IA32_VMX_ENTRY, ENTRY_IA32E_GUEST, "entry bit 9, IA-32e mode guest" },
	{ IA32_VMX_ENTRY, ENTRY_LOAD_PAT, "entry bit 14, load IA32_PAT" },
	{ IA32_VMX_ENTRY, ENTRY_LOAD_EFER, "entry bit 15, load IA32_EFER" },
};

static void require_controls(void)
{
	static const char cure[] = "a CPU of Intel's Westmere generation (2010) or later; in a virtual machine, one "
				   "whose host passes this on";

	for (unsigned i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		const struct control *control = &required[i];
		char text[96];

		bh_snprintf(text, sizeof(text), "VMX control %s", control->name);
		if (control->msr == IA32_VMX_SECONDARY && !allowed(IA32_VMX_PRIMARY, PRIMARY_SECONDARY))
			require(false, text, cure);
		else
			require((controls(control->msr) >> 32 & control->bit) == control->bit, text, cure);
	}
}

static bool vmx_locked_off(void)
{
	return (rdmsr(IA32_FEATURE_CONTROL) & (FEATURE_CONTROL_LOCK | FEATURE_CONTROL_OUTSIDE_SMX)) ==
	       FEATURE_CONTROL_LOCK;
}

static void require_ept(void)
{
	uint64_t ept = rdmsr(IA32_VMX_EPT_VPID_CAP);

	require(ept & EPT_CAP_WALK_4, "EPT with 4 levels (IA32_VMX_EPT_VPID_CAP bit 6)", "another CPU");
	require(ept & EPT_CAP_WB, "EPT tables in write-back memory (IA32_VMX_EPT_VPID_CAP bit 14)", "another CPU");
	require((ept & EPT_CAP_INVEPT_ONE) == EPT_CAP_INVEPT_ONE,
		"INVEPT of one table (IA32_VMX_EPT_VPID_CAP bits 20 and 25)", "another CPU");
	require(ept & EPT_CAP_2M, "EPT with 2 MiB pages (IA32_VMX_EPT_VPID_CAP bit 16)", "another CPU");
}

/* ---- what may be there ------------------------------------------------------------------------- */

static void find_optional(void)
{
	uint64_t ept = rdmsr(IA32_VMX_EPT_VPID_CAP);
	bool delivery = allowed(IA32_VMX_SECONDARY, SECONDARY_INTERRUPT_DELIVERY) &&
			allowed(IA32_VMX_SECONDARY, SECONDARY_APIC_REGISTERS) &&
			allowed(IA32_VMX_SECONDARY, SECONDARY_X2APIC);

	vmx_caps.page_1g = ept & EPT_CAP_1G;
	vmx_caps.invvpid = (ept & VPID_CAP_INVVPID_ONE) == VPID_CAP_INVVPID_ONE;
	/* Without INVVPID a restarted vCPU could find the translations of its former life. */
	vmx_caps.vpid = allowed(IA32_VMX_SECONDARY, SECONDARY_VPID) && vmx_caps.invvpid;
	vmx_caps.preemption_timer =
		allowed(IA32_VMX_PINBASED, PIN_PREEMPTION_TIMER) && allowed(IA32_VMX_EXIT, EXIT_SAVE_PREEMPTION_TIMER);
	vmx_caps.preemption_shift = rdmsr(IA32_VMX_MISC) & 0x1f;
	vmx_caps.apic_registers =
		allowed(IA32_VMX_SECONDARY, SECONDARY_APIC_REGISTERS) && allowed(IA32_VMX_SECONDARY, SECONDARY_X2APIC);
	vmx_caps.x2apic = allowed(IA32_VMX_SECONDARY, SECONDARY_X2APIC);
	vmx_caps.interrupt_delivery = delivery;
	vmx_caps.apic_attention = APIC_ATTENTION_SYNC | (delivery ? 0 : APIC_ATTENTION_SCAN);
	vmx_caps.xsavec = xstate_compacts();
	vmx_caps.xsaves = allowed(IA32_VMX_SECONDARY, SECONDARY_XSAVES) && vmx_caps.xsavec;
	vmx_caps.rdtscp = allowed(IA32_VMX_SECONDARY, SECONDARY_RDTSCP);
	vmx_caps.invpcid = allowed(IA32_VMX_SECONDARY, SECONDARY_INVPCID);
}

static void find_fixed(void)
{
	uint32_t pin = (uint32_t)controls(IA32_VMX_PINBASED);

	vmx_caps.pin = pin;
	vmx_caps.primary = (uint32_t)controls(IA32_VMX_PRIMARY);
	vmx_caps.secondary = (uint32_t)controls(IA32_VMX_SECONDARY);
	vmx_caps.exit = (uint32_t)controls(IA32_VMX_EXIT);
	vmx_caps.entry = (uint32_t)controls(IA32_VMX_ENTRY);
	vmx_caps.revision = (uint32_t)rdmsr(IA32_VMX_BASIC) & 0x7fffffff;
	vmx_caps.cr0_fixed = rdmsr(IA32_VMX_CR0_FIXED0);
	vmx_caps.cr4_fixed = rdmsr(IA32_VMX_CR4_FIXED0);
	/* Write-back, 4 levels (24.6.11). */
	vmx_caps.eptp_flags = 6 | 3 << 3;
}

void vmx_require(void)
{
	bool vmx = cpuid(1, 0).ecx & (1u << 5);

	require(vmx, "VT-x (CPUID.1:ECX.VMX, bit 5)",
		"switch on Intel Virtualization Technology in the firmware's set-up; in a virtual "
		"machine, nested "
		"VT-x (for KVM: kvm_intel nested=1 and -cpu host)");
	require_done();
	require(!vmx_locked_off(), "VT-x is locked off (IA32_FEATURE_CONTROL bit 0 set, bit 2 clear)",
		"switch on Intel Virtualization Technology in the firmware's set-up and "
		"power-cycle");
	require_done();
	require_controls();
	require_done();
	require_ept();
	require_done();

	find_fixed();
	xstate_boot_init(false);
	find_optional();
	guest_cpuid_init((vmx_caps.rdtscp ? 0 : GUEST_CPUID_NO_RDTSCP) |
			 (vmx_caps.invpcid ? 0 : GUEST_CPUID_NO_INVPCID) |
			 (vmx_caps.xsaves ? 0 : GUEST_CPUID_NO_XSAVES) | (vmx_caps.xsavec ? 0 : GUEST_CPUID_NO_XSAVEC));
}

void vmx_describe(void (*line)(const char *text))
{
	const struct {
		bool there;
		const char *with, *without;
	} optional[] = {
		{ vmx_caps.vpid, "VPID: translations survive exits",
		  "VPID missing: each entry and exit flushes the TLB" },
		{ vmx_caps.page_1g, "EPT with 1 GiB pages", "EPT without 1 GiB pages: 2 MiB at most" },
		{ vmx_caps.apic_registers, "APIC-register virtualization: guests read their APIC without exits",
		  "APIC-register virtualization missing: APIC reads exit" },
		{ vmx_caps.interrupt_delivery, "virtual-interrupt delivery: no exits for EOI and interrupt windows",
		  "virtual-interrupt delivery missing: interrupts are injected in software" },
		{ vmx_caps.preemption_timer, "VMX-preemption timer: ends slices and fires guests' timers",
		  "VMX-preemption timer missing: the local APIC's timer does it" },
		{ vmx_caps.xsaves, "XSAVES offered to guests", "XSAVES not offered to guests" },
	};

	line("VT-x with EPT and unrestricted guest");
	for (unsigned i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
		line(optional[i].there ? optional[i].with : optional[i].without);
}

/* ---- each CPU
 * ------------------------------------------------------------------------------------------------
 */

static void unlock_feature_control(void)
{
	uint64_t value = rdmsr(IA32_FEATURE_CONTROL);

	if (!(value & FEATURE_CONTROL_LOCK))
		wrmsr(IA32_FEATURE_CONTROL, value | FEATURE_CONTROL_LOCK | FEATURE_CONTROL_OUTSIDE_SMX);
}

void vmx_cpu_enable(struct cpu *cpu)
{
	uint32_t *region = pool_alloc(1);
	uint64_t physical;
	uint8_t refused;

	if (!region)
		panic("no memory for the VMXON region of CPU %u", cpu->index);
	if (vmx_locked_off())
		panic("VT-x is locked off on CPU %u (IA32_FEATURE_CONTROL)", cpu->index);
	unlock_feature_control();
	xstate_cpu_init();
	write_cr0(read_cr0() | vmx_caps.cr0_fixed | CR0_NE);
	write_cr4(read_cr4() | vmx_caps.cr4_fixed | CR4_VMXE);
	*region = vmx_caps.revision;
	physical = pool_physical(region);
	__asm__ volatile("vmxon %1; setbe %0" : "=q"(refused) : "m"(physical) : "cc", "memory");
	if (refused)
		panic("VMXON is refused on CPU %u", cpu->index);
}
