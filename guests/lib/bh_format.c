#include "bh_format.h"
#include "bh_string.h"
#include <stdbool.h>
#include <stdint.h>

struct out {
	char *to;
	size_t size, length;
};

struct spec {
	bool left, zero, hash;
	int width, precision; /* precision -1: none */
	int length;	      /* bytes of the argument */
};

static void put(struct out *out, char c)
{
	if (out->length + 1 < out->size)
		out->to[out->length] = c;
	out->length++;
}

static void put_many(struct out *out, char c, int count)
{
	while (count-- > 0)
		put(out, c);
}

static void put_text(struct out *out, const struct spec *spec, const char *text)
{
	if (!text)
		text = "(null)";

	size_t length = spec->precision >= 0 ? strnlen(text, (size_t)spec->precision) : strlen(text);
	int pad = spec->width - (int)length;

	if (!spec->left)
		put_many(out, ' ', pad);
	for (size_t i = 0; i < length; i++)
		put(out, text[i]);
	if (spec->left)
		put_many(out, ' ', pad);
}

static void put_number(struct out *out, const struct spec *spec, uint64_t value, unsigned base, bool upper,
		       const char *prefix)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24];
	int length = 0;

	while (value || (length == 0 && spec->precision != 0)) {
		text[length++] = digits[value % base];
		value /= base;
	}

	int zeros = spec->precision > length ? spec->precision - length : 0;
	int pad = spec->width - length - zeros - (int)strlen(prefix);

	if (spec->zero && !spec->left && spec->precision < 0 && pad > 0) {
		zeros = pad;
		pad = 0;
	}
	if (!spec->left)
		put_many(out, ' ', pad);
	while (*prefix)
		put(out, *prefix++);
	put_many(out, '0', zeros);
	while (length)
		put(out, text[--length]);
	if (spec->left)
		put_many(out, ' ', pad);
}

static const char *parse_number(const char *f, va_list *list, int *value)
{
	if (*f == '*') {
		*value = va_arg(*list, int);
		return f + 1;
	}
	*value = 0;
	while (*f >= '0' && *f <= '9') {
		if (*value < 10000)
			*value = *value * 10 + (*f - '0');
		f++;
	}
	return f;
}

static const char *parse_spec(const char *f, struct spec *spec, va_list *list)
{
	*spec = (struct spec){ .precision = -1, .length = 4 };
	for (;; f++) {
		if (*f == '-')
			spec->left = true;
		else if (*f == '0')
			spec->zero = true;
		else if (*f == '#')
			spec->hash = true;
		else
			break;
	}
	f = parse_number(f, list, &spec->width);
	if (spec->width < 0) {
		spec->left = true;
		spec->width = -spec->width;
	}
	if (*f == '.')
		f = parse_number(f + 1, list, &spec->precision);
	for (;; f++) {
		if (*f == 'l' || *f == 'z' || *f == 'j' || *f == 't')
			spec->length = 8;
		else if (*f == 'h')
			spec->length /= 2;
		else
			return f;
	}
}

static int64_t signed_argument(const struct spec *spec, va_list *list)
{
	if (spec->length == 8)
		return va_arg(*list, long long);

	int value = va_arg(*list, int);

	return spec->length == 1 ? (int8_t)value : spec->length == 2 ? (int16_t)value : value;
}

static uint64_t unsigned_argument(const struct spec *spec, va_list *list)
{
	if (spec->length == 8)
		return va_arg(*list, unsigned long long);

	unsigned value = va_arg(*list, unsigned);

	return spec->length == 1 ? (uint8_t)value : spec->length == 2 ? (uint16_t)value : value;
}

/* One conversion; false if `c` is none of ours. */
static bool convert(struct out *out, const struct spec *spec, char c, va_list *list)
{
	int64_t number;
	uint64_t value;
	char text[2] = { 0, 0 };

	switch (c) {
	case 'd':
	case 'i':
		number = signed_argument(spec, list);
		value = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
		put_number(out, spec, value, 10, false, number < 0 ? "-" : "");
		return true;
	case 'u': put_number(out, spec, unsigned_argument(spec, list), 10, false, ""); return true;
	case 'x':
	case 'X':
		value = unsigned_argument(spec, list);
		put_number(out, spec, value, 16, c == 'X', spec->hash && value ? (c == 'X' ? "0X" : "0x") : "");
		return true;
	case 'p': put_number(out, spec, (uintptr_t)va_arg(*list, void *), 16, false, "0x"); return true;
	case 's': put_text(out, spec, va_arg(*list, const char *)); return true;
	case 'c':
		text[0] = (char)va_arg(*list, int);
		put_text(out, spec, text);
		return true;
	case '%': put(out, '%'); return true;
	default: return false;
	}
}

int bh_vsnprintf(char *to, size_t size, const char *format, va_list list)
{
	struct out out = { to, size, 0 };
	va_list copy;

	va_copy(copy, list);
	while (*format) {
		struct spec spec;
		const char *start = format;

		if (*format != '%') {
			put(&out, *format++);
			continue;
		}
		format = parse_spec(format + 1, &spec, &copy);
		if (*format && convert(&out, &spec, *format, &copy)) {
			format++;
			continue;
		}
		while (start < format)
			put(&out, *start++);
	}
	va_end(copy);
	if (size)
		to[out.length < size ? out.length : size - 1] = 0;
	return (int)out.length;
}

int bh_snprintf(char *to, size_t size, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	int length = bh_vsnprintf(to, size, format, list);
	va_end(list);
	return length;
}
