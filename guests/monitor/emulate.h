/* emulate.h: carries out an instruction that touched an address without RAM. */
#pragma once
#include "machine.h"

/* Answers a BH_MSG_MMIO: registers, flags and RIP as the instruction leaves them. */
void emulate_mmio(struct machine *machine, struct bh_message *message);
