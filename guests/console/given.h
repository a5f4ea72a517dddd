/*
 * given.h: the files that an administrator has put on the EFI system partition for the console: bulkhead.conf names
 * them, the loader has read them, the kernel has granted them.
 */
#pragma once
#include <stddef.h>
#include <bulkhead/network.h>

#define GIVEN_BYTES 65536 /* of a file, at most */

/*
 * The text of a file; NULL: none is named, or it cannot be had, which is told. In memory of our own, until the next
 * call.
 */
const char *given_read(const struct bh_console_file *file, size_t *bytes);

/* Tells people, on the serial line and in the log, what is wrong in a line of it; `line` 0: in all of it. */
void given_wrong(const struct bh_console_file *file, unsigned line, const char *what);

/* So that a key does not lie about. */
void given_forget(void);
