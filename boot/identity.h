/* identity.h: what page tables map one to one. Pure, but for the tables that it reads. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/*
 * Whether the 4-level tables (SDM vol. 3, 4.5) below the one at `root` map all of `bytes` at `physical` to themselves.
 * The tables are read where they say that the next one is: firmware has them one to one, too.
 */
bool identity_maps(uint64_t root, uint64_t physical, uint64_t bytes);
