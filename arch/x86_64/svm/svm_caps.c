#include "cpu.h"
#include "guest_cpuid.h"
#include "instructions.h"
#include "log.h"
#include "msr.h"
#include "panic.h"
#include "pool.h"
#include "requirements.h"
#include "svm.h"
#include "xstate.h"

/* CPUID leaf 8000000Ah, EDX (APM vol. 3, E.4.9). */
#define FEATURE_NESTED_PAGING  (1u << 0)
#define FEATURE_NEXT_RIP       (1u << 3)
#define FEATURE_CLEAN_BITS     (1u << 5)
#define FEATURE_FLUSH_BY_ASID  (1u << 6)
#define FEATURE_DECODE_ASSISTS (1u << 7)
#define FEATURE_VIRTUAL_VMLOAD (1u << 15)
#define FEATURE_VGIF	       (1u << 16)

#define VM_CR_LOCK   0x8u
#define VM_CR_SVMDIS 0x10u

struct svm_caps svm_caps;

/* ---- what must be there ------------------------------------------------------------------------ */

/* Firmware that has switched SVM off and locked that; what is not locked the kernel switches on. */
static bool svm_locked_off(void) { return (rdmsr(VM_CR) & (VM_CR_LOCK | VM_CR_SVMDIS)) == (VM_CR_LOCK | VM_CR_SVMDIS); }

/* "TCGTCGTCGTCG", where hypervisors tell their names. */
static bool is_qemu_emulation(void)
{
	struct cpuid name = cpuid(0x40000000, 0);

	return cpuid(1, 0).ecx & 1u << 31 && name.ebx == 0x54474354 && name.ecx == 0x43544743 && name.edx == 0x47435447;
}

static void find_optional(void)
{
	struct cpuid svm = cpuid(0x8000000a, 0);

	svm_caps.asids = svm.ebx;
	svm_caps.next_rip = svm.edx & FEATURE_NEXT_RIP;
	svm_caps.decode_assists = svm.edx & FEATURE_DECODE_ASSISTS;
	svm_caps.flush_by_asid = svm.edx & FEATURE_FLUSH_BY_ASID;
	svm_caps.clean_bits = svm.edx & FEATURE_CLEAN_BITS;
	svm_caps.vgif = svm.edx & FEATURE_VGIF;
	svm_caps.virtual_vmload = svm.edx & FEATURE_VIRTUAL_VMLOAD;
	svm_caps.page_1g = cpuid(0x80000001, 0).edx & 1u << 26;
	svm_caps.stale_code = is_qemu_emulation();
	svm_caps.clean = svm_caps.clean_bits ? VMCB_CLEAN_ALL : 0;
}

void svm_require(void)
{
	require(cpuid(0x80000001, 0).ecx & 1u << 2, "SVM (CPUID.80000001h:ECX.SVM, bit 2)",
		"switch on SVM mode (AMD-V) in the firmware's set-up; in a virtual machine, nested SVM (for KVM: "
		"kvm_amd nested=1 and -cpu host)");
	require_done();
	require(!svm_locked_off(), "SVM is locked off (VM_CR bit 4, SVMDIS, and bit 3, LOCK, are set)",
		"switch on SVM mode (AMD-V) in the firmware's set-up and power-cycle");
	require_done();
	require(cpuid(0x8000000a, 0).edx & FEATURE_NESTED_PAGING, "nested paging (CPUID.8000000Ah:EDX.NP, bit 0)",
		"a CPU of AMD's Barcelona generation (2007) or later; in a virtual machine, one whose host passes this "
		"on");
	require(cpuid(0x8000000a, 0).ebx >= 2, "two ASIDs (CPUID.8000000Ah:EBX)", "another CPU");
	require(cpuid(0, 0).eax >= 7 && cpuid(7, 0).ebx & 1u << 0, "FSGSBASE (CPUID.7:EBX bit 0)",
		"a CPU of AMD's Steamroller generation (2014) or later");
	require_done();

	find_optional();
	svm_run_init();
	xstate_boot_init(true);
	guest_cpuid_init(xstate_compacts() ? 0 : GUEST_CPUID_NO_XSAVEC);
}

void svm_describe(void (*line)(const char *text))
{
	const struct {
		bool there;
		const char *with, *without;
	} optional[] = {
		{ svm_caps.next_rip, "next-RIP save: the CPU tells where instructions end",
		  "next-RIP save missing: the kernel reads instructions to know where they end" },
		{ svm_caps.decode_assists, "decode assists: the CPU tells the operand of moves to CR4",
		  "decode assists missing: the kernel reads moves to CR4" },
		{ svm_caps.flush_by_asid,
		  "flush by ASID: there, and of no use, as a guest gets another ASID in place of a flush",
		  "flush by ASID missing, which is of no use, as a guest gets another ASID in place of a flush" },
		{ svm_caps.clean_bits, "VMCB clean bits: entries read again what has changed only",
		  "VMCB clean bits missing: each entry reads the whole VMCB" },
		{ svm_caps.vgif, "virtual GIF: there, and of no use, as guests are offered no SVM",
		  "virtual GIF missing, which is of no use, as guests are offered no SVM" },
		{ svm_caps.virtual_vmload,
		  "virtual VMLOAD and VMSAVE: there, and of no use, as guests are offered no SVM",
		  "virtual VMLOAD and VMSAVE missing, which are of no use, as guests are offered no SVM" },
		{ svm_caps.page_1g, "nested paging with 1 GiB pages",
		  "nested paging without 1 GiB pages: 2 MiB at most" },
	};

	line("SVM with nested paging (NPT); interrupts are offered by V_IRQ, without exits for interrupt windows");
	for (unsigned i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
		line(optional[i].there ? optional[i].with : optional[i].without);
	if (svm_caps.stale_code)
		line("QEMU's own emulation: guests' INT3 are looked up in memory, as it may execute one that is gone");
}

/* ---- each CPU ---------------------------------------------------------------------------------- */

static uint64_t page_for(struct cpu *cpu, const char *what)
{
	void *page = pool_alloc(1);

	if (!page)
		panic("no memory for the %s of CPU %u", what, cpu->index);
	return pool_physical(page);
}

void svm_cpu_enable(struct cpu *cpu)
{
	struct svm_cpu *svm = &cpu->arch.svm;

	if (svm_locked_off())
		panic("SVM is locked off on CPU %u (VM_CR)", cpu->index);
	if (rdmsr(VM_CR) & VM_CR_SVMDIS)
		wrmsr(VM_CR, rdmsr(VM_CR) & ~(uint64_t)VM_CR_SVMDIS);
	xstate_cpu_init();
	write_cr4(read_cr4() | CR4_FSGSBASE);
	wrmsr(IA32_EFER, rdmsr(IA32_EFER) | EFER_SVME);
	wrmsr(VM_HSAVE_PA, page_for(cpu, "host save area"));
	svm->host_vmcb = page_for(cpu, "host VMCB");
	svm->generation = 1;
	svm->next_asid = 1;
	vmsave(svm->host_vmcb);
}
