/* statistics.c: where time goes: of all vCPUs, and exits by reason. */
#include "guests/lib/bh_string.h"
#include "lists.h"
#include "parts.h"

static uint64_t all_exits(unsigned partition, unsigned vcpu)
{
	uint64_t all = 0;

	for (unsigned reason = 0; reason < BH_EXIT_REASONS; reason++)
		all += view_exits(partition, vcpu, reason);
	return all;
}

static void now_head(struct http *http, struct json *json)
{
	struct view_machine machine;

	(void)http;
	view_machine(&machine);
	json_number(json, "now_ns", machine.now);
}

/* Step: partition; inner: vCPU. */
static bool put_vcpu(struct http *http, struct api_request *request, struct json *json)
{
	struct view_partition partition;
	struct view_vcpu vcpu;

	view_partition(request->step, &partition);
	if (!api_sees(http, request->step) || request->inner >= partition.vcpus)
		return true;
	view_vcpu(request->step, request->inner, &vcpu);
	json_open(json, NULL, '{');
	json_string(json, "partition", partition.name);
	json_number(json, "number", request->inner);
	api_vcpu_members(json, &vcpu);
	json_number(json, "exits", all_exits(request->step, request->inner));
	json_close(json, '}');
	return request->inner + 1 >= partition.vcpus;
}

static enum http_more produce_statistics(struct http *http, struct text *text)
{
	static const struct api_list list = { now_head, "vcpus", api_count_partitions, put_vcpu };

	return api_list(http, text, &list);
}

void api_get_statistics(struct http *http) { api_json(http, 200, produce_statistics); }

/* ---- exits ---- */

const char *api_exit_key(unsigned reason)
{
	static const char *const names[] = BH_EXIT_NAMES;
	static char key[32];

	bh_strlcpy(key, names[reason], sizeof(key));
	for (char *c = key; *c; c++)
		*c = *c == ' ' ? '_' : *c;
	return key;
}

static bool put_exits(struct http *http, struct api_request *request, struct json *json)
{
	(void)http;
	json_open(json, NULL, '{');
	json_number(json, "number", request->step);
	json_open(json, "exits", '{');
	for (unsigned reason = 0; reason < BH_EXIT_REASONS; reason++)
		json_number(json, api_exit_key(reason), view_exits(request->partition, request->step, reason));
	json_close(json, '}');
	json_close(json, '}');
	return true;
}

static enum http_more produce_exits(struct http *http, struct text *text)
{
	static const struct api_list list = { now_head, "vcpus", api_count_vcpus, put_exits };

	return api_list(http, text, &list);
}

void api_get_exits(struct http *http) { api_json(http, 200, produce_exits); }
