#include "channel.h"
#include <guests/lib/bh_format.h>
#include <guests/lib/bh_string.h>
#include "event.h"
#include "frame.h"
#include "handle.h"
#include "partition.h"
#include "pool.h"
#include "vcpu.h"
#include "window.h"

struct channel channels[CHANNEL_MAX];
uint32_t channel_count;

/* ---- making -------------------------------------------------------------------------------------
 */

/* Channels stand behind one another in a partition's address space. */
static uint64_t next_address(const struct partition *partition)
{
	uint64_t address = BH_GPA_CHANNELS;

	for (const struct channel *channel = channels; channel < channels + channel_count; channel++) {
		for (const struct channel_end *end = channel->end; end < channel->end + 2; end++) {
			if (end->partition == partition && end->address + channel->bytes > address)
				address = end->address + channel->bytes;
		}
	}
	return address;
}

static bool map(const struct channel *channel, struct channel_end *end)
{
	uint64_t address = next_address(end->partition);

	if (!frame_map(end->partition, address, channel->physical, channel->bytes, MAP_READ | MAP_WRITE))
		return false;
	end->address = address;
	return true;
}

static bool attach(struct channel *channel, unsigned number, const char *name)
{
	struct channel_end *end = &channel->end[number];
	struct handle handle = {
		.object = channel,
		.type = BH_HANDLE_CHANNEL,
		.rights = BH_RIGHT_USE,
		.number = (uint16_t)number,
		.bytes = channel->bytes,
	};

	if (!end->address && !map(channel, end))
		return false;
	handle.address = end->address;
	bh_snprintf(handle.name, sizeof(handle.name), "%s", name);
	return handle_add(end->partition, &handle) >= 0;
}

static void wipe(uint64_t physical, uint64_t bytes)
{
	for (uint64_t done = 0; done < bytes; done += PAGE_BYTES)
		memset(window_map(physical + done), 0, PAGE_BYTES);
}

void channel_leave(const struct partition *partition)
{
	for (struct channel *channel = channels; channel < channels + channel_count; channel++) {
		if (channel->end[0].partition != partition)
			continue;
		handle_revoke(channel);
		channel->end[0] = (struct channel_end){ .partition = NULL };
		atomic_store(&channel->end[1].bound, 0);
	}
}

/* One that a removed partition has left to `b`, or the next that is none yet. */
static struct channel *find_place(uint64_t bytes, const struct partition *b)
{
	struct channel *channel = channels;

	while (channel < channels + channel_count &&
	       (channel->end[0].partition || channel->end[1].partition != b || channel->bytes != bytes))
		channel++;
	return channel;
}

const char *channel_create(const char *name, uint64_t bytes, struct partition *a, struct partition *b,
			   const char *name_for_a, const char *name_for_b)
{
	struct channel *channel = find_place(bytes, b);

	if (channel == channels + CHANNEL_MAX)
		return "too many channels";
	if (channel == channels + channel_count) {
		channel->physical = frame_take_pages(bytes / PAGE_BYTES, (uint16_t)(FRAME_CHANNEL + channel_count));
		if (!channel->physical)
			return "no free memory for the channel";
		channel->bytes = bytes;
		channel->end[1].partition = b;
		channel_count++;
	}
	bh_snprintf(channel->name, sizeof(channel->name), "%s", name);
	channel->end[0].partition = a;
	wipe(channel->physical, bytes);
	if (!attach(channel, 0, name_for_a) || (a != b && !attach(channel, 1, name_for_b)))
		return "no room for the channel in its holders' tables";
	return NULL;
}

/* ---- running ------------------------------------------------------------------------------------
 */

static void signal_end(const struct channel_end *end)
{
	uint64_t mask;
	struct vcpu *vcpu = channel_listener(end, &mask);

	if (vcpu)
		event_signal(vcpu, mask);
}

void channel_announce(struct partition *partition)
{
	for (unsigned i = 0; i < channel_count; i++) {
		for (unsigned end = 0; end < 2; end++) {
			if (channels[i].end[end].partition == partition)
				signal_end(&channels[i].end[!end]);
		}
	}
}

int64_t channel_hypercall_bind(struct vcpu *caller, const struct handle *handle, uint64_t vcpu, uint64_t bit)
{
	struct channel *channel = handle->object;

	if (vcpu >= caller->partition->vcpus || bit >= BH_EVENT_BITS)
		return -BH_EINVAL;
	atomic_store(&channel->end[handle->number].bound, vcpu | bit << 8 | 1 << 16);
	return 0;
}

int64_t channel_hypercall_signal(const struct handle *handle)
{
	signal_end(channel_other_end(handle));
	return 0;
}

int64_t channel_hypercall_stat(const struct handle *handle)
{
	struct partition *peer = partition_leader(channel_other_end(handle)->partition);

	return (int64_t)((uint64_t)atomic_load(&peer->epoch) << 1 | (atomic_load(&peer->state) == BH_STATE_RUNNING));
}
