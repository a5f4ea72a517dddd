/* requirements.h: what a CPU must have, and the words if it has not. Boot CPU. */
#pragma once
#include <stdbool.h>

/* Logs `what` is missing and the `cure`, unless it is there. */
void require(bool there, const char *what, const char *cure);

/* Ends with a panic if anything was missing so far: what comes next would build on it. */
void require_done(void);
