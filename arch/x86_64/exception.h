/* exception.h: what the kernel does about its own exceptions: it ends, but for MSRs that it tries.
 */
#pragma once
#include <stdint.h>
#include "interrupt.h"

/* Vectors 0 to 31 but NMI. Returns only for rdmsr_try and wrmsr_try. */
void exception_handle(struct interrupt_frame *frame);

/*
 * Up to `n` values on the calling CPU's stack, from `rsp` up, that lie in the kernel's text: its
 * return addresses, with some that are left over from earlier calls. Returns how many.
 */
unsigned exception_backtrace(uint64_t rsp, uint64_t *value, unsigned n);
