#include "populate.h"
#include <guests/lib/bh_string.h>
#include "boot/boot_table.h"
#include "channel.h"
#include "clock.h"
#include "frame.h"
#include "partition.h"
#include "start.h"
#include "window.h"

/* ---- wiping ------------------------------------------------------------------------------------ */

uint64_t populate_physical(const struct partition *partition, uint64_t offset)
{
	for (unsigned i = 0; i < partition->extents; i++) {
		if (offset < partition->extent[i].bytes)
			return partition->extent[i].physical + offset;
		offset -= partition->extent[i].bytes;
	}
	return 0;
}

bool populate_wipe_slice(struct partition *leader)
{
	uint64_t own = leader->memory_bytes;
	uint64_t all = own + (leader->monitor ? leader->monitor->memory_bytes : 0);
	uint64_t physical = leader->wiped < own ? populate_physical(leader, leader->wiped)
						: populate_physical(leader->monitor, leader->wiped - own);

	memset(window_map(physical), 0, FRAME_BYTES);
	leader->wiped += FRAME_BYTES;
	return leader->wiped >= all;
}

/* ---- programs ---------------------------------------------------------------------------------- */

unsigned populate_rights(const struct partition *native, uint64_t address, uint64_t *end)
{
	const struct boot_program *program = native->program;
	uint64_t next = native->memory_bytes;

	if (!program) {
		*end = UINT64_MAX;
		return MAP_READ | MAP_WRITE | MAP_EXECUTE;
	}
	for (unsigned i = 0; i < program->segments; i++) {
		const struct boot_segment *segment = &program->segment[i];
		uint64_t last = (segment->address + segment->memory_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;

		if (address >= segment->address && address < last) {
			*end = last;
			return MAP_READ | (segment->writable ? MAP_WRITE : 0) | (segment->executable ? MAP_EXECUTE : 0);
		}
		if (segment->address > address && segment->address < next)
			next = segment->address;
	}
	if (address >= BH_GPA_INFO && address < BH_GPA_SERVICE + BH_SERVICE_BYTES) {
		*end = BH_GPA_SERVICE + BH_SERVICE_BYTES;
		return MAP_READ;
	}
	if (address < BH_GPA_INFO && BH_GPA_INFO < next)
		next = BH_GPA_INFO;
	*end = next;
	return MAP_READ | MAP_WRITE;
}

_Static_assert(BH_GPA_INFO + BH_INFO_BYTES == BH_GPA_SERVICE, "one piece, read-only");

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Up to the next border of a frame on either side at a time: the two windows. */
static void copy_segment(const struct partition *native, const struct boot_segment *segment)
{
	uint64_t done = 0;

	while (done < segment->file_bytes) {
		uint64_t to = populate_physical(native, segment->address + done);
		uint64_t from = segment->physical + done;
		uint64_t bytes = smaller(segment->file_bytes - done, FRAME_BYTES - to % FRAME_BYTES);

		bytes = smaller(bytes, FRAME_BYTES - from % FRAME_BYTES);
		memcpy(window_map_slot(0, to), window_map_slot(1, from), bytes);
		done += bytes;
	}
}

/* ---- bh_info ----------------------------------------------------------------------------------- */

static uint32_t handle_kind(const struct handle *handle)
{
	const struct channel *channel = handle->object;

	switch (handle->type) {
	case BH_HANDLE_PARTITION: return ((const struct partition *)handle->object)->kind;
	case BH_HANDLE_CHANNEL: return channel->end[!handle->number].partition->kind;
	default: return 0;
	}
}

static void write_handles(const struct partition *native, struct bh_info *info)
{
	for (unsigned i = 0; i < native->handle_max; i++) {
		const struct handle *handle = &native->handle[i];
		struct bh_info_handle *entry = &info->handle[info->handles];

		if (handle->type == BH_HANDLE_NONE)
			continue;
		memcpy(entry->name, handle->name, sizeof(entry->name));
		entry->type = handle->type;
		entry->rights = handle->rights;
		entry->handle = handle_value(handle, i);
		entry->kind = handle_kind(handle);
		entry->address = handle->address;
		entry->bytes = handle->bytes;
		info->handles++;
	}
}

static void write_info(const struct partition *native)
{
	struct bh_info *info = window_map(populate_physical(native, BH_GPA_INFO));
	const struct partition *ward = native->ward;

	memset(info, 0, sizeof(*info));
	info->magic = BH_INFO_MAGIC;
	info->abi_version = BH_ABI_VERSION;
	info->kind = native->kind;
	memcpy(info->name, native->name, sizeof(info->name));
	info->memory_bytes = native->memory_bytes;
	info->tsc_hz = clock_hz;
	info->wall_seconds = start_boot_info->wall_seconds;
	info->wall_tsc = start_boot_info->wall_tsc;
	info->vcpus = native->vcpus;
	info->restarts = partition_leader((struct partition *)native)->epoch;
	if (native->config)
		memcpy(info->command, native->config->command, sizeof(info->command));
	if (ward) {
		info->guest_vcpus = ward->vcpus;
		info->guest_memory_bytes = ward->memory_bytes;
		memcpy(info->guest_name, ward->name, sizeof(info->guest_name));
	}
	write_handles(native, info);
}

static void write_service(const struct partition *native)
{
	const struct config *config = &start_boot_info->config;

	if (config_net(config) && (!native->config || native->config == config_net(config) || native->ward))
		boot_network_records(config, native->config, window_map(populate_physical(native, BH_GPA_SERVICE)));
}

/* What the former life bound is nothing to the new one. */
static void unbind(const struct partition *native)
{
	for (unsigned i = 0; i < native->handle_max; i++) {
		const struct handle *handle = &native->handle[i];

		if (handle->type == BH_HANDLE_CHANNEL)
			atomic_store(&((struct channel *)handle->object)->end[handle->number].bound, 0);
	}
	for (unsigned i = 0; native->ward && i < BH_DOORBELL_BLOCKS; i++)
		atomic_store(&native->ward->doorbell[i], 0);
}

void populate_tell(const struct partition *native)
{
	write_info(native);
	write_service(native);
}

void populate(struct partition *native)
{
	unbind(native);
	for (unsigned i = 0; i < native->program->segments; i++)
		copy_segment(native, &native->program->segment[i]);
	populate_tell(native);
}
