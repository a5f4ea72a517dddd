#include "history.h"
#include "guests/lib/bh_string.h"
#include "lists.h"

enum { CPU, EXITS, IN, OUT, VALUES };

/* What has been counted since the partition was made. */
struct sums {
	uint64_t now, value[VALUES];
};

/* Of a partition: rates by the second. Its place may have become another's: the name tells. */
struct history {
	char name[BH_NAME_BYTES];
	struct sums last;
	unsigned count; /* samples ever taken */
	uint32_t rate[VALUES][HISTORY_SAMPLES];
};

static struct history all[HISTORY_PARTITIONS];
static uint64_t round_began;
static unsigned sampled; /* partitions of this round */

void history_start(void)
{
	memset(all, 0, sizeof(all));
	round_began = 0;
	sampled = 0;
}

/* ---- samples ---- */

static void add_vcpus(unsigned number, unsigned vcpus, struct sums *sums)
{
	for (unsigned i = 0; i < vcpus; i++) {
		struct view_vcpu vcpu;

		view_vcpu(number, i, &vcpu);
		sums->value[CPU] += (vcpu.ran + vcpu.kernel + vcpu.monitor) / 1000;
		for (unsigned reason = 0; reason < BH_EXIT_REASONS; reason++)
			sums->value[EXITS] += view_exits(number, i, reason);
	}
}

static void add_ports(const char *name, struct sums *sums)
{
	struct view_port port;

	for (unsigned i = 0; i < view_ports(); i++) {
		if (!view_port(i, &port) || strcmp(port.guest, name))
			continue;
		sums->value[IN] += port.stat.in_bytes;
		sums->value[OUT] += port.stat.out_bytes;
	}
}

/* Who was started anew counts from 0: nothing, then. `ms` is not 0. */
static uint32_t rate(uint64_t now, uint64_t before, uint64_t ms)
{
	uint64_t more = now > before ? now - before : 0;

	if (more > UINT64_MAX / 1000 || more * 1000 / ms > UINT32_MAX)
		return UINT32_MAX;
	return (uint32_t)(more * 1000 / ms);
}

static void keep(struct history *history, const struct sums *sums)
{
	uint64_t ms = (sums->now - history->last.now) / 1000000;

	if (history->last.now && ms) {
		for (unsigned i = 0; i < VALUES; i++)
			history->rate[i][history->count % HISTORY_SAMPLES] =
				rate(sums->value[i], history->last.value[i], ms);
		history->count++;
	}
	history->last = *sums;
}

static void sample(unsigned number)
{
	struct history *history = &all[number];
	struct view_partition partition;
	struct view_machine machine;
	struct sums sums = { 0 };

	view_partition(number, &partition);
	if (strcmp(history->name, partition.name)) {
		memset(history, 0, sizeof(*history));
		bh_strlcpy(history->name, partition.name, sizeof(history->name));
	}
	if (!partition.name[0])
		return;
	add_vcpus(number, partition.vcpus, &sums);
	add_ports(partition.name, &sums);
	view_machine(&machine);
	sums.now = machine.now;
	keep(history, &sums);
}

void history_tick(uint64_t now_ms)
{
	unsigned count = view_partitions() < HISTORY_PARTITIONS ? view_partitions() : HISTORY_PARTITIONS;
	uint64_t due;

	if (now_ms - round_began >= HISTORY_EVERY_MS) {
		round_began = now_ms;
		sampled = 0;
	}
	due = count * (now_ms - round_began) / HISTORY_EVERY_MS + 1;
	while (sampled < count && sampled < due)
		sample(sampled++);
}

/* ---- the resource ---- */

static void put_head(struct http *http, struct json *json)
{
	(void)http;
	json_number(json, "interval_ns", HISTORY_EVERY_MS * 1000000ull);
}

/* The oldest first. */
static void put_rates(struct json *json, const char *key, const struct history *history, unsigned which)
{
	unsigned first = history->count > HISTORY_SAMPLES ? history->count - HISTORY_SAMPLES : 0;

	json_open(json, key, '[');
	for (unsigned i = first; i < history->count; i++)
		json_number(json, NULL, history->rate[which][i % HISTORY_SAMPLES]);
	json_close(json, ']');
}

/* Step: partition; inner: which of its values. Its samples may end between two of them by one. */
static bool put_partition(struct http *http, struct api_request *request, struct json *json)
{
	static const char *const keys[VALUES] = { "cpu_us", "exits", "in_bytes", "out_bytes" };
	static const struct history none;
	const struct history *history = request->step < HISTORY_PARTITIONS ? &all[request->step] : &none;
	struct view_partition partition;

	view_partition(request->step, &partition);
	if (!request->inner) {
		if (!api_sees(http, request->step) || strcmp(history->name, partition.name))
			return true;
		json_open(json, NULL, '{');
		json_string(json, "name", partition.name);
	}
	put_rates(json, keys[request->inner], strcmp(history->name, partition.name) ? &none : history, request->inner);
	if (request->inner + 1 < VALUES)
		return false;
	json_close(json, '}');
	return true;
}

static enum http_more produce(struct http *http, struct text *text)
{
	static const struct api_list list = { put_head, "partitions", api_count_partitions, put_partition };

	return api_list(http, text, &list);
}

void api_get_history(struct http *http) { api_json(http, 200, produce); }
