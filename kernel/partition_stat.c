#include "partition.h"
#include "vcpu.h"
#include "virt.h"

/* The back end counts by its own numbers; several may have one public name. */
static int64_t exits(const struct vcpu *vcpu, uint64_t reason)
{
	uint64_t sum = 0;

	for (unsigned number = 0; number < 256; number++) {
		if (virt->exit_reason(number) == reason)
			sum += vcpu->exits[number];
	}
	return (int64_t)sum;
}

static int64_t vcpu_stat(const struct vcpu *vcpu, uint64_t field, uint64_t reason)
{
	switch (field) {
	case BH_STAT_VCPU_CPU: return vcpu->cpu;
	case BH_STAT_VCPU_DEDICATED:
		return vcpu->partition->config && vcpu->partition->config->dedicated &&
		       vcpu->index < vcpu->partition->config->vcpus;
	case BH_STAT_VCPU_RAN: return (int64_t)vcpu->ran;
	case BH_STAT_VCPU_KERNEL: return (int64_t)vcpu->kernel;
	case BH_STAT_VCPU_MONITOR:
		return vcpu->is_guest && vcpu->peer ? (int64_t)(vcpu->peer->ran + vcpu->peer->kernel) : 0;
	case BH_STAT_VCPU_EXITS: return reason < BH_EXIT_REASONS ? exits(vcpu, reason) : -BH_EINVAL;
	default: return -BH_EINVAL;
	}
}

int64_t partition_stat(struct partition *partition, uint64_t field, uint64_t index)
{
	struct partition *leader = partition_leader(partition);
	uint32_t epoch = leader->epoch;

	switch (field) {
	case BH_STAT_STATE: return leader->state;
	case BH_STAT_CAUSE: return leader->cause;
	case BH_STAT_KIND: return partition->kind;
	case BH_STAT_MEMORY: return (int64_t)partition->memory_bytes;
	case BH_STAT_VCPUS: return partition->vcpus;
	case BH_STAT_RESTARTS: return epoch ? epoch - 1 : 0;
	case BH_STAT_STARTED: return (int64_t)leader->started;
	default:
		if ((index & 0xffff) >= partition->vcpus || !partition->vcpu[index & 0xffff])
			return -BH_EINVAL;
		return vcpu_stat(partition->vcpu[index & 0xffff], field, index >> 16);
	}
}
