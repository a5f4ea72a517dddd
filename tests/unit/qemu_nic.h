/*
 * qemu_nic.h: a NIC as QEMU models it, without a guest: its registers are reached by QEMU's qtest protocol, the
 * machine's memory is a file that is mapped here too, and its network is a socket.
 */
#pragma once
#include "drivers/nic.h"

struct qemu_nic {
	struct nic nic;
	struct nic_access access;
	uint32_t id, class_code;
};

/* Starts `machine` with the NIC `device` (a -device option). False: there is no QEMU here. */
bool qemu_nic_open(struct qemu_nic *q, const char *machine, const char *device, enum bh_device_irq kind);
void qemu_nic_close(void);

/* A frame to the NIC. False: QEMU takes none at the moment. */
bool qemu_nic_receive(const void *frame, uint32_t bytes);

/* The next frame that the NIC has sent; its length, 0 when none comes within some seconds. */
uint32_t qemu_nic_sent(void *frame, uint32_t size);

/* Whether an interrupt has come, or comes within so many steps; takes it. INTx: whether its line is up. */
bool qemu_nic_interrupted(struct qemu_nic *q, unsigned steps);

void qemu_nic_link(bool up);

/* Lets QEMU work; a moment passes. */
void qemu_nic_step(void);
