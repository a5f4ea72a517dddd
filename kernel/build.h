/*
 * build.h: partitions, channels and handles as the configuration names them. At boot, on the
 * boot CPU; one by one later.
 *
 * What the configuration does not write follows from it: the console, a monitor for each guest, and
 * a console channel for each of them.
 */
#pragma once
#include "boot/boot_info.h"

struct partition;

/* Builds them all; what cannot be built is marked failed, with a report that names the line and
 * what would fit. */
void build_partitions(struct boot_info *boot);

/*
 * Run time (create.c): builds one more by the same ways, and starts it if its record says so. False: it could not be
 * built, the log says why, and nothing of it is left.
 */
bool build_create(const struct config_creation *creation);

/* Removes such a one, which is stopped and at rest. */
void build_remove(struct partition *partition);
