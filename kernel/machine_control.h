/* machine_control.h: the machine as holders of its handle see it. Results as abi.h says. */
#pragma once
#include <stdint.h>

int64_t machine_control_stat(uint64_t field, uint64_t index);
int64_t machine_control_text(uint64_t text, uint64_t offset);
int64_t machine_control(uint64_t operation);

/* Adds a line to the text of BH_TEXT_CAPS. At boot. */
void machine_control_caps_line(const char *text);
