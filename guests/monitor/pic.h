/*
 * pic.h: two 8259A (Intel's data sheet) as in a PC: the slave at input 2 of the master.
 *
 * Complete for probing and for masked use. The INTR output goes nowhere: the kernel's model of the
 * local APIC has no ExtINT, so a guest that does not use the I/O APIC gets no interrupts.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/lib/bh.h"

struct pic_chip {
	uint8_t irr, isr, imr, level; /* level: ELCR, a bit per input */
	uint8_t lines;
	uint8_t vector; /* ICW2 */
	uint8_t icw4;
	uint8_t lowest;	   /* input with the lowest priority */
	uint8_t init_step; /* ICW expected next, 2 to 4; 0: none */
	bool needs_icw4, single, read_isr, poll, special_mask, rotate_on_aeoi;
};

struct pic {
	struct bh_lock lock;
	struct pic_chip chip[2]; /* master, slave */
};

void pic_init(struct pic *pic);

/* Level of an ISA interrupt, 0 to 15. Any vCPU. */
void pic_set(struct pic *pic, unsigned irq, bool level);

/* The master's INTR output, and what INTA would read: for tests, and for a later ExtINT. */
bool pic_output(struct pic *pic);
uint8_t pic_acknowledge(struct pic *pic);

/* Port handlers (port.h), byte-wide: 0x20, 0x21, 0xa0, 0xa1; and ELCR, 0x4d0, 0x4d1. Any vCPU. */
uint32_t pic_read(void *pic, uint16_t port, unsigned size);
void pic_write(void *pic, uint16_t port, unsigned size, uint32_t value);
uint32_t pic_read_elcr(void *pic, uint16_t port, unsigned size);
void pic_write_elcr(void *pic, uint16_t port, unsigned size, uint32_t value);
