/* create.h: images and partitions that are made at run time; for the console alone, on its CPU. */
#pragma once
#include <stdint.h>

struct handle;
struct vcpu;

/* BH_IMAGE_*, BH_PARTITION_CREATE and _REMOVE. */
int64_t create_call(const struct vcpu *caller, const struct handle *handle, uint64_t number, uint64_t b, uint64_t c,
		    uint64_t d);
