/* words.h: numbers and names as people write and read them. Pure functions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_BYTES 32 /* enough for any of the texts below */

/* "512 B", "64 KiB", "1.5 GiB": three digits at most, one decimal below 10. */
const char *words_size(char text[WORDS_BYTES], uint64_t bytes);

/* A duration of `ticks` of a TSC with `hz`: "350 ns", "12 us", "3.4 ms", "59.2 s", "3m 20s", "5h
 * 02m", "3d 04h". */
const char *words_ticks(char text[WORDS_BYTES], uint64_t ticks, uint64_t hz);

/* `part` of `whole` in percent with two decimals: "3.07 %"; "0.00 %" of nothing. */
const char *words_share(char text[WORDS_BYTES], uint64_t part, uint64_t whole);

/* Makes a key of words, where they stand: small letters, '_' in place of spaces. Returns `text`. */
const char *words_key(char *text);

/* A whole decimal number from 1 to `max`; false if `text` is anything else. */
bool words_number(const char *text, uint64_t max, uint64_t *number);

/*
 * Which of `count` names is meant by `typed`, when none is it exactly: one that begins so, or the
 * one with the fewest typing errors if these are at most two and fewer than the letters. -1 if
 * nothing is near.
 */
int words_nearest(const char *typed, const char *const *names, unsigned count);
