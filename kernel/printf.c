#include "printf.h"
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include "string.h"

struct writer {
	char *buffer;
	size_t size;
	size_t length; /* of the whole text, whether it fits or not */
};

struct conversion {
	bool zero, left;
	int width, precision; /* -1: none */
	unsigned bytes;	      /* of the argument */
};

static void put(struct writer *w, char c)
{
	if (w->length + 1 < w->size)
		w->buffer[w->length] = c;
	w->length++;
}

static void put_repeated(struct writer *w, char c, long count)
{
	while (count-- > 0)
		put(w, c);
}

static void put_text(struct writer *w, const struct conversion *c, const char *text, size_t length)
{
	long padding = (long)c->width - (long)length;

	if (!c->left)
		put_repeated(w, ' ', padding);
	for (size_t i = 0; i < length; i++)
		put(w, text[i]);
	if (c->left)
		put_repeated(w, ' ', padding);
}

static void put_number(struct writer *w, const struct conversion *c, uint64_t value, unsigned base, const char *digits,
		       const char *prefix)
{
	char text[20];
	unsigned n = 0;
	long padding;

	do {
		text[n++] = digits[value % base];
		value /= base;
	} while (value);
	padding = (long)c->width - (long)n - (long)strlen(prefix);
	if (!c->left && !c->zero)
		put_repeated(w, ' ', padding);
	while (*prefix)
		put(w, *prefix++);
	if (!c->left && c->zero)
		put_repeated(w, '0', padding);
	while (n)
		put(w, text[--n]);
	if (c->left)
		put_repeated(w, ' ', padding);
}

/* A number in the format, or '*' and an argument. */
static int parse_number(const char **fmt, va_list *arguments)
{
	int value = 0;

	if (**fmt == '*') {
		(*fmt)++;
		return va_arg(*arguments, int);
	}
	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
		value = value < 10000 ? value * 10 + (**fmt - '0') : value;
	return value;
}

static struct conversion parse_conversion(const char **fmt, va_list *arguments)
{
	struct conversion c = { .precision = -1, .bytes = sizeof(int) };

	for (;; (*fmt)++) {
		if (**fmt == '0')
			c.zero = true;
		else if (**fmt == '-')
			c.left = true;
		else
			break;
	}
	c.width = parse_number(fmt, arguments);
	if (**fmt == '.') {
		(*fmt)++;
		c.precision = parse_number(fmt, arguments);
	}
	for (;; (*fmt)++) {
		if (**fmt == 'l' || **fmt == 'z')
			c.bytes = sizeof(long);
		else if (**fmt != 'h')
			break;
	}
	return c;
}

static uint64_t take_unsigned(const struct conversion *c, va_list *arguments)
{
	return c->bytes == sizeof(int) ? va_arg(*arguments, unsigned) : va_arg(*arguments, unsigned long);
}

static int64_t take_signed(const struct conversion *c, va_list *arguments)
{
	return c->bytes == sizeof(int) ? va_arg(*arguments, int) : va_arg(*arguments, long);
}

static void convert_signed(struct writer *w, const struct conversion *c, int64_t value)
{
	uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;

	put_number(w, c, size, 10, "0123456789", value < 0 ? "-" : "");
}

static void convert_string(struct writer *w, const struct conversion *c, const char *text)
{
	if (!text)
		text = "(null)";
	put_text(w, c, text, c->precision < 0 ? strlen(text) : strnlen(text, (size_t)c->precision));
}

/* One conversion; `start` is its '%', `fmt` stands after it. Returns where the format goes on. */
static const char *convert(struct writer *w, const char *start, const char *fmt, va_list *arguments)
{
	struct conversion c = parse_conversion(&fmt, arguments);
	char character;

	switch (*fmt) {
	case 'd':
	case 'i':
		convert_signed(w, &c, take_signed(&c, arguments));
		break;
	case 'u':
		put_number(w, &c, take_unsigned(&c, arguments), 10, "0123456789", "");
		break;
	case 'x':
		put_number(w, &c, take_unsigned(&c, arguments), 16, "0123456789abcdef", "");
		break;
	case 'X':
		put_number(w, &c, take_unsigned(&c, arguments), 16, "0123456789ABCDEF", "");
		break;
	case 'p':
		put_number(w, &c, (uintptr_t)va_arg(*arguments, void *), 16, "0123456789abcdef", "0x");
		break;
	case 's':
		convert_string(w, &c, va_arg(*arguments, const char *));
		break;
	case 'c':
		character = (char)va_arg(*arguments, int);
		put_text(w, &c, &character, 1);
		break;
	case '%':
		put(w, '%');
		break;
	default:
		put(w, *start);
		return start + 1;
	}
	return fmt + 1;
}

int format_va(char *buffer, size_t size, const char *fmt, va_list arguments)
{
	struct writer w = { buffer, size, 0 };
	va_list list; /* a va_list parameter may be a pointer already; a copy has an address */

	va_copy(list, arguments);
	while (*fmt) {
		if (*fmt == '%')
			fmt = convert(&w, fmt, fmt + 1, &list);
		else
			put(&w, *fmt++);
	}
	va_end(list);
	if (size)
		buffer[w.length < size ? w.length : size - 1] = 0;
	return w.length > INT_MAX ? INT_MAX : (int)w.length;
}

int format(char *buffer, size_t size, const char *fmt, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, fmt);
	length = format_va(buffer, size, fmt, arguments);
	va_end(arguments);
	return length;
}
