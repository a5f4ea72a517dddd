/* machine.h: the console's handle of the machine. */
#pragma once
#include <stdint.h>
#include <bulkhead/abi.h>

/* Finds the handle. Once, before the others. */
void machine_start(void);

/* BH_MACHINE_STAT; 0 in place of an error. */
uint64_t machine_stat(enum bh_machine_stat field, uint64_t index);

/* BH_MACHINE_TEXT: 8 bytes or less at `offset` to `text`; returns how many, 0 at the end. */
unsigned machine_text(enum bh_machine_text which, uint64_t offset, char text[8]);

/* BH_IMAGE_*, BH_PARTITION_CREATE. */
int64_t machine_create(enum bh_hypercall number, uint64_t a, uint64_t b, uint64_t c);

/* BH_MACHINE_CONTROL. */
int64_t machine_control(enum bh_machine_control operation);
