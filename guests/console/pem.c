#include "pem.h"
#include "base64.h"
#include "guests/lib/bh_string.h"

#define BEGIN  "-----BEGIN "
#define END    "-----END "
#define DASHES "-----"

struct line {
	const char *at;
	size_t bytes;
};

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* Without what is blank at its ends; false: there is none. */
static bool next_line(struct pem *pem, struct line *line)
{
	const char *start = pem->text + pem->at, *end = start;

	if (pem->at >= pem->bytes)
		return false;
	while (pem->at < pem->bytes && pem->text[pem->at] != '\n')
		pem->at++;
	end = pem->text + pem->at;
	if (pem->at < pem->bytes)
		pem->at++;
	while (end > start && is_blank(end[-1]))
		end--;
	while (start < end && is_blank(*start))
		start++;
	*line = (struct line){ start, (size_t)(end - start) };
	pem->line = pem->next_line++;
	return true;
}

static bool begins(const struct line *line, const char *with)
{
	size_t bytes = strlen(with);

	return line->bytes >= bytes && !strncmp(line->at, with, bytes);
}

/* The label of a line "-----BEGIN LABEL-----"; false: it is none. */
static bool read_label(const struct line *line, const char *with, char label[PEM_LABEL_BYTES])
{
	size_t front = strlen(with), back = strlen(DASHES), bytes;

	if (!begins(line, with) || line->bytes < front + back || strncmp(line->at + line->bytes - back, DASHES, back) ||
	    line->bytes - front - back >= PEM_LABEL_BYTES)
		return false;
	bytes = line->bytes - front - back;
	memcpy(label, line->at + front, bytes);
	label[bytes] = 0;
	return true;
}

static enum pem_found fail(struct pem *pem, const char *wrong)
{
	pem->wrong = wrong;
	return PEM_WRONG;
}

/* A line of the block; NULL, or what is wrong with it. */
static const char *add_line(struct base64_reader *reader, const struct line *line)
{
	if (memchr(line->at, ':', line->bytes))
		return "an encrypted key, or one with headers, is not read";
	if (!base64_read(reader, line->at, line->bytes))
		return reader->full ? "this is too long" : "this is not base64";
	return NULL;
}

enum pem_found pem_next(struct pem *pem, char label[PEM_LABEL_BYTES], uint8_t *to, size_t size, size_t *count)
{
	struct base64_reader reader = { .to = to, .size = size };
	char end[PEM_LABEL_BYTES];
	const char *wrong;
	struct line line;
	unsigned first;

	do {
		if (!next_line(pem, &line))
			return PEM_END;
	} while (!read_label(&line, BEGIN, label));
	first = pem->line;
	while (next_line(pem, &line)) {
		if (begins(&line, END)) {
			if (!read_label(&line, END, end) || strcmp(label, end))
				return fail(pem, "the block that begins above ends with another name");
			if (!base64_whole(&reader))
				return fail(pem, "the base64 above is cut");
			*count = reader.count;
			pem->line = first;
			return PEM_BLOCK;
		}
		wrong = add_line(&reader, &line);
		if (wrong)
			return fail(pem, wrong);
	}
	pem->line = first;
	return fail(pem, "the block that begins here has no end");
}
