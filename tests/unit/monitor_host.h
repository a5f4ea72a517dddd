/*
 * monitor_host.h: a kernel for the monitor's code on the host. Included by one source of each test program.
 *
 * Hypercalls are recorded; those that end the guest jump to `host_end`, if that was set by HOST_ENDS. Time is a
 * variable.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "guests/lib/bh.h"

#define HOST_HZ 1000000000ull /* one tick is a nanosecond */

static struct bh_info host_info;
static uint64_t host_tsc;
static jmp_buf host_end;
static uint64_t host_how;     /* argument of BH_GUEST_END; 0: BH_EXIT */
static char host_report[512]; /* text of BH_REPORT */
static struct {
	uint64_t address, data;
} host_msi[64];
static unsigned host_msis, host_signals, host_apic_writes;
static uint64_t host_apic[256];

/* True if `statement` ends the guest. Declare as volatile what is changed inside and used after. */
#define HOST_ENDS(statement) (setjmp(host_end) ? true : ((statement), false))

static void host_append(const uint64_t *words)
{
	size_t used = strlen(host_report);
	char text[41] = "";

	memcpy(text, words, 40);
	snprintf(host_report + used, sizeof(host_report) - used, "%s", text);
}

static int64_t host_apic_access(uint64_t offset, uint64_t value, bool write)
{
	assert_true(offset < 4096 && offset % 16 == 0);
	if (!write)
		return (int64_t)host_apic[offset / 16];
	host_apic[offset / 16] = value;
	host_apic_writes++;
	return 0;
}

int64_t bh_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	switch (number) {
	case BH_REPORT: host_append((uint64_t[]){ a, b, c, d, e }); return 0;
	case BH_GUEST_END:
	case BH_EXIT: host_how = number == BH_EXIT ? 0 : b; longjmp(host_end, 1);
	case BH_GUEST_MSI:
		assert_true(host_msis < 64);
		host_msi[host_msis].address = b;
		host_msi[host_msis++].data = c;
		return 0;
	case BH_GUEST_APIC: return host_apic_access(c, d, e);
	case BH_EVENT_SIGNAL:
	case BH_CHANNEL_SIGNAL: host_signals++; return 0;
	case BH_CHANNEL_BIND:
	case BH_LOG: return 0;
	}
	fail_msg("hypercall %#lx was not expected", (unsigned long)number);
	return -BH_ENOSYS;
}

const struct bh_info *bh_info(void) { return &host_info; }

uint64_t bh_rdtsc(void) { return host_tsc; }

unsigned bh_vcpu(void) { return 0; }

/* Not every test uses everything. */
static inline void host_reset(void)
{
	memset(&host_info, 0, sizeof(host_info));
	memset(host_report, 0, sizeof(host_report));
	memset(host_apic, 0, sizeof(host_apic));
	host_tsc = host_how = 0;
	host_msis = host_signals = host_apic_writes = 0;
	(void)host_end;
}
