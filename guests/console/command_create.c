/* command_create.c: images, and partitions that are made and removed at run time. */
#include "api/view.h"
#include "commands.h"
#include "screen.h"
#include "users/journal.h"
#include "words.h"

static void say(const char *words)
{
	screen_text(words, strlen(words));
	screen_printf("\n");
}

/* ---- images ---- */

static void show_image(const struct view_image *image)
{
	char size[WORDS_BYTES], come[WORDS_BYTES];

	screen_printf("%-30s %9s %-7s", image->name, words_size(size, image->bytes),
		      image->uploaded ? "upload" : "boot");
	if (image->received < image->bytes)
		screen_printf(" %s have come", words_size(come, image->received));
	for (unsigned i = 0; i < peer_count; i++)
		if (peers[i].name[0] && !peers[i].guest && view_image_used(image->name, i))
			screen_printf(" %s", peers[i].name);
	screen_printf("\n");
}

void command_image(const struct arguments *arguments)
{
	const char *what = arguments->words[0], *name = what ? arguments->words[1] : NULL;
	char words[VIEW_SENTENCE];
	struct view_image image;
	int number;

	journal_actor("serial line", "");
	if (!what) {
		for (unsigned i = 0; i < view_images(); i++)
			if (view_image(i, &image))
				show_image(&image);
		return;
	}
	number = name && !strcmp(what, "remove") ? view_image_find(name) : -2;
	if (number == -2)
		screen_printf("image, or image remove NAME. An image comes over the network.\n");
	else if (number < 0)
		screen_printf("There is no such image.\n");
	else if (view_image_remove((unsigned)number, words) == VIEW_DONE)
		screen_printf("Removed; its memory is free.\n");
	else
		say(words);
}

/* ---- partitions ---- */

#define KEYS 24

static struct view_key keys[KEYS];
static unsigned count;
static char kind[8], made[64], values[1024];
static size_t used;

static void ask_key(void);

static void make(void)
{
	char words[VIEW_SENTENCE], wrong[BH_NAME_BYTES];

	journal_actor("serial line", "");
	if (view_create(kind, made, keys, count, words, wrong) != VIEW_DONE) {
		say(words);
		return;
	}
	screen_printf("%s is there.\n", made);
}

static char *without_blanks(char *text)
{
	size_t length;

	while (*text == ' ')
		text++;
	for (length = strlen(text); length && text[length - 1] == ' '; length--)
		text[length - 1] = 0;
	return text;
}

/* "memory = 256M"; an empty line is the end of it. */
static void take_key(const char *line)
{
	char *text = values + used, *equals;

	if (!*line) {
		make();
		return;
	}
	if (count == KEYS || used + strlen(line) + 1 > sizeof(values)) {
		screen_printf("That is too much for one partition: nothing was made.\n");
		return;
	}
	bh_strlcpy(text, line, sizeof(values) - used);
	used += strlen(line) + 1;
	equals = (char *)(uintptr_t)strchr(text, '=');
	if (!equals) {
		screen_printf("A key, =, and its value; or nothing, when there are no more.\n");
	} else {
		*equals = 0;
		keys[count].name = without_blanks(text);
		keys[count++].value = without_blanks(equals + 1);
	}
	ask_key();
}

static void ask_key(void) { shell_ask("  key = value> ", take_key); }

void command_create(const struct arguments *arguments)
{
	const char *const *words = arguments->words;

	if (!words[0] || !words[1] || words[2] || (strcmp(words[0], "guest") && strcmp(words[0], "native"))) {
		screen_printf("create guest NAME, or create native NAME.\n");
		return;
	}
	bh_strlcpy(kind, words[0], sizeof(kind));
	bh_strlcpy(made, words[1], sizeof(made));
	count = 0;
	used = 0;
	screen_printf("Its keys, as in bulkhead.conf, one a line; an empty line makes it.\n");
	ask_key();
}

void command_remove(const struct arguments *arguments)
{
	char words[VIEW_SENTENCE];
	unsigned number = (unsigned)(arguments->peer - peers);

	journal_actor("serial line", "");
	if (view_remove(number, words) == VIEW_DONE)
		screen_printf("Removed; its memory is free.\n");
	else
		say(words);
}

void command_config(const struct arguments *arguments)
{
	char piece[256];
	uint64_t offset = 0;
	size_t bytes;

	(void)arguments;
	for (; (bytes = view_configuration(offset, piece, sizeof(piece))); offset += bytes)
		for (size_t i = 0; i < bytes; i++)
			if (piece[i] == '\n')
				screen_printf("\n");
			else
				screen_text(piece + i, 1);
}
