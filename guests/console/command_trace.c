/* command_trace.c: the last exits of a partition, in words. */
#include "commands.h"
#include "exit_words.h"
#include "screen.h"
#include "words.h"

#define COUNT_DEFAULT 20
#define COUNT_MAX     500
#define TRIES	      4

struct exit_record {
	uint64_t tsc, reason, detail, ticks;
	unsigned vcpu;
};

static bool read_word(const struct peer *peer, unsigned vcpu, uint64_t age, unsigned word, uint64_t *to)
{
	int64_t value = bh_call4(BH_PARTITION_TRACE, peer->partition, vcpu, age, word);

	*to = (uint64_t)value;
	return value >= 0;
}

/*
 * The record of that age. The partition runs on and ages shift, so the first word is read again at
 * the end: if it is the same the words belong together.
 */
static bool read_record(const struct peer *peer, unsigned vcpu, uint64_t age, struct exit_record *record)
{
	uint64_t again = 0;

	record->vcpu = vcpu;
	for (unsigned i = 0; i < TRIES; i++) {
		if (!read_word(peer, vcpu, age, 0, &record->tsc) || !read_word(peer, vcpu, age, 1, &record->reason) ||
		    !read_word(peer, vcpu, age, 2, &record->detail) || !read_word(peer, vcpu, age, 3, &record->ticks) ||
		    !read_word(peer, vcpu, age, 0, &again))
			return false;
		if (again == record->tsc)
			return true;
	}
	return false;
}

/* Puts a record where it belongs among the `count` newest so far, newest first; the oldest falls
 * off at `max`. */
static void keep(struct exit_record *records, uint64_t *count, uint64_t max, const struct exit_record *record)
{
	uint64_t at = *count;

	while (at && records[at - 1].tsc < record->tsc)
		at--;
	if (at == max)
		return;
	if (*count < max)
		(*count)++;
	for (uint64_t i = *count - 1; i > at; i--)
		records[i] = records[i - 1];
	records[at] = *record;
}

static void collect(const struct peer *peer, unsigned vcpu, struct exit_record *records, uint64_t *count, uint64_t max)
{
	uint64_t last = UINT64_MAX, age = 0;

	for (uint64_t taken = 0; taken < max && age < 4 * max; age++) {
		struct exit_record record;

		if (!read_record(peer, vcpu, age, &record))
			return;
		/* Seen already: newer ones have come in meanwhile. */
		if (record.tsc >= last)
			continue;
		last = record.tsc;
		taken++;
		keep(records, count, max, &record);
	}
}

static void print(const struct exit_record *record)
{
	uint64_t hz = bh_info()->tsc_hz;
	uint64_t microseconds = hz ? record->tsc % hz * 1000000 / hz : 0;
	char detail[EXIT_WORDS_BYTES], took[WORDS_BYTES];

	exit_words(detail, record->reason, record->detail);
	screen_printf("%6u.%06u  vCPU %u  %-44s %s\n", (unsigned)(hz ? record->tsc / hz : 0), (unsigned)microseconds,
		      record->vcpu, detail, words_ticks(took, record->ticks, hz));
}

/* Exact, for measures. */
static void print_numbers(const struct exit_record *record)
{
	char detail[EXIT_WORDS_BYTES];

	exit_words(detail, record->reason, record->detail);
	screen_printf("%llu %u %llu %s\n", (unsigned long long)record->tsc, record->vcpu,
		      (unsigned long long)record->ticks, detail);
}

void command_trace(const struct arguments *arguments)
{
	static struct exit_record records[COUNT_MAX];
	int64_t vcpus = peer_stat(arguments->peer, BH_STAT_VCPUS, 0);
	uint64_t max, count = 0;

	if (!shell_count(arguments, COUNT_DEFAULT, COUNT_MAX, &max))
		return;
	for (int64_t vcpu = 0; vcpu < vcpus; vcpu++)
		collect(arguments->peer, (unsigned)vcpu, records, &count, max);
	if (!count)
		screen_printf("No exits of %s are in the rings.\n", arguments->peer->name);
	while (count--)
		(arguments->flag == 'k' ? print_numbers : print)(&records[count]);
}
