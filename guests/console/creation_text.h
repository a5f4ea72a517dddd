/* creation_text.h: the configuration as text, with the sections of what was made at run time at its end. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "api/view.h"
#include "boot/config.h"

#define CREATION_ROOM 0x10000u /* for all sections that are added */

/* `text` is that of the boot. */
void creation_text_start(const char *text, size_t bytes);

/*
 * A section of these keys to `to`. False, with `words` and perhaps `wrong`: one of them cannot stand in one line.
 * It begins with an empty line, so that it is found again.
 */
bool creation_text_section(char *to, size_t size, const char *kind, const char *name, const struct view_key *keys,
			   unsigned count, char words[VIEW_SENTENCE], char wrong[BH_NAME_BYTES]);

/* Puts a section behind all others; false: there is no room. */
bool creation_text_add(const char *section, size_t bytes);
/* Takes it out again, if it is there. */
void creation_text_remove(const char *kind, const char *name);

/* All sections that were added, as one text that ends with 0. */
void creation_text_keep(char to[CREATION_ROOM]);

/* Bytes from `offset` on; returns how many. */
size_t creation_text_copy(uint64_t offset, char *to, size_t max);

/* ---- as records ---- */

/* What the parser says of the last section: the first of its errors, and the key that it is about. */
struct creation_error {
	char *words; /* VIEW_SENTENCE; "": nothing */
	char *key;   /* BH_NAME_BYTES; "" */
};

/* Parses the text; valid until the next call. */
const struct config *creation_text_parse(struct creation_error *error);
/* The record of that name as last parsed; NULL. */
const struct config_partition *creation_text_find(const char *name);
bool creation_text_has_ports(const struct config_partition *partition);
