/* report.h: what the kernel and the program itself said about the end of a partition. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "peers.h"

/* Prints the last report, or that there is none. False if there is none. */
bool report_print(const struct peer *peer);

/* The report's first line, cut to `size` - 1 characters, control characters made visible; empty if
 * there is none. */
void report_first_line(const struct peer *peer, char *to, size_t size);
