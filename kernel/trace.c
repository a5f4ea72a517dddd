#include "trace.h"
#include "partition.h"
#include "vcpu.h"

const char *const trace_reason[BH_EXIT_REASONS] = BH_EXIT_NAMES;

static const struct trace_record *find(const struct trace *trace, const struct vcpu *vcpu, uint64_t age)
{
	uint64_t count = trace->count;
	uint64_t kept = count < TRACE_RECORDS ? count : TRACE_RECORDS;

	for (uint64_t back = 1; back <= kept; back++) {
		const struct trace_record *record = &trace->record[(count - back) % TRACE_RECORDS];

		if ((record->who & 0xffffff) == vcpu->trace_id && age-- == 0)
			return record;
	}
	return NULL;
}

int64_t trace_read(const struct vcpu *vcpu, uint64_t age, unsigned word)
{
	const struct trace_record *record = find(cpus[vcpu->cpu]->trace, vcpu, age);

	if (!record)
		return -BH_ENOENT;
	switch (word) {
	case 0:
		return (int64_t)(record->tsc & INT64_MAX);
	case 1:
		return record->who >> 24;
	case 2:
		return (int64_t)(record->detail & INT64_MAX);
	case 3:
		return record->duration;
	default:
		return -BH_EINVAL;
	}
}
