/* pem.h: keys and certificates as text (RFC 7468). Pure: `text` may hold anything. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEM_LABEL_BYTES 64

struct pem {
	const char *text;
	size_t bytes, at;
	unsigned line; /* of what pem_next has found: a block's first, or that of an error */
	unsigned next_line;
	const char *wrong; /* after PEM_WRONG: what is */
};

static inline struct pem pem_of(const char *text, size_t bytes) { return (struct pem){ text, bytes, 0, 1, 1, NULL }; }

enum pem_found { PEM_BLOCK, PEM_END, PEM_WRONG };

/*
 * The next block: what stands behind BEGIN in `label`, and its bytes, `*count` of at most `size`, in `to`. What is
 * between blocks is passed over.
 */
enum pem_found pem_next(struct pem *pem, char label[PEM_LABEL_BYTES], uint8_t *to, size_t size, size_t *count);
