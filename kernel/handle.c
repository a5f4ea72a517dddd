#include "handle.h"
#include "partition.h"

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

void handle_revoke(const void *object)
{
	for (unsigned i = 0; i < partition_count; i++) {
		struct handle *handle = partitions[i]->handle, *end = handle + partitions[i]->handle_max;

		for (; handle < end; handle++) {
			if (handle->object == object)
				*handle = (struct handle){ .generation = (uint16_t)(handle->generation + 1) };
		}
	}
}
