#include "handle.h"
#include "partition.h"
#include "vcpu.h"

int handle_add(struct partition *holder, const struct handle *handle)
{
	for (int i = 0; i < (int)holder->handle_max; i++) {
		if (holder->handle[i].type == BH_HANDLE_NONE) {
			uint16_t generation = holder->handle[i].generation;

			holder->handle[i] = *handle;
			holder->handle[i].generation = generation;
			return i;
		}
	}
	return -1;
}

unsigned handle_holders(const void *object, bool revoke)
{
	unsigned count = 0;

	for (unsigned i = 0; i < partition_count; i++) {
		for (struct handle *h = partitions[i]->handle; h < partitions[i]->handle + partitions[i]->handle_max;
		     h++) {
			if (h->type == BH_HANDLE_NONE || h->object != object)
				continue;
			count++;
			if (revoke)
				*h = (struct handle){ .generation = (uint16_t)(h->generation + 1) };
		}
	}
	return count;
}

int64_t handle_lookup(struct vcpu *caller, uint64_t value, enum bh_handle_type type, uint32_t right,
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
