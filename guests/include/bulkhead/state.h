/*
 * state.h: the channel that the console has with itself: memory that outlives its restarts, and that nobody else sees.
 *
 * At boot the kernel puts what the firmware's source of random numbers gave at its beginning (all 0: there is none);
 * the rest is zero. It looks into none of it afterwards.
 */
#pragma once

#define BH_STATE_NAME  "console.state" /* no partition's name has a dot */
#define BH_STATE_BYTES 0x40000u
#define BH_SEED_BYTES  64u
