/* bh.c: handles, time, words, the end. */
#include "bh.h"

const struct bh_info_handle *bh_find(const char *name, enum bh_handle_type type)
{
	const struct bh_info *info = bh_info();

	for (uint32_t i = 0; i < info->handles && i < BH_INFO_HANDLES; i++) {
		const struct bh_info_handle *handle = &info->handle[i];

		if (handle->type == type && !strncmp(handle->name, name, BH_NAME_BYTES))
			return handle;
	}
	return NULL;
}

/* a * b / c without overflow in between, as long as the result fits. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c) { return a / c * b + a % c * b / c; }

uint64_t bh_ticks_ms(uint64_t milliseconds) { return scale(milliseconds, bh_info()->tsc_hz, 1000); }

uint64_t bh_ticks_us(uint64_t microseconds) { return scale(microseconds, bh_info()->tsc_hz, 1000000); }

void bh_sleep_ms(uint64_t milliseconds)
{
	uint64_t deadline = bh_rdtsc() + bh_ticks_ms(milliseconds);

	/* Without events only the deadline ends the wait; the loop is for a result that is none of
	 * ours. */
	while (bh_rdtsc() < deadline)
		bh_call3(BH_WAIT, 0, deadline, 0);
}

#define CHUNK 40 /* bytes that five registers carry */

/* Sends text in pieces of five words, by BH_LOG or BH_REPORT. */
static void send(enum bh_hypercall number, const char *text, size_t length)
{
	for (size_t sent = 0; sent < length; sent += CHUNK) {
		uint64_t w[5] = { 0 };

		memcpy(w, text + sent, length - sent < CHUNK ? length - sent : CHUNK);
		bh_call5(number, w[0], w[1], w[2], w[3], w[4]);
	}
}

/* How much of a line goes into one call: all, or as many words as fit, or what fits of a long word. */
static size_t piece(const char *line, size_t length)
{
	size_t bytes = CHUNK;

	if (length <= CHUNK)
		return length;
	while (bytes && line[bytes - 1] != ' ')
		bytes--;
	return bytes ? bytes : CHUNK;
}

/* The kernel makes a line of its log of each call: the ends of lines are not sent. */
static void send_lines(const char *text)
{
	while (*text) {
		const char *end = strchr(text, '\n');
		size_t left = end ? (size_t)(end - text) : strlen(text);

		while (left) {
			size_t bytes = piece(text, left);

			send(BH_LOG, text, bytes);
			text += bytes;
			left -= bytes;
		}
		text += end != NULL;
	}
}

void bh_printf(const char *format, ...)
{
	static struct bh_lock log_lock;
	char text[256];
	va_list list;

	va_start(list, format);
	bh_vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	bh_lock(&log_lock);
	send_lines(text);
	bh_unlock(&log_lock);
}

/* No lock: a report comes from a program that is about to end, perhaps from within an exception. */
static void report(const char *format, va_list list)
{
	char text[256];

	bh_vsnprintf(text, sizeof(text), format, list);
	send(BH_REPORT, text, strlen(text));
}

void bh_report(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	report(format, list);
	va_end(list);
}

_Noreturn void bh_exit(int code)
{
	for (;;)
		bh_call1(BH_EXIT, (uint64_t)(int64_t)code);
}

_Noreturn void bh_fail(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	report(format, list);
	va_end(list);
	bh_exit(1);
}
