/* hypercall.h: the only door. */
#pragma once
#include <stdint.h>

struct vcpu;

/* The hypercall in the vCPU's registers, from ring 0; RIP has been moved on. The result goes to its
 * RAX. */
void hypercall(struct vcpu *vcpu);
