#include "hypercall.h"
#include "channel.h"
#include "event.h"
#include "guest_control.h"
#include "irq.h"
#include "log.h"
#include "machine_control.h"
#include "partition.h"
#include "printf.h"
#include "report.h"
#include "trace.h"
#include "vcpu.h"

struct arguments {
	uint64_t a, b, c, d, e;
};

typedef int64_t (*function)(struct vcpu *caller, const struct arguments *with);

/* ---- text in registers ------------------------------------------------------------------------- */

static unsigned text_length(const struct arguments *with)
{
	const char *text = (const char *)with;
	unsigned length = 0;

	while (length < sizeof(*with) && text[length])
		length++;
	return length;
}

static int64_t null(struct vcpu *caller, const struct arguments *with)
{
	(void)caller;
	(void)with;
	return 0;
}

static int64_t log(struct vcpu *caller, const struct arguments *with)
{
	char text[sizeof(*with) + 1];

	/* One line a call, so that what partitions print cannot be taken for the kernel's words. */
	format(text, sizeof(text), "%.*s", (int)text_length(with), (const char *)with);
	log_printf("<%s> %s", caller->partition->name, text);
	return 0;
}

static int64_t report(struct vcpu *caller, const struct arguments *with)
{
	struct partition *partition = caller->partition;

	report_text(partition, (const char *)with, text_length(with));
	if (partition->ward)
		report_text(partition->ward, (const char *)with, text_length(with));
	return 0;
}

/* ---- the caller itself ------------------------------------------------------------------------- */

static int64_t wait(struct vcpu *caller, const struct arguments *with)
{
	return caller->is_guest ? -BH_ESTATE : event_hypercall_wait(caller, with->a, with->b, with->c);
}

static int64_t signal(struct vcpu *caller, const struct arguments *with)
{
	return event_hypercall_signal(caller, with->a, with->b);
}

static int64_t exit(struct vcpu *caller, const struct arguments *with)
{
	struct partition *partition = caller->partition;

	caller->state = VCPU_PARKED;
	if (with->a)
		report_line(partition, "exit code %lld", (long long)with->a);
	if (with->a && partition->ward)
		report_line(partition->ward, "its monitor ended with exit code %lld", (long long)with->a);
	log_printf("%s: exit code %lld", partition->name, (long long)with->a);
	partition_end(partition, with->a ? BH_CAUSE_FAILED : BH_CAUSE_FINISHED, false);
	return 0;
}

/* ---- channels and interrupts ------------------------------------------------------------------- */

static int64_t channel_bind(struct vcpu *caller, const struct arguments *with)
{
	return channel_hypercall_bind(caller, with->a, with->b, with->c);
}

static int64_t channel_signal(struct vcpu *caller, const struct arguments *with)
{
	return channel_hypercall_signal(caller, with->a);
}

static int64_t channel_stat(struct vcpu *caller, const struct arguments *with)
{
	return channel_hypercall_stat(caller, with->a);
}

static int64_t irq_bind(struct vcpu *caller, const struct arguments *with)
{
	return irq_hypercall_bind(caller, with->a, with->b, with->c);
}

/* ---- a monitor's guest ------------------------------------------------------------------------- */

static int64_t guest_msi(struct vcpu *caller, const struct arguments *with)
{
	return guest_control_msi(caller, with->a, with->b, with->c);
}

static int64_t guest_apic(struct vcpu *caller, const struct arguments *with)
{
	return guest_control_apic(caller, with->a, with->b, with->c, with->d, with->e);
}

static int64_t guest_end(struct vcpu *caller, const struct arguments *with)
{
	return guest_control_end(caller, with->a, with->b);
}

/* ---- partitions -------------------------------------------------------------------------------- */

static int64_t control(struct vcpu *caller, const struct arguments *with)
{
	struct handle *handle;
	int64_t error = handle_lookup(caller, with->a, BH_HANDLE_PARTITION, BH_RIGHT_CONTROL, &handle);

	return error ? error : partition_control(handle->object, (enum bh_control)with->b);
}

static int64_t stat(struct vcpu *caller, const struct arguments *with)
{
	struct handle *handle;
	int64_t error = handle_lookup(caller, with->a, BH_HANDLE_PARTITION, BH_RIGHT_INSPECT, &handle);

	return error ? error : partition_stat(handle->object, with->b, with->c);
}

static int64_t read_report(struct vcpu *caller, const struct arguments *with)
{
	struct handle *handle;
	int64_t error = handle_lookup(caller, with->a, BH_HANDLE_PARTITION, BH_RIGHT_INSPECT, &handle);

	return error ? error : report_read(handle->object, with->b);
}

static int64_t trace(struct vcpu *caller, const struct arguments *with)
{
	struct handle *handle;
	int64_t error = handle_lookup(caller, with->a, BH_HANDLE_PARTITION, BH_RIGHT_INSPECT, &handle);
	struct partition *partition;

	if (error)
		return error;
	partition = handle->object;
	if (with->b >= partition->vcpus || !partition->vcpu[with->b] || with->d > 3)
		return -BH_EINVAL;
	return trace_read(partition->vcpu[with->b], with->c, (unsigned)with->d);
}

/* ---- the machine ------------------------------------------------------------------------------- */

static int64_t machine_stat(struct vcpu *caller, const struct arguments *with)
{
	return machine_control_stat(caller, with->a, with->b, with->c);
}

static int64_t machine_text(struct vcpu *caller, const struct arguments *with)
{
	return machine_control_text(caller, with->a, with->b, with->c);
}

static int64_t machine(struct vcpu *caller, const struct arguments *with)
{
	return machine_control(caller, with->a, with->b);
}

static const function table[BH_HYPERCALL_END - BH_HYPERCALL_BASE] = {
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
};

void hypercall(struct vcpu *vcpu)
{
	uint64_t *gpr = vcpu->arch.gpr;
	uint64_t number = gpr[BH_RAX] - BH_HYPERCALL_BASE;
	struct arguments with;
	int64_t result;

	if (number >= BH_HYPERCALL_END - BH_HYPERCALL_BASE) {
		gpr[BH_RAX] = (uint64_t)-BH_ENOSYS;
		return;
	}
	with = (struct arguments){ gpr[BH_RDI], gpr[BH_RSI], gpr[BH_RDX], gpr[BH_R10], gpr[BH_R8] };
	result = table[number](vcpu, &with);
	/* Who waits gets his result when the wait ends. */
	if (vcpu->state != VCPU_WAITING)
		gpr[BH_RAX] = (uint64_t)result;
}
