/* limits.h: what lwIP and mbedTLS find under this name. Without POSIX' part, so that lwIP makes its own ssize_t. */
#pragma once

#define CHAR_BIT   8
#define SCHAR_MAX  127
#define UCHAR_MAX  255
#define SHRT_MAX   __SHRT_MAX__
#define USHRT_MAX  (2 * SHRT_MAX + 1)
#define INT_MAX	   __INT_MAX__
#define INT_MIN	   (-INT_MAX - 1)
#define UINT_MAX   (2u * INT_MAX + 1)
#define LONG_MAX   __LONG_MAX__
#define LONG_MIN   (-LONG_MAX - 1)
#define ULONG_MAX  (2ul * LONG_MAX + 1)
#define LLONG_MAX  __LONG_LONG_MAX__
#define ULLONG_MAX (2ull * LLONG_MAX + 1)
