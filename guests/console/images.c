/* images.c: what partitions are made of, as the kernel has it (api/view.h). */
#include "api/view.h"
#include "machine.h"
#include "guests/lib/bh.h"
#include "users/journal.h"

#define PIECE 4096u /* within a frame of ours, and of the image */

unsigned view_images(void) { return BH_IMAGES; }

bool view_image(unsigned number, struct view_image *image)
{
	union {
		struct bh_image image;
		int64_t word[sizeof(struct bh_image) / sizeof(int64_t)];
	} found;

	for (unsigned i = 0; i < sizeof(found.word) / sizeof(found.word[0]); i++) {
		found.word[i] = machine_create(BH_IMAGE_STAT, number, i, 0);
		if (found.word[i] < 0)
			return false;
	}
	bh_strlcpy(image->name, found.image.name, sizeof(image->name));
	image->bytes = found.image.bytes;
	image->received = found.image.bytes - found.image.missing;
	image->uploaded = found.image.uploaded;
	return true;
}

int view_image_find(const char *name)
{
	struct view_image image;

	for (unsigned i = 0; i < BH_IMAGES; i++)
		if (view_image(i, &image) && !strcmp(image.name, name))
			return (int)i;
	return -1;
}

enum view_change view_image_create(const char *name, uint64_t bytes, char words[VIEW_SENTENCE])
{
	static _Alignas(256) struct bh_image image; /* within one frame */
	enum view_change change = VIEW_NO_ROOM;
	int64_t error;

	if (view_image_find(name) >= 0) {
		bh_snprintf(words, VIEW_SENTENCE, "There is an image %s already.", name);
		return VIEW_TAKEN;
	}
	memset(&image, 0, sizeof(image));
	bh_strlcpy(image.name, name, sizeof(image.name));
	image.bytes = bytes;
	error = machine_create(BH_IMAGE_CREATE, (uintptr_t)&image, 0, 0);
	journal_add(error < 0 ? "refused" : "done", "create image %s", name);
	if (error == -BH_EINVAL) {
		change = VIEW_BAD;
		bh_strlcpy(words,
			   "An image's name has letters, digits, dot, - and _ and is no other file's; and there are as "
			   "many "
			   "bytes as fit.",
			   VIEW_SENTENCE);
	} else if (error < 0) {
		bh_snprintf(words, VIEW_SENTENCE, "There is no room for %llu MiB in one piece: %llu MiB are free.",
			    (unsigned long long)(bytes + 0xfffff) >> 20,
			    (unsigned long long)machine_stat(BH_MACHINE_MEMORY_FREE, 0) >> 20);
	}
	return error < 0 ? change : VIEW_DONE;
}

enum view_change view_image_write(unsigned number, const void *data, size_t bytes, char words[VIEW_SENTENCE])
{
	static _Alignas(PIECE) uint8_t piece[PIECE];
	const uint8_t *from = data;
	struct view_image image;
	int64_t error = 0;

	if (!view_image(number, &image) || !image.uploaded || bytes > image.bytes - image.received)
		error = -BH_EINVAL;
	for (uint64_t at = image.received; bytes && !error;) {
		size_t left = PIECE - at % PIECE, some = bytes < left ? bytes : left;

		memcpy(piece, from, some);
		error = machine_create(BH_IMAGE_WRITE, number, (uintptr_t)piece, some);
		from += some;
		bytes -= some;
		at += some;
	}
	if (!error)
		return VIEW_DONE;
	bh_strlcpy(words, "That is more than the image has bytes.", VIEW_SENTENCE);
	return VIEW_BAD;
}

enum view_change view_image_remove(unsigned number, char words[VIEW_SENTENCE])
{
	struct view_image image = { .uploaded = false };
	int64_t error;

	view_image(number, &image);
	error = machine_create(BH_IMAGE_REMOVE, number, 0, 0);
	journal_add(error ? "refused" : "done", "remove image %s", image.name);
	if (!error)
		return VIEW_DONE;
	bh_snprintf(words, VIEW_SENTENCE,
		    image.uploaded ? "A partition is made of %s: remove that first."
				   : "%s is of the boot: only what was uploaded can be removed.",
		    image.name);
	return VIEW_BUSY;
}
