/* boot_table.h: the images and programs of boot_info by name. Pure. */
#pragma once
#include "boot_info.h"

/* Of that path; NULL. An image that is being uploaded or removed is there as well. */
const struct boot_image *boot_image_named(const struct boot_info *info, const char *path);
const struct boot_program *boot_program_named(const struct boot_info *info, const char *path);

/* The console's own: the configuration itself, its tokens, certificate or key. */
bool boot_path_is_consoles(const struct config *config, const char *path);

/* Whether it is one that partitions can be made of at run time: not the console's own, such as its key. */
bool boot_image_public(const struct boot_info *info, const struct boot_image *image);

/* Whether a partition is made of it that can start. */
bool boot_image_used(const struct boot_info *info, const struct boot_image *image);

/* A free place, which counts from now on and has no name yet; NULL: there is none. */
struct boot_image *boot_image_place(struct boot_info *info);

/* Whether all of the program's segments lie below `bytes`. */
bool boot_program_fits(const struct boot_program *program, uint64_t bytes);

/* A place among config.partition[] and, for as many as `creation` has, among the ports, is filled; NULL: there is none.
 */
struct config_partition *boot_creation_place(struct config *config, const struct config_creation *creation);
/* They are empty again. */
void boot_creation_remove(struct config *config, const struct config_partition *partition);

/* The networks, for who has to do with them: the console (NULL) and the net service; a monitor learns of its own
 * guest's ports only. */
void boot_network_records(const struct config *config, const struct config_partition *reader,
			  struct bh_network_records *records);
