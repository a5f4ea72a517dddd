#include "line.h"
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"

#define CTRL(letter) ((letter)&0x1f)
#define ESCAPE	     0x1b
#define CANDIDATES   64

static void put_text(struct line *line, const char *text) { line->put(text, strlen(text)); }

/* The part of the text that is visible: it contains the cursor. */
static size_t window_start(const struct line *line)
{
	size_t width = LINE_COLUMNS - strlen(line->prompt);

	return line->cursor < width ? 0 : line->cursor - width + 1;
}

void line_show(struct line *line)
{
	char move[16];
	size_t width = LINE_COLUMNS - strlen(line->prompt);
	size_t start = window_start(line);
	size_t visible = line->length - start < width ? line->length - start : width;

	put_text(line, "\r");
	put_text(line, line->prompt);
	line->put(line->text + start, visible);
	put_text(line, "\x1b[K");
	if (start + visible > line->cursor) {
		bh_snprintf(move, sizeof(move), "\x1b[%uD", (unsigned)(start + visible - line->cursor));
		put_text(line, move);
	}
}

void line_hide(struct line *line) { put_text(line, "\r\x1b[K"); }

void line_next(struct line *line)
{
	line->text[0] = 0;
	line->length = line->cursor = 0;
	line->history_back = 0;
	line->state = LINE_PLAIN;
}

void line_start(struct line *line, const char *prompt, line_put put, line_complete complete)
{
	memset(line, 0, sizeof(*line));
	line->prompt = prompt;
	line->put = put;
	line->complete = complete;
}

static void insert(struct line *line, const char *text, size_t bytes)
{
	if (bytes > LINE_BYTES - 1 - line->length) {
		put_text(line, "\a");
		return;
	}

	bool at_end = line->cursor == line->length;

	memmove(line->text + line->cursor + bytes, line->text + line->cursor, line->length - line->cursor + 1);
	memcpy(line->text + line->cursor, text, bytes);
	line->length += bytes;
	line->cursor += bytes;
	/* The common case costs no redrawing. */
	if (at_end && strlen(line->prompt) + line->length < LINE_COLUMNS)
		line->put(text, bytes);
	else
		line_show(line);
}

static void erase(struct line *line, size_t from, size_t to)
{
	if (from == to)
		return;
	memmove(line->text + from, line->text + to, line->length - to + 1);
	line->length -= to - from;
	line->cursor = from;
	line_show(line);
}

static void move(struct line *line, size_t to)
{
	if (to > line->length || to == line->cursor)
		return;
	line->cursor = to;
	line_show(line);
}

static size_t word_before(const struct line *line)
{
	size_t at = line->cursor;

	while (at && line->text[at - 1] == ' ')
		at--;
	while (at && line->text[at - 1] != ' ')
		at--;
	return at;
}

/* ---- history ---- */

static void remember(struct line *line)
{
	const char *last = line->history[(line->history_count - 1) % LINE_HISTORY];

	if (!line->length || line->secret_history)
		return;
	if (line->history_count && !strcmp(last, line->text))
		return;
	memcpy(line->history[line->history_count++ % LINE_HISTORY], line->text, LINE_BYTES);
}

static void recall(struct line *line, unsigned back)
{
	if (back > line->history_count || back > LINE_HISTORY || line->secret_history)
		return;
	if (line->history_back == 0)
		memcpy(line->draft, line->text, LINE_BYTES);
	memcpy(line->text, back ? line->history[(line->history_count - back) % LINE_HISTORY] : line->draft, LINE_BYTES);
	line->history_back = back;
	line->length = line->cursor = strlen(line->text);
	line_show(line);
}

/* ---- completion ---- */

static size_t common(const char *const *candidates, unsigned count)
{
	size_t length = strlen(candidates[0]);

	for (unsigned i = 1; i < count; i++) {
		size_t same = 0;

		while (same < length && candidates[i][same] == candidates[0][same])
			same++;
		length = same;
	}
	return length;
}

static void show_candidates(struct line *line, const char *const *candidates, unsigned count)
{
	size_t column = 0;

	put_text(line, "\r\n");
	for (unsigned i = 0; i < count; i++) {
		size_t width = strlen(candidates[i]) + 2;

		if (column && column + width > LINE_COLUMNS) {
			put_text(line, "\r\n");
			column = 0;
		}
		put_text(line, candidates[i]);
		put_text(line, "  ");
		column += width;
	}
	put_text(line, "\r\n");
	line_show(line);
}

static void complete(struct line *line)
{
	const char *candidates[CANDIDATES];
	size_t start = line->cursor;

	while (start && line->text[start - 1] != ' ')
		start--;

	unsigned count = line->complete ? line->complete(line->text, start, line->cursor, candidates, CANDIDATES) : 0;
	size_t typed = line->cursor - start;

	if (!count) {
		put_text(line, "\a");
		return;
	}

	size_t length = common(candidates, count);

	if (length > typed)
		insert(line, candidates[0] + typed, length - typed);
	else if (count > 1)
		show_candidates(line, candidates, count);
	if (count == 1 && line->text[line->cursor] != ' ')
		insert(line, " ", 1);
}

/* ---- keys ---- */

static void edit_key(struct line *line, char byte)
{
	switch (byte) {
	case CTRL('A'): move(line, 0); break;
	case CTRL('E'): move(line, line->length); break;
	case CTRL('B'): move(line, line->cursor - 1); break;
	case CTRL('F'): move(line, line->cursor + 1); break;
	case CTRL('D'):
		if (line->cursor < line->length)
			erase(line, line->cursor, line->cursor + 1);
		break;
	case CTRL('H'):
	case 0x7f:
		if (line->cursor)
			erase(line, line->cursor - 1, line->cursor);
		break;
	case CTRL('U'): erase(line, 0, line->cursor); break;
	case CTRL('K'): erase(line, line->cursor, line->length); break;
	case CTRL('W'): erase(line, word_before(line), line->cursor); break;
	case CTRL('L'):
		put_text(line, "\x1b[H\x1b[2J");
		line_show(line);
		break;
	case CTRL('P'): recall(line, line->history_back + 1); break;
	case CTRL('N'):
		if (line->history_back)
			recall(line, line->history_back - 1);
		break;
	case '\t': complete(line); break;
	case ESCAPE: line->state = LINE_ESCAPE; break;
	default:
		if (byte >= ' ' && byte <= '~')
			insert(line, &byte, 1);
	}
}

/* The last byte of an escape sequence (ECMA-48; numbers before ~ as VT220 and xterm send them), as
 * the control key alike. */
static char control_of(char final, unsigned parameter)
{
	static const char tilde[] = { 0, CTRL('A'), 0, CTRL('D'), CTRL('E'), 0, 0, CTRL('A'), CTRL('E') };

	switch (final) {
	case 'A': return CTRL('P');
	case 'B': return CTRL('N');
	case 'C': return CTRL('F');
	case 'D': return CTRL('B');
	case 'H': return CTRL('A');
	case 'F': return CTRL('E');
	case '~': return parameter < sizeof(tilde) ? tilde[parameter] : 0;
	default: return 0;
	}
}

static void escape_key(struct line *line, char byte)
{
	if (line->state == LINE_ESCAPE && (byte == '[' || byte == 'O')) {
		line->state = LINE_BRACKET;
		line->parameter = 0;
		return;
	}
	if (line->state == LINE_BRACKET && byte >= '0' && byte <= '9') {
		line->parameter = (line->parameter * 10 + (unsigned)(byte - '0')) % 1000;
		return;
	}
	if (line->state == LINE_BRACKET && byte == ';') {
		line->parameter = 0;
		return;
	}

	char control = line->state == LINE_BRACKET ? control_of(byte, line->parameter) : 0;

	line->state = LINE_PLAIN;
	if (control)
		edit_key(line, control);
}

enum line_result line_input(struct line *line, char byte)
{
	bool after_return = line->after_return;

	line->after_return = byte == '\r';
	if (byte == '\n' && after_return)
		return LINE_EDITING;
	if (byte == '\r' || byte == '\n') {
		put_text(line, "\r\n");
		remember(line);
		return LINE_DONE;
	}
	if (byte == CTRL('C')) {
		put_text(line, "^C\r\n");
		line_next(line);
		return LINE_DROPPED;
	}
	if (line->state != LINE_PLAIN)
		escape_key(line, byte);
	else
		edit_key(line, byte);
	return LINE_EDITING;
}
