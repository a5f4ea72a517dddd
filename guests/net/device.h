/*
 * device.h: what a NIC's driver is handed (drivers/nic.h), made of the kernel's hypercalls on a device.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/abi.h>
#include "drivers/nic.h"

struct device {
	const struct bh_info_handle *handle;
	unsigned bit; /* its interrupts' event, of vCPU 0 */
	uint8_t *bar[NIC_BARS];
};

/* Fills `access` for the device of that handle. `device` stays where it is. */
void device_open(struct device *device, const struct bh_info_handle *handle, unsigned bit, struct nic_access *access);

/* A number that the kernel knows about it; 0 when it does not. */
uint64_t device_stat(const struct device *device, enum bh_device_stat stat, unsigned index);
