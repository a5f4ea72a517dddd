#include "hypercall.h"
#include <guests/lib/bh_string.h>
#include "channel.h"
#include "create.h"
#include "device.h"
#include "event.h"
#include "guest_control.h"
#include "handle_lookup.h"
#include "irq.h"
#include "log.h"
#include "machine_control.h"
#include "partition.h"
#include "report.h"
#include "trace.h"
#include "vcpu.h"

#define WORDS 5

/* The number and the five arguments, as abi.h's calling convention has them. */
static uint64_t number(const struct vcpu *caller) { return caller->arch.gpr[BH_RAX]; }

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
	return caller->is_guest ? -BH_ESTATE : event_hypercall_wait(caller, a(caller), b(caller), c(caller), d(caller));
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

/* ---- on a handle, which the first argument is ---------------------------------------------------- */

static int64_t channel(struct vcpu *caller, const struct handle *handle)
{
	switch (number(caller)) {
	case BH_CHANNEL_BIND: return channel_hypercall_bind(caller, handle, b(caller), c(caller));
	case BH_CHANNEL_SIGNAL: return channel_hypercall_signal(handle);
	default: return channel_hypercall_stat(handle);
	}
}

static int64_t irq(struct vcpu *caller, const struct handle *handle)
{
	return irq_hypercall_bind(caller, handle->number, b(caller), c(caller));
}

static int64_t guest(struct vcpu *caller, const struct handle *handle)
{
	switch (number(caller)) {
	case BH_GUEST_MSI: return guest_control_msi(handle->object, b(caller), c(caller));
	case BH_GUEST_APIC:
		return guest_control_apic(caller, handle->object, b(caller), c(caller), d(caller), e(caller));
	case BH_GUEST_END: return guest_control_end(caller, handle->object, b(caller));
	default: return guest_control_doorbell(handle->object, b(caller), c(caller));
	}
}

static int64_t trace(const struct partition *partition, uint64_t vcpu, uint64_t age, uint64_t word)
{
	if (vcpu >= partition->vcpus || !partition->vcpu[vcpu] || word > 3)
		return -BH_EINVAL;
	return trace_read(partition->vcpu[vcpu], age, (unsigned)word);
}

static int64_t partition(struct vcpu *caller, const struct handle *handle)
{
	switch (number(caller)) {
	case BH_PARTITION_CONTROL: return partition_control(handle->object, b(caller));
	case BH_PARTITION_STAT: return partition_stat(handle->object, b(caller), c(caller));
	case BH_PARTITION_REPORT: return report_read(handle->object, b(caller));
	default: return trace(handle->object, b(caller), c(caller), d(caller));
	}
}

static int64_t machine(struct vcpu *caller, const struct handle *handle)
{
	(void)handle;
	switch (number(caller)) {
	case BH_MACHINE_STAT: return machine_control_stat(b(caller), c(caller));
	case BH_MACHINE_TEXT: return machine_control_text(b(caller), c(caller));
	default: return machine_control(b(caller));
	}
}

static int64_t device(struct vcpu *caller, const struct handle *handle)
{
	return device_call(number(caller), handle->object, b(caller), c(caller), d(caller));
}

static int64_t create(struct vcpu *caller, const struct handle *handle)
{
	return create_call(caller, handle, number(caller), b(caller), c(caller), d(caller));
}

#define AT(call) ((call)-BH_HYPERCALL_BASE)

/* What must stand behind the handle, and the right that it must give. */
static const struct {
	int64_t (*invoke)(struct vcpu *caller, const struct handle *handle);
	enum bh_handle_type type;
	uint32_t right;
} handle_calls[] = {
	[AT(BH_CHANNEL_BIND)... AT(BH_CHANNEL_STAT)] = { channel, BH_HANDLE_CHANNEL, BH_RIGHT_USE },
	[AT(BH_IRQ_BIND)] = { irq, BH_HANDLE_IRQ, BH_RIGHT_USE },
	[AT(BH_GUEST_MSI)... AT(BH_GUEST_END)] = { guest, BH_HANDLE_PARTITION, BH_RIGHT_MONITOR },
	[AT(BH_PARTITION_CONTROL)] = { partition, BH_HANDLE_PARTITION, BH_RIGHT_CONTROL },
	[AT(BH_PARTITION_STAT)... AT(BH_PARTITION_TRACE)] = { partition, BH_HANDLE_PARTITION, BH_RIGHT_INSPECT },
	[AT(BH_MACHINE_STAT)... AT(BH_MACHINE_TEXT)] = { machine, BH_HANDLE_MACHINE, BH_RIGHT_INSPECT },
	[AT(BH_MACHINE_CONTROL)] = { machine, BH_HANDLE_MACHINE, BH_RIGHT_CONTROL },
	[AT(BH_GUEST_DOORBELL)] = { guest, BH_HANDLE_PARTITION, BH_RIGHT_MONITOR },
	[AT(BH_DEVICE_READ)... AT(BH_DEVICE_DMA)] = { device, BH_HANDLE_DEVICE, BH_RIGHT_USE },
	[AT(BH_IMAGE_CREATE)... AT(BH_PARTITION_CREATE)] = { create, BH_HANDLE_MACHINE, BH_RIGHT_CREATE },
	[AT(BH_PARTITION_REMOVE)] = { create, BH_HANDLE_PARTITION, BH_RIGHT_CREATE },
};

static int64_t on_handle(struct vcpu *caller)
{
	uint64_t call = AT(number(caller));
	struct handle *handle;
	int64_t error = handle_lookup(caller, a(caller), handle_calls[call].type, handle_calls[call].right, &handle);

	return error ? error : handle_calls[call].invoke(caller, handle);
}

const hypercall_function hypercall_table[] = {
	[AT(BH_NULL)] = null,
	[AT(BH_LOG)] = log,
	[AT(BH_WAIT)] = wait,
	[AT(BH_EVENT_SIGNAL)] = signal,
	[AT(BH_EXIT)] = exit,
	[AT(BH_REPORT)] = report,
	[AT(BH_CHANNEL_BIND)... AT(BH_HYPERCALL_END) - 1] = on_handle,
};
_Static_assert(sizeof(handle_calls) / sizeof(handle_calls[0]) == AT(BH_HYPERCALL_END), "a call of no object");
