/* words.c: states in words that programs rely on. */
#include "parts.h"

const char *api_state(unsigned state)
{
	static const char *const words[] = { "failed-config", "stopped", "starting", "running", "paused", "stopping" };

	return state < sizeof(words) / sizeof(words[0]) ? words[state] : "unknown";
}

const char *api_cause(unsigned cause)
{
	static const char *const words[] = { "none", "never-started", "stopped", "finished", "powered-off", "failed" };

	return cause < sizeof(words) / sizeof(words[0]) ? words[cause] : "unknown";
}

bool api_number(const char *digits, uint64_t *number)
{
	if (!*digits)
		return false;
	for (*number = 0; *digits; digits++) {
		if (*digits < '0' || *digits > '9' || *number > UINT64_MAX / 16)
			return false;
		*number = *number * 10 + (uint64_t)(*digits - '0');
	}
	return true;
}

void api_partition_members(struct json *json, const struct view_partition *partition)
{
	json_string(json, "name", partition->name);
	json_string(json, "kind", partition->kind);
	if (partition->guest[0])
		json_string(json, "guest", partition->guest);
	json_string(json, "state", api_state(partition->state));
	json_string(json, "cause", api_cause(partition->cause));
	json_string(json, "words", partition->words);
	json_number(json, "memory_bytes", partition->memory);
	json_number(json, "vcpus", partition->vcpus);
	json_number(json, "restarts", partition->restarts);
	json_number(json, "started_ns", partition->started);
	json_bool(json, "console", partition->console);
	json_bool(json, "runtime", partition->runtime);
}
