#include "screen.h"
#include "guests/lib/bh.h"
#include "events.h"
#include "serial.h"

#define PATIENCE 250 /* waits of 20 ms without one byte gone: no line is that slow */

void screen_raw(const void *bytes, size_t count)
{
	const uint8_t *from = bytes;

	for (unsigned waits = 0;; waits++) {
		size_t done = serial_write(from, count);

		from += done;
		count -= done;
		if (!count)
			return;
		if (done)
			waits = 0;
		if (waits == PATIENCE)
			serial_give_up();
		/* The deadline is for a lost interrupt; 16 bytes take 1.4 ms. */
		bh_call3(BH_WAIT, EVENT_SERIAL_MASK, bh_rdtsc() + bh_ticks_ms(20), 0);
		serial_service();
	}
}

/* Runs of plain bytes in one piece. */
static void put_lines(const char *text, size_t bytes)
{
	size_t start = 0;

	for (size_t i = 0; i < bytes; i++) {
		if (text[i] != '\n')
			continue;
		screen_raw(text + start, i - start);
		screen_raw("\r\n", 2);
		start = i + 1;
	}
	screen_raw(text + start, bytes - start);
}

void screen_text(const char *text, size_t bytes)
{
	char clean[128];

	while (bytes) {
		size_t count = bytes < sizeof(clean) ? bytes : sizeof(clean);

		for (size_t i = 0; i < count; i++) {
			unsigned char c = (unsigned char)text[i];

			clean[i] = c == '\n' || c == '\t' || (c >= ' ' && c < 0x7f) ? (char)c : '.';
		}
		put_lines(clean, count);
		text += count;
		bytes -= count;
	}
}

void screen_printf(const char *format, ...)
{
	char text[512];
	va_list list;

	va_start(list, format);
	bh_vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	put_lines(text, strlen(text));
}
