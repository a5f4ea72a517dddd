/*
 * bh_string.h: the part of <string.h> that native programs, the kernel and the loader have. The compiler itself calls
 * the first four. Contracts are ISO C's (7.24). bh_strlcpy always ends `to` with 0 and returns the
 * length of `from`.
 */
#pragma once
#include <stddef.h>

#ifdef HOST_TEST
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
void *memchr(const void *in, int value, size_t bytes);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *text, int value);
char *strrchr(const char *text, int value);
char *strstr(const char *text, const char *part);
#endif

size_t bh_strlcpy(char *to, const char *from, size_t size);
