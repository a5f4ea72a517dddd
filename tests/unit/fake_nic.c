#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fake_nic.h"

#define BORDER 0x200000u

struct fake_nic fake_nic;

void fake_nic_check(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static bool aligned(uint32_t offset, unsigned bytes)
{
	return (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8) && offset % bytes == 0;
}

static void check_register(void *context, unsigned bar, uint32_t offset, unsigned bytes)
{
	fake_nic.accesses++;
	fake_nic_check(context == &fake_nic, "context");
	fake_nic_check(bar < NIC_BARS && aligned(offset, bytes), "access to a register that cannot be");
	fake_nic_check((uint64_t)offset + bytes <= fake_nic.access.bar_bytes[bar], "access beyond a BAR");
}

static uint64_t read_register(void *context, unsigned bar, uint32_t offset, unsigned bytes)
{
	check_register(context, bar, offset, bytes);
	return fake_nic.read(bar, offset, bytes);
}

static void write_register(void *context, unsigned bar, uint32_t offset, unsigned bytes, uint64_t value)
{
	check_register(context, bar, offset, bytes);
	fake_nic.write(bar, offset, bytes, value);
}

static uint32_t config_read(void *context, uint32_t offset, unsigned bytes)
{
	uint32_t value = 0;

	(void)context;
	fake_nic_check(bytes <= 4 && aligned(offset, bytes) && offset + bytes <= 256, "configuration space");
	memcpy(&value, fake_nic.config + offset, bytes);
	return value;
}

static void config_write(void *context, uint32_t offset, unsigned bytes, uint32_t value)
{
	(void)context;
	fake_nic_check(bytes <= 4 && aligned(offset, bytes) && offset + bytes <= 256, "configuration space");
	memcpy(fake_nic.config + offset, &value, bytes);
}

static void *allocate(void *context, size_t bytes, size_t align)
{
	size_t at = (fake_nic.used + align - 1) / align * align;

	(void)context;
	fake_nic_check(bytes && bytes <= BORDER && fake_nic.block_count < FAKE_NIC_BLOCKS, "allocate");
	if (at / BORDER != (at + bytes - 1) / BORDER)
		at = (at / BORDER + 1) * BORDER;
	if (at + bytes > FAKE_NIC_MEMORY || bytes > fake_nic.memory_left)
		return NULL;
	fake_nic.memory_left -= bytes;
	fake_nic.used = at + bytes;
	fake_nic.blocks[fake_nic.block_count].data = fake_nic.memory + at;
	fake_nic.blocks[fake_nic.block_count++].bytes = bytes;
	return fake_nic.memory + at;
}

static uint64_t dma(void *context, const void *address)
{
	(void)context;
	return FAKE_NIC_DMA + (uint64_t)((const uint8_t *)address - fake_nic.memory);
}

void *fake_nic_dma(uint64_t address, uint64_t bytes)
{
	uint8_t *at = fake_nic.memory + (address - FAKE_NIC_DMA);

	fake_nic_check(fake_nic.master, "DMA without being allowed to");
	for (unsigned i = 1; i < fake_nic.block_count; i++) {
		size_t offset = (size_t)(at - fake_nic.blocks[i].data);

		if (at >= fake_nic.blocks[i].data && offset + bytes <= fake_nic.blocks[i].bytes)
			return at;
	}
	fake_nic_check(false, "DMA to memory that is not the driver's");
	return NULL;
}

static bool master(void *context, bool on)
{
	(void)context;
	fake_nic.master = on && !fake_nic.no_master;
	return fake_nic.master == on;
}

static bool bind_irq(void *context, unsigned index)
{
	(void)context;
	fake_nic_check(index == 0, "interrupts but the first");
	fake_nic.binds++;
	return !fake_nic.no_bind;
}

static uint64_t now(void *context)
{
	(void)context;
	return fake_nic.paused;
}

static void pause_us(void *context, unsigned microseconds)
{
	(void)context;
	fake_nic.paused += microseconds;
}

static void say(void *context, const char *format, ...)
{
	va_list list;

	(void)context;
	va_start(list, format);
	vsnprintf(fake_nic.said, sizeof(fake_nic.said), format, list);
	va_end(list);
	fake_nic.says++;
}

void fake_nic_reset(void)
{
	uint8_t *memory = fake_nic.memory ? fake_nic.memory : aligned_alloc(BORDER, FAKE_NIC_MEMORY);

	if (fake_nic.memory)
		memset(memory, 0, fake_nic.used);
	else
		memset(memory, 0, FAKE_NIC_MEMORY);
	memset(&fake_nic, 0, sizeof(fake_nic));
	fake_nic.memory = memory;
	fake_nic.memory_left = FAKE_NIC_MEMORY;
	fake_nic.access = (struct nic_access){
		.context = &fake_nic,
		.read = read_register,
		.write = write_register,
		.config_read = config_read,
		.config_write = config_write,
		.allocate = allocate,
		.dma = dma,
		.master = master,
		.bind_irq = bind_irq,
		.irq_kind = BH_DEVICE_IRQ_INTX,
		.irqs = 1,
		.now = now,
		.ticks_per_ms = 1000,
		.pause = pause_us,
		.say = say,
	};
}
