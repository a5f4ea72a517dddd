/* view.c: the machine as the network API sees it (api/view.h), by the modules that the shell uses. */
#include "api/view.h"
#include "machine.h"
#include "network.h"
#include "operations.h"
#include "peers.h"

/* No 128-bit division: whole seconds first, and a rest below one second. */
static uint64_t nanoseconds(uint64_t ticks)
{
	uint64_t hz = bh_info()->tsc_hz ? bh_info()->tsc_hz : 1;

	return ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
}

static uint64_t stat(unsigned number, enum bh_stat field, uint64_t index)
{
	int64_t value = peer_stat(&peers[number], field, index);

	return value < 0 ? 0 : (uint64_t)value;
}

/* ---- the machine ---- */

void view_machine(struct view_machine *machine)
{
	const struct bh_info *info = bh_info();
	uint64_t now = bh_rdtsc();

	*machine = (struct view_machine){
		.cpus = (unsigned)machine_stat(BH_MACHINE_CPUS, 0),
		.memory = machine_stat(BH_MACHINE_MEMORY, 0),
		.memory_free = machine_stat(BH_MACHINE_MEMORY_FREE, 0),
		.kernel = machine_stat(BH_MACHINE_KERNEL_BYTES, 0),
		.kernel_free = machine_stat(BH_MACHINE_KERNEL_FREE, 0),
		.now = nanoseconds(now),
		.tsc_hz = info->tsc_hz,
		.restarts = info->restarts,
	};
}

void view_cpu(unsigned number, struct view_cpu *cpu)
{
	cpu->apic_id = (unsigned)machine_stat(BH_MACHINE_CPU_APIC_ID, number);
	cpu->idle = nanoseconds(machine_stat(BH_MACHINE_CPU_IDLE, number));
}

unsigned view_text(enum bh_machine_text which, uint64_t offset, char text[8])
{
	return machine_text(which, offset, text);
}

void view_log(uint64_t *first, uint64_t *end)
{
	*first = machine_stat(BH_MACHINE_LOG_FIRST, 0);
	*end = machine_stat(BH_MACHINE_LOG_END, 0);
}

/* ---- partitions ---- */

unsigned view_partitions(void) { return peer_count; }

void view_partition(unsigned number, struct view_partition *partition)
{
	const struct peer *peer = &peers[number];

	if (!peer->name[0]) {
		*partition = (struct view_partition){ .name = "", .kind = "?", .guest = "", .words = "" };
		return;
	}

	uint64_t state = stat(number, BH_STAT_STATE, 0), cause = stat(number, BH_STAT_CAUSE, 0);

	*partition = (struct view_partition){
		.name = peer->name,
		.kind = peer_kind_words(peer->kind),
		.guest = peer->guest ? peer->guest->name : "",
		.words = peer_state_words(state, cause),
		.state = (unsigned)state,
		.cause = (unsigned)cause,
		.vcpus = (unsigned)stat(number, BH_STAT_VCPUS, 0),
		.memory = stat(number, BH_STAT_MEMORY, 0),
		.restarts = stat(number, BH_STAT_RESTARTS, 0),
		.started = nanoseconds(stat(number, BH_STAT_STARTED, 0)),
		.console = peer->has_channel,
		.runtime = peer->runtime,
	};
}

int view_find(const char *name)
{
	const struct peer *peer = peers_find(name);

	return peer ? (int)(peer - peers) : -1;
}

const char *view_owner(unsigned number)
{
	const struct peer *peer = &peers[number];

	return peer->guest ? peer->guest->name : peer->name;
}

void view_vcpu(unsigned partition, unsigned number, struct view_vcpu *vcpu)
{
	vcpu->cpu = (unsigned)stat(partition, BH_STAT_VCPU_CPU, number);
	vcpu->dedicated = stat(partition, BH_STAT_VCPU_DEDICATED, number) != 0;
	vcpu->ran = nanoseconds(stat(partition, BH_STAT_VCPU_RAN, number));
	vcpu->kernel = nanoseconds(stat(partition, BH_STAT_VCPU_KERNEL, number));
	vcpu->monitor = nanoseconds(stat(partition, BH_STAT_VCPU_MONITOR, number));
}

uint64_t view_exits(unsigned partition, unsigned vcpu, unsigned reason)
{
	return stat(partition, BH_STAT_VCPU_EXITS, vcpu | (uint64_t)reason << 16);
}

unsigned view_report(unsigned partition, uint64_t offset, char text[8])
{
	int64_t word = bh_call2(BH_PARTITION_REPORT, peers[partition].partition, offset);

	if (word < 0)
		return 0;
	memcpy(text, &word, 8);
	return (unsigned)strnlen(text, 8);
}

enum view_answer view_operate(unsigned partition, const char *name, char words[VIEW_WORDS])
{
	const struct operation *operation = operation_named(name);
	struct operation_run run;

	_Static_assert(VIEW_WORDS == OPERATION_WORDS, "the same sentence");
	if (!operation)
		return VIEW_UNKNOWN;
	switch (operation_begin(&run, operation, &peers[partition], words)) {
	case OPERATION_BEGUN: return VIEW_BEGUN;
	case OPERATION_OF_MONITOR:
	case OPERATION_NO_RIGHT: return VIEW_FORBIDDEN;
	default: return VIEW_REFUSED;
	}
}

/* ---- consoles ---- */

void view_console(unsigned partition, uint64_t *first, uint64_t *end)
{
	const struct scrollback *scrollback = &peers[partition].scrollback;

	*end = scrollback->total;
	*first = scrollback->total - scrollback_kept(scrollback);
}

size_t view_console_read(unsigned partition, uint64_t position, char *to, size_t max)
{
	const struct scrollback *scrollback = &peers[partition].scrollback;
	uint64_t before = scrollback->total - position;

	if (position > scrollback->total || before > scrollback_kept(scrollback))
		return 0;
	return scrollback_copy(scrollback, (uint32_t)before, to, (uint32_t)max);
}

size_t view_console_type(unsigned partition, const char *from, size_t bytes)
{
	return peers[partition].has_channel ? terminal_write(&peers[partition].terminal, from, bytes) : 0;
}

/* ---- networks ---- */

enum view_service view_service(void)
{
	switch (network_state()) {
	case NETWORK_NO_CHANNEL: return VIEW_NO_NETWORKS;
	case NETWORK_RUNS: return VIEW_SERVICE_RUNS;
	default: return VIEW_SERVICE_STOPPED;
	}
}

unsigned view_networks(void) { return network_count; }
const struct bh_network *view_network(unsigned number) { return &networks[number]; }
unsigned view_ports(void) { return network_port_count; }

/* The guest of "alpha.0". */
static const char *guest_of(const struct network_port *port)
{
	for (unsigned i = 0; port->guest && i < peer_count; i++)
		if (network_port_is(port, peers[i].name))
			return peers[i].name;
	return "";
}

bool view_port(unsigned number, struct view_port *port)
{
	const struct network_port *from = &network_ports[number];

	*port = (struct view_port){ .name = from->name, .guest = guest_of(from), .network = from->network };
	if (from->guest) {
		port->vlan = from->guest->vlan;
		port->trunk = from->guest->flags & BH_PORT_TRUNK;
		port->rate = from->guest->rate;
	}
	return network_port_stat(from->number, &port->stat) && port->stat.present;
}
