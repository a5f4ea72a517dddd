/* virtio_pci.c: capabilities and registers. Numbers of clauses are those of virtio 1.1. */
#include "virtio_pci.h"
#include "pci.h"
#include "virtio_registers.h"

#define VENDOR	      0x1af4
#define DEVICE	      0x1040 /* and the type (4.1.2.1) */
#define REVISION      1
#define SUBSYSTEM     0x40 /* and the type: not transitional (4.1.2.2) */
#define CAPABILITY_ID 0x09 /* vendor specific */

#define BAR_NOTIFY 0
#define BAR_MEMORY 4

/* In BAR 4. */
#define MEMORY_COMMON  0x000
#define MEMORY_ISR     0x100
#define MEMORY_DEVICE  0x200
#define MEMORY_TABLE   0x1000
#define MEMORY_PENDING 0x1800
#define PART_BYTES     0x100 /* of the first three */

/* struct virtio_pci_cap (4.1.4) */
enum { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_DEVICE, CAP_PCI };
#define CAP_LENGTH	  2
#define CAP_TYPE	  3
#define CAP_BAR		  4
#define CAP_OFFSET	  8
#define CAP_BYTES	  12
#define CAP_END		  16
#define CAP_NOTIFY_STRIDE 16 /* notify_off_multiplier */
#define CAP_NOTIFY_END	  20
#define CAP_WINDOW	  16 /* pci_cfg_data */
#define CAP_WINDOW_END	  20

/* ---- BARs ------------------------------------------------------------------------------------------------ */

static uint8_t read_isr(struct virtio *virtio)
{
	uint8_t isr = virtio->isr;

	virtio->isr = 0;
	return isr;
}

static uint64_t read_config(const struct virtio *virtio, uint32_t offset, unsigned size)
{
	uint64_t value = 0;

	if (offset + size <= virtio->setup.config_bytes)
		memcpy(&value, (const uint8_t *)virtio->setup.config + offset, size);
	return value;
}

static uint64_t read_memory(struct virtio *virtio, uint32_t offset, unsigned size)
{
	if (offset >= MEMORY_PENDING)
		return msix_read_pending(&virtio->msix, offset - MEMORY_PENDING);
	if (offset >= MEMORY_TABLE)
		return msix_read_table(&virtio->msix, offset - MEMORY_TABLE, size);
	switch (offset / PART_BYTES * PART_BYTES) {
	case MEMORY_COMMON: return virtio_registers_read(virtio, offset);
	case MEMORY_ISR: return offset == MEMORY_ISR ? read_isr(virtio) : 0;
	case MEMORY_DEVICE: return read_config(virtio, offset - MEMORY_DEVICE, size);
	}
	return 0;
}

static uint64_t bar_read(void *device, unsigned bar, uint32_t offset, unsigned size)
{
	return bar == BAR_MEMORY ? read_memory(device, offset, size) : 0;
}

/* A notify register says which queue; the I/O vCPU looks at all of them, as with a doorbell. */
static void bar_write(void *device, unsigned bar, uint32_t offset, unsigned size, uint64_t value)
{
	struct virtio *virtio = device;

	if (bar == BAR_NOTIFY)
		virtio->setup.outside.kick(virtio->setup.outside.context, virtio->setup.index);
	else if (offset < MEMORY_COMMON + PART_BYTES)
		virtio_registers_write(virtio, offset, size, value);
	else if (offset >= MEMORY_TABLE && offset < MEMORY_PENDING)
		msix_write_table(&virtio->msix, offset - MEMORY_TABLE, size, value);
}

/* ---- access by configuration space (4.1.4.7) ---------------------------------------------------------------- */

struct window {
	uint32_t bar, offset, bytes;
};

/* What the guest has set the window to; false if it is not within a BAR that there is. */
static bool get_window(const struct virtio *virtio, struct window *window)
{
	const struct pci_function *function = &virtio->function;
	unsigned at = virtio->window;

	window->bar = pci_function_get(function, at + CAP_BAR, 1);
	window->offset = pci_function_get(function, at + CAP_OFFSET, 4);
	window->bytes = pci_function_get(function, at + CAP_BYTES, 4);
	if (window->bar >= PCI_BARS || (window->bytes != 1 && window->bytes != 2 && window->bytes != 4))
		return false;
	return window->offset % window->bytes == 0 && window->offset < function->bar_bytes[window->bar];
}

static bool touches_window(const struct virtio *virtio, unsigned offset, unsigned size)
{
	unsigned window = virtio->window + CAP_WINDOW;

	return offset < window + 4 && offset + size > window;
}

static void config_reading(void *device, unsigned offset, unsigned size)
{
	struct virtio *virtio = device;
	struct window window;

	if (touches_window(virtio, offset, size) && get_window(virtio, &window))
		pci_function_set(&virtio->function, virtio->window + CAP_WINDOW, 4,
				 (uint32_t)bar_read(virtio, window.bar, window.offset, window.bytes));
}

static void move_doorbell(struct virtio *virtio)
{
	const struct virtio_outside *outside = &virtio->setup.outside;
	uint32_t before = virtio->doorbell, now = virtio->function.bar_base[BAR_NOTIFY];

	if (before == now)
		return;
	virtio->doorbell = now;
	if (before)
		outside->doorbell(outside->context, virtio->setup.index, before, false);
	if (now)
		outside->doorbell(outside->context, virtio->setup.index, now, true);
}

static void config_written(void *device, unsigned offset, unsigned size)
{
	struct virtio *virtio = device;
	const struct virtio_outside *outside = &virtio->setup.outside;
	struct window window;

	if (touches_window(virtio, offset, size) && get_window(virtio, &window))
		bar_write(virtio, window.bar, window.offset, window.bytes,
			  pci_function_get(&virtio->function, virtio->window + CAP_WINDOW, window.bytes));
	msix_changed(&virtio->msix);
	move_doorbell(virtio);
	if (offset <= PCI_COMMAND && virtio_is_running(virtio)) /* a bus master again */
		outside->kick(outside->context, virtio->setup.index);
}

/* ---- assembly ------------------------------------------------------------------------------------------------ */

static unsigned add_capability(struct pci_function *function, uint8_t type, unsigned length, uint8_t bar,
			       uint32_t offset, uint32_t bytes)
{
	unsigned at = pci_function_add_capability(function, CAPABILITY_ID, length);

	pci_function_set(function, at + CAP_LENGTH, 1, length);
	pci_function_set(function, at + CAP_TYPE, 1, type);
	pci_function_set(function, at + CAP_BAR, 1, bar);
	pci_function_set(function, at + CAP_OFFSET, 4, offset);
	pci_function_set(function, at + CAP_BYTES, 4, bytes);
	return at;
}

static void add_capabilities(struct virtio *virtio)
{
	struct pci_function *function = &virtio->function;
	unsigned at;

	add_capability(function, CAP_COMMON, CAP_END, BAR_MEMORY, MEMORY_COMMON, VIRTIO_REGISTERS_BYTES);
	at = add_capability(function, CAP_NOTIFY, CAP_NOTIFY_END, BAR_NOTIFY, 0, VIRTIO_PCI_NOTIFY_BYTES);
	pci_function_set(function, at + CAP_NOTIFY_STRIDE, 4, 4);
	add_capability(function, CAP_ISR, CAP_END, BAR_MEMORY, MEMORY_ISR, 1);
	if (virtio->setup.config_bytes)
		add_capability(function, CAP_DEVICE, CAP_END, BAR_MEMORY, MEMORY_DEVICE, virtio->setup.config_bytes);
	at = add_capability(function, CAP_PCI, CAP_WINDOW_END, 0, 0, 0);
	pci_function_set_writable(function, at + CAP_BAR, 1, 0xff);
	pci_function_set_writable(function, at + CAP_OFFSET, 4, UINT32_MAX);
	pci_function_set_writable(function, at + CAP_BYTES, 4, UINT32_MAX);
	pci_function_set_writable(function, at + CAP_WINDOW, 4, UINT32_MAX);
	virtio->window = (uint8_t)at;
}

void virtio_pci_init(struct virtio *virtio, const struct virtio_setup *setup)
{
	static const struct pci_operations operations = { bar_read, bar_write, config_reading, config_written };
	const struct virtio_type *type = setup->type;
	struct pci_ids ids = { VENDOR, (uint16_t)(DEVICE + type->id),	type->class_code, REVISION,
			       VENDOR, (uint16_t)(SUBSYSTEM + type->id) };
	struct msix_outside outside = { setup->outside.msi, setup->outside.context };
	unsigned index = setup->index;

	virtio_init(virtio, setup);
	pci_function_init(&virtio->function, &ids, &operations, virtio);
	pci_function_add_bar(&virtio->function, BAR_NOTIFY, true, VIRTIO_PCI_NOTIFY_BYTES,
			     BH_DOORBELL_PORT + index * BH_DOORBELL_BLOCK_PORTS);
	pci_function_add_bar(&virtio->function, BAR_MEMORY, false, VIRTIO_PCI_MEMORY_BYTES,
			     PCI_MEMORY_ADDRESS + index * VIRTIO_PCI_MEMORY_BYTES);
	msix_init(&virtio->msix, &virtio->function, setup->queues + 1, BAR_MEMORY, MEMORY_TABLE, MEMORY_PENDING,
		  &outside);
	add_capabilities(virtio);
	config_written(virtio, PCI_COMMAND, 2);
}
