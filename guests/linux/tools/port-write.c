/* port-write PORT VALUE: a 32-bit OUT, both in hexadecimal. For tests of what hangs behind a port.
 */
#include "program.h"

static uint32_t hexadecimal(const char *text)
{
	uint32_t number = 0;

	for (; *text; text++)
		number = number << 4 | ((*text & 15) + (*text > '9' ? 9 : 0));
	return number;
}

int program(int words, char **word)
{
	if (words != 3) {
		print("usage: port-write PORT VALUE (hexadecimal)\n");
		return 2;
	}
	if (call(SYS_IOPL, 3, 0, 0) < 0) {
		print("port-write: iopl is refused\n");
		return 1;
	}
	__asm__ volatile("outl %0, %w1" : : "a"(hexadecimal(word[2])), "d"(hexadecimal(word[1])));
	return 0;
}
