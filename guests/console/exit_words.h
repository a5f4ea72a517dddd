/* exit_words.h: one exit in words, such as "out 0x3f8" or "hypercall BH_WAIT". Pure. */
#pragma once
#include <stdint.h>

#define EXIT_WORDS_BYTES 64

/* Detail of a port access: the port, and this bit for a write. */
#define BH_TRACE_PIO_WRITE (1u << 24)

const char *exit_words(char text[EXIT_WORDS_BYTES], uint64_t reason, uint64_t detail);
