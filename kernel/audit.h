/* audit.h: proves that every nested table and the kernel's own agree with the record of owners. */
#pragma once
#include <stdint.h>
#include "spinlock.h"

/* Held while partitions, handles and tables change at run time. */
extern struct spinlock audit_lock;

/* Walks them all; the number of disagreements. What they are can be read afterwards. Any CPU. */
int64_t audit_run(void);

/* 8 bytes of the last audit's text from `offset`, or -BH_ENOENT. */
int64_t audit_text(uint64_t offset);
