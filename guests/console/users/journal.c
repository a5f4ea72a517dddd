#include "journal.h"
#include <stdarg.h>
#include <stddef.h>
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"

static struct journal_entry entries[JOURNAL_ENTRIES];
static struct journal_store *store; /* NULL: none */
static uint64_t next = 1;
static uint64_t (*clock_seconds)(void);
static char actor[32] = "console", actor_source[48];

/* ---- what outlives the service ---- */

/* FNV-1a: against what was half written, not against anybody. */
static uint64_t checksum(const struct journal_entry *entry)
{
	const uint8_t *byte = (const uint8_t *)entry;
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < sizeof(*entry); i++)
		hash = (hash ^ byte[i]) * 0x100000001b3ull;
	return hash;
}

static bool ends(const char *text, size_t size) { return strnlen(text, size) < size; }

/* `kept` is a copy of our own. */
static bool is_whole(const struct journal_kept *kept, unsigned place)
{
	const struct journal_entry *entry = &kept->entry;

	return kept->check == checksum(entry) && entry->number && entry->number % JOURNAL_ENTRIES == place &&
	       entry->number < UINT64_MAX / 2 && ends(entry->who, sizeof(entry->who)) &&
	       ends(entry->source, sizeof(entry->source)) && ends(entry->what, sizeof(entry->what)) &&
	       ends(entry->result, sizeof(entry->result));
}

static void keep(const struct journal_entry *entry)
{
	struct journal_kept *kept = &store->kept[entry->number % JOURNAL_ENTRIES];

	kept->entry = *entry;
	kept->check = checksum(entry);
}

void journal_start(struct journal_store *given, uint64_t (*seconds)(void))
{
	struct journal_kept kept;

	clock_seconds = seconds;
	store = given;
	next = 1;
	memset(entries, 0, sizeof(entries));
	for (unsigned i = 0; store && i < JOURNAL_ENTRIES; i++) {
		kept = store->kept[i];
		if (!is_whole(&kept, i))
			continue;
		entries[i] = kept.entry;
		if (kept.entry.number >= next)
			next = kept.entry.number + 1;
	}
}

/* ---- entries ---- */

void journal_actor(const char *who, const char *source)
{
	bh_strlcpy(actor, who, sizeof(actor));
	bh_strlcpy(actor_source, source, sizeof(actor_source));
}

void journal_add(const char *result, const char *format, ...)
{
	struct journal_entry *entry = &entries[next % JOURNAL_ENTRIES];
	va_list list;

	memset(entry, 0, sizeof(*entry));
	entry->number = next++;
	entry->seconds = clock_seconds ? clock_seconds() : 0;
	bh_strlcpy(entry->who, actor, sizeof(entry->who));
	bh_strlcpy(entry->source, actor_source, sizeof(entry->source));
	bh_strlcpy(entry->result, result, sizeof(entry->result));
	va_start(list, format);
	bh_vsnprintf(entry->what, sizeof(entry->what), format, list);
	va_end(list);
	if (store)
		keep(entry);
}

uint64_t journal_first(void) { return next > JOURNAL_ENTRIES ? next - JOURNAL_ENTRIES : 1; }

uint64_t journal_next(void) { return next; }

const struct journal_entry *journal_entry(uint64_t number)
{
	const struct journal_entry *entry = &entries[number % JOURNAL_ENTRIES];

	return number && number < next && entry->number == number ? entry : NULL;
}
