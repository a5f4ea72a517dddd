/* cc.h: what lwIP wants to know of compiler and platform (its doc/sys_arch.txt). */
#pragma once
#include <stdint.h>
#include "guests/lib/bh.h"

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_CTYPE_H	   1
#define LWIP_NO_UNISTD_H   1

#define X8_F  "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "zu"

#define PACK_STRUCT_STRUCT __attribute__((packed))

/* Whose state is wrong cannot go on; the kernel starts the console anew. The log says why, as nobody reads its report.
 */
#define LWIP_PLATFORM_ASSERT(words) (bh_printf("console: lwIP: %s\n", words), bh_fail("lwIP: %s", words))
#define LWIP_PLATFORM_DIAG(words)   ((void)0)

/* entropy.c */
uint32_t entropy_word(void);
#define LWIP_RAND() entropy_word()
