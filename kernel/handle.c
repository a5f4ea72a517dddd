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
