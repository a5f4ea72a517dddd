#include "guest_control.h"
#include "event.h"
#include "guest_apic.h"
#include "log.h"
#include "partition.h"
#include "vcpu.h"

int64_t guest_control_msi(struct partition *guest, uint64_t address, uint64_t data)
{
	return data > UINT32_MAX ? -BH_EINVAL : guest_apic_msi(guest, address, (uint32_t)data);
}

/*
 * The APIC belongs to its vCPU's CPU, and the monitor's paired vCPU runs there, with the guest's
 * vCPU standing still until the reply.
 */
int64_t guest_control_apic(struct vcpu *caller, struct partition *guest, uint64_t vcpu, uint64_t offset, uint64_t data,
			   uint64_t write)
{
	struct vcpu *target;
	int eoi;

	if (vcpu >= guest->vcpus || offset > 0xfff || data > UINT32_MAX || write > 1)
		return -BH_EINVAL;
	target = guest->vcpu[vcpu];
	if (target != caller->peer || target->state != VCPU_MESSAGE)
		return -BH_ESTATE;

	if (!write)
		return guest_apic_read(target, (uint32_t)offset);
	eoi = guest_apic_write(target, (uint32_t)offset, (uint32_t)data);
	return eoi < 0 ? 0 : eoi;
}

int64_t guest_control_end(struct vcpu *caller, struct partition *guest, uint64_t how)
{
	static const struct {
		enum bh_cause cause;
		const char *words;
	} ends[] = {
		[BH_END_POWEROFF] = { BH_CAUSE_POWEROFF, "powers off" },
		[BH_END_RESET] = { BH_CAUSE_POWEROFF, "resets" },
		[BH_END_FAILURE] = { BH_CAUSE_FAILED, "is ended by its monitor" },
	};

	if (how < BH_END_POWEROFF || how > BH_END_FAILURE)
		return -BH_EINVAL;

	caller->state = VCPU_PARKED;
	log_printf("%s: %s", guest->name, ends[how].words);
	partition_end(guest, ends[how].cause, how == BH_END_RESET);
	return 0;
}

int64_t guest_control_doorbell(struct partition *guest, uint64_t block, uint64_t bit)
{
	if (block >= BH_DOORBELL_BLOCKS || (bit >= BH_EVENT_BITS && bit != BH_DOORBELL_OFF))
		return -BH_EINVAL;
	atomic_store(&guest->doorbell[block], bit == BH_DOORBELL_OFF ? 0 : (uint8_t)(bit + 1));
	return 0;
}

bool guest_control_ring(struct vcpu *vcpu, uint16_t port)
{
	const struct partition *guest = vcpu->partition;
	const struct partition *monitor = guest->monitor;
	uint8_t bell = atomic_load(&guest->doorbell[port % BH_DOORBELL_PORTS / BH_DOORBELL_BLOCK_PORTS]);

	if (!bell)
		return false;
	event_signal(monitor->vcpu[monitor->vcpus - 1], 1ull << (bell - 1));
	return true;
}
