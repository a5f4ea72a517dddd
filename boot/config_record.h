/*
 * config_record.h: records that come at run time, against all that is there already. Pure; nothing in a record is
 * believed: texts may not end, numbers may be any.
 */
#pragma once
#include "boot_info.h"

/* Whether an uploaded image may have that name: letters, digits, dot, - and _, not a dot first. */
bool config_image_name(const char name[BH_IMAGE_NAME_BYTES]);

/* Whether an image of that name can be made: a good one, nobody's yet, and not one of the console's own. */
bool config_image_new(const struct boot_info *info, const char name[BH_IMAGE_NAME_BYTES]);

/*
 * NULL, or what is wrong, in words. `cpus` came up. The name must be new, no CPU may be another's, or be taken from the
 * services, images must be complete and not the console's own, programs must fit, ports must be on networks that there
 * are, and have addresses of their own. Memory is left to whoever takes it.
 */
const char *config_record_wrong(const struct boot_info *info, const struct config_creation *creation, uint32_t cpus);
