#include "fake_system.h"
#include <stdlib.h>
#include <string.h>
#include "channel.h"
#include "frame.h"
#include "guest_apic.h"
#include "guest_control.h"
#include "handle_lookup.h"
#include "irq.h"
#include "machine_control.h"
#include "pool.h"
#include "report.h"
#include "trace.h"

#define UNTOUCHED 0x1111222233334444ull

static struct vcpu *console, *ping, *pong, *monitor, *guest;

static int set_up(void **state)
{
	fake_system_reset(state);
	console = the_console->vcpu[0];
	ping = the_ping->vcpu[0];
	pong = the_pong->vcpu[0];
	monitor = the_monitor->vcpu[0];
	guest = the_linux->vcpu[0];
	fake_start(the_console);
	fake_start(the_ping);
	fake_start(the_pong);
	fake_start(the_linux);
	fake_forget();
	return 0;
}

static int64_t call1(struct vcpu *caller, uint64_t number, uint64_t a)
{
	return fake_call(caller, number, a, 0, 0, 0, 0);
}

static int64_t call2(struct vcpu *caller, uint64_t number, uint64_t a, uint64_t b)
{
	return fake_call(caller, number, a, b, 0, 0, 0);
}

static int64_t call3(struct vcpu *caller, uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	return fake_call(caller, number, a, b, c, 0, 0);
}

static int64_t call4(struct vcpu *caller, uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return fake_call(caller, number, a, b, c, d, 0);
}

/* The text in the five registers. */
static int64_t call_text(struct vcpu *caller, uint64_t number, const char *text)
{
	uint64_t words[5] = { 0 };

	memcpy(words, text, strlen(text));
	return fake_call(caller, number, words[0], words[1], words[2], words[3], words[4]);
}

/* ---- the door ------------------------------------------------------------------------------------ */

static void test_unknown_numbers(void **state)
{
	static const uint64_t numbers[] = {
		0,
		1,
		5,
		12,
		BH_HYPERCALL_BASE - 1,
		BH_HYPERCALL_END,
		BH_HYPERCALL_END + 1,
		UINT32_MAX,
		BH_HYPERCALL_BASE + (1ull << 32),
		INT64_MAX,
		1ull << 63,
		UINT64_MAX,
	};

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(call1(ping, numbers[i], 0), -BH_ENOSYS);
		assert_int_equal(call1(guest, numbers[i], 0), -BH_ENOSYS);
	}
	assert_int_equal(call1(ping, BH_NULL, UINT64_MAX), 0);
	assert_int_equal(call1(guest, BH_NULL, 0), 0);
}

static void test_every_number_is_there(void **state)
{
	(void)state;
	for (uint64_t number = BH_HYPERCALL_BASE; number < BH_HYPERCALL_END; number++) {
		if (number != BH_EXIT)
			assert_int_not_equal(call1(ping, number, BH_NO_HANDLE), -BH_ENOSYS);
	}
}

/* ---- handles -------------------------------------------------------------------------------------- */

static const struct {
	uint64_t number;
	enum bh_handle_type type;
} with_handle[] = {
	{ BH_CHANNEL_BIND, BH_HANDLE_CHANNEL },	     { BH_CHANNEL_SIGNAL, BH_HANDLE_CHANNEL },
	{ BH_CHANNEL_STAT, BH_HANDLE_CHANNEL },	     { BH_IRQ_BIND, BH_HANDLE_IRQ },
	{ BH_GUEST_MSI, BH_HANDLE_PARTITION },	     { BH_GUEST_APIC, BH_HANDLE_PARTITION },
	{ BH_GUEST_END, BH_HANDLE_PARTITION },	     { BH_PARTITION_CONTROL, BH_HANDLE_PARTITION },
	{ BH_PARTITION_STAT, BH_HANDLE_PARTITION },  { BH_PARTITION_REPORT, BH_HANDLE_PARTITION },
	{ BH_PARTITION_TRACE, BH_HANDLE_PARTITION }, { BH_MACHINE_STAT, BH_HANDLE_MACHINE },
	{ BH_MACHINE_TEXT, BH_HANDLE_MACHINE },	     { BH_MACHINE_CONTROL, BH_HANDLE_MACHINE },
	{ BH_GUEST_DOORBELL, BH_HANDLE_PARTITION },
};
#define WITH_HANDLE (sizeof(with_handle) / sizeof(with_handle[0]))

/* Whatever the caller: no handle, no call. Values in all 64 bits; another generation; types that do not fit. */
static void test_bad_handles(void **state)
{
	struct vcpu *const callers[] = { console, ping, pong, monitor, the_monitor->vcpu[2], guest };

	(void)state;
	for (unsigned c = 0; c < 6; c++) {
		const struct partition *holder = callers[c]->partition;

		for (unsigned i = 0; i < WITH_HANDLE; i++) {
			uint64_t number = with_handle[i].number;

			assert_int_equal(call1(callers[c], number, BH_NO_HANDLE), -BH_EBADF);
			assert_int_equal(call1(callers[c], number, UINT64_MAX), -BH_EBADF);
			assert_int_equal(call1(callers[c], number, holder->handle_max), -BH_EBADF);
			assert_int_equal(call1(callers[c], number, 0xffff), -BH_EBADF);
			for (unsigned h = 0; h < holder->handle_max; h++) {
				assert_int_equal(call1(callers[c], number, 0x10000 | h), -BH_EBADF);
				assert_int_equal(call1(callers[c], number, 1ull << 32 | h), -BH_EBADF);
				if (holder->handle[h].type != with_handle[i].type)
					assert_int_equal(call1(callers[c], number, h), -BH_EBADF);
			}
		}
	}
}

static void test_missing_rights(void **state)
{
	uint64_t linux_of_pong = fake_handle(the_pong, BH_HANDLE_PARTITION, "linux");
	uint64_t ping_of_pong = fake_handle(the_pong, BH_HANDLE_PARTITION, "ping");
	uint64_t guest_of_monitor = fake_handle(the_monitor, BH_HANDLE_PARTITION, "linux");
	uint64_t linux_of_console = fake_handle(the_console, BH_HANDLE_PARTITION, "linux");
	uint64_t monitor_of_console = fake_handle(the_console, BH_HANDLE_PARTITION, "linux.monitor");
	struct handle *machine;

	(void)state;
	assert_int_equal(call2(pong, BH_PARTITION_CONTROL, linux_of_pong, BH_STOP), -BH_EPERM);
	assert_int_equal(call2(pong, BH_GUEST_END, linux_of_pong, BH_END_POWEROFF), -BH_EPERM);
	assert_int_equal(call3(pong, BH_GUEST_MSI, ping_of_pong, 0xfee00000, 0x30), -BH_EPERM);
	assert_int_equal(call2(console, BH_GUEST_END, linux_of_console, BH_END_POWEROFF), -BH_EPERM);
	assert_int_equal(call2(console, BH_PARTITION_CONTROL, monitor_of_console, BH_STOP), -BH_EPERM);
	assert_int_equal(call2(monitor, BH_PARTITION_CONTROL, guest_of_monitor, BH_STOP), -BH_EPERM);
	assert_int_equal(call2(monitor, BH_PARTITION_STAT, guest_of_monitor, BH_STAT_STATE), -BH_EPERM);
	assert_int_equal(call1(monitor, BH_PARTITION_REPORT, guest_of_monitor), -BH_EPERM);
	assert_int_equal(call1(monitor, BH_PARTITION_TRACE, guest_of_monitor), -BH_EPERM);
	assert_int_equal(call1(pong, BH_GUEST_APIC, ping_of_pong), -BH_EPERM);

	machine = &the_console->handle[fake_handle(the_console, BH_HANDLE_MACHINE, "machine") & 0xffff];
	machine->rights = BH_RIGHT_INSPECT;
	assert_int_equal(call2(console, BH_MACHINE_CONTROL, 0, BH_REBOOT), -BH_EPERM);
	machine->rights = BH_RIGHT_CONTROL;
	assert_int_equal(call2(console, BH_MACHINE_STAT, 0, 0), -BH_EPERM);
	assert_int_equal(call2(console, BH_MACHINE_TEXT, 0, BH_TEXT_CAPS), -BH_EPERM);
	machine->rights = BH_RIGHT_CONTROL | BH_RIGHT_INSPECT;
	for (unsigned i = 0; i < partition_count; i++)
		assert_true(partitions[i] == the_broken || partition_leader(partitions[i])->state == BH_STATE_RUNNING);
}

/* A guest holds nothing and waits for nothing; what is left is harmless. */
static void test_guest_as_caller(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WITH_HANDLE; i++) {
		for (uint64_t h = 0; h < 40; h++)
			assert_int_equal(call1(guest, with_handle[i].number, h), -BH_EBADF);
	}
	assert_int_equal(call1(guest, BH_WAIT, 0), -BH_ESTATE);
	assert_int_equal(call2(guest, BH_EVENT_SIGNAL, 0, 1), -BH_EINVAL);
	assert_int_equal(call_text(guest, BH_LOG, "hello"), 0);
	assert_string_equal(fake_log, "<linux> hello");
	assert_int_equal(call_text(guest, BH_REPORT, "hello\n"), 0);
	assert_memory_equal(the_linux->report, "hello\n", 6);
}

static void test_handle_table(void **state)
{
	struct handle table[3] = { { .generation = 7 }, { .generation = 7 }, { .generation = 7 } }, *found;
	struct partition holder = { .handle = table, .handle_max = 3 };
	struct vcpu caller = { .partition = &holder };
	struct handle handle = { .type = BH_HANDLE_CHANNEL, .rights = BH_RIGHT_USE };

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(handle_add(&holder, &handle), i);
	assert_int_equal(handle_add(&holder, &handle), -1);
	assert_int_equal(handle_value(&table[2], 2), 0x70002);
	assert_int_equal(handle_lookup(&caller, 0x70002, BH_HANDLE_CHANNEL, BH_RIGHT_USE, &found), 0);
	assert_ptr_equal(found, &table[2]);
	assert_int_equal(handle_lookup(&caller, 0x60002, BH_HANDLE_CHANNEL, BH_RIGHT_USE, &found), -BH_EBADF);
	assert_int_equal(handle_lookup(&caller, 2, BH_HANDLE_CHANNEL, BH_RIGHT_USE, &found), -BH_EBADF);
	assert_int_equal(handle_lookup(&caller, 0x70003, BH_HANDLE_CHANNEL, BH_RIGHT_USE, &found), -BH_EBADF);
	assert_int_equal(handle_lookup(&caller, 0x70002, BH_HANDLE_IRQ, BH_RIGHT_USE, &found), -BH_EBADF);
	assert_int_equal(handle_lookup(&caller, 0x70002, BH_HANDLE_CHANNEL, BH_RIGHT_CONTROL, &found), -BH_EPERM);
	table[2].type = BH_HANDLE_NONE;
	assert_int_equal(handle_lookup(&caller, 0x70002, BH_HANDLE_CHANNEL, BH_RIGHT_USE, &found), -BH_EBADF);
}

/* ---- text, events ------------------------------------------------------------------------------------ */

static void test_log(void **state)
{
	(void)state;
	assert_int_equal(call_text(ping, BH_LOG, ""), 0);
	assert_string_equal(fake_log, "<ping> ");
	assert_int_equal(call_text(ping, BH_LOG, "0123456789012345678901234567890123456789"), 0);
	assert_string_equal(fake_log, "<ping> 0123456789012345678901234567890123456789");
	/* Not a format of ours, and ends at the first 0. */
	assert_int_equal(call_text(ping, BH_LOG, "%s%n%d"), 0);
	assert_string_equal(fake_log, "<ping> %s%n%d");
	assert_int_equal(fake_call(ping, BH_LOG, 0x4100, 0x4242424242424242, 0, 0, 0), 0);
	assert_string_equal(fake_log, "<ping> ");
}

static void test_report_call(void **state)
{
	(void)state;
	assert_int_equal(call_text(monitor, BH_REPORT, "0123456789012345678901234567890123456789"), 0);
	assert_int_equal(call_text(monitor, BH_REPORT, "a\xff\x01"), 0);
	assert_int_equal(the_monitor->report_bytes, 43);
	assert_memory_equal(the_monitor->report, "0123456789012345678901234567890123456789a??", 43);
	/* What a monitor has to say is about its guest. */
	assert_int_equal(the_linux->report_bytes, 43);
	assert_int_equal(the_ping->report_bytes, 0);
}

static void test_event_signal(void **state)
{
	(void)state;
	assert_int_equal(call2(ping, BH_EVENT_SIGNAL, 1, (1ull << BH_EVENT_BITS) - 1), 0);
	assert_int_equal(call2(ping, BH_EVENT_SIGNAL, 2, 1), -BH_EINVAL);
	assert_int_equal(call2(ping, BH_EVENT_SIGNAL, 1ull << 32, 1), -BH_EINVAL);
	assert_int_equal(call2(ping, BH_EVENT_SIGNAL, UINT64_MAX, 1), -BH_EINVAL);
	assert_int_equal(call2(ping, BH_EVENT_SIGNAL, 0, 1ull << BH_EVENT_BITS), -BH_EINVAL);
	assert_int_equal(call2(ping, BH_EVENT_SIGNAL, 0, UINT64_MAX), -BH_EINVAL);
	assert_int_equal(ping->events, 0);
}

/* ---- exit --------------------------------------------------------------------------------------------- */

static void test_exit(void **state)
{
	(void)state;
	call1(ping, BH_EXIT, 0);
	assert_int_equal(ping->state, VCPU_PARKED);
	assert_int_equal(the_ping->state, BH_STATE_DYING);
	assert_int_equal(the_ping->cause, BH_CAUSE_FINISHED);
	assert_int_equal(the_ping->report_bytes, 0);
	call1(the_ping->vcpu[1], BH_EXIT, 5); /* too late */
	fake_settle();
	assert_int_equal(the_ping->state, BH_STATE_STOPPED);
	assert_int_equal(the_ping->cause, BH_CAUSE_FINISHED);

	call1(pong, BH_EXIT, -3ull);
	assert_int_equal(the_pong->cause, BH_CAUSE_FAILED);
	assert_memory_equal(the_pong->report, "exit code -3\n", 13);
	assert_string_equal(fake_log, "pong: exit code -3");
	fake_settle();
	assert_int_equal(the_pong->epoch, 2);
}

static void test_exit_of_monitor(void **state)
{
	static const char words[] = "its monitor ended with exit code 4\n";

	(void)state;
	call1(the_monitor->vcpu[2], BH_EXIT, 4);
	assert_int_equal(the_linux->state, BH_STATE_DYING);
	assert_int_equal(the_linux->cause, BH_CAUSE_FAILED);
	assert_memory_equal(the_monitor->report, "exit code 4\n", 12);
	assert_memory_equal(the_linux->report, words, sizeof(words) - 1);
	fake_settle();
	assert_int_equal(guest->state, VCPU_OFF);
	assert_int_equal(the_linux->state, BH_STATE_STOPPED);
}

static void test_exit_of_guest(void **state)
{
	(void)state;
	call1(guest, BH_EXIT, 1);
	fake_settle();
	assert_int_equal(the_linux->state, BH_STATE_STOPPED);
	assert_int_equal(monitor->state, VCPU_OFF);
}

/* ---- channels, interrupts -------------------------------------------------------------------------------- */

static void test_channel_calls(void **state)
{
	uint64_t mine = fake_handle(the_ping, BH_HANDLE_CHANNEL, "talk");
	uint64_t peers = fake_handle(the_pong, BH_HANDLE_CHANNEL, "talk");

	(void)state;
	assert_int_equal(call3(ping, BH_CHANNEL_BIND, mine, 2, 0), -BH_EINVAL);
	assert_int_equal(call3(ping, BH_CHANNEL_BIND, mine, 1ull << 32, 0), -BH_EINVAL);
	assert_int_equal(call3(ping, BH_CHANNEL_BIND, mine, 0, BH_EVENT_BITS), -BH_EINVAL);
	assert_int_equal(call3(ping, BH_CHANNEL_BIND, mine, 0, UINT64_MAX), -BH_EINVAL);
	assert_int_equal(call1(pong, BH_CHANNEL_SIGNAL, peers), 0); /* nobody listens */
	assert_int_equal(ping->events, 0);

	assert_int_equal(call3(ping, BH_CHANNEL_BIND, mine, 1, BH_EVENT_BITS - 1), 0);
	assert_int_equal(call1(pong, BH_CHANNEL_SIGNAL, peers), 0);
	assert_int_equal(call1(pong, BH_CHANNEL_SIGNAL, peers), 0);
	assert_true(the_ping->vcpu[1]->events == 1ull << (BH_EVENT_BITS - 1));
	assert_int_equal(ping->events, 0);
	assert_int_equal(pong->events, 0);

	/* Bound anew: vCPU 0, bit 0. */
	assert_int_equal(call3(ping, BH_CHANNEL_BIND, mine, 0, 0), 0);
	assert_int_equal(call1(pong, BH_CHANNEL_SIGNAL, peers), 0);
	assert_int_equal(ping->events, 1);
	assert_int_equal(call1(ping, BH_CHANNEL_STAT, mine), 1 << 1 | 1);
}

/* The console's end is of the monitor, whose life is its guest's. */
static void test_channel_of_monitor(void **state)
{
	uint64_t handle = fake_handle(the_console, BH_HANDLE_CHANNEL, "linux");

	(void)state;
	assert_int_equal(call1(console, BH_CHANNEL_STAT, handle), 1 << 1 | 1);
	assert_int_equal(call3(console, BH_CHANNEL_BIND, handle, 0, 4), 0);
	assert_int_equal(call1(monitor, BH_CHANNEL_SIGNAL, fake_handle(the_monitor, BH_HANDLE_CHANNEL, "console")), 0);
	assert_int_equal(console->events, 1 << 4);
	partition_control(the_linux, BH_STOP);
	fake_settle();
	assert_int_equal(call1(console, BH_CHANNEL_STAT, handle), 1 << 1);
}

static void test_irq(void **state)
{
	uint64_t irq = fake_handle(the_pong, BH_HANDLE_IRQ, "irq5");

	(void)state;
	assert_int_equal(call3(pong, BH_IRQ_BIND, irq, 1, 0), -BH_EINVAL);
	assert_int_equal(call3(pong, BH_IRQ_BIND, irq, 1ull << 63, 0), -BH_EINVAL);
	assert_int_equal(call3(pong, BH_IRQ_BIND, irq, 0, BH_EVENT_BITS), -BH_EINVAL);
	irq_device(5);
	assert_int_equal(pong->events, 0);
	assert_int_equal(call3(pong, BH_IRQ_BIND, irq, 0, 7), 0);
	irq_device(4);
	assert_int_equal(pong->events, 0);
	irq_device(5);
	irq_device(5);
	assert_int_equal(pong->events, 1 << 7);

	the_pong->handle[irq & 0xffff].number = 13; /* a pin that is not there */
	assert_int_equal(call3(pong, BH_IRQ_BIND, irq, 0, 7), -BH_ENOENT);
	the_pong->handle[irq & 0xffff].number = 5;
}

/* ---- a monitor's guest -------------------------------------------------------------------------------------- */

static void test_guest_msi(void **state)
{
	uint64_t handle = fake_handle(the_monitor, BH_HANDLE_PARTITION, "linux");

	(void)state;
	assert_int_equal(call3(monitor, BH_GUEST_MSI, handle, 0xfee00000, 0x8031), 0);
	assert_int_equal(call3(monitor, BH_GUEST_MSI, handle, 0xfed00000, 0x31), -BH_EINVAL);
	assert_int_equal(call3(monitor, BH_GUEST_MSI, handle, 0xfee00000, 1ull << 32 | 0x31), -BH_EINVAL);
	assert_int_equal(call3(the_monitor->vcpu[2], BH_GUEST_MSI, handle, 0xfee00000, 0x31), 0);
}

/* The guest's writes become events of its monitor's last vCPU, by block, until the monitor takes the bell away or ends.
 */
static void test_guest_doorbell(void **state)
{
	uint64_t handle = fake_handle(the_monitor, BH_HANDLE_PARTITION, "linux");
	struct vcpu *io = the_monitor->vcpu[the_monitor->vcpus - 1];
	uint16_t port = BH_DOORBELL_PORT + 2 * BH_DOORBELL_BLOCK_PORTS;

	(void)state;
	assert_false(guest_control_ring(guest, port));
	assert_int_equal(call3(monitor, BH_GUEST_DOORBELL, handle, 2, 11), 0);
	assert_true(guest_control_ring(guest, port));
	assert_true(guest_control_ring(guest, port + BH_DOORBELL_BLOCK_PORTS - 1));
	assert_int_equal(io->events, 1ull << 11);
	assert_false(guest_control_ring(guest, port - 1));
	assert_false(guest_control_ring(guest, port + BH_DOORBELL_BLOCK_PORTS));

	assert_int_equal(call3(monitor, BH_GUEST_DOORBELL, handle, BH_DOORBELL_BLOCKS, 11), -BH_EINVAL);
	assert_int_equal(call3(monitor, BH_GUEST_DOORBELL, handle, 2, BH_EVENT_BITS), -BH_EINVAL);
	assert_int_equal(call3(monitor, BH_GUEST_DOORBELL, handle, 2, BH_DOORBELL_OFF), 0);
	assert_false(guest_control_ring(guest, port));

	assert_int_equal(call3(monitor, BH_GUEST_DOORBELL, handle, 15, 0), 0);
	assert_int_equal(partition_control(the_linux, BH_RESTART), 0);
	fake_settle();
	assert_false(guest_control_ring(guest, BH_DOORBELL_PORT + BH_DOORBELL_PORTS - 1));
}

static void test_guest_apic(void **state)
{
	uint64_t handle = fake_handle(the_monitor, BH_HANDLE_PARTITION, "linux");

	(void)state;
	/* guest's vCPU 0 waits for the answer to its start; vCPU 1 for its SIPI. */
	assert_int_equal(fake_call(monitor, BH_GUEST_APIC, handle, 0, 0x80, 0x5a, 1), 0);
	assert_int_equal(fake_call(monitor, BH_GUEST_APIC, handle, 0, 0xfff, 0xffff, 0), 0x5a + 0xfff);
	assert_int_equal(fake_call(monitor, BH_GUEST_APIC, handle, 0, APIC_EOI, 0, 1), 77);
	assert_int_equal(fake_call(monitor, BH_GUEST_APIC, handle, 0, 0x1000, 0, 0), -BH_EINVAL);
	assert_int_equal(fake_call(monitor, BH_GUEST_APIC, handle, 0, 1ull << 32, 0, 0), -BH_EINVAL);
	assert_int_equal(fake_call(monitor, BH_GUEST_APIC, handle, 0, 0x80, 1ull << 32, 1), -BH_EINVAL);
	assert_int_equal(fake_call(monitor, BH_GUEST_APIC, handle, 0, 0x80, 0, 2), -BH_EINVAL);
	assert_int_equal(fake_call(monitor, BH_GUEST_APIC, handle, 2, 0x80, 0, 0), -BH_EINVAL);
	assert_int_equal(fake_call(monitor, BH_GUEST_APIC, handle, UINT64_MAX, 0x80, 0, 0), -BH_EINVAL);
	/* Another one's vCPU; its own, which has no message; from the vCPU that has no pair. */
	assert_int_equal(fake_call(monitor, BH_GUEST_APIC, handle, 1, 0x80, 0, 0), -BH_ESTATE);
	assert_int_equal(fake_call(the_monitor->vcpu[1], BH_GUEST_APIC, handle, 1, 0x80, 0, 0), -BH_ESTATE);
	assert_int_equal(fake_call(the_monitor->vcpu[2], BH_GUEST_APIC, handle, 0, 0x80, 0, 0), -BH_ESTATE);
	guest->state = VCPU_RUNNABLE;
	assert_int_equal(fake_call(monitor, BH_GUEST_APIC, handle, 0, 0x80, 0, 0), -BH_ESTATE);
}

static void test_guest_end(void **state)
{
	uint64_t handle = fake_handle(the_monitor, BH_HANDLE_PARTITION, "linux");

	(void)state;
	assert_int_equal(call2(monitor, BH_GUEST_END, handle, 0), -BH_EINVAL);
	assert_int_equal(call2(monitor, BH_GUEST_END, handle, BH_END_FAILURE + 1), -BH_EINVAL);
	assert_int_equal(call2(monitor, BH_GUEST_END, handle, 1ull << 32 | BH_END_POWEROFF), -BH_EINVAL);
	assert_int_equal(monitor->state, VCPU_RUNNABLE);

	call2(monitor, BH_GUEST_END, handle, BH_END_RESET);
	assert_int_equal(monitor->state, VCPU_PARKED);
	assert_string_equal(fake_log, "linux: resets");
	fake_settle();
	assert_int_equal(the_linux->state, BH_STATE_RUNNING);
	assert_int_equal(the_linux->epoch, 2);
	assert_int_equal(monitor->state, VCPU_RUNNABLE);

	call2(the_monitor->vcpu[2], BH_GUEST_END, handle, BH_END_POWEROFF);
	fake_settle();
	assert_int_equal(the_linux->state, BH_STATE_STOPPED);
	assert_int_equal(the_linux->cause, BH_CAUSE_POWEROFF);

	fake_start(the_linux);
	call2(monitor, BH_GUEST_END, handle, BH_END_FAILURE);
	fake_settle();
	assert_int_equal(the_linux->cause, BH_CAUSE_FAILED);
}

/* ---- partitions ------------------------------------------------------------------------------------------------ */

static void test_control_call(void **state)
{
	uint64_t handle = fake_handle(the_pong, BH_HANDLE_PARTITION, "ping");

	(void)state;
	assert_int_equal(call2(pong, BH_PARTITION_CONTROL, handle, BH_PAUSE), 0);
	assert_int_equal(the_ping->state, BH_STATE_PAUSED);
	assert_int_equal(call2(pong, BH_PARTITION_CONTROL, handle, BH_PAUSE), -BH_ESTATE);
	assert_int_equal(call2(pong, BH_PARTITION_CONTROL, handle, 0), -BH_EINVAL);
	assert_int_equal(call2(pong, BH_PARTITION_CONTROL, handle, BH_RESTART + 1), -BH_EINVAL);
	assert_int_equal(call2(pong, BH_PARTITION_CONTROL, handle, UINT64_MAX), -BH_EINVAL);
	/* Not one of the operations with something in front. */
	for (uint64_t how = BH_START; how <= BH_RESTART; how++)
		assert_int_equal(call2(pong, BH_PARTITION_CONTROL, handle, 1ull << 32 | how), -BH_EINVAL);
	assert_int_equal(the_ping->state, BH_STATE_PAUSED);
}

static void test_stat_call(void **state)
{
	uint64_t handle = fake_handle(the_pong, BH_HANDLE_PARTITION, "linux");

	(void)state;
	assert_int_equal(call3(pong, BH_PARTITION_STAT, handle, BH_STAT_STATE, 0), BH_STATE_RUNNING);
	assert_int_equal(call3(pong, BH_PARTITION_STAT, handle, BH_STAT_VCPU_CPU, 1), 2);
	assert_int_equal(call3(pong, BH_PARTITION_STAT, handle, BH_STAT_VCPU_CPU, 2), -BH_EINVAL);
	assert_int_equal(call3(pong, BH_PARTITION_STAT, handle, 1ull << 32, 0), -BH_EINVAL);
}

static void read_report(struct vcpu *caller, uint64_t handle, char *text)
{
	uint64_t at = 0;
	int64_t word;

	while ((word = call2(caller, BH_PARTITION_REPORT, handle, at)) >= 0) {
		memcpy(text + at, &word, 8);
		at += 8;
	}
	assert_int_equal(word, -BH_ENOENT);
	text[at] = 0;
}

static void test_report_read(void **state)
{
	uint64_t handle = fake_handle(the_console, BH_HANDLE_PARTITION, "ping");
	char text[REPORT_BYTES + 16];

	(void)state;
	assert_int_equal(call2(console, BH_PARTITION_REPORT, handle, 0), -BH_ENOENT);
	report_line(the_ping, "%d little words", 3);
	read_report(console, handle, text);
	assert_string_equal(text, "3 little words\n");
	assert_int_equal(call2(console, BH_PARTITION_REPORT, handle, 14), '\n');
	assert_int_equal(call2(console, BH_PARTITION_REPORT, handle, 15), -BH_ENOENT);
	assert_int_equal(call2(console, BH_PARTITION_REPORT, handle, UINT64_MAX), -BH_ENOENT);
	assert_int_equal(call2(console, BH_PARTITION_REPORT, handle, UINT64_MAX - 7), -BH_ENOENT);

	read_report(console, fake_handle(the_console, BH_HANDLE_PARTITION, "broken"), text);
	assert_string_equal(text, "bulkhead.conf:40: the cap is 200 percent: 1 to 100\n");
}

static void note_exit(struct vcpu *vcpu, uint64_t tsc, unsigned reason, uint64_t detail, uint32_t duration)
{
	struct trace_record *record = trace_next(&fake_cpu[vcpu->cpu]);

	*record = (struct trace_record){ tsc, detail, duration, vcpu->trace_id | reason << 24, record->next };
}

static void test_trace_call(void **state)
{
	uint64_t handle = fake_handle(the_console, BH_HANDLE_PARTITION, "linux");

	(void)state;
	trace_keep(&fake_cpu[1], true);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, 0, 0), -BH_ENOENT);
	note_exit(guest, 100, BH_EXIT_CPUID, 7, 30);
	note_exit(monitor, 150, BH_EXIT_HYPERCALL, 8, 31);
	note_exit(guest, 200, BH_EXIT_PIO, 0x3f8, 32);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, 0, 0), 200);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, 0, 1), BH_EXIT_PIO);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, 0, 2), 0x3f8);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, 0, 3), 32);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, 1, 0), 100);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, 2, 0), -BH_ENOENT);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, UINT64_MAX, 0), -BH_ENOENT);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 1, 0, 0), -BH_ENOENT);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 2, 0, 0), -BH_EINVAL);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 1ull << 32, 0, 0), -BH_EINVAL);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, 0, 4), -BH_EINVAL);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, 0, 1ull << 32), -BH_EINVAL);

	/* The ring holds so many; older ones are gone, whoever's they were. */
	for (unsigned i = 0; i < TRACE_RECORDS - 1; i++)
		note_exit(monitor, 300 + i, BH_EXIT_HYPERCALL, 0, 0);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, 0, 0), 200);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, 1, 0), -BH_ENOENT);
	note_exit(monitor, 2000, BH_EXIT_HYPERCALL, 0, 0);
	assert_int_equal(call4(console, BH_PARTITION_TRACE, handle, 0, 0, 0), -BH_ENOENT);
	/* All ones in a detail are no error. */
	note_exit(guest, 3000, BH_EXIT_MMIO, UINT64_MAX, 0);
	assert_true(call4(console, BH_PARTITION_TRACE, handle, 0, 0, 2) == INT64_MAX);
}

/* ---- the machine --------------------------------------------------------------------------------------------------
 */

static void test_machine_stat(void **state)
{
	uint64_t handle = fake_handle(the_console, BH_HANDLE_MACHINE, "machine");

	(void)state;
	fake_boot.region_bytes_256g = 12345678;
	fake_cpu[2].sched.idle = 777;
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_CPUS, 0), 4);
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_TSC_HZ, 0), 1000000000);
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_MEMORY, 0), frame_ram_bytes());
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_MEMORY_FREE, 0), frame_free_bytes());
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_KERNEL_BYTES, 0), FAKE_REGION_BYTES);
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_KERNEL_FREE, 0), pool_free_bytes());
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_KERNEL_256G, 0), 12345678);
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_LOG_FIRST, 0), 100);
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_LOG_END, 0), 120);
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_CPU_APIC_ID, 3), 6);
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_CPU_IDLE, 2), 777);
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_CPU_IDLE, 4), -BH_EINVAL);
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_CPU_APIC_ID, UINT64_MAX), -BH_EINVAL);
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, BH_MACHINE_CPU_IDLE + 1, 0), -BH_EINVAL);
	assert_int_equal(call3(console, BH_MACHINE_STAT, handle, 1ull << 32, 0), -BH_EINVAL);
}

static void test_machine_text(void **state)
{
	uint64_t handle = fake_handle(the_console, BH_HANDLE_MACHINE, "machine");
	int64_t word;

	(void)state;
	machine_control_caps_line("VT-x");
	machine_control_caps_line("EPT\x80");
	word = call3(console, BH_MACHINE_TEXT, handle, BH_TEXT_CAPS, 0);
	assert_memory_equal(&word, "VT-x\nEPT", 8);
	word = call3(console, BH_MACHINE_TEXT, handle, BH_TEXT_CAPS,
		     8); /* bytes stay below 80h: the result is positive */
	assert_memory_equal(&word, "\0\n\0\0\0\0\0\0", 8);
	assert_int_equal(call3(console, BH_MACHINE_TEXT, handle, BH_TEXT_CAPS, 10), -BH_ENOENT);
	assert_int_equal(call3(console, BH_MACHINE_TEXT, handle, BH_TEXT_CAPS, UINT64_MAX), -BH_ENOENT);

	word = call3(console, BH_MACHINE_TEXT, handle, BH_TEXT_LOG, 100);
	assert_memory_equal(&word, "abcdefgh", 8);
	word = call3(console, BH_MACHINE_TEXT, handle, BH_TEXT_LOG, 118);
	assert_memory_equal(&word, "st\0\0\0\0\0\0", 8);
	assert_int_equal(call3(console, BH_MACHINE_TEXT, handle, BH_TEXT_LOG, 120), -BH_ENOENT);
	assert_int_equal(call3(console, BH_MACHINE_TEXT, handle, BH_TEXT_LOG, 99), -BH_ENOENT);
	assert_int_equal(call3(console, BH_MACHINE_TEXT, handle, 0, 0), -BH_EINVAL);
	assert_int_equal(call3(console, BH_MACHINE_TEXT, handle, BH_TEXT_IOMMU + 1, 0), -BH_EINVAL);
	assert_int_equal(call3(console, BH_MACHINE_TEXT, handle, 1ull << 32 | BH_TEXT_LOG, 100), -BH_EINVAL);

	/* More lines than there is room for: whole ones are left out. */
	for (unsigned i = 0; i < 200; i++)
		machine_control_caps_line("0123456789012345678901234567890123456789");
	for (uint64_t at = 0; call3(console, BH_MACHINE_TEXT, handle, BH_TEXT_CAPS, at) >= 0; at++)
		assert_in_range(at, 0, 4096);
}

static void test_machine_control(void **state)
{
	uint64_t handle = fake_handle(the_console, BH_HANDLE_MACHINE, "machine");

	(void)state;
	assert_int_equal(call2(console, BH_MACHINE_CONTROL, handle, 0), -BH_EINVAL);
	assert_int_equal(call2(console, BH_MACHINE_CONTROL, handle, BH_CRASH_KERNEL + 1), -BH_EINVAL);
	assert_int_equal(call2(console, BH_MACHINE_CONTROL, handle, 1ull << 32 | BH_POWEROFF), -BH_EINVAL);
	assert_int_equal(call2(console, BH_MACHINE_CONTROL, handle, BH_AUDIT), 0);
	EXPECT_PANIC(call2(console, BH_MACHINE_CONTROL, handle, BH_REBOOT));
	assert_string_equal(fake_panic, "reset");
	EXPECT_PANIC(call2(console, BH_MACHINE_CONTROL, handle, BH_POWEROFF));
	assert_string_equal(fake_panic, "poweroff");
	EXPECT_PANIC(call2(console, BH_MACHINE_CONTROL, handle, BH_CRASH_KERNEL));
	assert_string_equal(fake_panic, "asked for by a holder of the machine's handle");
}

/* ---- anything ------------------------------------------------------------------------------------------------------
 */

static uint64_t any_argument(void)
{
	switch (rand() % 6) {
	case 0: return (uint64_t)(rand() % 50);
	case 1: return 1ull << rand() % 64;
	case 2: return UINT64_MAX - (uint64_t)(rand() % 4);
	case 3: return (uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ (uint64_t)rand();
	default: return (uint64_t)(rand() % 8);
	}
}

static bool documented(int64_t result)
{
	return result >= 0 || (result <= -BH_EPERM && result >= -BH_ENOENT) || result == -BH_ENOSYS;
}

/* Nothing that is called with anything does harm: results as documented, no other register changed, a clean audit. */
static void test_random(void **state)
{
	uint64_t machine = fake_handle(the_console, BH_HANDLE_MACHINE, "machine");
	struct vcpu *callers[10];
	unsigned count = 0, calls = 0;

	(void)state;
	for (unsigned p = 1; p < partition_count; p++) {
		for (unsigned i = 0; i < partitions[p]->vcpus; i++)
			callers[count++] = partitions[p]->vcpu[i];
	}
	srand(1);
	for (unsigned round = 0; round < 300000; round++) {
		struct vcpu *caller = callers[(unsigned)rand() % count];
		uint64_t with[6], *gpr = caller->arch.gpr;

		if (round % 16 == 0) {
			fake_now += 1000000;
			partition_control(partitions[round / 16 % partition_count], BH_START);
			fake_settle();
		}
		if (caller->state == VCPU_WAITING)
			caller->state = VCPU_RUNNABLE;
		if (caller->state != VCPU_RUNNABLE)
			continue;
		calls++;
		with[0] = BH_HYPERCALL_BASE - 2 + (uint64_t)(rand() % 26);
		for (unsigned i = 1; i < 6; i++)
			with[i] = any_argument();
		gpr[BH_RBX] = gpr[BH_RCX] = gpr[BH_R15] = UNTOUCHED;
		fake_call(caller, with[0], with[1], with[2], with[3], with[4], with[5]);
		assert_true(gpr[BH_RDI] == with[1] && gpr[BH_RSI] == with[2] && gpr[BH_RDX] == with[3]);
		assert_true(gpr[BH_R10] == with[4] && gpr[BH_R8] == with[5]);
		assert_true(gpr[BH_RBX] == UNTOUCHED && gpr[BH_RCX] == UNTOUCHED && gpr[BH_R15] == UNTOUCHED);
		if (caller->state == VCPU_RUNNABLE)
			assert_true(documented((int64_t)gpr[BH_RAX]));
	}
	assert_true(calls > 100000);
	assert_int_equal(the_console->state, BH_STATE_RUNNING);
	assert_int_equal(the_console->epoch, 1);
	assert_int_equal(call2(console, BH_MACHINE_CONTROL, machine, BH_AUDIT), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_unknown_numbers),
		TEST(test_every_number_is_there),
		TEST(test_bad_handles),
		TEST(test_missing_rights),
		TEST(test_guest_as_caller),
		TEST(test_handle_table),
		TEST(test_log),
		TEST(test_report_call),
		TEST(test_event_signal),
		TEST(test_exit),
		TEST(test_exit_of_monitor),
		TEST(test_exit_of_guest),
		TEST(test_channel_calls),
		TEST(test_channel_of_monitor),
		TEST(test_irq),
		TEST(test_guest_msi),
		TEST(test_guest_doorbell),
		TEST(test_guest_apic),
		TEST(test_guest_end),
		TEST(test_control_call),
		TEST(test_stat_call),
		TEST(test_report_read),
		TEST(test_trace_call),
		TEST(test_machine_stat),
		TEST(test_machine_text),
		TEST(test_machine_control),
		TEST(test_random),
	};

	return cmocka_run_group_tests(tests, fake_system, fake_system_end);
}
