#include "json_write.h"
#include "guests/lib/bh_string.h"

static void begin(struct json *json, const char *key)
{
	if (json->comma)
		text_add(json->text, ",");
	json->comma = true;
	if (!key)
		return;
	text_bytes(json->text, "\"", 1);
	text_add(json->text, key);
	text_bytes(json->text, "\":", 2);
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin(json, key);
	text_bytes(json->text, &bracket, 1);
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	text_bytes(json->text, &bracket, 1);
	json->comma = true;
}

/* The second byte of three and four is bounded further: no surrogates, nothing too long or above U+10FFFF. */
size_t json_utf8(const char *from, size_t bytes)
{
	const unsigned char *c = (const unsigned char *)from;
	size_t length = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 0;

	if (length > bytes)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
	    (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return length;
}

static void escape_byte(struct text *text, unsigned char c)
{
	switch (c) {
	case '"': text_add(text, "\\\""); break;
	case '\\': text_add(text, "\\\\"); break;
	case '\n': text_add(text, "\\n"); break;
	case '\r': text_add(text, "\\r"); break;
	case '\t': text_add(text, "\\t"); break;
	default: text_printf(text, "\\u%04x", c);
	}
}

static bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

/* Most text is plain, and goes in one piece. */
static size_t plain_bytes(const char *value, size_t bytes)
{
	size_t count = 0;

	while (count < bytes && is_plain((unsigned char)value[count]))
		count++;
	return count;
}

void json_escape(struct text *text, const char *value, size_t bytes)
{
	for (size_t i = 0, length; i < bytes; i += length) {
		length = plain_bytes(value + i, bytes - i);
		if (length) {
			text_bytes(text, value + i, length);
			continue;
		}
		length = json_utf8(value + i, bytes - i);
		if (length > 1)
			text_bytes(text, value + i, length);
		else if (length)
			escape_byte(text, (unsigned char)value[i]);
		else
			text_add(text, "\xef\xbf\xbd");
		length = length ? length : 1;
	}
}

void json_text(struct json *json, const char *key, const char *value, size_t bytes)
{
	begin(json, key);
	text_add(json->text, "\"");
	json_escape(json->text, value, bytes);
	text_add(json->text, "\"");
}

void json_string(struct json *json, const char *key, const char *value) { json_text(json, key, value, strlen(value)); }

void json_number(struct json *json, const char *key, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	begin(json, key);
	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	text_bytes(json->text, digits + at, sizeof(digits) - at);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	text_add(json->text, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
	begin(json, key);
	text_add(json->text, "null");
}

void json_base64(struct json *json, const char *key, const void *data, size_t bytes)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *from = data;

	begin(json, key);
	text_add(json->text, "\"");
	for (size_t i = 0; i < bytes; i += 3) {
		uint32_t word = (uint32_t)from[i] << 16 | (i + 1 < bytes ? (uint32_t)from[i + 1] << 8 : 0) |
				(i + 2 < bytes ? from[i + 2] : 0);
		char four[4] = { letters[word >> 18], letters[word >> 12 & 63],
				 i + 1 < bytes ? letters[word >> 6 & 63] : '=',
				 i + 2 < bytes ? letters[word & 63] : '=' };

		text_bytes(json->text, four, 4);
	}
	text_add(json->text, "\"");
}
