/* host.h: what bh.h is on the host, in unit tests: the test brings these. */
#pragma once
#include <stdint.h>
#include <bulkhead/abi.h>

int64_t bh_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e);
const struct bh_info *bh_info(void);
uint64_t bh_rdtsc(void);
unsigned bh_vcpu(void);
