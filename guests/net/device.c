/* device.c: registers, configuration space, memory and interrupts of a device. */
#include "device.h"
#include "guests/lib/bh.h"

uint64_t device_stat(const struct device *device, enum bh_device_stat stat, unsigned index)
{
	int64_t result = bh_call3(BH_DEVICE_STAT, device->handle->handle, stat, index);

	return result < 0 ? 0 : (uint64_t)result;
}

static uint64_t read(void *context, unsigned bar, uint32_t offset, unsigned bytes)
{
	const uint8_t *at = ((struct device *)context)->bar[bar] + offset;

	switch (bytes) {
	case 1: return *(const volatile uint8_t *)at;
	case 2: return *(const volatile uint16_t *)at;
	case 4: return *(const volatile uint32_t *)at;
	default: return *(const volatile uint64_t *)at;
	}
}

static void write(void *context, unsigned bar, uint32_t offset, unsigned bytes, uint64_t value)
{
	uint8_t *at = ((struct device *)context)->bar[bar] + offset;

	switch (bytes) {
	case 1: *(volatile uint8_t *)at = (uint8_t)value; break;
	case 2: *(volatile uint16_t *)at = (uint16_t)value; break;
	case 4: *(volatile uint32_t *)at = (uint32_t)value; break;
	default: *(volatile uint64_t *)at = value;
	}
}

static uint32_t config_read(void *context, uint32_t offset, unsigned bytes)
{
	int64_t result = bh_call3(BH_DEVICE_READ, ((struct device *)context)->handle->handle, offset, bytes);

	return result < 0 ? UINT32_MAX : (uint32_t)result;
}

static void config_write(void *context, uint32_t offset, unsigned bytes, uint32_t value)
{
	bh_call4(BH_DEVICE_WRITE, ((struct device *)context)->handle->handle, offset, bytes, value);
}

/* Aligned to a power of two that holds it all, it crosses no multiple of that, and so none of 2 MiB. */
static void *allocate(void *context, size_t bytes, size_t align)
{
	size_t whole = align ? align : 1;

	(void)context;
	while (whole < bytes)
		whole *= 2;
	return bh_alloc(bytes, whole);
}

static uint64_t dma(void *context, const void *address)
{
	int64_t result =
		bh_call2(BH_DEVICE_DMA, ((struct device *)context)->handle->handle, (uint64_t)(uintptr_t)address);

	return result < 0 ? NIC_NO_DMA : (uint64_t)result;
}

static bool master(void *context, bool on)
{
	return bh_call2(BH_DEVICE_MASTER, ((struct device *)context)->handle->handle, on) == 0;
}

static bool bind_irq(void *context, unsigned index)
{
	const struct device *device = context;

	return bh_call4(BH_DEVICE_IRQ_BIND, device->handle->handle, index, 0, device->bit) == 0;
}

static uint64_t now(void *context)
{
	(void)context;
	return bh_rdtsc();
}

static void pause(void *context, unsigned microseconds)
{
	uint64_t deadline = bh_rdtsc() + bh_ticks_us(microseconds);

	(void)context;
	while (bh_rdtsc() < deadline)
		bh_call3(BH_WAIT, 0, deadline, 0);
}

static void say(void *context, const char *format, ...)
{
	char text[160];
	va_list list;

	va_start(list, format);
	bh_vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	bh_printf("%s: %s\n", ((struct device *)context)->handle->name, text);
}

void device_open(struct device *device, const struct bh_info_handle *handle, unsigned bit, struct nic_access *access)
{
	*device = (struct device){ .handle = handle, .bit = bit };
	*access = (struct nic_access){
		.context = device,
		.read = read,
		.write = write,
		.config_read = config_read,
		.config_write = config_write,
		.allocate = allocate,
		.dma = dma,
		.iommu = device_stat(device, BH_DEVICE_IOMMU, 0) == 1,
		.master = master,
		.bind_irq = bind_irq,
		.irq_kind = (enum bh_device_irq)device_stat(device, BH_DEVICE_IRQ_KIND, 0),
		.irqs = (unsigned)device_stat(device, BH_DEVICE_IRQS, 0),
		.now = now,
		.ticks_per_ms = bh_ticks_ms(1),
		.pause = pause,
		.say = say,
	};
	for (unsigned bar = 0; bar < NIC_BARS; bar++) {
		uint64_t address = device_stat(device, BH_DEVICE_BAR_ADDRESS, bar);
		uint64_t bytes = device_stat(device, BH_DEVICE_BAR_BYTES, bar);

		if (!address || !bh_map(address, bytes))
			continue;
		device->bar[bar] = (uint8_t *)(uintptr_t)address;
		access->bar_bytes[bar] = bytes;
	}
}
