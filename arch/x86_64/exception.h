/* exception.h: what the kernel does about its own exceptions: it ends. */
#pragma once
#include "interrupt.h"

/* Vectors 0 to 31 but NMI. */
_Noreturn void exception_handle(const struct interrupt_frame *frame);

/*
 * Logs the values on the calling CPU's stack, from `rsp` up, that lie in the kernel's text: its return addresses, with
 * some that are left over from earlier calls.
 */
void exception_log_stack(uint64_t rsp);
