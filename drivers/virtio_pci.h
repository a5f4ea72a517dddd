/*
 * virtio_pci.h: a modern virtio device on PCI (virtio 1.1, 4.1): its structures in the BARs, status, features. What the
 * device says is checked: nothing outside of its BARs is touched, and waits have an end.
 */
#pragma once
#include "nic.h"

/* 2.1 */
#define VIRTIO_ACKNOWLEDGE 1u
#define VIRTIO_DRIVER	   2u
#define VIRTIO_DRIVER_OK   4u
#define VIRTIO_FEATURES_OK 8u
#define VIRTIO_NEEDS_RESET 64u
#define VIRTIO_FAILED	   128u
#define VIRTIO_GONE	   255u /* nobody answers: no device says all of them */

/* 6 */
#define VIRTIO_F_EVENT_IDX	 (1ull << 29)
#define VIRTIO_F_VERSION_1	 (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33)
#define VIRTIO_F_ORDER_PLATFORM	 (1ull << 36)

#define VIRTIO_NO_VECTOR 0xffffu

/* One of the device's structures: 4.1.4. */
struct virtio_area {
	uint32_t bar, offset, bytes; /* bytes = 0: there is none */
};

struct virtio_pci {
	struct virtio_area common, notify, isr, device;
	uint32_t notify_multiplier;
	uint64_t features; /* agreed */
};

/* Finds the structures; `device_bytes` of the device's own are needed. False after nic_fail. */
bool virtio_pci_find(struct nic *nic, struct virtio_pci *pci, uint32_t device_bytes);

/* Resets it and waits until that is done. False after nic_fail. */
bool virtio_pci_reset(struct nic *nic, struct virtio_pci *pci);

/* 3.1.1, up to FEATURES_OK: those of `wanted` that it offers; all of `needed`. False after nic_fail. */
bool virtio_pci_features(struct nic *nic, struct virtio_pci *pci, uint64_t wanted, uint64_t needed);

/* A field of 1, 2 or 4 bytes. `offset` lies within what was asked for. */
uint32_t virtio_get(struct nic *nic, const struct virtio_area *area, uint32_t offset, unsigned bytes);
void virtio_set(struct nic *nic, const struct virtio_area *area, uint32_t offset, unsigned bytes, uint32_t value);

uint8_t virtio_pci_status(struct nic *nic, struct virtio_pci *pci);
void virtio_pci_add_status(struct nic *nic, struct virtio_pci *pci, uint8_t bits);

/* Changes of the configuration interrupt by MSI-X vector 0; without MSI-X nothing is to be set. False after nic_fail.
 */
bool virtio_pci_vector(struct nic *nic, struct virtio_pci *pci);

/* The number of bytes that a queue may have: 0: there is no such queue. Selects it for virtio_pci_queue. */
uint16_t virtio_pci_queue_size(struct nic *nic, struct virtio_pci *pci, uint16_t index);

/* Where a queue's parts are, by the device's addresses, and how it is notified. */
struct virtio_queue_place {
	uint16_t size;
	uint64_t descriptors, driver, device;
	uint32_t notify; /* found: offset in pci->notify */
};

/* Enables the queue that was selected. False after nic_fail. */
bool virtio_pci_queue(struct nic *nic, struct virtio_pci *pci, struct virtio_queue_place *place);
