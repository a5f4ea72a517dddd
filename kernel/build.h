/*
 * build.h: partitions, channels and handles as the configuration names them. Once, at boot, on the
 * boot CPU.
 *
 * What the configuration does not write follows from it: the console, a monitor for each guest, and
 * a console channel for each of them.
 */
#pragma once
#include "boot/boot_info.h"

/* Builds them all; what cannot be built is marked failed, with a report that names the line and
 * what would fit. */
void build_partitions(struct boot_info *boot);
