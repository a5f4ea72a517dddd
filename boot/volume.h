/* volume.h: files on the volume that the loader was started from (UEFI 2.10, 13.4 and 13.5). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct volume_file {
	void *handle; /* NULL: not open */
	uint64_t bytes;
};

/* Once, at the start. NULL, or what is wrong. */
const char *volume_init(void);

/* Opens the file at `path` (folders separated by /) of the root. NULL, or what is wrong, in words.
 */
const char *volume_open(const char *path, struct volume_file *file);

/* Reads the first `bytes` of the file into `buffer`. NULL, or what is wrong. */
const char *volume_read(struct volume_file *file, void *buffer, uint64_t bytes);

/* An open file or one that is not. */
void volume_close(struct volume_file *file);
