/* guest_cpuid_internal.h: a policy, as guest_cpuid_policy.c computes it and guest_cpuid.c answers
 * by it. */
#pragma once
#include <stdbool.h>
#include "instructions.h"

#define CPUID_BASIC	   0x17u /* leaves 0..16h */
#define CPUID_EXTENDED	   9u	 /* leaves 80000000h..80000008h */
#define CPUID_CACHES	   6u	 /* subleaves of leaf 4 */
#define CPUID_COMPONENTS   8u	 /* subleaves of leaf Dh: bits of XCR0 */
#define CPUID_LEGACY_BYTES 576u	 /* x87, SSE and the header: what every XSAVE area begins with */

struct guest_cpuid_policy {
	struct cpuid basic[CPUID_BASIC]; /* leaves with subleaves: subleaf 0 */
	struct cpuid extended[CPUID_EXTENDED];
	struct cpuid cache[CPUID_CACHES];	  /* without what depends on the number of vCPUs */
	struct cpuid component[CPUID_COMPONENTS]; /* [0]: not used, [1]: EAX of subleaf 1 */
	uint64_t cr4, efer, xcr0;
};

/* Computes a policy from the host's CPUID; `missing`: GUEST_CPUID_NO_*. */
void guest_cpuid_compute(struct guest_cpuid_policy *policy, bool is_guest, uint32_t missing);
