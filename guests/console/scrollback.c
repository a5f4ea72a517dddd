#include "scrollback.h"
#include "guests/lib/bh_string.h"

void scrollback_start(struct scrollback *scrollback, char *data, uint32_t size)
{
	*scrollback = (struct scrollback){ .data = data, .size = data ? size : 0 };
}

void scrollback_add(struct scrollback *scrollback, const char *text, size_t bytes)
{
	if (!scrollback->size)
		return;
	if (bytes > scrollback->size) {
		scrollback->total += bytes - scrollback->size;
		text += bytes - scrollback->size;
		bytes = scrollback->size;
	}

	uint32_t at = (uint32_t)(scrollback->total % scrollback->size);
	size_t first = bytes < scrollback->size - at ? bytes : scrollback->size - at;

	memcpy(scrollback->data + at, text, first);
	memcpy(scrollback->data, text + first, bytes - first);
	scrollback->total += bytes;
}

uint32_t scrollback_kept(const struct scrollback *scrollback)
{
	return scrollback->total < scrollback->size ? (uint32_t)scrollback->total : scrollback->size;
}

static char byte_at(const struct scrollback *scrollback, uint32_t before_end)
{
	return scrollback->data[(scrollback->total - before_end) % scrollback->size];
}

uint32_t scrollback_tail(const struct scrollback *scrollback, uint32_t bytes)
{
	uint32_t kept = scrollback_kept(scrollback);

	/* All of a text that was never cut begins where it began. */
	if (bytes >= kept && kept == scrollback->total)
		return kept;
	if (bytes > kept)
		bytes = kept;
	for (uint32_t before = bytes; before > 1; before--)
		if (byte_at(scrollback, before) == '\n')
			return before - 1;
	return bytes;
}

uint32_t scrollback_copy(const struct scrollback *scrollback, uint32_t before_end, char *to, uint32_t max)
{
	uint32_t count = 0;

	for (; count < max && count < before_end; count++)
		to[count] = byte_at(scrollback, before_end - count);
	return count;
}
