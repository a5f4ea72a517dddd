/* string_io.h: INS and OUTS, with or without REP. */
#pragma once
#include "machine.h"

/* Answers a BH_MSG_PIO_STRING. */
void string_io(struct machine *machine, struct bh_message *message);
