/* guest_state.h: the registers with which vCPUs begin, whatever the back end. The vCPU's own CPU. */
#pragma once
#include <stdint.h>

struct vcpu;

/* For a back end's vcpu_reset: natives as abi.h says, guests as after a processor's INIT. */
void guest_state_reset(struct vcpu *vcpu);

/* A guest's SIPI (SDM vol. 3, 9.4.3). */
void guest_state_startup(struct vcpu *vcpu, uint32_t vector);
