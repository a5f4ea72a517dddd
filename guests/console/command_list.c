#include "commands.h"
#include "screen.h"
#include "words.h"

/* "2@2d,3d": each vCPU's CPU, dedicated or shared. */
static void cpus(const struct peer *peer, char *to, size_t size)
{
	int64_t count = peer_stat(peer, BH_STAT_VCPUS, 0);
	int length = bh_snprintf(to, size, "%d", (int)(count > 0 ? count : 0));

	for (int64_t i = 0; i < count && (size_t)length < size; i++) {
		int64_t cpu = peer_stat(peer, BH_STAT_VCPU_CPU, (uint64_t)i);
		bool own = peer_stat(peer, BH_STAT_VCPU_DEDICATED, (uint64_t)i) == 1;

		if (cpu >= 0)
			length += bh_snprintf(to + length, size - (size_t)length, "%c%d%c", i ? ',' : '@', (int)cpu,
					      own ? 'd' : 's');
	}
}

static void row(const struct peer *peer)
{
	char name[BH_NAME_BYTES + 4], where[64], memory[WORDS_BYTES], up[WORDS_BYTES] = "-";
	uint64_t state = (uint64_t)peer_stat(peer, BH_STAT_STATE, 0);
	uint64_t cause = (uint64_t)peer_stat(peer, BH_STAT_CAUSE, 0);
	uint64_t started = (uint64_t)peer_stat(peer, BH_STAT_STARTED, 0);
	uint64_t now = bh_rdtsc();

	bh_snprintf(name, sizeof(name), "%s%s", peer->guest ? "  " : "", peer->name);
	cpus(peer, where, sizeof(where));
	if ((state == BH_STATE_RUNNING || state == BH_STATE_PAUSED) && now > started)
		words_ticks(up, now - started, bh_info()->tsc_hz);
	screen_printf("%-18s %-8s %-20s %-12s %8s %8d %10s\n", name, peer_kind_words(peer->kind),
		      peer_state_words(state, cause), where,
		      words_size(memory, (uint64_t)peer_stat(peer, BH_STAT_MEMORY, 0)),
		      (int)peer_stat(peer, BH_STAT_RESTARTS, 0), up);
}

void command_list(const struct arguments *arguments)
{
	(void)arguments;
	screen_printf("%-18s %-8s %-20s %-12s %8s %8s %10s\n", "NAME", "KIND", "STATE", "VCPUS@CPUS", "MEMORY",
		      "RESTARTS", "UP");
	for (unsigned i = 0; i < peer_count; i++) {
		if (peers[i].guest || !peers[i].name[0])
			continue;
		row(&peers[i]);
		if (peers[i].monitor)
			row(peers[i].monitor);
	}
}
