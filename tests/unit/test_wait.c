#include "fake_system.h"
#include <string.h>
#include "event.h"
#include "message.h"

/* Waiting, events, and the messages of a guest's vCPU to its monitor's. */

#define WAITS	    (-7777) /* wait(): no result yet */
#define LAST_EVENT  (1ull << (BH_EVENT_BITS - 1))
#define ALL_EVENTS  ((1ull << BH_EVENT_BITS) - 1)
#define MESSAGE	    ((int64_t)BH_EVENT_MESSAGE)
#define NOT_TOUCHED 0x5a5a5a5a5a5a5a5aull

static struct vcpu *ping, *guest, *monitor;
static struct bh_message *page;

static int set_up(void **state)
{
	fake_system_reset(state);
	ping = the_ping->vcpu[0];
	guest = the_linux->vcpu[0];
	monitor = the_monitor->vcpu[0];
	page = guest->message;
	fake_start(the_ping);
	fake_start(the_linux);
	/* CPU 0 is for ping alone. */
	fake_call(the_monitor->vcpu[2], BH_WAIT, 0, BH_FOREVER, 0, 0, 0);
	fake_settle();
	fake_forget();
	return 0;
}

static int64_t wait_for(struct vcpu *vcpu, uint64_t mask, uint64_t deadline, uint64_t flags)
{
	vcpu->arch.gpr[BH_RAX] = 0;
	fake_call(vcpu, BH_WAIT, mask, deadline, flags, 0, 0);
	if (vcpu->state == VCPU_WAITING)
		return WAITS;
	assert_int_equal(vcpu->state, VCPU_RUNNABLE);
	return (int64_t)vcpu->arch.gpr[BH_RAX];
}

static void assert_woken(struct vcpu *vcpu, int64_t result)
{
	assert_int_equal(vcpu->state, VCPU_RUNNABLE);
	assert_true((int64_t)vcpu->arch.gpr[BH_RAX] == result);
}

/* ---- events ------------------------------------------------------------------------------------ */

static void test_event_before(void **state)
{
	(void)state;
	event_signal(ping, 1 << 3);
	event_signal(ping, 1 << 3 | 1 << 9);
	assert_int_equal(wait_for(ping, 1 << 3, BH_FOREVER, 0), 1 << 3);
	/* Taken, and counted once; the other one is still there. */
	assert_int_equal(wait_for(ping, 1 << 3, 0, 0), 0);
	assert_int_equal(wait_for(ping, ALL_EVENTS, BH_FOREVER, 0), 1 << 9);
	assert_int_equal(wait_for(ping, ALL_EVENTS, 0, 0), 0);
}

static void test_event_after(void **state)
{
	(void)state;
	assert_int_equal(wait_for(ping, LAST_EVENT | 1, BH_FOREVER, 0), WAITS);
	assert_null(fake_run(0));
	fake_on(3);
	event_signal(ping, 2); /* not waited for */
	assert_null(fake_run(0));
	fake_on(3);
	event_signal(ping, LAST_EVENT);
	assert_int_equal(fake_kicks[0], 2);
	assert_ptr_equal(fake_run(0), ping);
	assert_woken(ping, (int64_t)LAST_EVENT);
	assert_int_equal(wait_for(ping, ALL_EVENTS, 0, 0), 2);
}

/* Several come before the vCPU's CPU looks: all are in one result. */
static void test_events_together(void **state)
{
	(void)state;
	assert_int_equal(wait_for(ping, 0xff, BH_FOREVER, 0), WAITS);
	fake_on(3);
	event_signal(ping, 1);
	event_signal(ping, 4);
	event_signal(ping, 0x100);
	event_signal(ping, 1);
	assert_int_equal(fake_kicks[0], 1);
	assert_ptr_equal(fake_run(0), ping);
	assert_woken(ping, 5);
	assert_int_equal(wait_for(ping, ALL_EVENTS, 0, 0), 0x100);
}

/* A bit that was set before a wait for others wakes at the wait for it. */
static void test_event_stays(void **state)
{
	(void)state;
	event_signal(ping, 2);
	assert_int_equal(wait_for(ping, 1, BH_FOREVER, 0), WAITS);
	event_signal(ping, 2);
	assert_null(fake_run(0));
	event_signal(ping, 1);
	fake_run(0);
	assert_woken(ping, 1);
	assert_int_equal(wait_for(ping, 3, BH_FOREVER, 0), 2);
}

/* Who does not wait is not kicked. */
static void test_no_kick_of_the_busy(void **state)
{
	(void)state;
	fake_on(3);
	event_signal(ping, 1);
	assert_int_equal(fake_kicks[0], 0);
	assert_false(fake_cpu[0].sched.look);
}

static void test_signal_own_vcpus(void **state)
{
	struct vcpu *second = the_ping->vcpu[1];

	(void)state;
	assert_int_equal(wait_for(second, 0x10, BH_FOREVER, 0), WAITS);
	assert_int_equal(fake_call(ping, BH_EVENT_SIGNAL, 1, 0x30, 0, 0, 0), 0);
	assert_int_equal(fake_kicks[3], 1);
	assert_ptr_equal(fake_run(3), second);
	assert_woken(second, 0x10);
	assert_int_equal(fake_call(ping, BH_EVENT_SIGNAL, 0, 1, 0, 0, 0), 0); /* itself */
	assert_int_equal(wait_for(ping, 1, BH_FOREVER, 0), 1);
}

/* ---- signals that go with a wait ----------------------------------------------------------------- */

static int64_t signal_and_wait(struct vcpu *vcpu, uint64_t mask)
{
	uint64_t channel = fake_handle(the_ping, BH_HANDLE_CHANNEL, "talk");

	vcpu->arch.gpr[BH_RAX] = 0;
	fake_call(vcpu, BH_WAIT, mask, BH_FOREVER, BH_WAIT_SIGNAL, channel, 0);
	return vcpu->state == VCPU_WAITING ? WAITS : (int64_t)vcpu->arch.gpr[BH_RAX];
}

static struct vcpu *listening_pong(void)
{
	uint64_t channel = fake_handle(the_pong, BH_HANDLE_CHANNEL, "talk");
	struct vcpu *pong = the_pong->vcpu[0];

	fake_start(the_pong);
	assert_int_equal(fake_call(pong, BH_CHANNEL_BIND, channel, 0, 9, 0, 0), 0);
	wait_for(the_ping->vcpu[1], ALL_EVENTS, 0, 0);
	fake_settle();
	fake_forget();
	return pong;
}

static void test_signal_on_the_same_cpu(void **state)
{
	struct vcpu *pong = listening_pong(), *second = the_ping->vcpu[1];

	(void)state;
	event_signal(pong, 4);
	assert_int_equal(wait_for(pong, 1 << 9 | 2, BH_FOREVER, 0), WAITS);
	event_signal(pong, 4);
	assert_int_equal(signal_and_wait(second, 1), WAITS);
	assert_woken(pong, 1 << 9);
	assert_ptr_equal(fake_run(3), pong);
	assert_int_equal(fake_kicks[3], 0);
	/* What it did not wait for is there still; and who does not wait finds the signal later. */
	assert_int_equal(wait_for(pong, ALL_EVENTS, 0, 0), 4);
	event_signal(second, 1);
	assert_int_equal(signal_and_wait(second, 1), 1);
	assert_int_equal(wait_for(pong, ALL_EVENTS, 0, 0), 1 << 9);
}

/* Together with what was set before, if the wait is for both. */
static void test_signal_and_earlier_event(void **state)
{
	struct vcpu *pong = listening_pong();

	(void)state;
	assert_int_equal(wait_for(pong, 1 << 9 | 2, BH_FOREVER, 0), WAITS);
	atomic_fetch_or(&pong->events, 2);
	assert_int_equal(signal_and_wait(the_ping->vcpu[1], 1), WAITS);
	assert_woken(pong, 1 << 9 | 2);
}

static void test_signal_on_another_cpu(void **state)
{
	struct vcpu *pong = listening_pong();

	(void)state;
	assert_int_equal(wait_for(pong, 1 << 9, BH_FOREVER, 0), WAITS);
	assert_int_equal(signal_and_wait(ping, 1), WAITS);
	assert_int_equal(fake_kicks[3], 1);
	assert_ptr_equal(fake_run(3), pong);
	assert_woken(pong, 1 << 9);
}

/* A signal for an event that is not waited for wakes nobody. */
static void test_signal_for_later(void **state)
{
	struct vcpu *pong = listening_pong();

	(void)state;
	assert_int_equal(wait_for(pong, 1, BH_FOREVER, 0), WAITS);
	assert_int_equal(signal_and_wait(the_ping->vcpu[1], 1), WAITS);
	assert_null(fake_run(3));
	event_signal(pong, 1);
	fake_run(3);
	assert_woken(pong, 1);
	assert_int_equal(wait_for(pong, 1 << 9, 0, 0), 1 << 9);
}

/* ---- deadlines ----------------------------------------------------------------------------------- */

static void test_deadline_gone(void **state)
{
	(void)state;
	assert_int_equal(wait_for(ping, 1, 0, 0), 0);
	assert_int_equal(wait_for(ping, 1, 1, 0), 0);
	assert_int_equal(wait_for(ping, 1, fake_now, 0), 0);
	assert_true(ping->timer.deadline == TIMER_NEVER);
	/* An event that is there counts for more than a deadline that has passed. */
	event_signal(ping, 1);
	assert_int_equal(wait_for(ping, 1, 1, 0), 1);
}

static void test_deadline_comes(void **state)
{
	(void)state;
	assert_int_equal(wait_for(ping, 1, fake_now + 100, 0), WAITS);
	fake_now += 99;
	assert_null(fake_run(0));
	fake_now++;
	assert_ptr_equal(fake_run(0), ping);
	assert_woken(ping, 0);
	/* An event that comes behind it is for the next wait. */
	event_signal(ping, 1);
	assert_int_equal(wait_for(ping, 1, BH_FOREVER, 0), 1);
}

static void test_event_before_deadline(void **state)
{
	(void)state;
	assert_int_equal(wait_for(ping, 1, fake_now + 100, 0), WAITS);
	event_signal(ping, 1);
	fake_run(0);
	assert_woken(ping, 1);
	/* The old deadline does not end the next wait. */
	assert_int_equal(wait_for(ping, 1, BH_FOREVER, 0), WAITS);
	fake_now += 1000;
	assert_null(fake_run(0));
	assert_int_equal(ping->state, VCPU_WAITING);
}

/* The timer of an earlier wait stays set: for a later deadline it is set anew when it comes. */
static void test_timer_is_left(void **state)
{
	uint64_t first = fake_now + 100;

	(void)state;
	assert_int_equal(wait_for(ping, 1, first, 0), WAITS);
	event_signal(ping, 1);
	fake_run(0);
	assert_int_equal(wait_for(ping, 1, first + 50, 0), WAITS);
	assert_true(ping->timer.deadline == first);
	fake_now = first;
	assert_null(fake_run(0));
	assert_true(ping->timer.deadline == first + 50);
	fake_now = first + 50;
	assert_ptr_equal(fake_run(0), ping);
	assert_woken(ping, 0);
	/* An earlier deadline is earlier at once. */
	assert_int_equal(wait_for(ping, 1, fake_now + 100, 0), WAITS);
	event_signal(ping, 1);
	fake_run(0);
	assert_int_equal(wait_for(ping, 1, fake_now + 10, 0), WAITS);
	fake_now += 10;
	assert_ptr_equal(fake_run(0), ping);
}

/* Both at once: one result, and the event is not lost, whichever it is. */
static void test_event_at_deadline(void **state)
{
	int64_t first, second;

	(void)state;
	assert_int_equal(wait_for(ping, 1, fake_now + 100, 0), WAITS);
	fake_now += 100;
	event_signal(ping, 1);
	assert_ptr_equal(fake_run(0), ping);
	first = (int64_t)ping->arch.gpr[BH_RAX];
	second = wait_for(ping, 1, 0, 0);
	assert_int_equal(first + second, 1);
}

static void test_deadline_far_away(void **state)
{
	(void)state;
	assert_int_equal(wait_for(ping, 1, BH_FOREVER - 1, 0), WAITS);
	fake_now = 1ull << 63;
	assert_null(fake_run(0));
	event_signal(ping, 1);
	fake_run(0);
	assert_woken(ping, 1);
	fake_now = 1000000;
}

static void test_wait_for_nothing(void **state)
{
	(void)state;
	assert_int_equal(wait_for(ping, 0, fake_now + 10, 0), WAITS);
	event_signal(ping, ALL_EVENTS);
	assert_null(fake_run(0));
	fake_now += 10;
	fake_run(0);
	assert_woken(ping, 0);
}

static void test_wrong_arguments(void **state)
{
	(void)state;
	event_signal(ping, 1);
	assert_int_equal(wait_for(ping, 1ull << BH_EVENT_BITS, 0, 0), -BH_EINVAL);
	assert_int_equal(wait_for(ping, UINT64_MAX, 0, 0), -BH_EINVAL);
	assert_int_equal(wait_for(ping, BH_EVENT_MESSAGE, 0, 0), -BH_EINVAL);
	assert_int_equal(wait_for(ping, 1, 0, BH_WAIT_REPLY | BH_WAIT_SIGNAL), -BH_EINVAL);
	assert_int_equal(wait_for(ping, 1, 0, 4), -BH_EINVAL);
	assert_int_equal(fake_call(ping, BH_WAIT, 1, 0, BH_WAIT_SIGNAL, 0x1234, 0), -BH_EBADF);
	assert_int_equal(wait_for(ping, 1, 0, 1ull << 32), -BH_EINVAL);
	assert_int_equal(wait_for(ping, 1, 0, BH_WAIT_REPLY), -BH_ESTATE);	/* has no guest */
	assert_int_equal(fake_call(guest, BH_WAIT, 1, 0, 0, 0, 0), -BH_ESTATE); /* is one */
	/* None of them took the event. */
	assert_int_equal(wait_for(ping, 1, 0, 0), 1);
}

/* ---- messages ------------------------------------------------------------------------------------ */

/* The monitor has answered the start; its guest runs, and it waits. */
static void start_guest(void)
{
	page->state_out = BH_STATE_ALL;
	page->state.rip = 0x1234;
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), WAITS);
	assert_int_equal(guest->state, VCPU_RUNNABLE);
	assert_ptr_equal(fake_run(1), guest);
}

static void test_start(void **state)
{
	(void)state;
	assert_int_equal(guest->state, VCPU_MESSAGE);
	/* It is not told of a message: nobody has sent one. */
	assert_int_equal(wait_for(monitor, 1, 0, 0), 0);
	start_guest();
	assert_int_equal(fake_set_states, 1);
	assert_ptr_equal(fake_virt_vcpu, guest);
	assert_int_equal(fake_groups, BH_STATE_ALL);
	assert_int_equal(fake_state.rip, 0x1234);
	/* Nothing to answer any more; the other pair's guest waits for its SIPI. */
	event_signal(monitor, 1);
	fake_run(1);
	assert_int_equal(wait_for(monitor, 1, 0, BH_WAIT_REPLY), -BH_ESTATE);
	assert_int_equal(wait_for(the_monitor->vcpu[1], 1, 0, BH_WAIT_REPLY), -BH_ESTATE);
	the_monitor->vcpu[2]->state = VCPU_RUNNABLE;
	assert_int_equal(wait_for(the_monitor->vcpu[2], 1, 0, BH_WAIT_REPLY), -BH_ESTATE);
	assert_int_equal(fake_set_states, 1);
}

static void test_pio(void **state)
{
	static const struct {
		unsigned size;
		uint64_t asked, before, answer, after;
	} cases[] = {
		{ 1, 0x88, 0x1122334455667788, 0xffffffffffffff99, 0x1122334455667799 },
		{ 2, 0x7788, 0x1122334455667788, 0xffffffffffff99aa, 0x11223344556699aa },
		{ 4, 0x55667788, 0x1122334455667788, 0xffffffff99aabbcc, 0x99aabbcc },
	};

	(void)state;
	start_guest();
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned write = 0; write < 2; write++) {
			memset(page, 0xff, sizeof(*page));
			guest->arch.gpr[BH_RAX] = cases[i].before;
			fake_on(1);
			message_pio(guest, 0x3f8 + i, cases[i].size, write);
			assert_int_equal(guest->state, VCPU_MESSAGE);
			assert_woken(monitor, MESSAGE);
			assert_ptr_equal(fake_run(1), monitor);
			assert_int_equal(page->reason, BH_MSG_PIO);
			assert_int_equal(page->port, 0x3f8 + i);
			assert_int_equal(page->size, cases[i].size);
			assert_int_equal(page->write, write);
			assert_true((page->value & ((1ull << cases[i].size * 8) - 1)) == cases[i].asked);
			assert_int_equal(page->reply, 0);
			assert_int_equal(page->state_in, 0);
			assert_int_equal(page->state_out, 0);

			page->value = cases[i].answer;
			assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), WAITS);
			assert_true(guest->arch.gpr[BH_RAX] == (write ? cases[i].before : cases[i].after));
			assert_ptr_equal(fake_run(1), guest);
		}
	}
	assert_int_equal(fake_skips, 0); /* RIP had been moved on */
}

/* What the kernel asked is what counts, not what the page says when the answer comes. */
static void test_page_is_not_believed(void **state)
{
	(void)state;
	start_guest();
	fake_on(1);
	guest->arch.gpr[BH_RAX] = 0x1111111111111111;
	message_pio(guest, 0x60, 1, 0);
	memset(page, 0xff, sizeof(*page));
	page->reason = BH_MSG_MMIO;
	page->size = 4;
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), WAITS);
	assert_true(guest->arch.gpr[BH_RAX] == 0x11111111111111ff);
	assert_int_equal(fake_set_states, 1); /* the start's */
	assert_int_equal(fake_gps, 0);
}

static void test_mmio(void **state)
{
	(void)state;
	start_guest();
	fake_on(1);
	fake_state = (struct bh_vcpu_state){ .rip = 0xabc };
	guest->arch.tsc_offset = 0x77;
	message_send(guest, BH_MSG_MMIO, 0xfec00000, 0, 1, BH_STATE_ALL);
	assert_int_equal(fake_groups, BH_STATE_ALL);
	assert_int_equal(page->reason, BH_MSG_MMIO);
	assert_true(page->address == 0xfec00000);
	assert_int_equal(page->write, 1);
	assert_int_equal(page->state_in, BH_STATE_ALL);
	assert_int_equal(page->state.rip, 0xabc);
	assert_int_equal(page->tsc_offset, 0x77);

	/* Groups that there are not are cut off; none at all sets nothing. */
	page->state_out = ~0u;
	page->state.rip = 0xdef;
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), WAITS);
	assert_int_equal(fake_groups, BH_STATE_ALL);
	assert_int_equal(fake_state.rip, 0xdef);
	assert_int_equal(fake_set_states, 2);

	message_send(guest, BH_MSG_PIO_STRING, 0, 0, 0, BH_STATE_ALL);
	page->state_out = ~BH_STATE_ALL;
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), WAITS);
	assert_int_equal(fake_set_states, 2);

	message_send(guest, BH_MSG_MMIO, 0, 0, 0, BH_STATE_ALL);
	page->state_out = BH_STATE_RIP;
	page->reply = BH_REPLY_GP;
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), WAITS);
	assert_int_equal(fake_gps, 1);
	assert_int_equal(fake_set_states, 2);
	assert_int_equal(guest->state, VCPU_RUNNABLE);
}

static void test_msr(void **state)
{
	(void)state;
	start_guest();
	fake_on(1);
	guest->arch.gpr[BH_RAX] = guest->arch.gpr[BH_RDX] = NOT_TOUCHED;
	message_send(guest, BH_MSG_MSR_READ, BH_MSR_KVM_FIRST, 0, 0, 0);
	assert_int_equal(fake_get_states, 0);
	page->value = 0x1122334455667788;
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), WAITS);
	assert_true(guest->arch.gpr[BH_RAX] == 0x55667788);
	assert_true(guest->arch.gpr[BH_RDX] == 0x11223344);
	assert_int_equal(fake_skips, 1);

	message_send(guest, BH_MSG_MSR_WRITE, BH_MSR_KVM_FIRST, 5, 1, 0);
	assert_int_equal(page->value, 5);
	page->value = 6;
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), WAITS);
	assert_true(guest->arch.gpr[BH_RAX] == 0x55667788);
	assert_int_equal(fake_skips, 2);

	message_send(guest, BH_MSG_MSR_READ, BH_MSR_KVM_FIRST, 0, 0, 0);
	page->reply = BH_REPLY_GP;
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), WAITS);
	assert_true(guest->arch.gpr[BH_RAX] == 0x55667788);
	assert_int_equal(fake_skips, 2);
	assert_int_equal(fake_gps, 1);
}

static void test_eoi(void **state)
{
	(void)state;
	start_guest();
	fake_on(1);
	guest->arch.gpr[BH_RAX] = NOT_TOUCHED;
	message_send(guest, BH_MSG_EOI, 0, 0x31, 0, 0);
	assert_int_equal(page->value, 0x31);
	page->value = ~0ull;
	page->state_out = BH_STATE_ALL;
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), WAITS);
	assert_true(guest->arch.gpr[BH_RAX] == NOT_TOUCHED);
	assert_int_equal(fake_set_states, 1);
	assert_int_equal(fake_skips, 0);
	assert_int_equal(guest->state, VCPU_RUNNABLE);
}

/* The monitor is busy when its guest sends: it finds the message at its next wait, once, with events beside it. */
static void test_busy_monitor(void **state)
{
	(void)state;
	start_guest();
	event_signal(monitor, 1);
	fake_run(1);
	assert_woken(monitor, 1);
	fake_on(1);
	message_pio(guest, 0x3f8, 1, 1);
	/* Not told of it yet: it cannot answer. */
	assert_int_equal(wait_for(monitor, 0, 0, BH_WAIT_REPLY), -BH_ESTATE);
	event_signal(monitor, 1);
	assert_true(wait_for(monitor, 1, BH_FOREVER, 0) == (MESSAGE | 1));
	assert_int_equal(wait_for(monitor, 1, 0, 0), 0);
	assert_int_equal(guest->state, VCPU_MESSAGE);
	assert_int_equal(wait_for(monitor, 1, 0, BH_WAIT_REPLY), 0);
	assert_int_equal(guest->state, VCPU_RUNNABLE);
	assert_int_equal(wait_for(monitor, 1, 0, BH_WAIT_REPLY), -BH_ESTATE);
}

/* Answered, and something is there already: the monitor goes on at once, its guest after it. */
static void test_reply_with_event(void **state)
{
	(void)state;
	start_guest();
	fake_on(1);
	message_pio(guest, 0x3f8, 1, 0);
	event_signal(monitor, 1);
	page->value = 0x42;
	guest->arch.gpr[BH_RAX] = 0;
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), 1);
	assert_int_equal(guest->state, VCPU_RUNNABLE);
	assert_int_equal(guest->arch.gpr[BH_RAX], 0x42);
	assert_ptr_equal(fake_run(1), monitor);
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, 0), WAITS);
	assert_ptr_equal(fake_run(1), guest);
}

/* Wrong arguments beside the reply: nothing is answered. */
static void test_no_half_reply(void **state)
{
	(void)state;
	start_guest();
	fake_on(1);
	message_pio(guest, 0x3f8, 1, 0);
	assert_int_equal(wait_for(monitor, 1ull << 60, 0, BH_WAIT_REPLY), -BH_EINVAL);
	assert_int_equal(wait_for(monitor, 1, 0, BH_WAIT_REPLY | 4), -BH_EINVAL);
	assert_int_equal(guest->state, VCPU_MESSAGE);
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), WAITS);
	assert_int_equal(guest->state, VCPU_RUNNABLE);
}

/* A wait that has a deadline is ended by the message; the deadline is gone. */
static void test_message_before_deadline(void **state)
{
	(void)state;
	start_guest();
	event_signal(monitor, 1);
	fake_run(1);
	assert_int_equal(wait_for(monitor, 1, fake_now + 50, 0), WAITS);
	fake_on(1);
	message_pio(guest, 0x3f8, 1, 1);
	assert_woken(monitor, MESSAGE);
}

/* INIT during a message: the answer belongs to the state before, and comes first. */
static void test_init_during_message(void **state)
{
	(void)state;
	start_guest();
	fake_on(1);
	message_pio(guest, 0x3f8, 1, 0);
	fake_on(2);
	fake_resets = 0;
	vcpu_request(guest, VCPU_REQUEST_INIT);
	assert_ptr_equal(fake_run(1), monitor);
	assert_int_equal(guest->state, VCPU_MESSAGE);
	assert_int_equal(fake_resets, 0);
	assert_int_equal(wait_for(monitor, 1, BH_FOREVER, BH_WAIT_REPLY), WAITS);
	assert_null(fake_run(1));
	assert_int_equal(fake_resets, 1);
	assert_int_equal(guest->state, VCPU_WAIT_SIPI);
	guest->sipi_vector = 0x10;
	vcpu_request(guest, VCPU_REQUEST_SIPI);
	assert_ptr_equal(fake_run(1), guest);
	assert_int_equal(fake_startup_vector, 0x10);
	/* A second SIPI is nothing to one that runs. */
	vcpu_request(guest, VCPU_REQUEST_SIPI);
	fake_run(1);
	assert_int_equal(fake_startups, 1);
}

/* HLT ends with an interrupt, the timer's too; without one it stays halted. */
static void test_halt(void **state)
{
	(void)state;
	start_guest();
	guest->state = VCPU_HALTED;
	vcpu_wake(guest);
	assert_null(fake_run(1));
	atomic_store(&guest->arch.apic.attention, APIC_ATTENTION_SCAN);
	vcpu_wake(guest);
	assert_ptr_equal(fake_run(1), guest);

	guest->state = VCPU_HALTED;
	atomic_store(&guest->arch.apic.attention, 0);
	vcpu_set_timer(guest, fake_now + 10);
	assert_null(fake_run(1));
	fake_now += 10;
	assert_ptr_equal(fake_run(1), guest);

	guest->state = VCPU_DEAF;
	vcpu_wake(guest);
	assert_null(fake_run(1));
	assert_int_equal(guest->state, VCPU_DEAF);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_event_before),
		TEST(test_event_after),
		TEST(test_events_together),
		TEST(test_event_stays),
		TEST(test_no_kick_of_the_busy),
		TEST(test_signal_own_vcpus),
		TEST(test_signal_on_the_same_cpu),
		TEST(test_signal_and_earlier_event),
		TEST(test_signal_on_another_cpu),
		TEST(test_signal_for_later),
		TEST(test_deadline_gone),
		TEST(test_deadline_comes),
		TEST(test_event_before_deadline),
		TEST(test_timer_is_left),
		TEST(test_event_at_deadline),
		TEST(test_deadline_far_away),
		TEST(test_wait_for_nothing),
		TEST(test_wrong_arguments),
		TEST(test_start),
		TEST(test_pio),
		TEST(test_page_is_not_believed),
		TEST(test_mmio),
		TEST(test_msr),
		TEST(test_eoi),
		TEST(test_busy_monitor),
		TEST(test_reply_with_event),
		TEST(test_no_half_reply),
		TEST(test_message_before_deadline),
		TEST(test_init_during_message),
		TEST(test_halt),
	};

	return cmocka_run_group_tests(tests, fake_system, fake_system_end);
}
