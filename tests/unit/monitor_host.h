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
static uint64_t host_how;      /* argument of BH_GUEST_END; 0: BH_EXIT */
static char host_report[1024]; /* text of BH_REPORT */
static struct {
	uint64_t address, data;
} host_msi[64];
static unsigned host_msis, host_signals, host_apic_writes;
static uint8_t host_doorbell[BH_DOORBELL_BLOCKS]; /* event bit + 1 of each block that is on */
static uint64_t host_kicks;			  /* bits of BH_EVENT_SIGNAL */
static int64_t host_peer;			  /* BH_CHANNEL_STAT */
static char host_log[1024];
static uint64_t host_apic[256];

/* True if `statement` ends the guest. Declare as volatile what is changed inside and used after. */
#define HOST_ENDS(statement) (setjmp(host_end) ? true : ((statement), false))

static void host_append(char *to, size_t size, const uint64_t *words)
{
	size_t used = strlen(to);
	char text[41] = "";

	memcpy(text, words, 40);
	snprintf(to + used, size - used, "%s", text);
}

static int64_t host_set_doorbell(uint64_t block, uint64_t bit)
{
	assert_true(block < BH_DOORBELL_BLOCKS && (bit < BH_EVENT_BITS || bit == BH_DOORBELL_OFF));
	host_doorbell[block] = bit == BH_DOORBELL_OFF ? 0 : (uint8_t)(bit + 1);
	return 0;
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
	case BH_REPORT: host_append(host_report, sizeof(host_report), (uint64_t[]){ a, b, c, d, e }); return 0;
	case BH_LOG: host_append(host_log, sizeof(host_log), (uint64_t[]){ a, b, c, d, e }); return 0;
	case BH_GUEST_END:
	case BH_EXIT: host_how = number == BH_EXIT ? 0 : b; longjmp(host_end, 1);
	case BH_GUEST_MSI:
		assert_true(host_msis < 64);
		host_msi[host_msis].address = b;
		host_msi[host_msis++].data = c;
		return 0;
	case BH_GUEST_APIC: return host_apic_access(c, d, e);
	case BH_EVENT_SIGNAL: host_kicks |= b; /* fall through */
	case BH_CHANNEL_SIGNAL: host_signals++; return 0;
	case BH_CHANNEL_STAT: return host_peer;
	case BH_GUEST_DOORBELL: return host_set_doorbell(b, c);
	case BH_CHANNEL_BIND: return 0;
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
	memset(host_doorbell, 0, sizeof(host_doorbell));
	memset(host_log, 0, sizeof(host_log));
	host_kicks = 0;
	host_peer = 0;
	(void)host_end;
}
