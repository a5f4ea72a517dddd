/* guest_control.h: what a monitor may do with its guest. Results as abi.h says. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct partition;
struct vcpu;

int64_t guest_control_msi(struct partition *guest, uint64_t address, uint64_t data);
int64_t guest_control_apic(struct vcpu *caller, struct partition *guest, uint64_t vcpu, uint64_t offset, uint64_t value,
			   uint64_t write);
int64_t guest_control_end(struct vcpu *caller, struct partition *guest, uint64_t how);
int64_t guest_control_doorbell(struct partition *guest, uint64_t block, uint64_t bit);

/* The guest has written to a doorbell's port; false: nobody listens to it. The vCPU's own CPU. */
bool guest_control_ring(struct vcpu *vcpu, uint16_t port);
