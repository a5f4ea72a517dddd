#include "report.h"
#include "screen.h"

#define WORDS_MAX 2048 /* of 8 bytes: 16 KiB, more than any report */

/* 8 bytes of the report; false past its end. */
static bool read_word(const struct peer *peer, uint64_t offset, char text[8])
{
	int64_t word = bh_call2(BH_PARTITION_REPORT, peer->partition, offset);

	if (word < 0)
		return false;
	memcpy(text, &word, 8);
	return text[0] != 0;
}

bool report_print(const struct peer *peer)
{
	char text[8], last = '\n';
	bool any = false;

	for (uint64_t i = 0; i < WORDS_MAX && read_word(peer, i * 8, text); i++) {
		size_t length = strnlen(text, 8);

		screen_text(text, length);
		last = text[length - 1];
		any = true;
	}
	if (last != '\n')
		screen_printf("\n");
	if (!any)
		screen_printf("%s has no report.\n", peer->name);
	return any;
}

void report_first_line(const struct peer *peer, char *to, size_t size)
{
	size_t length = 0;
	char text[8];

	for (uint64_t offset = 0; read_word(peer, offset, text); offset += 8) {
		for (unsigned i = 0; i < 8; i++) {
			if (!text[i] || text[i] == '\n' || length + 1 >= size) {
				to[length] = 0;
				return;
			}
			to[length++] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '.';
		}
	}
	to[length] = 0;
}
