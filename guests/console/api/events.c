/*
 * events.c: what happens, as a stream. Events are "partition", with its state: first those of all that may be seen,
 * then each change. Numbers are from the machine's clock, so that they go on growing when this service restarts.
 */
#include "guests/lib/bh_string.h"
#include "lists.h"

#define EVENTS 128
#define SEEN   BH_INFO_HANDLES

struct event {
	uint64_t number;
	unsigned partition, state, cause;
	uint64_t restarts;
};

static struct event events[EVENTS];
static uint64_t first, next; /* numbers: of the oldest that is kept, of the one to come */
static struct event seen[SEEN];

/* As the partition is now; true: it was not so when it was last looked at. */
static bool look(unsigned number, struct event *now)
{
	struct view_partition partition;
	struct event *before = &seen[number];

	view_partition(number, &partition);
	*now = (struct event){ 0, number, partition.state, partition.cause, partition.restarts };
	before->partition = number;
	if (now->state == before->state && now->cause == before->cause && now->restarts == before->restarts)
		return false;
	*before = *now;
	return true;
}

static unsigned count(void)
{
	unsigned partitions = view_partitions();

	return partitions < SEEN ? partitions : SEEN;
}

void api_events_start(void)
{
	struct view_machine machine;
	struct event ignored;

	view_machine(&machine);
	first = next = machine.now / 1000000 + 1;
	for (unsigned i = 0; i < count(); i++)
		look(i, &ignored);
}

void api_events_look(void)
{
	struct event now;

	for (unsigned i = 0; i < count(); i++) {
		if (!look(i, &now))
			continue;
		now.number = next++;
		events[now.number % EVENTS] = now;
		first = next - first > EVENTS ? next - EVENTS : first;
	}
}

static void put(struct text *text, const struct event *event, uint64_t number)
{
	struct json json = json_in(text, false);
	struct view_partition partition;

	view_partition(event->partition, &partition);
	text_printf(text, "id: %llu\nevent: partition\ndata: ", (unsigned long long)number);
	json_open(&json, NULL, '{');
	json_string(&json, "name", partition.name);
	json_string(&json, "state", api_state(event->state));
	json_string(&json, "cause", api_cause(event->cause));
	json_number(&json, "restarts", event->restarts);
	json_close(&json, '}');
	text_add(text, "\n\n");
}

/* Step: partitions of the first part that were told. */
static enum http_more produce(struct http *http, struct text *text)
{
	struct api_request *request = api_request(http);

	if (!api_token(http))
		return HTTP_END;
	if (request->step < count()) {
		if (api_sees(http, request->step))
			put(text, &seen[request->step], request->position - 1);
		request->step++;
		return HTTP_MORE;
	}
	/* It reads too slowly: from the beginning. */
	if (request->position < first) {
		request->position = next;
		request->step = 0;
		return HTTP_MORE;
	}
	if (request->position == next)
		return HTTP_LATER;

	const struct event *event = &events[request->position++ % EVENTS];

	if (api_sees(http, event->partition))
		put(text, event, event->number);
	return HTTP_MORE;
}

void api_get_events(struct http *http)
{
	struct api_request *request = api_request(http);
	uint64_t last;

	request->position = next;
	if (api_number(http_last_event(http), &last) && last + 1 >= first && last < next) {
		request->position = last + 1;
		request->step = count();
	}
	http_stream(http, produce);
}
