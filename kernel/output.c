#include "output.h"
#include <drivers/fbtext.h>
#include <drivers/uart.h>
#include "address_space.h"
#include "io.h"
#include "log.h"
#include "pool.h"

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

void output_log(uint64_t bytes, bool to_uart)
{
	char text[128];
	uint64_t end = log_end(), position = log_first();
	size_t n;

	if (end - position > bytes)
		position = end - bytes;
	while ((n = log_read(position, text, sizeof(text)))) {
		output_write(text, n, to_uart);
		position += n;
	}
}

void output_screen_start(const struct boot_framebuffer *f)
{
	bool usable = f->physical && f->stride >= f->width && (uint64_t)f->stride * f->height * 4 <= f->bytes;
	size_t bytes = usable ? fbtext_cells(f->width, f->height) : 0;
	void *cells = bytes ? pool_alloc((unsigned)((bytes + PAGE_BYTES - 1) / PAGE_BYTES)) : NULL;
	void *pixels = cells ? mmio_map(f->physical, f->bytes, PAGING_WC) : NULL;

	if (!pixels) {
		log_printf("screen: %s", f->physical ? "the framebuffer cannot be used" : "none");
		return;
	}
	fbtext_start(&screen, pixels, f->width, f->height, f->stride, cells);
	screen_present = true;
	output_log(UINT64_MAX, false);
	log_printf("screen: %ux%u at 0x%lx", f->width, f->height, f->physical);
}

void output_write(const char *text, size_t n, bool to_uart)
{
	if (to_uart)
		uart_write(&uart, text, n);
	if (screen_present)
		fbtext_write(&screen, text, n);
}
