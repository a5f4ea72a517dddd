#include "hypercall.h"
#include <guests/lib/bh_string.h>
#include "channel.h"
#include "device.h"
#include "event.h"
#include "guest_control.h"
#include "irq.h"
#include "log.h"
#include "machine_control.h"
#include "partition.h"
#include "report.h"
#include "trace.h"
#include "vcpu.h"

#define WORDS 5

/* The five arguments, as abi.h's calling convention has them. */
static uint64_t a(const struct vcpu *caller) { return caller->arch.gpr[BH_RDI]; }

static uint64_t b(const struct vcpu *caller) { return caller->arch.gpr[BH_RSI]; }

static uint64_t c(const struct vcpu *caller) { return caller->arch.gpr[BH_RDX]; }

static uint64_t d(const struct vcpu *caller) { return caller->arch.gpr[BH_R10]; }

static uint64_t e(const struct vcpu *caller) { return caller->arch.gpr[BH_R8]; }

/* ---- text in registers ------------------------------------------------------------------------- */

/* The text in all five arguments, ended by 0; its length. */
static unsigned text_of(const struct vcpu *caller, char text[WORDS * 8 + 1])
{
	uint64_t words[WORDS] = { a(caller), b(caller), c(caller), d(caller), e(caller) };

	memcpy(text, words, sizeof(words));
	text[sizeof(words)] = '\0';
	return (unsigned)strlen(text);
}

static int64_t null(struct vcpu *caller)
{
	(void)caller;
	return 0;
}

/* One line a call, so that what partitions print cannot be taken for the kernel's words. */
static int64_t log(struct vcpu *caller)
{
	char text[WORDS * 8 + 1];

	text_of(caller, text);
	log_printf("<%s> %s", caller->partition->name, text);
	return 0;
}

static int64_t report(struct vcpu *caller)
{
	struct partition *partition = caller->partition;
	char text[WORDS * 8 + 1];
	unsigned length = text_of(caller, text);

	report_text(partition, text, length);
	if (partition->ward)
		report_text(partition->ward, text, length);
	return 0;
}

/* ---- the caller itself ------------------------------------------------------------------------- */

static int64_t wait(struct vcpu *caller)
{
	return caller->is_guest ? -BH_ESTATE : event_hypercall_wait(caller, a(caller), b(caller), c(caller));
}

static int64_t signal(struct vcpu *caller) { return event_hypercall_signal(caller, a(caller), b(caller)); }

static int64_t exit(struct vcpu *caller)
{
	struct partition *partition = caller->partition;

	caller->state = VCPU_PARKED;
	if (a(caller))
		report_line(partition, "exit code %lld", (long long)a(caller));
	if (a(caller) && partition->ward)
		report_line(partition->ward, "its monitor ended with exit code %lld", (long long)a(caller));
	log_printf("%s: exit code %lld", partition->name, (long long)a(caller));
	partition_end(partition, a(caller) ? BH_CAUSE_FAILED : BH_CAUSE_FINISHED, false);
	return 0;
}

/* ---- channels and interrupts ------------------------------------------------------------------- */

static int64_t channel_bind(struct vcpu *caller)
{
	return channel_hypercall_bind(caller, a(caller), b(caller), c(caller));
}

static int64_t channel_signal(struct vcpu *caller) { return channel_hypercall_signal(caller, a(caller)); }

static int64_t channel_stat(struct vcpu *caller) { return channel_hypercall_stat(caller, a(caller)); }

static int64_t irq_bind(struct vcpu *caller) { return irq_hypercall_bind(caller, a(caller), b(caller), c(caller)); }

/* ---- a monitor's guest ------------------------------------------------------------------------- */

static int64_t guest_msi(struct vcpu *caller) { return guest_control_msi(caller, a(caller), b(caller), c(caller)); }

static int64_t guest_apic(struct vcpu *caller)
{
	return guest_control_apic(caller, a(caller), b(caller), c(caller), d(caller), e(caller));
}

static int64_t guest_end(struct vcpu *caller) { return guest_control_end(caller, a(caller), b(caller)); }

/* ---- partitions -------------------------------------------------------------------------------- */

static int64_t control(struct vcpu *caller)
{
	struct handle *handle;
	int64_t error = handle_lookup(caller, a(caller), BH_HANDLE_PARTITION, BH_RIGHT_CONTROL, &handle);

	return error ? error : partition_control(handle->object, b(caller));
}

static int64_t stat(struct vcpu *caller)
{
	struct handle *handle;
	int64_t error = handle_lookup(caller, a(caller), BH_HANDLE_PARTITION, BH_RIGHT_INSPECT, &handle);

	return error ? error : partition_stat(handle->object, b(caller), c(caller));
}

static int64_t read_report(struct vcpu *caller)
{
	struct handle *handle;
	int64_t error = handle_lookup(caller, a(caller), BH_HANDLE_PARTITION, BH_RIGHT_INSPECT, &handle);

	return error ? error : report_read(handle->object, b(caller));
}

static int64_t trace(struct vcpu *caller)
{
	struct handle *handle;
	int64_t error = handle_lookup(caller, a(caller), BH_HANDLE_PARTITION, BH_RIGHT_INSPECT, &handle);
	struct partition *partition;

	if (error)
		return error;
	partition = handle->object;
	if (b(caller) >= partition->vcpus || !partition->vcpu[b(caller)] || d(caller) > 3)
		return -BH_EINVAL;
	return trace_read(partition->vcpu[b(caller)], c(caller), (unsigned)d(caller));
}

/* ---- the machine ------------------------------------------------------------------------------- */

static int64_t machine_stat(struct vcpu *caller)
{
	return machine_control_stat(caller, a(caller), b(caller), c(caller));
}

static int64_t machine_text(struct vcpu *caller)
{
	return machine_control_text(caller, a(caller), b(caller), c(caller));
}

static int64_t machine(struct vcpu *caller) { return machine_control(caller, a(caller), b(caller)); }

/* ---- devices ----------------------------------------------------------------------------------- */

static int64_t device(struct vcpu *caller)
{
	return device_call(caller, caller->arch.gpr[BH_RAX], a(caller), b(caller), c(caller), d(caller));
}

static int64_t no_doorbell(struct vcpu *caller)
{
	(void)caller;
	return -BH_EBADF;
}

const hypercall_function hypercall_table[BH_HYPERCALL_END - BH_HYPERCALL_BASE] = {
	[BH_NULL - BH_HYPERCALL_BASE] = null,
	[BH_LOG - BH_HYPERCALL_BASE] = log,
	[BH_WAIT - BH_HYPERCALL_BASE] = wait,
	[BH_EVENT_SIGNAL - BH_HYPERCALL_BASE] = signal,
	[BH_EXIT - BH_HYPERCALL_BASE] = exit,
	[BH_REPORT - BH_HYPERCALL_BASE] = report,
	[BH_CHANNEL_BIND - BH_HYPERCALL_BASE] = channel_bind,
	[BH_CHANNEL_SIGNAL - BH_HYPERCALL_BASE] = channel_signal,
	[BH_CHANNEL_STAT - BH_HYPERCALL_BASE] = channel_stat,
	[BH_IRQ_BIND - BH_HYPERCALL_BASE] = irq_bind,
	[BH_GUEST_MSI - BH_HYPERCALL_BASE] = guest_msi,
	[BH_GUEST_APIC - BH_HYPERCALL_BASE] = guest_apic,
	[BH_GUEST_END - BH_HYPERCALL_BASE] = guest_end,
	[BH_PARTITION_CONTROL - BH_HYPERCALL_BASE] = control,
	[BH_PARTITION_STAT - BH_HYPERCALL_BASE] = stat,
	[BH_PARTITION_REPORT - BH_HYPERCALL_BASE] = read_report,
	[BH_PARTITION_TRACE - BH_HYPERCALL_BASE] = trace,
	[BH_MACHINE_STAT - BH_HYPERCALL_BASE] = machine_stat,
	[BH_MACHINE_TEXT - BH_HYPERCALL_BASE] = machine_text,
	[BH_MACHINE_CONTROL - BH_HYPERCALL_BASE] = machine,
	[BH_GUEST_DOORBELL - BH_HYPERCALL_BASE] = no_doorbell,
	[BH_DEVICE_READ - BH_HYPERCALL_BASE] = device,
	[BH_DEVICE_WRITE - BH_HYPERCALL_BASE] = device,
	[BH_DEVICE_STAT - BH_HYPERCALL_BASE] = device,
	[BH_DEVICE_MASTER - BH_HYPERCALL_BASE] = device,
	[BH_DEVICE_IRQ_BIND - BH_HYPERCALL_BASE] = device,
	[BH_DEVICE_DMA - BH_HYPERCALL_BASE] = device,
};
