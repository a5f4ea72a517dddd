/* virtio_registers.h: the common configuration of a virtio device (virtio 1.1, 4.1.4.3). With the lock held. */
#pragma once
#include "virtio.h"

#define VIRTIO_REGISTERS_BYTES 0x38

/* At the offset of a field; 0 elsewhere. Of a field of 64 bits also the upper half. */
uint64_t virtio_registers_read(const struct virtio *virtio, uint32_t offset);
/* A write that has not the field's size has no effect (4.1.3.1); halves of 64 bits are one each. */
void virtio_registers_write(struct virtio *virtio, uint32_t offset, unsigned size, uint64_t value);
