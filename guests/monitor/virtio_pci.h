/*
 * virtio_pci.h: a virtio device as a PCI function (virtio 1.1, 4.1), of the modern kind only.
 *
 * BAR 0 is I/O and holds the notify registers, one for each queue: a write becomes an event of the I/O vCPU, by a
 * doorbell of the kernel (BH_GUEST_DOORBELL) or, where the guest has moved the register off the doorbells, by a
 * message. BAR 4 is memory and holds all the rest. Interrupts are MSI-X only: the function has no interrupt pin.
 */
#pragma once
#include "virtio.h"

#define VIRTIO_PCI_NOTIFY_BYTES 64
#define VIRTIO_PCI_MEMORY_BYTES 0x2000u

/* Makes the device, not yet on a bus. Its notify registers are at BH_DOORBELL_PORT + 64 * index. */
void virtio_pci_init(struct virtio *virtio, const struct virtio_setup *setup);
