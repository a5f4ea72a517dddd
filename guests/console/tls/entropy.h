/*
 * entropy.h: numbers that nobody can guess.
 *
 * They come from the CPU's own source (RDSEED, or else RDRAND: SDM vol. 1, 7.3.17) and from the firmware's, mixed with
 * what the time stamp counter shows of when things happen. A machine that has neither leaves the latter alone, which is
 * weak: entropy_problem.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Looks at the CPU. Once, before the others. */
void entropy_start(void);

/* Stirs something in that a stranger does not know, whoever else does: what the firmware gave, when a packet came. */
void entropy_add(const void *data, size_t bytes);

/* The same, of what is as good as the CPU's own source: then that need not be there. Also before entropy_start. */
void entropy_seed(const void *data, size_t bytes);

/* 32 bits: for sequence numbers, ports and seeds. */
uint32_t entropy_word(void);

/* `bytes` of seed for a generator of keys. */
void entropy_fill(uint8_t *to, size_t bytes);

/* What is wrong with the source, for people; NULL: nothing. */
const char *entropy_problem(void);
