#include "fake_system.h"
#include <asm/prctl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "audit.h"
#include "event.h"
#include "frame.h"
#include "hypercall.h"
#include "irq.h"
#include "message.h"

/*
 * A thread for each CPU. Each runs its scheduler, and in place of what that would enter, a program that makes random
 * hypercalls, ends itself and others, and notes its life in its memory: nobody may find there what an earlier life has
 * left, nor lose what it wrote itself. A CPU that idles sleeps until it is kicked or its timer fires, so that a
 * wake-up that is lost is a machine that stands still.
 */
#define SECONDS	    2
#define SECRET	    (FAKE_FRAME + 0x100000ull) /* in a partition's memory: a page for each of its vCPUs */
#define NANOSECONDS 1000000000ull
#define ALL_EVENTS  ((1ull << BH_EVENT_BITS) - 1)
#define PATIENCE    (20 * NANOSECONDS)

int sched_yield(void); /* <sched.h> is the kernel's here */

struct signal {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool kicked;
};

static struct cpu outside = { .self = &outside, .index = FAKE_CPUS };
static struct signal signals[FAKE_CPUS];
static _Atomic bool calm; /* programs only wait from now on */
static _Atomic bool over; /* CPUs go home */
static _Atomic unsigned runs, ends;
static __thread jmp_buf home;
static __thread unsigned seed, this_cpu;
static uint64_t life[PARTITION_MAX][PARTITION_VCPUS]; /* in which each vCPU last noted itself; its CPU's alone */

/* ---- the machine ----------------------------------------------------------------------------------- */

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * NANOSECONDS + (uint64_t)time.tv_nsec;
}

static void kick(unsigned index)
{
	struct signal *s = &signals[index];

	pthread_mutex_lock(&s->mutex);
	s->kicked = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->mutex);
}

/* The interrupt, if there is one. */
static bool take_kick(void)
{
	struct signal *s = &signals[this_cpu];
	bool kicked;

	pthread_mutex_lock(&s->mutex);
	kicked = s->kicked;
	s->kicked = false;
	pthread_mutex_unlock(&s->mutex);
	if (kicked)
		irq_kick();
	return kicked;
}

static struct timespec wake_up_time(void)
{
	uint64_t latest = now() + PATIENCE, at = fake_timer_deadline[this_cpu];

	at = at < latest ? at : latest;
	return (struct timespec){ .tv_sec = (time_t)(at / NANOSECONDS), .tv_nsec = (long)(at % NANOSECONDS) };
}

static void idle_until_interrupt(void)
{
	struct signal *s = &signals[this_cpu];
	struct timespec time = wake_up_time();
	int error = 0;

	pthread_mutex_lock(&s->mutex);
	while (!s->kicked && !error)
		error = pthread_cond_timedwait(&s->changed, &s->mutex, &time);
	pthread_mutex_unlock(&s->mutex);
	if (atomic_load(&over))
		longjmp(home, 1);
	take_kick();
	irq_timer();
}

/* ---- the programs -------------------------------------------------------------------------------------- */

static unsigned any(unsigned below) { return (unsigned)rand_r(&seed) % below; }

/* What stands in its memory is 0 when its life begins, and what it wrote from then on. */
static void check_memory(const struct vcpu *vcpu)
{
	const struct partition *partition = vcpu->partition;
	uint64_t *noted = &life[partition->id][vcpu->index];
	volatile uint64_t *secret =
		(volatile uint64_t *)fake_memory(partition->extent[0].physical + SECRET + vcpu->index * 0x1000);

	if (*secret != (*noted == vcpu->epoch ? vcpu->epoch : 0)) {
		fprintf(stderr, "%s vCPU %u, life %u: found %lu, noted %lu\n", partition->name, vcpu->index,
			vcpu->epoch, (unsigned long)*secret, (unsigned long)*noted);
		abort();
	}
	*secret = *noted = vcpu->epoch;
}

static void call(struct vcpu *vcpu, uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t *gpr = vcpu->arch.gpr;
	int64_t result;

	gpr[BH_RAX] = number;
	gpr[BH_RDI] = a;
	gpr[BH_RSI] = b;
	gpr[BH_RDX] = c;
	gpr[BH_R10] = gpr[BH_R8] = 0;
	result = hypercall(vcpu);
	if (vcpu->state != VCPU_WAITING)
		gpr[BH_RAX] = (uint64_t)result;
}

static void wait_some(struct vcpu *vcpu)
{
	uint64_t flags = vcpu->peer && vcpu->peer->state == VCPU_MESSAGE ? BH_WAIT_REPLY : 0;

	call(vcpu, BH_WAIT, ALL_EVENTS, any(16) ? now() + any(50000) : BH_FOREVER, flags);
}

static void end_itself(struct vcpu *vcpu)
{
	if (vcpu->partition == the_console || any(20))
		return;
	atomic_fetch_add(&ends, 1);
	if (vcpu->partition->ward && any(2))
		call(vcpu, BH_GUEST_END, fake_handle(the_monitor, BH_HANDLE_PARTITION, "linux"), 1 + any(3), 0);
	else
		call(vcpu, BH_EXIT, any(2), 0, 0);
}

static void control(struct vcpu *vcpu)
{
	static const char *const names[] = { "linux", "ping", "pong" };

	if (vcpu->partition == the_console)
		call(vcpu, BH_PARTITION_CONTROL, fake_handle(the_console, BH_HANDLE_PARTITION, names[any(3)]),
		     any(3) ? BH_START + any(5) : BH_START, 0);
	else if (vcpu->partition == the_pong)
		call(vcpu, BH_PARTITION_CONTROL, fake_handle(the_pong, BH_HANDLE_PARTITION, "ping"), 1 + any(5), 0);
}

static void talk(struct vcpu *vcpu)
{
	const struct partition *partition = vcpu->partition;
	const char *peer = partition == the_console ? "pong" : "console";
	uint64_t handle = fake_handle(partition, BH_HANDLE_CHANNEL, peer);

	call(vcpu, BH_CHANNEL_BIND, handle, any(partition->vcpus), any(BH_EVENT_BITS));
	call(vcpu, BH_CHANNEL_SIGNAL, handle, 0, 0);
}

static void run_native(struct vcpu *vcpu)
{
	switch (any(12)) {
	case 0: call(vcpu, BH_EVENT_SIGNAL, any(vcpu->partition->vcpus), 1ull << any(BH_EVENT_BITS), 0); break;
	case 1:
	case 2: talk(vcpu); break;
	case 3:
		if (!any(4))
			control(vcpu);
		break;
	case 5: end_itself(vcpu); break;
	case 6: break; /* computes */
	default: wait_some(vcpu);
	}
}

static void run_guest(struct vcpu *vcpu)
{
	struct vcpu *other = vcpu->partition->vcpu[any(2)];

	switch (any(6)) {
	case 0:
		atomic_store(&other->sipi_vector, 1);
		vcpu_request(other, VCPU_REQUEST_SIPI | (any(2) ? VCPU_REQUEST_INIT : 0));
		break;
	case 1:
		vcpu_set_timer(vcpu, now() + any(300000));
		vcpu->state = VCPU_HALTED;
		break;
	default: message_pio(vcpu, 0x3f8, 1, any(2));
	}
}

/* ---- a CPU ------------------------------------------------------------------------------------------------ */

/* From an entry until something must go through the scheduler. */
static void run(struct cpu *cpu, struct vcpu *vcpu)
{
	while (!take_kick() && now() < sched_deadline(&cpu->sched) && !atomic_load(&over)) {
		check_memory(vcpu);
		atomic_fetch_add_explicit(&runs, 1, memory_order_relaxed);
		if (atomic_load(&calm))
			call(vcpu, vcpu->is_guest ? BH_NULL : BH_WAIT, 0, BH_FOREVER, 0);
		else if (vcpu->is_guest)
			run_guest(vcpu);
		else
			run_native(vcpu);
		if (atomic_load(&cpu->sched.look) || vcpu->state != VCPU_RUNNABLE)
			return;
		sched_yield();
	}
}

static void *cpu_thread(void *argument)
{
	struct cpu *cpu = argument;

	this_cpu = cpu->index;
	seed = this_cpu + 1;
	fake_on(this_cpu);
	if (setjmp(home))
		return NULL;
	while (!atomic_load(&over)) {
		struct vcpu *vcpu = sched_next(cpu);

		if (vcpu->cpu != this_cpu)
			abort();
		run(cpu, vcpu);
	}
	return NULL;
}

/* ---- tests -------------------------------------------------------------------------------------------------- */

static void prepare(void)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	fake_clock = now;
	fake_kicked = kick;
	fake_idle = idle_until_interrupt;
	sched_slice = 200000;
	for (unsigned i = 0; i < FAKE_CPUS; i++) {
		pthread_mutex_init(&signals[i].mutex, NULL);
		pthread_cond_init(&signals[i].changed, &attributes);
		fake_cpu[i].sched.charged = now();
	}
	/* Frames appear when looked at, which is not for several threads. */
	for (unsigned i = 0; i < partition_count; i++) {
		for (unsigned e = 0; e < partitions[i]->extents; e++)
			fake_memory_fill(partitions[i]->extent[e].physical, partitions[i]->extent[e].bytes, 0xee);
	}
}

static void sleep_for(uint64_t nanoseconds)
{
	struct timespec time = { .tv_nsec = (long)nanoseconds };

	nanosleep(&time, NULL);
}

/* The state that `partition` comes to rest in, within reason. */
static uint32_t settled(const struct partition *partition)
{
	uint64_t end = now() + PATIENCE / 2;

	while ((partition->state == BH_STATE_DYING || partition->state == BH_STATE_BUILDING) && now() < end)
		sleep_for(1000000);
	return partition->state;
}

static void assert_wiped(const struct partition *partition)
{
	for (unsigned i = 0; i < partition->extents; i++)
		assert_true(fake_memory_is(partition->extent[i].physical, partition->extent[i].bytes, 0));
}

static void test_race(void **state)
{
	struct partition *const all[] = { the_linux, the_ping, the_pong, the_console };
	pthread_t thread[FAKE_CPUS];
	uint64_t end;

	(void)state;
	prepare();
	/* The test's own thread is a fifth CPU, which nobody kicks. */
	syscall(SYS_arch_prctl, ARCH_SET_GS, &outside);
	partition_autostart();
	for (unsigned i = 0; i < FAKE_CPUS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, cpu_thread, &fake_cpu[i]), 0);
	seed = 99;
	for (end = now() + SECONDS * NANOSECONDS; now() < end; sleep_for(500000))
		partition_control(all[any(3)], any(2) ? BH_START + any(5) : any(2) ? BH_START : BH_RESUME);
	atomic_store(&calm, true);

	for (unsigned i = 0; i < 4; i++) {
		assert_in_range(settled(all[i]), BH_STATE_STOPPED, BH_STATE_PAUSED);
		assert_int_not_equal(all[i]->state, BH_STATE_BUILDING);
	}
	for (unsigned i = 0; i < 4; i++) {
		if (all[i]->state != BH_STATE_STOPPED)
			assert_int_equal(partition_control(all[i], BH_STOP), 0);
		assert_int_equal(settled(all[i]), BH_STATE_STOPPED);
		assert_int_equal(all[i]->letting_go, 0);
		assert_wiped(all[i]);
	}
	assert_wiped(the_monitor);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(partition_control(all[i], BH_START), 0);
		assert_int_equal(settled(all[i]), BH_STATE_RUNNING);
	}

	atomic_store(&over, true);
	for (unsigned i = 0; i < FAKE_CPUS; i++)
		kick(i);
	for (unsigned i = 0; i < FAKE_CPUS; i++)
		pthread_join(thread[i], NULL);
	fake_on(0);
	assert_int_equal(audit_run(), 0);
	print_message("%u runs, %u ends, lives: %u %u %u\n", runs, ends, the_linux->epoch, the_ping->epoch,
		      the_pong->epoch);
	assert_true(the_linux->epoch > 3 && the_ping->epoch > 3 && the_pong->epoch > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup(test_race, fake_system_reset) };

	return cmocka_run_group_tests(tests, fake_system, fake_system_end);
}
