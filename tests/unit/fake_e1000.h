/*
 * fake_e1000.h: a model of the 82540EM and the 82574L, as far as drivers/e1000*.c use them, behind fake_nic.h. It
 * follows the manuals, and where they differ the models of QEMU 7.2 and Bochs 2.7.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/abi.h>
#include "drivers/e1000_registers.h"

struct fake_e1000 {
	bool is_82574;
	bool check_rxov;
	bool like_bochs; /* reset changes nothing, RAL0 is empty */
	bool gone;	 /* reads as ones */
	bool stuck;	 /* sends nothing */
	bool reset_hangs;
	bool eeprom_dead;
	bool mpc_stays; /* reading MPC does not clear it: QEMU */
	uint32_t reg[0x8000];
	uint16_t eeprom[64], phy[32];
	unsigned sent, tail_writes, write_backs, rx_tail_writes;
	unsigned interrupts;  /* edges */
	uint8_t frame[16384]; /* the last that was sent */
	uint32_t frame_bytes;
	unsigned resets;
	bool hold_last; /* a received frame's last descriptor is written by fake_e1000_finish */
	uint64_t held_word;
	uint32_t held_index;
};
extern struct fake_e1000 fake_e1000;

/* fake_nic_reset, and a chip with the address 52:54:00:12:34:56 and a link. */
void fake_e1000_reset(bool is_82574, enum bh_device_irq kind);

/* A frame from outside, with these bits of its last descriptor's errors. False: no buffers, or the filters are closed.
 */
bool fake_e1000_receive(const void *frame, uint32_t bytes, uint8_t errors);
void fake_e1000_finish(void);

void fake_e1000_link(bool up);
