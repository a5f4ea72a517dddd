#include "output.h"
#include <drivers/fbtext.h>
#include <drivers/uart.h>
#include "io.h"
#include "log.h"

#define COM1 0x3f8u

static struct uart uart;
static struct fbtext screen;
static bool screen_present;

static uint8_t com1_read(void *context, unsigned offset)
{
	(void)context;
	return inb((uint16_t)(COM1 + offset));
}

static void com1_write(void *context, unsigned offset, uint8_t value)
{
	(void)context;
	outb((uint16_t)(COM1 + offset), value);
}

bool output_uart_start(void)
{
	static const struct uart_access com1 = { com1_read, com1_write, NULL };

	return uart_start(&uart, &com1);
}

size_t output_screen_bytes(const struct boot_framebuffer *framebuffer)
{
	if (!framebuffer->physical || framebuffer->stride < framebuffer->width ||
	    (uint64_t)framebuffer->stride * framebuffer->height * 4 > framebuffer->bytes)
		return 0;
	return fbtext_cells(framebuffer->width, framebuffer->height);
}

void output_screen_start(const struct boot_framebuffer *framebuffer, void *pixels, void *cells)
{
	char text[128];
	uint64_t position = log_first();
	size_t n;

	fbtext_start(&screen, pixels, framebuffer->width, framebuffer->height, framebuffer->stride, cells);
	while ((n = log_read(position, text, sizeof(text)))) {
		fbtext_write(&screen, text, n);
		position += n;
	}
	screen_present = true;
}

void output_write(const char *text, size_t n, bool to_uart)
{
	if (to_uart)
		uart_write(&uart, text, n);
	if (screen_present)
		fbtext_write(&screen, text, n);
}
