/* metrics.c: /metrics in the text format of Prometheus (exposition format 0.0.4): a family after the other. */
#include "guests/lib/bh_string.h"
#include "lists.h"

enum scope { MACHINE, CPU, PARTITION, VCPU, EXIT, PORT, DROP };

/* Step: family; inner: CPU, partition or port; third: vCPU, exit, drop. */
struct family {
	const char *name, *type, *help;
	enum scope scope;
	bool seconds;	   /* the value is nanoseconds */
	const char *label; /* "direction=\"in\"", or NULL */
	uint64_t (*value)(const struct api_request *request);
	bool again; /* more of the family before: no head */
};

/* ---- values ---- */

static struct view_machine machine_now(void)
{
	struct view_machine machine;

	view_machine(&machine);
	return machine;
}

static uint64_t memory(const struct api_request *r) { return (void)r, machine_now().memory; }
static uint64_t memory_free(const struct api_request *r) { return (void)r, machine_now().memory_free; }
static uint64_t up(const struct api_request *r) { return (void)r, machine_now().now; }
static uint64_t console_restarts(const struct api_request *r) { return (void)r, machine_now().restarts; }

static uint64_t idle(const struct api_request *r)
{
	struct view_cpu cpu;

	view_cpu(r->inner, &cpu);
	return cpu.idle;
}

static struct view_partition partition_of(const struct api_request *r)
{
	struct view_partition partition;

	view_partition(r->inner, &partition);
	return partition;
}

static uint64_t runs(const struct api_request *r) { return partition_of(r).state == BH_STATE_RUNNING; }
static uint64_t failed(const struct api_request *r)
{
	return partition_of(r).state == BH_STATE_FAILED_CONFIG || partition_of(r).cause == BH_CAUSE_FAILED;
}
static uint64_t own_memory(const struct api_request *r) { return partition_of(r).memory; }
static uint64_t restarts(const struct api_request *r) { return partition_of(r).restarts; }

static struct view_vcpu vcpu_of(const struct api_request *r)
{
	struct view_vcpu vcpu;

	view_vcpu(r->inner, r->third, &vcpu);
	return vcpu;
}

static uint64_t ran(const struct api_request *r) { return vcpu_of(r).ran; }
static uint64_t kernel(const struct api_request *r) { return vcpu_of(r).kernel; }
static uint64_t monitor(const struct api_request *r) { return vcpu_of(r).monitor; }

static uint64_t exits(const struct api_request *r)
{
	uint64_t all = 0;

	for (unsigned vcpu = 0; vcpu < partition_of(r).vcpus; vcpu++)
		all += view_exits(r->inner, vcpu, r->third);
	return all;
}

static struct bh_port_stat port_of(const struct api_request *r)
{
	struct view_port port;

	view_port(r->inner, &port);
	return port.stat;
}

static uint64_t link_up(const struct api_request *r) { return port_of(r).link != 0; }
static uint64_t out_bytes(const struct api_request *r) { return port_of(r).out_bytes; }
static uint64_t in_bytes(const struct api_request *r) { return port_of(r).in_bytes; }
static uint64_t out_frames(const struct api_request *r) { return port_of(r).out_frames; }
static uint64_t in_frames(const struct api_request *r) { return port_of(r).in_frames; }
static uint64_t drops(const struct api_request *r) { return port_of(r).drops[r->third]; }

static const struct family families[] = {
	{ "bulkhead_memory_bytes", "gauge", "Memory of the machine.", MACHINE, false, NULL, memory, false },
	{ "bulkhead_memory_free_bytes", "gauge", "Memory that nobody has.", MACHINE, false, NULL, memory_free, false },
	{ "bulkhead_uptime_seconds", "gauge", "Time since the machine was started.", MACHINE, true, NULL, up, false },
	{ "bulkhead_console_restarts", "gauge", "Restarts of this service.", MACHINE, false, NULL, console_restarts,
	  false },
	{ "bulkhead_cpu_idle_seconds_total", "counter", "Idle time of a CPU.", CPU, true, NULL, idle, false },
	{ "bulkhead_partition_running", "gauge", "1: it runs.", PARTITION, false, NULL, runs, false },
	{ "bulkhead_partition_failed", "gauge", "1: it ended with a failure.", PARTITION, false, NULL, failed, false },
	{ "bulkhead_partition_memory_bytes", "gauge", "Its memory.", PARTITION, false, NULL, own_memory, false },
	{ "bulkhead_partition_restarts", "gauge", "Starts after the first.", PARTITION, false, NULL, restarts, false },
	{ "bulkhead_vcpu_seconds_total", "counter", "Time of a vCPU, by where it was spent.", VCPU, true,
	  "mode=\"guest\"", ran, false },
	{ "bulkhead_vcpu_seconds_total", NULL, NULL, VCPU, true, "mode=\"kernel\"", kernel, true },
	{ "bulkhead_vcpu_seconds_total", NULL, NULL, VCPU, true, "mode=\"monitor\"", monitor, true },
	{ "bulkhead_exits_total", "counter", "Exits of a partition, by reason.", EXIT, false, NULL, exits, false },
	{ "bulkhead_port_up", "gauge", "1: the link is up.", PORT, false, NULL, link_up, false },
	{ "bulkhead_port_bytes_total", "counter", "Bytes through a port, as its owner sees it.", PORT, false,
	  "direction=\"out\"", out_bytes, false },
	{ "bulkhead_port_bytes_total", NULL, NULL, PORT, false, "direction=\"in\"", in_bytes, true },
	{ "bulkhead_port_frames_total", "counter", "Frames through a port.", PORT, false, "direction=\"out\"",
	  out_frames, false },
	{ "bulkhead_port_frames_total", NULL, NULL, PORT, false, "direction=\"in\"", in_frames, true },
	{ "bulkhead_port_drops_total", "counter", "Frames dropped at a port, by cause.", DROP, false, NULL, drops,
	  false },
};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* ---- samples ---- */

/* A label's value: UTF-8, with these three escaped. */
static void put_value(struct text *text, const char *value)
{
	size_t bytes = strlen(value);

	for (size_t i = 0, length; i < bytes; i += length) {
		length = json_utf8(value + i, bytes - i);
		if (value[i] == '"' || value[i] == '\\')
			text_add(text, "\\");
		if (value[i] == '\n')
			text_add(text, "\\n");
		else if (!length)
			text_add(text, "\xef\xbf\xbd");
		else
			text_bytes(text, value + i, length);
		length = length ? length : 1;
	}
}

static void put_label(struct text *text, const char *label, const char *value)
{
	text_printf(text, "%s=\"", label);
	put_value(text, value);
	text_add(text, "\"");
}

static void put_port_labels(struct text *text, unsigned number)
{
	struct view_port port;

	view_port(number, &port);
	put_label(text, "port", port.name);
	text_add(text, ",");
	put_label(text, "network", view_network(port.network)->name);
}

static void put_labels(struct text *text, const struct family *family, const struct api_request *r)
{
	static const char *const causes[] = { "malformed", "spoofed", "vlan", "rate",  "broadcast",
					      "oversize",  "link",    "full", "device" };

	if (family->scope == MACHINE)
		return;
	text_add(text, "{");
	switch (family->scope) {
	case CPU: text_printf(text, "cpu=\"%u\"", r->inner); break;
	case PORT:
	case DROP: put_port_labels(text, r->inner); break;
	default: put_label(text, "partition", partition_of(r).name);
	}
	if (family->scope == VCPU)
		text_printf(text, ",vcpu=\"%u\"", r->third);
	if (family->scope == EXIT)
		text_printf(text, ",reason=\"%s\"", api_exit_key(r->third));
	if (family->scope == DROP)
		text_printf(text, ",cause=\"%s\"", causes[r->third]);
	if (family->label)
		text_printf(text, ",%s", family->label);
	text_add(text, "}");
}

static void put_sample(struct text *text, const struct family *family, const struct api_request *r)
{
	uint64_t value = family->value(r);

	text_add(text, family->name);
	put_labels(text, family, r);
	if (family->seconds)
		text_printf(text, " %llu.%09llu\n", (unsigned long long)(value / 1000000000),
			    (unsigned long long)(value % 1000000000));
	else
		text_printf(text, " %llu\n", (unsigned long long)value);
}

/* How many there are of what the first label says, and of the second for one of these that may be seen. */
static unsigned count_inner(enum scope scope)
{
	switch (scope) {
	case MACHINE: return 1;
	case CPU: return machine_now().cpus;
	case PORT:
	case DROP: return view_ports();
	default: return view_partitions();
	}
}

static unsigned count_third(struct http *http, enum scope scope, const struct api_request *r)
{
	struct view_port port;

	switch (scope) {
	case MACHINE:
	case CPU: return 1;
	case PORT:
	case DROP:
		if (!view_port(r->inner, &port) || !api_sees_port(http, &port))
			return 0;
		return scope == DROP ? BH_DROPS : 1;
	default: break;
	}
	if (!api_sees(http, r->inner))
		return 0;
	return scope == VCPU ? partition_of(r).vcpus : scope == EXIT ? BH_EXIT_REASONS : 1;
}

/* Head of a family whose samples begin. */
static void put_head(struct text *text, const struct family *family)
{
	if (!family->again)
		text_printf(text, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
			    family->type);
}

static enum http_more produce(struct http *http, struct text *text)
{
	struct api_request *request = api_request(http);
	const struct family *family = &families[request->step];

	if (request->step == FAMILIES)
		return HTTP_END;
	if (!request->inner && !request->third)
		put_head(text, family);
	if (request->inner >= count_inner(family->scope)) {
		request->step++;
		request->inner = request->third = 0;
	} else if (request->third >= count_third(http, family->scope, request)) {
		request->inner++;
		request->third = 0;
	} else {
		put_sample(text, family, request);
		request->third++;
	}
	return HTTP_MORE;
}

void api_get_metrics(struct http *http)
{
	http_produce(http, 200, "text/plain; version=0.0.4; charset=utf-8", produce);
}
