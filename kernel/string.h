/* string.h: the memory and string functions that C and gcc expect. Any CPU, any state. */
#if __STDC_HOSTED__
/*
 * Unit tests have this folder in their include path, and want the C library's. No #pragma once
 * here: a source beside this file finds it twice before the C library's turn comes.
 */
#include_next <string.h>
#else
#pragma once
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t limit);
#endif
