/* output.h: where the log is shown: UART at COM1 and text on the framebuffer. The log's lock guards
 * both. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <boot/boot_info.h>

/* Finds and programs the UART at COM1. False when there is none; then its output does nothing. */
bool output_uart_start(void);

/* Shows text on the framebuffer, if there is one, from now on, and what the log ring holds. Boot CPU, once. */
void output_screen_start(const struct boot_framebuffer *framebuffer);

/* Shows the log's newest `bytes` again, if `uart` there too. */
void output_log(uint64_t bytes, bool uart);

/* Writes `n` bytes to the UART (waiting for it) if `uart`, and to the framebuffer. */
void output_write(const char *text, size_t n, bool uart);
