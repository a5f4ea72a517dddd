/* complete.h: what Tab makes of a word at the prompt: commands, and the names that a command takes. */
#pragma once
#include <stddef.h>

/* As line.h's line_complete. */
unsigned complete_word(const char *text, size_t start, size_t end, const char **candidates, unsigned max);
