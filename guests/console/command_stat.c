#include "commands.h"
#include "machine.h"
#include "screen.h"
#include "words.h"

static const char *const exit_names[] = BH_EXIT_NAMES;

struct times {
	uint64_t ran, kernel, monitor;
};

static uint64_t value(const struct peer *peer, enum bh_stat field, uint64_t index)
{
	int64_t number = peer_stat(peer, field, index);

	return number < 0 ? 0 : (uint64_t)number;
}

static struct times times_of(const struct peer *peer, uint64_t vcpu)
{
	return (struct times){ value(peer, BH_STAT_VCPU_RAN, vcpu), value(peer, BH_STAT_VCPU_KERNEL, vcpu),
			       value(peer, BH_STAT_VCPU_MONITOR, vcpu) };
}

static uint64_t exits_of(const struct peer *peer, uint64_t vcpu, unsigned reason)
{
	return value(peer, BH_STAT_VCPU_EXITS, vcpu | (uint64_t)reason << 16);
}

/* ---- for people ---- */

static void show_exits(const struct peer *peer, uint64_t vcpu)
{
	uint64_t all = 0;
	bool any = false;

	for (unsigned reason = 0; reason < BH_EXIT_REASONS; reason++)
		all += exits_of(peer, vcpu, reason);
	screen_printf("  exits %llu", (unsigned long long)all);
	for (unsigned reason = 0; reason < BH_EXIT_REASONS; reason++) {
		uint64_t count = exits_of(peer, vcpu, reason);

		if (!count)
			continue;
		screen_printf("%s%s %llu", any ? ", " : ": ", exit_names[reason], (unsigned long long)count);
		any = true;
	}
	screen_printf("\n");
}

static void show_vcpu(const struct peer *peer, uint64_t vcpu)
{
	struct times times = times_of(peer, vcpu);
	uint64_t hz = bh_info()->tsc_hz, outside = times.kernel + times.monitor;
	char ran[WORDS_BYTES], kernel[WORDS_BYTES], monitor[WORDS_BYTES], share[WORDS_BYTES];

	screen_printf("vCPU %u on CPU %u (%s): ran %s, kernel %s, monitor %s, outside %s\n", (unsigned)vcpu,
		      (unsigned)value(peer, BH_STAT_VCPU_CPU, vcpu),
		      value(peer, BH_STAT_VCPU_DEDICATED, vcpu) ? "dedicated" : "shared",
		      words_ticks(ran, times.ran, hz), words_ticks(kernel, times.kernel, hz),
		      words_ticks(monitor, times.monitor, hz), words_share(share, outside, times.ran + outside));
	show_exits(peer, vcpu);
}

static void show_partition(const struct peer *peer)
{
	uint64_t state = value(peer, BH_STAT_STATE, 0);

	screen_printf("%s: %s, restarts %u\n", peer->name, peer_state_words(state, value(peer, BH_STAT_CAUSE, 0)),
		      (unsigned)value(peer, BH_STAT_RESTARTS, 0));
	for (uint64_t vcpu = 0; vcpu < value(peer, BH_STAT_VCPUS, 0); vcpu++)
		show_vcpu(peer, vcpu);
}

static void show_cpus(void)
{
	char idle[WORDS_BYTES];

	for (uint64_t i = 0; i < machine_stat(BH_MACHINE_CPUS, 0); i++)
		screen_printf("CPU %u: APIC ID %u, idle %s\n", (unsigned)i,
			      (unsigned)machine_stat(BH_MACHINE_CPU_APIC_ID, i),
			      words_ticks(idle, machine_stat(BH_MACHINE_CPU_IDLE, i), bh_info()->tsc_hz));
}

/* ---- for programs: keys and numbers ---- */

static void key(const char *name, uint64_t number) { screen_printf("%s %llu\n", name, (unsigned long long)number); }

static void vcpu_key(uint64_t vcpu, const char *name, uint64_t number)
{
	screen_printf("vcpu%u.%s %llu\n", (unsigned)vcpu, name, (unsigned long long)number);
}

static void vcpu_keys(const struct peer *peer, uint64_t vcpu)
{
	struct times times = times_of(peer, vcpu);

	vcpu_key(vcpu, "cpu", value(peer, BH_STAT_VCPU_CPU, vcpu));
	vcpu_key(vcpu, "dedicated", value(peer, BH_STAT_VCPU_DEDICATED, vcpu));
	vcpu_key(vcpu, "ran", times.ran);
	vcpu_key(vcpu, "kernel", times.kernel);
	vcpu_key(vcpu, "monitor", times.monitor);
	for (unsigned reason = 0; reason < BH_EXIT_REASONS; reason++) {
		char name[40];

		bh_snprintf(name, sizeof(name), "exits.%s", exit_names[reason]);
		vcpu_key(vcpu, words_key(name), exits_of(peer, vcpu, reason));
	}
}

static void partition_keys(const struct peer *peer)
{
	key("state", value(peer, BH_STAT_STATE, 0));
	key("cause", value(peer, BH_STAT_CAUSE, 0));
	key("kind", value(peer, BH_STAT_KIND, 0));
	key("memory", value(peer, BH_STAT_MEMORY, 0));
	key("restarts", value(peer, BH_STAT_RESTARTS, 0));
	key("started", value(peer, BH_STAT_STARTED, 0));
	key("now", bh_rdtsc());
	key("tsc_hz", bh_info()->tsc_hz);
	key("vcpus", value(peer, BH_STAT_VCPUS, 0));
	for (uint64_t vcpu = 0; vcpu < value(peer, BH_STAT_VCPUS, 0); vcpu++)
		vcpu_keys(peer, vcpu);
}

static void machine_keys(void)
{
	key("cpus", machine_stat(BH_MACHINE_CPUS, 0));
	key("tsc_hz", machine_stat(BH_MACHINE_TSC_HZ, 0));
	key("now", bh_rdtsc());
	key("memory", machine_stat(BH_MACHINE_MEMORY, 0));
	key("memory_free", machine_stat(BH_MACHINE_MEMORY_FREE, 0));
	key("kernel_bytes", machine_stat(BH_MACHINE_KERNEL_BYTES, 0));
	key("kernel_free", machine_stat(BH_MACHINE_KERNEL_FREE, 0));
	key("kernel_bytes_256g", machine_stat(BH_MACHINE_KERNEL_256G, 0));
	for (uint64_t i = 0; i < machine_stat(BH_MACHINE_CPUS, 0); i++) {
		screen_printf("cpu%u.apic_id %llu\n", (unsigned)i,
			      (unsigned long long)machine_stat(BH_MACHINE_CPU_APIC_ID, i));
		screen_printf("cpu%u.idle %llu\n", (unsigned)i,
			      (unsigned long long)machine_stat(BH_MACHINE_CPU_IDLE, i));
	}
}

void command_stat(const struct arguments *arguments)
{
	if (arguments->flag == 'k' && arguments->peer)
		partition_keys(arguments->peer);
	else if (arguments->flag == 'k')
		machine_keys();
	else if (arguments->peer)
		show_partition(arguments->peer);
	else
		show_cpus();
}
