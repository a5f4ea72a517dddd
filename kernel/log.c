#include "log.h"
#include <guests/lib/bh_format.h>
#include "clock.h"
#include "output.h"
#include "spinlock.h"

static struct spinlock lock = SPINLOCK_INIT;
static char ring[LOG_RING_BYTES];
static uint64_t end; /* position after the newest byte */
static bool uart_enabled = true;
static bool lock_broken; /* by a panic */

static void log_lock(void)
{
	if (!lock_broken)
		spin_lock(&lock);
}

static void log_unlock(void)
{
	if (!lock_broken)
		spin_unlock(&lock);
}

void log_break_lock(void) { lock_broken = true; }

static void ring_append(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ring[end++ % LOG_RING_BYTES] = text[i];
}

/* What partitions and firmware hand in must not move the cursor of whoever reads the log. */
static void make_printable(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	}
}

void log_printf(const char *fmt, ...)
{
	char line[LOG_LINE_BYTES];
	uint64_t now = clock_microseconds();
	size_t n, wanted;
	va_list arguments;

	n = (size_t)bh_snprintf(line, sizeof(line), "[%4lu.%06lu] ", now / 1000000, now % 1000000);
	va_start(arguments, fmt);
	wanted = n + (size_t)bh_vsnprintf(line + n, sizeof(line) - n - 1, fmt, arguments);
	va_end(arguments);
	n = wanted < sizeof(line) - 2 ? wanted : sizeof(line) - 2;
	make_printable(line, n);
	line[n++] = '\n';

	log_lock();
	ring_append(line, n);
	output_write(line, n, uart_enabled);
	log_unlock();
}

void log_uart_enable(bool enable)
{
	log_lock();
	if (enable)
		output_uart_start();
	uart_enabled = enable;
	log_unlock();
}

bool log_uart_enabled(void) { return uart_enabled; }

static uint64_t first(void) { return end > LOG_RING_BYTES ? end - LOG_RING_BYTES : 0; }

uint64_t log_first(void)
{
	uint64_t position;

	log_lock();
	position = first();
	log_unlock();
	return position;
}

uint64_t log_end(void)
{
	uint64_t position;

	log_lock();
	position = end;
	log_unlock();
	return position;
}

size_t log_read(uint64_t position, char *buffer, size_t n)
{
	size_t copied = 0;

	log_lock();
	if (position >= first()) {
		while (copied < n && position < end)
			buffer[copied++] = ring[position++ % LOG_RING_BYTES];
	}
	log_unlock();
	return copied;
}
