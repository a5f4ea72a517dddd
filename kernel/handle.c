#include "handle.h"
#include "partition.h"

int handle_add(struct partition *holder, const struct handle *handle)
{
	for (int i = 0; i < (int)holder->handle_max; i++) {
		if (holder->handle[i].type == BH_HANDLE_NONE) {
			holder->handle[i] = *handle;
			return i;
		}
	}
	return -1;
}
