/* exception.h: what the kernel does about its own exceptions: it ends. */
#pragma once

/* Vectors (SDM vol. 3, table 6-1) of those that a guest's exits and entries know. */
enum exception_vector {
	EXCEPTION_DB = 1,
	EXCEPTION_BP = 3,
	EXCEPTION_OF = 4,
	EXCEPTION_UD = 6,
	EXCEPTION_NM = 7,
	EXCEPTION_GP = 13,
	EXCEPTION_AC = 17,
	EXCEPTION_MC = 18,
};
#include "interrupt.h"

/* Vectors 0 to 31 but NMI. */
_Noreturn void exception_handle(const struct interrupt_frame *frame);

/*
 * Logs the values on the calling CPU's stack, from `rsp` up, that lie in the kernel's text: its return addresses, with
 * some that are left over from earlier calls.
 */
void exception_log_stack(uint64_t rsp);
