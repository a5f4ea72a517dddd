#include "creation_text.h"
#include "guests/lib/bh.h"

static char *text;
static size_t base, used, room; /* bytes of the boot's, of all, and at most */
static size_t last;		/* where the last section begins */
static struct config config;

void creation_text_start(const char *from, size_t bytes)
{
	text = bh_alloc(bytes + CREATION_ROOM, 16);
	base = used = last = 0;
	room = text ? bytes + CREATION_ROOM : 0;
	if (!text) {
		bh_printf("console: no memory for the configuration\n");
		return;
	}
	memcpy(text, from, bytes);
	if (bytes && text[bytes - 1] != '\n')
		text[bytes++] = '\n';
	base = used = last = bytes;
}

/* ---- sections ----------------------------------------------------------------------------------- */

static bool is_word(const char *word)
{
	for (const char *c = word; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '-' ||
		      *c == '_'))
			return false;
	return word[0];
}

static bool is_line(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < 0x20 || *value == 0x7f)
			return false;
	return true;
}

bool creation_text_section(char *to, size_t size, const char *kind, const char *name, const struct view_key *keys,
			   unsigned count, char words[VIEW_SENTENCE], char wrong[BH_NAME_BYTES])
{
	size_t at;

	if (!is_word(name) || strlen(name) >= BH_NAME_BYTES) {
		bh_strlcpy(words, "A name has letters, digits, - and _, and 31 of them at most.", VIEW_SENTENCE);
		return false;
	}
	at = (size_t)bh_snprintf(to, size, "\n[%s %s]\n", kind, name);
	for (unsigned i = 0; i < count; i++) {
		if (!is_word(keys[i].name) || !is_line(keys[i].value)) {
			bh_strlcpy(wrong, keys[i].name, BH_NAME_BYTES);
			bh_strlcpy(words, "A key is a word, and its value one line.", VIEW_SENTENCE);
			return false;
		}
		at += (size_t)bh_snprintf(to + at, size - at, "%s = %s\n", keys[i].name, keys[i].value);
		if (at + 1 >= size) {
			bh_strlcpy(words, "Its keys are too long, all together.", VIEW_SENTENCE);
			return false;
		}
	}
	return true;
}

bool creation_text_add(const char *section, size_t bytes)
{
	if (bytes > room - used)
		return false;
	memcpy(text + used, section, bytes);
	last = used;
	used += bytes;
	return true;
}

static size_t next_section(size_t at)
{
	for (; at + 1 < used; at++)
		if (text[at] == '\n' && text[at + 1] == '[')
			return at;
	return used;
}

void creation_text_remove(const char *kind, const char *name)
{
	char head[2 * BH_NAME_BYTES];
	size_t length = (size_t)bh_snprintf(head, sizeof(head), "\n[%s %s]\n", kind, name), end;

	for (size_t at = next_section(base); at < used; at = next_section(at + 1)) {
		if (used - at < length || memcmp(text + at, head, length))
			continue;
		end = next_section(at + 1);
		memmove(text + at, text + end, used - end);
		used -= end - at;
		return;
	}
}

void creation_text_keep(char to[CREATION_ROOM])
{
	if (!text)
		return;
	memcpy(to, text + base, used - base);
	to[used - base] = 0;
}

size_t creation_text_copy(uint64_t offset, char *to, size_t max)
{
	size_t left = offset < used ? used - (size_t)offset : 0;

	left = left < max ? left : max;
	if (left)
		memcpy(to, text + offset, left);
	return left;
}

/* ---- records ------------------------------------------------------------------------------------ */

/* Which line `at` is in, from 1. */
static uint32_t line_of(size_t at)
{
	uint32_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += text[i] == '\n';
	return line;
}

struct listener {
	struct creation_error *error;
	uint32_t first; /* line of the section */
};

/* The key of that line; of the section's own line: the one that is missing, as the words say. */
static void name_key(const struct listener *listener, uint32_t line, const char *words)
{
	const char *from = words, *end;
	size_t at = last, length;

	if (line > listener->first) {
		for (uint32_t here = line_of(last); here < line && at < used; at++)
			here += text[at] == '\n';
		from = text + at;
	} else {
		while (*from && strncmp(from, "needs `", 7))
			from++;
		from += *from ? 7 : 0;
	}
	for (end = from; (*end >= 'a' && *end <= 'z') || *end == '-'; end++)
		;
	length = (size_t)(end - from);
	if (length && length < BH_NAME_BYTES) {
		memcpy(listener->error->key, from, length);
		listener->error->key[length] = 0;
	}
}

static void hear(void *context, uint32_t line, const char *words)
{
	struct listener *listener = context;

	if (!listener->error || listener->error->words[0] || line < listener->first)
		return;
	bh_strlcpy(listener->error->words, words, VIEW_SENTENCE);
	name_key(listener, line, words);
}

const struct config *creation_text_parse(struct creation_error *error)
{
	/* A section's text begins with an empty line. */
	struct listener listener = { error, line_of(last) + 1 };

	config_parse(text, used, &config, hear, &listener);
	return &config;
}

const struct config_partition *creation_text_find(const char *name)
{
	for (uint32_t i = 0; i < config.partitions; i++)
		if (!strcmp(config.partition[i].name, name))
			return &config.partition[i];
	return NULL;
}

bool creation_text_has_ports(const struct config_partition *partition)
{
	for (uint32_t i = 0; i < config.network.ports; i++)
		if (&config.partition[config.network.port[i].partition] == partition)
			return true;
	return false;
}

size_t view_configuration(uint64_t offset, char *to, size_t max) { return creation_text_copy(offset, to, max); }

static bool uses(const struct config_partition *partition, const char *name)
{
	for (uint32_t i = 0; i < partition->grants; i++)
		if (partition->grant[i].type == CONFIG_GRANT_IMAGE && !strcmp(partition->grant[i].path, name))
			return true;
	return !strcmp(partition->image, name) || !strcmp(partition->initrd, name);
}

bool view_image_used(const char *image, unsigned partition)
{
	struct view_partition look;
	const struct config_partition *found;

	view_partition(partition, &look);
	found = look.name[0] ? creation_text_find(look.name) : NULL;
	return found && uses(found, image);
}
