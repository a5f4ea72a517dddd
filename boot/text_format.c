#include "text.h"

struct output {
	char *at;
	size_t size, used;
};

static void put(struct output *out, char c)
{
	if (out->used + 1 < out->size)
		out->at[out->used++] = c;
}

static void put_number(struct output *out, uint64_t value, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		put(out, digits[--n]);
}

static void put_string(struct output *out, const char *string, int limit)
{
	for (int i = 0; (limit < 0 || i < limit) && string[i]; i++)
		put(out, string[i]);
}

size_t text_vformat(char *out, size_t size, const char *format, va_list arguments)
{
	struct output output = { out, size, 0 };

	for (; *format; format++) {
		bool wide = false;
		int limit = -1;

		if (*format != '%') {
			put(&output, *format);
			continue;
		}
		format++;
		if (format[0] == '.' && format[1] == '*') {
			limit = va_arg(arguments, int);
			format += 2;
		}
		if (format[0] == 'l' && format[1] == 'l') {
			wide = true;
			format += 2;
		}
		if (*format == 's')
			put_string(&output, va_arg(arguments, const char *), limit);
		else if (*format == 'c')
			put(&output, (char)va_arg(arguments, int));
		else if (*format == 'u' || *format == 'x')
			put_number(&output, wide ? va_arg(arguments, unsigned long long) : va_arg(arguments, unsigned),
				   *format == 'u' ? 10 : 16);
		else if (*format == '%')
			put(&output, '%');
		else
			break;
	}
	output.at[output.used] = 0;
	return output.used;
}

size_t text_format(char *out, size_t size, const char *format, ...)
{
	va_list arguments;
	size_t used;

	va_start(arguments, format);
	used = text_vformat(out, size, format, arguments);
	va_end(arguments);
	return used;
}
