#include "journal.h"
#include <stdarg.h>
#include <stddef.h>
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"

static struct journal_entry entries[JOURNAL_ENTRIES];
static uint64_t next = 1;
static uint64_t (*clock_seconds)(void);
static char actor[32] = "console", actor_source[48];

void journal_start(uint64_t (*seconds)(void)) { clock_seconds = seconds; }

void journal_actor(const char *who, const char *source)
{
	bh_strlcpy(actor, who, sizeof(actor));
	bh_strlcpy(actor_source, source, sizeof(actor_source));
}

void journal_add(const char *result, const char *format, ...)
{
	struct journal_entry *entry = &entries[next % JOURNAL_ENTRIES];
	va_list list;

	entry->number = next++;
	entry->seconds = clock_seconds ? clock_seconds() : 0;
	bh_strlcpy(entry->who, actor, sizeof(entry->who));
	bh_strlcpy(entry->source, actor_source, sizeof(entry->source));
	bh_strlcpy(entry->result, result, sizeof(entry->result));
	va_start(list, format);
	bh_vsnprintf(entry->what, sizeof(entry->what), format, list);
	va_end(list);
}

uint64_t journal_first(void) { return next > JOURNAL_ENTRIES ? next - JOURNAL_ENTRIES : 1; }

uint64_t journal_next(void) { return next; }

const struct journal_entry *journal_entry(uint64_t number)
{
	return number >= journal_first() && number < next ? &entries[number % JOURNAL_ENTRIES] : NULL;
}
