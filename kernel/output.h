/* output.h: where the log is shown: UART at COM1 and text on the framebuffer. The log's lock guards
 * both. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <boot/boot_info.h>

/* Finds and programs the UART at COM1. False when there is none; then its output does nothing. */
bool output_uart_start(void);

/*
 * Shows text on the framebuffer, which stands at `pixels`, from now on. `cells` has room for
 * output_screen_bytes(). Repeats what the log ring holds.
 */
void output_screen_start(const struct boot_framebuffer *framebuffer, void *pixels, void *cells);
size_t output_screen_bytes(const struct boot_framebuffer *framebuffer);

/* Writes `n` bytes to the UART (waiting for it) if `uart`, and to the framebuffer. */
void output_write(const char *text, size_t n, bool uart);
