/*
 * line.h: a line of text, edited with the keys that people expect. Pure: bytes in, bytes out by a
 * function.
 *
 * Keys: left right home end delete backspace, up down for the history, tab for completion; Ctrl-A E
 * B F start, end, one back, one on; Ctrl-U K W cut to the start, to the end, a word; Ctrl-L new
 * page; Ctrl-C drops the line; Ctrl-P N history. Lines that do not fit the terminal's 80 columns
 * scroll sideways.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define LINE_BYTES   256
#define LINE_HISTORY 32
#define LINE_COLUMNS 79 /* the 80th is left free: terminals differ in what happens there */

enum line_result {
	LINE_EDITING,
	LINE_DONE,    /* Enter: `text` holds the line */
	LINE_DROPPED, /* Ctrl-C: `text` is empty */
};

struct line;

/*
 * Finds words that the word at `text[start]` (up to `end`) may become. Fills at most `max` of
 * `candidates`; returns how many.
 */
typedef unsigned (*line_complete)(const char *text, size_t start, size_t end, const char **candidates, unsigned max);
typedef void (*line_put)(const char *bytes, size_t count);

struct line {
	char text[LINE_BYTES]; /* ends with 0 */
	size_t length, cursor;
	const char *prompt; /* change it only between lines */
	line_put put;
	line_complete complete; /* NULL: none */
	char history[LINE_HISTORY][LINE_BYTES];
	unsigned history_count; /* lines ever entered */
	unsigned history_back;	/* 0: the line being edited, 1: the one before, ... */
	char draft[LINE_BYTES]; /* what was being edited when the history was entered */
	enum { LINE_PLAIN, LINE_ESCAPE, LINE_BRACKET } state;
	unsigned parameter;  /* of an escape sequence */
	bool after_return;   /* CR LF is one Enter */
	bool secret_history; /* true: this line is not kept (an answer) */
};

void line_start(struct line *line, const char *prompt, line_put put, line_complete complete);

/* Prints prompt and text, on a line of its own from column 0 on. */
void line_show(struct line *line);

/* Removes prompt and text from the screen, so that something else can be printed; line_show brings
 * it back. */
void line_hide(struct line *line);

/* One typed byte. After LINE_DONE or LINE_DROPPED the cursor stands on a new line and line_next
 * begins anew. */
enum line_result line_input(struct line *line, char byte);

/* Empties the line; the next line_show shows an empty one. */
void line_next(struct line *line);
