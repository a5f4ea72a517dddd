#include <stdarg.h>
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"
#include "nic.h"

#define RETRY_MAX 60u /* seconds */

static const struct nic_driver *const drivers[] = { &e1000_driver, &e1000e_driver, &virtio_net_driver };

static const struct nic_driver *find(uint32_t id, uint32_t class_code)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (drivers[i]->match(id, class_code))
			return drivers[i];
	}
	return NULL;
}

/* What was said already is not said again: a NIC that is gone would fill the log. */
static void say_words(struct nic *nic, const char *words)
{
	if (strcmp(nic->words, words) == 0)
		return;
	bh_strlcpy(nic->words, words, sizeof(nic->words));
	nic->access.say(nic->access.context, "%s", nic->words);
}

void nic_fail(struct nic *nic, enum nic_state state, const char *format, ...)
{
	char words[sizeof(nic->words)];
	va_list list;
	int used = 0;

	if (nic->driver)
		used = bh_snprintf(words, sizeof(words), "%s: ", nic->driver->name);
	va_start(list, format);
	bh_vsnprintf(words + used, sizeof(words) - (size_t)used, format, list);
	va_end(list);
	nic->access.master(nic->access.context, false);
	nic->state = state;
	nic->link = false;
	nic->seconds = 0;
	nic->retry = nic->retry ? 2 * nic->retry : 1;
	if (nic->retry > RETRY_MAX)
		nic->retry = RETRY_MAX;
	say_words(nic, words);
}

void nic_link(struct nic *nic, bool up, uint32_t speed)
{
	char words[sizeof(nic->words)];

	nic->link = up;
	nic->speed = up ? speed : 0;
	if (up && speed)
		bh_snprintf(words, sizeof(words), "%s: link up, %u Mbit/s", nic->driver->name, speed);
	else
		bh_snprintf(words, sizeof(words), "%s: link %s", nic->driver->name, up ? "up" : "down");
	say_words(nic, words);
}

/* FAILED meanwhile, so that a driver that fails need not say so twice. */
static bool run(struct nic *nic)
{
	nic->state = NIC_FAILED;
	nic->seconds = 0;
	nic->counters.starts++;
	if (!nic->driver->start(nic))
		return false;
	nic->state = NIC_RUNS;
	return true;
}

bool nic_start(struct nic *nic, const struct nic_access *access, uint32_t id, uint32_t class_code, uint32_t mtu)
{
	nic->access = *access;
	nic->mtu = mtu;
	nic->driver = find(id, class_code);
	if (!nic->driver) {
		nic_fail(nic, NIC_ABSENT, "no driver for %04x:%04x, class %06x", id & 0xffff, id >> 16, class_code);
		return false;
	}
	if (mtu < NIC_MTU_MIN || mtu > NIC_MTU_MAX) {
		nic_fail(nic, NIC_STOPPED, "an MTU of %u is not possible", mtu);
		return false;
	}
	return run(nic);
}

void nic_stop(struct nic *nic)
{
	if (nic->driver && nic->state != NIC_STOPPED) {
		nic->driver->stop(nic);
		nic_fail(nic, NIC_STOPPED, "stopped");
	}
}

void nic_check(struct nic *nic)
{
	if (nic->state == NIC_RUNS) {
		nic->driver->check(nic);
		if (nic->state == NIC_RUNS && ++nic->seconds >= RETRY_MAX)
			nic->retry = 0;
	} else if (nic->state == NIC_FAILED && ++nic->seconds >= nic->retry) {
		run(nic);
	}
}

void *nic_memory(struct nic *nic, size_t bytes, size_t align, uint64_t *dma)
{
	void *memory = nic->access.allocate(nic->access.context, bytes, align);

	*dma = memory ? nic->access.dma(nic->access.context, memory) : NIC_NO_DMA;
	if (*dma != NIC_NO_DMA)
		return memory;
	nic_fail(nic, NIC_STOPPED, "no memory for its rings and buffers");
	return NULL;
}

bool nic_buffers(struct nic *nic, struct nic_buffers *buffers, uint32_t bytes, uint32_t count, uint32_t total,
		 uint32_t slack)
{
	buffers->bytes = bytes;
	buffers->count = total / bytes < count ? total / bytes : count;
	buffers->data = nic_memory(nic, (size_t)buffers->count * bytes + slack, 4096, &buffers->dma);
	return buffers->data;
}
