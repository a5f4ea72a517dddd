#include "given.h"
#include "contact.h"
#include "guests/lib/bh.h"

static char text[GIVEN_BYTES + 1];

void given_wrong(const struct bh_console_file *file, unsigned line, const char *what)
{
	char place[64];

	bh_snprintf(place, sizeof(place), line ? "%.40s:%u" : "%.40s", file->path, line);
	bh_printf("console: %s: %s\n", place, what);
	contact_note("%s: %s", place, what);
}

/* The record is the kernel's, and nobody changes it. */
const char *given_read(const struct bh_console_file *file, size_t *bytes)
{
	const struct bh_info_handle *image;

	if (!file->path[0])
		return NULL;
	image = file->failed ? NULL : bh_find(file->name, BH_HANDLE_IMAGE);
	if (!image) {
		given_wrong(file, 0, "it is not there, or cannot be read");
		return NULL;
	}
	if (image->bytes > GIVEN_BYTES || !bh_map(image->address, image->bytes)) {
		given_wrong(file, 0, "it is longer than 64 KiB");
		return NULL;
	}
	*bytes = image->bytes;
	memcpy(text, (const void *)(uintptr_t)image->address, *bytes);
	text[*bytes] = 0;
	return text;
}

void given_forget(void) { memset(text, 0, sizeof(text)); }
