/* machine.c: the machine, its texts, its log. */
#include "guests/lib/bh_string.h"
#include "parts.h"

static void machine_head(struct http *http, struct json *json)
{
	struct view_machine machine;

	(void)http;
	view_machine(&machine);
	json_number(json, "abi_version", BH_ABI_VERSION);
	json_number(json, "memory_bytes", machine.memory);
	json_number(json, "memory_free_bytes", machine.memory_free);
	json_number(json, "kernel_bytes", machine.kernel);
	json_number(json, "kernel_free_bytes", machine.kernel_free);
	json_number(json, "tsc_hz", machine.tsc_hz);
	json_number(json, "now_ns", machine.now);
	json_number(json, "time", api_host->seconds());
	json_number(json, "console_restarts", machine.restarts);
}

static unsigned count_cpus(struct http *http)
{
	struct view_machine machine;

	(void)http;
	view_machine(&machine);
	return machine.cpus;
}

static bool put_cpu(struct http *http, struct api_request *request, struct json *json)
{
	struct view_cpu cpu;

	(void)http;
	view_cpu(request->step, &cpu);
	json_open(json, NULL, '{');
	json_number(json, "number", request->step);
	json_number(json, "apic_id", cpu.apic_id);
	json_number(json, "idle_ns", cpu.idle);
	json_close(json, '}');
	return true;
}

static enum http_more produce_machine(struct http *http, struct text *text)
{
	static const struct api_list list = { machine_head, "cpus", count_cpus, put_cpu };

	return api_list(http, text, &list);
}

void api_get_machine(struct http *http) { api_json(http, 200, produce_machine); }

/* ---- texts: {"text":"..."} ---- */

static unsigned read_text(struct http *http, uint64_t offset, char text[8])
{
	return view_text((enum bh_machine_text)api_request(http)->step, offset, text);
}

static unsigned read_report(struct http *http, uint64_t offset, char text[8])
{
	return view_report(api_request(http)->partition, offset, text);
}

static enum http_more produce(struct http *http, struct text *text, api_reader reader)
{
	struct api_request *request = api_request(http);

	if (!request->opened)
		text_add(text, "{\"text\":\"");
	request->opened = true;
	if (api_escape_some(http, text, reader))
		return HTTP_MORE;
	text_add(text, "\"}\n");
	return HTTP_END;
}

static enum http_more produce_text(struct http *http, struct text *text) { return produce(http, text, read_text); }
static enum http_more produce_report(struct http *http, struct text *text) { return produce(http, text, read_report); }

static void get_text(struct http *http, enum bh_machine_text which)
{
	api_request(http)->step = which;
	api_json(http, 200, produce_text);
}

void api_get_capabilities(struct http *http) { get_text(http, BH_TEXT_CAPS); }
void api_get_pci(struct http *http) { get_text(http, BH_TEXT_PCI); }
void api_get_iommu(struct http *http) { get_text(http, BH_TEXT_IOMMU); }
void api_get_report(struct http *http) { api_json(http, 200, produce_report); }

/* ---- the log ---- */

#define LOG_USUAL 16384 /* every 8 bytes are a hypercall */

static unsigned read_log(struct http *http, uint64_t position, char text[8])
{
	uint64_t end = api_request(http)->end;
	unsigned count = position < end ? view_text(BH_TEXT_LOG, position, text) : 0;

	return position + count <= end ? count : (unsigned)(end - position);
}

static enum http_more produce_log(struct http *http, struct text *text)
{
	struct api_request *request = api_request(http);

	if (!request->opened)
		text_printf(text, "{\"from\":%llu,\"text\":\"", (unsigned long long)request->position);
	request->opened = true;
	if (api_escape_some(http, text, read_log))
		return HTTP_MORE;
	text_printf(text, "\",\"next\":%llu}\n", (unsigned long long)request->position);
	return HTTP_END;
}

void api_get_log(struct http *http)
{
	struct api_request *request = api_request(http);
	uint64_t first, from;
	char digits[24];

	view_log(&first, &request->end);
	request->position = request->end - first > LOG_USUAL ? request->end - LOG_USUAL : first;
	if (http_query(http, "from", digits, sizeof(digits)) && api_number(digits, &from))
		request->position = from < first ? first : from > request->end ? request->end : from;
	api_json(http, 200, produce_log);
}
