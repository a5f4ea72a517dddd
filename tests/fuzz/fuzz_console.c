/* The whole shell with noise typed and printed: it may say what it likes, but not fall over or
 * leave its buffers. */
#include <stdint.h>
#include <stddef.h>
#include <string.h>
#define assert_true(x)	   ((x) ? (void)0 : abort())
#define assert_non_null(x) assert_true((x) != NULL)
#define fail_msg(...)	   abort()
#include "../unit/fake_console.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char keys[256];
	size_t typed = 0, printed = size ? data[0] : 0;

	if (attach_peer())
		attach_input(ATTACH_ESCAPE);
	fake_start();
	for (size_t i = 1; i < size && typed < sizeof(keys) - 1; i++)
		if (data[i])
			keys[typed++] = (char)data[i];
	keys[typed] = 0;
	if (printed <= typed)
		fake_print(printed % 2 ? GUEST : HELLO, keys + printed);
	(void)fake_read;
	fake_type(keys);
	return 0;
}
