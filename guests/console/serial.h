/*
 * serial.h: the serial line, a 16550 (National Semiconductor PC16550D), driven by its interrupt
 * both ways.
 *
 * Bytes to send and typed bytes wait in two queues; serial_service moves them between queues and
 * FIFOs and is called whenever the interrupt's event came (and may be called at any other time).
 * Nothing here waits or loops on the device.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIAL_OUT_BYTES 65536u
#define SERIAL_IN_BYTES	 4096u
#define SERIAL_FIFO	 16u /* bytes that the device takes once its transmitter is empty */

/* How the eight registers are reached; `offset` 0..7. */
struct serial_access {
	uint8_t (*read)(void *context, unsigned offset);
	void (*write)(void *context, unsigned offset, uint8_t value);
	void *context;
};

/*
 * Takes the UART over at 115200 8N1 with receive interrupts on, without cutting off what is being
 * sent. False if none answers; everything below then does nothing.
 */
bool serial_start(const struct serial_access *access);
bool serial_present(void);

/* Empties the receive FIFO, fills the transmit FIFO if it is empty, and clears all causes of
 * interrupts. */
void serial_service(void);

/* Queues bytes to send; returns how many found room (all of them, into nowhere, if there is no
 * UART). */
size_t serial_write(const void *from, size_t bytes);
size_t serial_room(void);

/* Bytes are queued that the device has not taken yet. */
bool serial_sending(void);

/* The next typed byte, -1 if there is none. */
int serial_read(void);

/* Throws away what was typed up to and including the last Ctrl-C; false if there is none. */
bool serial_interrupted(void);

/* The device takes nothing any more: it counts as absent from now on. */
void serial_give_up(void);
