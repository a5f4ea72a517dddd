/* require.h: what must hold whatever the bytes are; a fuzzer finds those by which it does not. */
#pragma once
#include <stdlib.h>

#define REQUIRE(condition)        \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)
