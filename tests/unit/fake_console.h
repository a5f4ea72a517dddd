/*
 * fake_console.h: a kernel with four partitions (a fifth, net, if there are networks) and a UART, for tests of the
 * console's shell. Included by one source per test program.
 *
 * Time passes in BH_WAIT only. What is typed comes from fake_type, what is shown is in fake_shown.
 */
#pragma once
#ifndef HOST_TEST
#define HOST_TEST /* as all unit tests are compiled */
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef assert_true /* a fuzz target has its own */
#include <cmocka.h>
#endif
#include "guests/console/attach.h"
#include "guests/console/machine.h"
#include "guests/console/peers.h"
#include "guests/console/pump.h"
#include "guests/console/serial.h"
#include "guests/console/shell.h"
#include "guests/lib/bh.h"
#include "fake_network.h"

#define HZ	     1000000u
#define GUEST	     0
#define MONITOR	     1
#define HELLO	     2
#define BROKEN	     3
#define NET	     4
#define PARTITIONS   5
#define STEP	     (20 * HZ / 1000)
#define MACHINE	     0x50u
#define CHANNEL(i)   (0x20u + (i))
#define PARTITION(i) (0x10u + (i))
#define LOG_AT	     1000u /* the log's ring has gone round */

struct fake_partition {
	const char *name, *report;
	uint64_t state, cause, started, restarts, kind;
	unsigned steps; /* until a state that passes has passed */
	bool again, fails, stuck;
	struct bh_terminal terminal;
	uint64_t bit;
	unsigned signals;
};

static struct fake_partition fake[PARTITIONS];
static struct bh_info fake_info;
static uint64_t fake_now, fake_events;
static char fake_shown[1 << 18];
static size_t fake_shown_count;
static const char *fake_typed;
static unsigned fake_disagreements;
static int fake_machine_control; /* last BH_REBOOT or BH_POWEROFF */
static char fake_log[5000];

const struct bh_info *bh_info(void) { return &fake_info; }

uint64_t bh_rdtsc(void) { return fake_now; }

unsigned bh_vcpu(void) { return 0; }

void *bh_alloc(size_t bytes, size_t align)
{
	(void)align;
	return calloc(1, bytes);
}

bool bh_map(uint64_t gpa, uint64_t bytes)
{
	(void)gpa;
	(void)bytes;
	return true;
}

/* ---- UART: takes everything at once ---- */

static uint8_t fake_registers[8];

static uint8_t uart_read(void *context, unsigned offset)
{
	(void)context;
	if (offset == 0 && fake_registers[3] & 0x80)
		return 1;
	if (offset == 0)
		return *fake_typed ? (uint8_t)*fake_typed++ : 0;
	if (offset == 2)
		return 0xc1;
	if (offset == 5)
		return fake_typed && *fake_typed ? 0x61 : 0x60;
	return offset == 1 ? 0 : fake_registers[offset];
}

static void uart_write(void *context, unsigned offset, uint8_t value)
{
	(void)context;
	if (offset == 0 && !(fake_registers[3] & 0x80)) {
		if (fake_shown_count < sizeof(fake_shown) - 1)
			fake_shown[fake_shown_count++] = (char)value;
		fake_shown[fake_shown_count] = 0;
		return;
	}
	fake_registers[offset] = value;
}

/* ---- partitions ---- */

static void announce(struct fake_partition *p)
{
	if (p->bit)
		fake_events |= 1ull << p->bit;
}

static void enter(struct fake_partition *p, uint64_t state, uint64_t cause)
{
	p->state = state;
	p->cause = cause;
	p->steps = 3;
	announce(p);
}

static void step_partition(struct fake_partition *p)
{
	if (p->stuck || (p->state != BH_STATE_BUILDING && p->state != BH_STATE_DYING))
		return;
	if (--p->steps)
		return;
	if (p->state == BH_STATE_BUILDING) {
		p->restarts += p->started != 0;
		p->started = fake_now + 1;
		enter(p, BH_STATE_RUNNING, BH_CAUSE_NONE);
		if (p->fails)
			enter(p, BH_STATE_STOPPED, BH_CAUSE_FAILED);
	} else if (p->again) {
		p->again = false;
		enter(p, BH_STATE_BUILDING, BH_CAUSE_NONE);
	} else {
		enter(p, BH_STATE_STOPPED, p->cause);
	}
}

static int64_t fake_control(struct fake_partition *p, uint64_t operation)
{
	bool alive = p->state == BH_STATE_RUNNING || p->state == BH_STATE_PAUSED;

	if (p == &fake[MONITOR])
		return -BH_EPERM;
	switch (operation) {
	case BH_START:
		if (p->state != BH_STATE_STOPPED)
			return -BH_ESTATE;
		enter(p, BH_STATE_BUILDING, BH_CAUSE_NONE);
		return 0;
	case BH_STOP:
	case BH_RESTART:
		if (!alive)
			return -BH_ESTATE;
		p->again = operation == BH_RESTART;
		enter(p, BH_STATE_DYING, BH_CAUSE_STOPPED);
		return 0;
	case BH_PAUSE:
	case BH_RESUME:
		if (p->state != (operation == BH_PAUSE ? BH_STATE_RUNNING : BH_STATE_PAUSED))
			return -BH_ESTATE;
		p->state = operation == BH_PAUSE ? BH_STATE_PAUSED : BH_STATE_RUNNING;
		return 0;
	}
	return -BH_EINVAL;
}

static int64_t fake_stat(const struct fake_partition *p, uint64_t field, uint64_t index)
{
	uint64_t vcpus = p == &fake[GUEST] ? 2 : 1, reason = index >> 16;

	switch (field) {
	case BH_STAT_STATE: return (int64_t)p->state;
	case BH_STAT_CAUSE: return (int64_t)p->cause;
	case BH_STAT_KIND: return (int64_t)p->kind;
	case BH_STAT_MEMORY: return 64 << 20;
	case BH_STAT_VCPUS: return (int64_t)vcpus;
	case BH_STAT_RESTARTS: return (int64_t)p->restarts;
	case BH_STAT_STARTED: return (int64_t)p->started;
	}
	if ((index & 0xffff) >= vcpus)
		return -BH_EINVAL;
	switch (field) {
	case BH_STAT_VCPU_CPU: return (int64_t)(index + 2);
	case BH_STAT_VCPU_DEDICATED: return p == &fake[GUEST];
	case BH_STAT_VCPU_RAN: return 9 * HZ;
	case BH_STAT_VCPU_KERNEL: return HZ / 2;
	case BH_STAT_VCPU_MONITOR: return HZ / 2;
	case BH_STAT_VCPU_EXITS:
		return reason == BH_EXIT_CPUID	  ? 7
		       : reason == BH_EXIT_APIC	  ? 3
		       : reason < BH_EXIT_REASONS ? 0
						  : -BH_EINVAL;
	}
	return -BH_EINVAL;
}

static int64_t text_word(const char *text, size_t length, uint64_t offset)
{
	uint64_t word = 0;

	if (offset >= length)
		return -BH_ENOENT;
	memcpy(&word, text + offset, length - offset < 8 ? length - offset : 8);
	return (int64_t)word;
}

/* 30 exits of vCPU 0, five of vCPU 1; the ring shifts under the reader now and then. */
static int64_t fake_trace(uint64_t vcpu, uint64_t age, uint64_t word)
{
	static unsigned calls;
	static uint64_t shift;

	if (++calls % 7 == 0 && shift < 5)
		shift++;
	if (age >= (vcpu ? 5u : 30u) + shift)
		return -BH_ENOENT;

	uint64_t record = 1000 - age + shift;

	switch (word) {
	case 0: return (int64_t)(record * 1000 + vcpu);
	case 1: return record % 2 ? BH_EXIT_CPUID : BH_EXIT_PIO;
	case 2: return (int64_t)record;
	default: return 5;
	}
}

static int64_t fake_machine_stat(uint64_t field, uint64_t index)
{
	switch (field) {
	case BH_MACHINE_CPUS: return 4;
	case BH_MACHINE_MEMORY: return 1 << 30;
	case BH_MACHINE_LOG_FIRST: return LOG_AT;
	case BH_MACHINE_LOG_END: return (int64_t)(LOG_AT + strlen(fake_log));
	case BH_MACHINE_CPU_APIC_ID:
	case BH_MACHINE_CPU_IDLE: return index < 4 ? (int64_t)index * 2 : -BH_EINVAL;
	}
	return 4096;
}

static int64_t fake_machine_text(uint64_t which, uint64_t offset)
{
	static const char caps[] = "VPID: yes\nevil \x1b[2J text\n";
	static const char pci[] = "00:03.0 8086:10d3 \x07 net\n";
	static const char audit[] = "frame 7: two owners\n";

	if (which == BH_TEXT_LOG)
		return offset < LOG_AT ? -BH_ENOENT : text_word(fake_log, strlen(fake_log), offset - LOG_AT);
	if (which == BH_TEXT_CAPS)
		return text_word(caps, strlen(caps), offset);
	if (which == BH_TEXT_PCI)
		return text_word(pci, strlen(pci), offset);
	if (which == BH_TEXT_IOMMU)
		return -BH_EINVAL;
	return text_word(audit, strlen(audit), offset);
}

static int64_t fake_wait(uint64_t mask, uint64_t deadline)
{
	uint64_t events = fake_events & mask;

	assert_true(deadline != BH_FOREVER || events || *fake_typed);
	fake_now += STEP;
	for (unsigned i = 0; i < PARTITIONS; i++)
		step_partition(&fake[i]);
	if (fake_network_step())
		fake_events |= 1ull << EVENT_NETWORK;
	fake_events &= ~events;
	return (int64_t)events;
}

static struct fake_partition *by_handle(uint64_t handle, uint64_t base)
{
	return handle >= base && handle < base + PARTITIONS ? &fake[handle - base] : NULL;
}

int64_t bh_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	struct fake_partition *p = by_handle(a, PARTITION(0)), *channel = by_handle(a, CHANNEL(0));

	(void)e;
	switch (number) {
	case BH_WAIT: return fake_wait(a, b);
	case BH_LOG: return 0;
	case BH_CHANNEL_STAT: return a == NETWORK_CHANNEL ? fake_network_life : -BH_EBADF;
	case BH_CHANNEL_BIND:
		if (a == NETWORK_CHANNEL)
			return 0;
		assert_non_null(channel);
		channel->bit = c;
		return 0;
	case BH_CHANNEL_SIGNAL:
		if (a == NETWORK_CHANNEL) {
			fake_network_heard++;
			return 0;
		}
		assert_non_null(channel);
		channel->signals++;
		return 0;
	case BH_PARTITION_CONTROL: return p ? fake_control(p, b) : -BH_EBADF;
	case BH_PARTITION_STAT: return p ? fake_stat(p, b, c) : -BH_EBADF;
	case BH_PARTITION_REPORT: return p ? text_word(p->report, strlen(p->report), b) : -BH_EBADF;
	case BH_PARTITION_TRACE: return p == &fake[GUEST] ? fake_trace(b, c, d) : -BH_ENOENT;
	case BH_MACHINE_STAT: return a == MACHINE ? fake_machine_stat(b, c) : -BH_EBADF;
	case BH_MACHINE_TEXT: return a == MACHINE ? fake_machine_text(b, c) : -BH_EBADF;
	case BH_MACHINE_CONTROL:
		if (b == BH_AUDIT)
			return fake_disagreements;
		fake_machine_control = (int)b;
		return -BH_EPERM;
	}
	fail_msg("hypercall %#lx is not expected", (unsigned long)number);
	return -BH_ENOSYS;
}

/* ---- the world ---- */

static void add_handle(const char *name, unsigned type, bh_handle value, void *address, unsigned kind)
{
	struct bh_info_handle *handle = &fake_info.handle[fake_info.handles++];

	snprintf(handle->name, sizeof(handle->name), "%s", name);
	handle->type = type;
	handle->handle = value;
	handle->kind = kind;
	handle->address = (uintptr_t)address;
	handle->bytes = address ? BH_TERMINAL_BYTES : 0;
}

static void add_partition(unsigned i, const char *name, uint64_t kind, uint64_t state, uint64_t cause)
{
	fake[i].name = name;
	fake[i].kind = kind;
	fake[i].state = state;
	fake[i].cause = cause;
	fake[i].report = "";
	fake[i].started = state == BH_STATE_RUNNING ? 1 : 0;
	add_handle(name, BH_HANDLE_PARTITION, PARTITION(i), NULL, (unsigned)kind);
	if (i == GUEST || i == HELLO || i == NET)
		add_handle(name, BH_HANDLE_CHANNEL, CHANNEL(i), &fake[i].terminal, (unsigned)kind);
}

static void fake_start(void)
{
	static const struct serial_access access = { uart_read, uart_write, NULL };

	for (unsigned i = 0; i < peer_count; i++)
		free(peers[i].scrollback.data);
	memset(fake, 0, sizeof(fake));
	memset(&fake_info, 0, sizeof(fake_info));
	fake_shown_count = fake_now = fake_events = 0;
	fake_typed = "";
	fake_disagreements = 0;
	fake_machine_control = 0;
	fake_info.tsc_hz = HZ;
	fake_log[0] = 0;
	for (int i = 0; i < 40; i++)
		sprintf(fake_log + strlen(fake_log), "[%d] line\n", i);
	snprintf(fake_info.name, sizeof(fake_info.name), "console");
	add_partition(GUEST, "linux1", BH_KIND_GUEST, BH_STATE_RUNNING, BH_CAUSE_NONE);
	add_partition(MONITOR, "linux1.monitor", BH_KIND_MONITOR, BH_STATE_RUNNING, BH_CAUSE_NONE);
	add_partition(HELLO, "hello", BH_KIND_NATIVE, BH_STATE_STOPPED, BH_CAUSE_NEVER_STARTED);
	add_partition(BROKEN, "broken", BH_KIND_NATIVE, BH_STATE_FAILED_CONFIG, BH_CAUSE_NEVER_STARTED);
	fake[BROKEN].report = "bulkhead.conf:9: no such image\n";
	fake_network_start();
	if (fake_networks) {
		add_handle("network", BH_HANDLE_CHANNEL, NETWORK_CHANNEL, &fake_network, BH_KIND_NATIVE);
		fake_info.handle[fake_info.handles - 1].bytes = BH_NETWORK_CHANNEL_BYTES;
		add_partition(NET, "net", BH_KIND_NATIVE, BH_STATE_RUNNING, BH_CAUSE_NONE);
	}
	add_handle("machine", BH_HANDLE_MACHINE, MACHINE, NULL, 0);
	machine_start();
	peers_start();
	network_start(&fake_records);
	serial_start(&access);
	shell_start();
}

/* main.c's loop, until everything typed has been read and no event is left. */
static void fake_loop(void)
{
	int byte;

	while (*fake_typed || fake_events || serial_sending()) {
		pump_wait(BH_FOREVER);
		while ((byte = serial_read()) >= 0)
			shell_input((char)byte);
		shell_news();
	}
}

/* Types `keys`; returns what was shown since. */
static const char *fake_type(const char *keys)
{
	size_t before = fake_shown_count;

	fake_typed = keys;
	fake_loop();
	return fake_shown + before;
}

/* Partition `i` prints. */
static void fake_print(unsigned i, const char *text)
{
	struct terminal terminal;

	terminal_open(&terminal, &fake[i].terminal, CHANNEL(i), TERMINAL_PARTITION);
	terminal_write(&terminal, text, strlen(text));
	announce(&fake[i]);
}

/* What partition `i` has to read; valid until the next call. */
static const char *fake_read(unsigned i)
{
	static char text[200];
	struct terminal terminal;

	terminal_open(&terminal, &fake[i].terminal, CHANNEL(i), TERMINAL_PARTITION);
	text[terminal_read(&terminal, text, sizeof(text) - 1)] = 0;
	return text;
}
