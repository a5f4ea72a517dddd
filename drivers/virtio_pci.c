#include "virtio_pci.h"

/* Configuration space: PCI 3.0, 6.1 and 6.7; the capability of virtio 1.1, 4.1.4. */
#define CFG_STATUS	  0x06u
#define CFG_STATUS_CAPS	  0x10u
#define CFG_CAP_POINTER	  0x34u
#define CAP_VENDOR	  0x09u
#define CAPS_MAX	  48u
#define CAP_LENGTH	  2u
#define CAP_TYPE	  3u
#define CAP_BAR		  4u
#define CAP_OFFSET	  8u
#define CAP_BYTES	  12u
#define CAP_MULTIPLIER	  16u
#define CAP_LENGTH_MIN	  16u
#define CAP_LENGTH_NOTIFY 20u

enum area_type { AREA_COMMON = 1, AREA_NOTIFY, AREA_ISR, AREA_DEVICE };

/* struct virtio_pci_common_cfg: 4.1.4.3. */
#define DEVICE_FEATURE_SELECT 0x00u
#define DEVICE_FEATURE	      0x04u
#define DRIVER_FEATURE_SELECT 0x08u
#define DRIVER_FEATURE	      0x0cu
#define MSIX_CONFIG	      0x10u
#define NUM_QUEUES	      0x12u
#define DEVICE_STATUS	      0x14u
#define QUEUE_SELECT	      0x16u
#define QUEUE_SIZE	      0x18u
#define QUEUE_MSIX_VECTOR     0x1au
#define QUEUE_ENABLE	      0x1cu
#define QUEUE_NOTIFY_OFF      0x1eu
#define QUEUE_DESC	      0x20u
#define QUEUE_DRIVER	      0x28u
#define QUEUE_DEVICE	      0x30u
#define COMMON_BYTES	      0x38u

#define RESET_STEP  500u /* microseconds */
#define RESET_STEPS 200u

uint32_t virtio_get(struct nic *nic, const struct virtio_area *area, uint32_t offset, unsigned bytes)
{
	return (uint32_t)nic->access.read(nic->access.context, area->bar, area->offset + offset, bytes);
}

void virtio_set(struct nic *nic, const struct virtio_area *area, uint32_t offset, unsigned bytes, uint32_t value)
{
	nic->access.write(nic->access.context, area->bar, area->offset + offset, bytes, value);
}

/* 4.1.3.1: fields of 64 bits may be written by halves. */
static void set64(struct nic *nic, struct virtio_pci *pci, uint32_t offset, uint64_t value)
{
	virtio_set(nic, &pci->common, offset, 4, (uint32_t)value);
	virtio_set(nic, &pci->common, offset + 4, 4, (uint32_t)(value >> 32));
}

/* ---- where its structures are ------------------------------------------------------------------ */

static uint32_t config(struct nic *nic, uint32_t offset, unsigned bytes)
{
	return nic->access.config_read(nic->access.context, offset, bytes);
}

/* False: it does not lie in memory of the device, or is smaller than it has to be. */
static bool read_area(struct nic *nic, uint32_t at, uint32_t bytes_min, struct virtio_area *area)
{
	uint32_t bar = config(nic, at + CAP_BAR, 1), offset = config(nic, at + CAP_OFFSET, 4);
	uint32_t bytes = config(nic, at + CAP_BYTES, 4);

	if (bar >= NIC_BARS || offset & 3 || bytes < bytes_min || (uint64_t)offset + bytes > nic->access.bar_bytes[bar])
		return false;
	*area = (struct virtio_area){ bar, offset, bytes };
	return true;
}

/* 4.1.4: of several of a type the first that can be used is taken. */
static void take_capability(struct nic *nic, struct virtio_pci *pci, uint32_t at, uint32_t device_bytes)
{
	uint32_t length = config(nic, at + CAP_LENGTH, 1);

	if (length < CAP_LENGTH_MIN || at + length > 0x100)
		return;
	switch (config(nic, at + CAP_TYPE, 1)) {
	case AREA_COMMON:
		if (!pci->common.bytes)
			read_area(nic, at, COMMON_BYTES, &pci->common);
		break;
	case AREA_NOTIFY:
		if (!pci->notify.bytes && length >= CAP_LENGTH_NOTIFY && read_area(nic, at, 2, &pci->notify))
			pci->notify_multiplier = config(nic, at + CAP_MULTIPLIER, 4);
		break;
	case AREA_ISR:
		if (!pci->isr.bytes)
			read_area(nic, at, 1, &pci->isr);
		break;
	case AREA_DEVICE:
		if (!pci->device.bytes)
			read_area(nic, at, device_bytes, &pci->device);
		break;
	default: break;
	}
}

bool virtio_pci_find(struct nic *nic, struct virtio_pci *pci, uint32_t device_bytes)
{
	uint32_t at = config(nic, CFG_STATUS, 2) & CFG_STATUS_CAPS ? config(nic, CFG_CAP_POINTER, 1) & 0xfc : 0;

	*pci = (struct virtio_pci){ 0 };
	for (unsigned i = 0; i < CAPS_MAX && at >= 0x40; i++) {
		uint32_t header = config(nic, at, 2);

		if ((header & 0xff) == CAP_VENDOR)
			take_capability(nic, pci, at, device_bytes);
		at = header >> 8 & 0xfc;
	}
	if (pci->common.bytes && pci->notify.bytes && pci->isr.bytes && pci->device.bytes)
		return true;
	nic_fail(nic, NIC_STOPPED, "no structures of virtio 1.0 in its memory BARs");
	return false;
}

/* ---- status and features ----------------------------------------------------------------------- */

uint8_t virtio_pci_status(struct nic *nic, struct virtio_pci *pci)
{
	return (uint8_t)virtio_get(nic, &pci->common, DEVICE_STATUS, 1);
}

void virtio_pci_add_status(struct nic *nic, struct virtio_pci *pci, uint8_t bits)
{
	virtio_set(nic, &pci->common, DEVICE_STATUS, 1, virtio_pci_status(nic, pci) | bits);
}

bool virtio_pci_reset(struct nic *nic, struct virtio_pci *pci)
{
	virtio_set(nic, &pci->common, DEVICE_STATUS, 1, 0);
	for (unsigned i = 0; i < RESET_STEPS; i++) {
		uint8_t status = virtio_pci_status(nic, pci);

		if (status == 0)
			return true;
		if (status == VIRTIO_GONE)
			break;
		nic->access.pause(nic->access.context, RESET_STEP);
	}
	nic_fail(nic, NIC_FAILED,
		 virtio_pci_status(nic, pci) == VIRTIO_GONE ? "does not answer" : "does not end its reset");
	return false;
}

static uint64_t offered(struct nic *nic, struct virtio_pci *pci)
{
	uint64_t low;

	virtio_set(nic, &pci->common, DEVICE_FEATURE_SELECT, 4, 0);
	low = virtio_get(nic, &pci->common, DEVICE_FEATURE, 4);
	virtio_set(nic, &pci->common, DEVICE_FEATURE_SELECT, 4, 1);
	return low | (uint64_t)virtio_get(nic, &pci->common, DEVICE_FEATURE, 4) << 32;
}

bool virtio_pci_features(struct nic *nic, struct virtio_pci *pci, uint64_t wanted, uint64_t needed)
{
	virtio_set(nic, &pci->common, DEVICE_STATUS, 1, VIRTIO_ACKNOWLEDGE);
	virtio_pci_add_status(nic, pci, VIRTIO_DRIVER);
	pci->features = offered(nic, pci) & (wanted | needed);
	if ((pci->features & needed) != needed) {
		virtio_pci_add_status(nic, pci, VIRTIO_FAILED);
		nic_fail(nic, NIC_STOPPED, "has not the features that are needed: 0x%llx",
			 (unsigned long long)(needed & ~pci->features));
		return false;
	}
	virtio_set(nic, &pci->common, DRIVER_FEATURE_SELECT, 4, 0);
	virtio_set(nic, &pci->common, DRIVER_FEATURE, 4, (uint32_t)pci->features);
	virtio_set(nic, &pci->common, DRIVER_FEATURE_SELECT, 4, 1);
	virtio_set(nic, &pci->common, DRIVER_FEATURE, 4, (uint32_t)(pci->features >> 32));
	virtio_pci_add_status(nic, pci, VIRTIO_FEATURES_OK);
	if (virtio_pci_status(nic, pci) & VIRTIO_FEATURES_OK)
		return true;
	nic_fail(nic, NIC_STOPPED, "does not take its own features");
	return false;
}

/* ---- queues ------------------------------------------------------------------------------------ */

/* 4.1.5.1.2: a device that has no vector for it says NO_VECTOR. */
static bool set_vector(struct nic *nic, struct virtio_pci *pci, uint32_t offset)
{
	bool msix = nic->access.irq_kind == BH_DEVICE_IRQ_MSIX;

	if (!msix)
		return true;
	virtio_set(nic, &pci->common, offset, 2, 0);
	if (virtio_get(nic, &pci->common, offset, 2) == 0)
		return true;
	nic_fail(nic, NIC_FAILED, "has no MSI-X vector to give");
	return false;
}

bool virtio_pci_vector(struct nic *nic, struct virtio_pci *pci) { return set_vector(nic, pci, MSIX_CONFIG); }

uint16_t virtio_pci_queue_size(struct nic *nic, struct virtio_pci *pci, uint16_t index)
{
	if (index >= virtio_get(nic, &pci->common, NUM_QUEUES, 2))
		return 0;
	virtio_set(nic, &pci->common, QUEUE_SELECT, 2, index);
	return (uint16_t)virtio_get(nic, &pci->common, QUEUE_SIZE, 2);
}

bool virtio_pci_queue(struct nic *nic, struct virtio_pci *pci, struct virtio_queue_place *place)
{
	uint64_t notify = (uint64_t)virtio_get(nic, &pci->common, QUEUE_NOTIFY_OFF, 2) * pci->notify_multiplier;

	if (notify + 2 > pci->notify.bytes || notify & 1) {
		nic_fail(nic, NIC_STOPPED, "wants to be notified outside of its BAR");
		return false;
	}
	place->notify = (uint32_t)notify;
	virtio_set(nic, &pci->common, QUEUE_SIZE, 2, place->size);
	set64(nic, pci, QUEUE_DESC, place->descriptors);
	set64(nic, pci, QUEUE_DRIVER, place->driver);
	set64(nic, pci, QUEUE_DEVICE, place->device);
	if (!set_vector(nic, pci, QUEUE_MSIX_VECTOR))
		return false;
	virtio_set(nic, &pci->common, QUEUE_ENABLE, 2, 1);
	return true;
}
