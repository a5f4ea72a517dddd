#include "contact.h"
#include "guests/lib/bh.h"

#define NEWS_APART_MS 1000
#define NOTES	      12

struct fact {
	char text[CONTACT_TEXT_BYTES];
	bool news;
	uint64_t quiet_until; /* a hostile network may say something else all the time */
};

static char notes[NOTES][CONTACT_TEXT_BYTES];
static unsigned notes_said, notes_shown;
static const char *network_name;
static struct fact addresses[CONTACT_ADDRESSES], problem, fingerprint;

static void set(struct fact *fact, const char *text)
{
	if (!strcmp(fact->text, text))
		return;
	bh_strlcpy(fact->text, text, sizeof(fact->text));
	fact->news = fact->text[0] != 0;
}

void contact_set_network(const char *network) { network_name = network; }

const char *contact_network(void) { return network_name; }

void contact_set_address(unsigned index, const char *address) { set(&addresses[index], address); }

const char *contact_address(unsigned index) { return addresses[index].text; }

void contact_set_problem(const char *text) { set(&problem, text); }

const char *contact_problem(void) { return problem.text; }

void contact_set_fingerprint(const char *text) { set(&fingerprint, text); }

const char *contact_fingerprint(void) { return fingerprint.text; }

void contact_note(const char *format, ...)
{
	va_list list;

	if (notes_said - notes_shown == NOTES)
		return;
	va_start(list, format);
	bh_vsnprintf(notes[notes_said++ % NOTES], CONTACT_TEXT_BYTES, format, list);
	va_end(list);
}

static bool next_note(char text[CONTACT_TEXT_BYTES])
{
	char *note = notes[notes_shown % NOTES];

	if (notes_shown == notes_said)
		return false;
	bh_snprintf(text, CONTACT_TEXT_BYTES, "console: %s", note);
	memset(note, 0, CONTACT_TEXT_BYTES);
	notes_shown++;
	return true;
}

static struct contact_pool pools[CONTACT_POOLS];
static unsigned pool_count;

void contact_add_pool(const struct contact_pool *pool)
{
	if (pool_count < CONTACT_POOLS)
		pools[pool_count++] = *pool;
}

const struct contact_pool *contact_pool(unsigned index) { return index < pool_count ? &pools[index] : NULL; }

/* Whether it is to be shown now. */
static bool take(struct fact *fact)
{
	uint64_t now = bh_rdtsc();

	if (!fact->news || now < fact->quiet_until)
		return false;
	fact->news = false;
	fact->quiet_until = now + bh_ticks_ms(NEWS_APART_MS);
	return true;
}

bool contact_next(char text[CONTACT_TEXT_BYTES])
{
	if (take(&problem)) {
		bh_snprintf(text, CONTACT_TEXT_BYTES, "console: %s", problem.text);
		return true;
	}
	for (unsigned i = 0; i < CONTACT_ADDRESSES; i++) {
		if (!take(&addresses[i]))
			continue;
		bh_snprintf(text, CONTACT_TEXT_BYTES, "console: https://%s/ on %s", addresses[i].text, network_name);
		return true;
	}
	if (!take(&fingerprint))
		return next_note(text);
	bh_snprintf(text, CONTACT_TEXT_BYTES, "console: SHA-256 %s", fingerprint.text);
	return true;
}
