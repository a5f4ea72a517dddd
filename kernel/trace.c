#include "trace.h"
#include "partition.h"
#include "vcpu.h"
#include "virt.h"

const char *const trace_reason[BH_EXIT_REASONS] = BH_EXIT_NAMES;

static const struct trace_record *find(const struct cpu *cpu, const struct vcpu *vcpu, uint64_t age)
{
	size_t newest = (size_t)(cpu->record - cpu->trace->record);

	for (size_t back = 0; back < TRACE_RECORDS; back++) {
		const struct trace_record *record = &cpu->trace->record[(newest - back) % TRACE_RECORDS];

		if (record->tsc && (record->who & 0xffffff) == vcpu->trace_id && age-- == 0)
			return record;
	}
	return NULL;
}

int64_t trace_read(const struct vcpu *vcpu, uint64_t age, unsigned word)
{
	const struct trace_record *record = find(cpus[vcpu->cpu], vcpu, age);

	if (!record)
		return -BH_ENOENT;
	switch (word) {
	case 0:
		return (int64_t)(record->tsc & INT64_MAX);
	case 1:
		return virt->exit_reason(record->who >> 24);
	case 2:
		return (int64_t)(record->detail & INT64_MAX);
	case 3:
		return record->duration;
	default:
		return -BH_EINVAL;
	}
}
