/* partitions.c: the partitions: which there are, each, what is done with them. */
#include "guests/lib/bh_string.h"
#include "lists.h"
#include "parts.h"

unsigned api_count_partitions(struct http *http)
{
	(void)http;
	return view_partitions();
}

static bool put_partition(struct http *http, struct api_request *request, struct json *json)
{
	struct view_partition partition;

	if (!api_sees(http, request->step))
		return true;
	view_partition(request->step, &partition);
	json_open(json, NULL, '{');
	api_partition_members(json, &partition);
	json_close(json, '}');
	return true;
}

static enum http_more produce_all(struct http *http, struct text *text)
{
	static const struct api_list list = { NULL, "partitions", api_count_partitions, put_partition };

	return api_list(http, text, &list);
}

void api_get_partitions(struct http *http) { api_json(http, 200, produce_all); }

/* ---- one ---- */

static void partition_head(struct http *http, struct json *json)
{
	struct view_partition partition;

	view_partition(api_request(http)->partition, &partition);
	api_partition_members(json, &partition);
}

unsigned api_count_vcpus(struct http *http)
{
	struct view_partition partition;

	view_partition(api_request(http)->partition, &partition);
	return partition.vcpus;
}

void api_vcpu_members(struct json *json, const struct view_vcpu *vcpu)
{
	json_number(json, "cpu", vcpu->cpu);
	json_bool(json, "dedicated", vcpu->dedicated);
	json_number(json, "ran_ns", vcpu->ran);
	json_number(json, "kernel_ns", vcpu->kernel);
	json_number(json, "monitor_ns", vcpu->monitor);
}

static bool put_vcpu(struct http *http, struct api_request *request, struct json *json)
{
	struct view_vcpu vcpu;

	(void)http;
	view_vcpu(request->partition, request->step, &vcpu);
	json_open(json, NULL, '{');
	json_number(json, "number", request->step);
	api_vcpu_members(json, &vcpu);
	json_close(json, '}');
	return true;
}

static enum http_more produce_one(struct http *http, struct text *text)
{
	static const struct api_list list = { partition_head, "vcpu", api_count_vcpus, put_vcpu };

	return api_list(http, text, &list);
}

void api_answer_partition(struct http *http, unsigned status) { api_json(http, status, produce_one); }

void api_get_partition(struct http *http) { api_answer_partition(http, 200); }

/* ---- operations ---- */

/* It goes on: what comes of it is told by the stream of events. */
void api_post_operation(struct http *http)
{
	const char *name = strrchr(http_path(http), '/') + 1;
	char words[VIEW_WORDS];

	switch (view_operate(api_request(http)->partition, name, words)) {
	case VIEW_BEGUN: api_json(http, 202, produce_one); break;
	case VIEW_REFUSED: http_problem(http, 409, words); break;
	case VIEW_FORBIDDEN: http_problem(http, 403, words); break;
	case VIEW_UNKNOWN: http_problem(http, 404, "There is no such operation."); break;
	}
}
