#include "build_vcpus.h"
#include "boot/config.h"
#include "partition.h"
#include "sched.h"
#include "vcpu.h"

static void unthrottle(struct timer *timer)
{
	struct entity *entity = (struct entity *)((char *)timer - offsetof(struct entity, unthrottle));
	struct vcpu *vcpu = entity->native;

	entity->throttled = false;
	vcpu_wake(vcpu);
}

static struct vcpu *add_vcpu(struct partition *partition, unsigned index, unsigned cpu)
{
	struct partition *leader = partition_leader(partition);
	struct vcpu *vcpu = partition->vcpu[index];

	if (!vcpu)
		vcpu = partition->vcpu[index] = vcpu_create(partition, index, cpu, partition->kind == BH_KIND_GUEST);
	if (!vcpu)
		return NULL;
	/* That of a removed partition. */
	vcpu->cpu = cpu;
	vcpu->epoch = 0;
	vcpu->peer = NULL;
	partition->vcpus = index + 1;
	leader->cpu_total += !(leader->cpu_mask[cpu / 64] >> cpu % 64 & 1);
	leader->cpu_mask[cpu / 64] |= 1ull << cpu % 64;
	return vcpu;
}

static bool add_native(struct partition *partition, unsigned index, unsigned cpu, uint32_t weight, uint32_t cap_percent)
{
	struct vcpu *vcpu = add_vcpu(partition, index, cpu);

	if (!vcpu)
		return false;
	vcpu->own = (struct entity){
		.native = vcpu,
		.weight = weight,
		.cap_percent = cap_percent,
		.unthrottle = { .deadline = TIMER_NEVER, .fire = unthrottle },
	};
	vcpu->entity = &vcpu->own;
	return true;
}

bool build_native_vcpus(struct partition *native)
{
	const struct config_partition *config = native->config;

	for (unsigned i = 0; i < config->vcpus; i++) {
		if (!add_native(native, i, config->cpu[i], config->weight, config->cap_percent))
			return false;
	}
	return true;
}

bool build_service_vcpu(struct partition *service, unsigned index, const struct config_machine *machine)
{
	return add_native(service, index, machine->services_cpu, machine->services_weight, 100);
}

bool build_guest_vcpus(struct partition *guest, struct partition *monitor, const struct config_machine *machine)
{
	const struct config_partition *config = guest->config;

	for (unsigned i = 0; i < config->vcpus; i++) {
		struct vcpu *vcpu = add_vcpu(guest, i, config->cpu[i]);

		if (!vcpu || !add_native(monitor, i, config->cpu[i], config->weight, config->cap_percent))
			return false;
		vcpu->entity = monitor->vcpu[i]->entity;
		vcpu->entity->guest = vcpu;
		vcpu->peer = monitor->vcpu[i];
		vcpu->peer->peer = vcpu;
	}
	return build_service_vcpu(monitor, config->vcpus, machine);
}
