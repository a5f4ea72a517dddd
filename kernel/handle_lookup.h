/* handle_lookup.h: the one way from a handle's value to what it stands for. In every hypercall's way. */
#pragma once
#include "handle.h"
#include "partition.h"
#include "vcpu.h"

/* 0 and *found, -BH_EBADF or -BH_EPERM. */
static inline int64_t handle_lookup(struct vcpu *caller, uint64_t value, enum bh_handle_type type, uint32_t right,
				    struct handle **found)
{
	struct handle *handle;

	if ((value & 0xffff) >= caller->partition->handle_max || value > UINT32_MAX)
		return -BH_EBADF;
	handle = &caller->partition->handle[value & 0xffff];
	if (handle->type != type || handle->generation != value >> 16)
		return -BH_EBADF;
	if (!(handle->rights & right))
		return -BH_EPERM;
	*found = handle;
	return 0;
}
