#include "fake_system.h"
#include <stdlib.h>
#include <string.h>
#include "address_space.h"
#include "build.h"
#include "channel.h"
#include "clock.h"
#include "device.h"
#include "frame.h"
#include "hypercall.h"
#include "machine.h"
#include "start.h"
#include "trace.h"

#define IMAGES (FAKE_REGION + FAKE_REGION_BYTES)

struct boot_info fake_boot;
struct partition *the_console, *the_linux, *the_monitor, *the_ping, *the_pong, *the_broken;

/* ---- building ---------------------------------------------------------------------------------- */

static void add_range(uint64_t base, uint64_t end, enum boot_memory type)
{
	fake_boot.range[fake_boot.ranges++] = (struct boot_range){ .base = base, .bytes = end - base, .type = type };
}

static void add_memory(void)
{
	add_range(0, 0x9f000, BOOT_MEMORY_FREE);
	add_range(0x100000, FAKE_REGION, BOOT_MEMORY_FREE);
	add_range(FAKE_REGION, IMAGES, BOOT_MEMORY_KERNEL);
	add_range(IMAGES, IMAGES + 3 * FAKE_FRAME, BOOT_MEMORY_IMAGE);
	add_range(IMAGES + 3 * FAKE_FRAME, FAKE_RAM_END, BOOT_MEMORY_FREE);
}

/* Its data crosses from one frame of the image to the next, and its bytes are at odd addresses. */
static void add_program(const char *path)
{
	struct boot_program *program = &fake_boot.program[fake_boot.programs++];

	*program = (struct boot_program){
		.entry = 0x101000,
		.segments = 2,
		.segment = {
			{ 0x100000, IMAGES + 0x10, 0x3000, 0x3000, 0, 1 },
			{ 0x200000, IMAGES + FAKE_FRAME - 0x1238, 0x3456, 0x6000, 1, 0 },
		},
	};
	strcpy(program->path, path);
}

static void add_images(void)
{
	static const char *const names[] = { "monitor.elf", "console.elf", "ping.elf" };

	for (unsigned i = 0; i < 3; i++)
		add_program(names[i]);
	fake_memory_fill(IMAGES + 0x10, 0x3000, 0x11);
	fake_memory_fill(IMAGES + FAKE_FRAME - 0x1238, 0x3456, 0x22);
	fake_memory_fill(IMAGES + 2 * FAKE_FRAME, 0x5001, 0x33);
	fake_boot.images = 1;
	strcpy(fake_boot.image[0].path, "vmlinuz");
	fake_boot.image[0].physical = IMAGES + 2 * FAKE_FRAME;
	fake_boot.image[0].bytes = 0x5001;
}

static struct config_partition *add_partition(const char *name, enum bh_kind kind, const char *image, uint64_t mib)
{
	struct config_partition *p = &fake_boot.config.partition[fake_boot.config.partitions++];

	*p = (struct config_partition){ .kind = kind,
					.line = 10 * fake_boot.config.partitions,
					.memory_bytes = mib * FAKE_MIB,
					.vcpus = 1,
					.weight = 100,
					.cap_percent = 100,
					.restart_limit = UINT32_MAX };
	strcpy(p->name, name);
	strcpy(p->image, image);
	return p;
}

static void grant(struct config_partition *p, enum config_grant_type type, uint32_t partition, uint32_t first)
{
	p->grant[p->grants++] = (struct config_grant){ .type = type, .partition = partition, .first = first };
}

void (*fake_configure)(struct config *config);

struct config_partition *fake_native(const char *name) { return add_partition(name, BH_KIND_NATIVE, "ping.elf", 4); }

static void configure(void)
{
	struct config *config = &fake_boot.config;
	struct config_partition *p;

	config->machine = (struct config_machine){ .services_weight = 200, .slice_microseconds = 5000 };
	p = add_partition("linux", BH_KIND_GUEST, "vmlinuz", 8);
	p->vcpus = 2;
	p->cpu[0] = 1;
	p->cpu[1] = 2;
	p->restart = CONFIG_RESTART_NEVER;
	strcpy(p->command, "console=ttyS0");

	p = add_partition("ping", BH_KIND_NATIVE, "ping.elf", 4);
	p->vcpus = 2;
	p->cpu[1] = 3;
	p->cap_percent = 60;
	p->restart = CONFIG_RESTART_ON_FAILURE;
	p->restart_limit = 2;
	p->autostart = 1;

	p = add_partition("pong", BH_KIND_NATIVE, "ping.elf", 4);
	p->cpu[0] = 3;
	p->restart = CONFIG_RESTART_ALWAYS;
	grant(p, CONFIG_GRANT_CONTROL, 1, 0);
	grant(p, CONFIG_GRANT_INSPECT, 0, 0);
	grant(p, CONFIG_GRANT_IRQ, 0, 5);

	p = add_partition("broken", BH_KIND_NATIVE, "ping.elf", 4);
	strcpy(p->error, "the cap is 200 percent: 1 to 100");

	config->channels = 1;
	config->channel[0] = (struct config_channel){ .name = "talk", .end = { 1, 2 }, .bytes = 0x3000 };
	config->net = UINT32_MAX;
	if (fake_configure)
		fake_configure(config);
}

/* The kernel's own tables: its region, a window, and a device. */
static void map_kernel(void)
{
	unsigned flags = PAGING_READ | PAGING_WRITE;

	assert_int_equal(paging_create(&kernel_paging, &paging_host_1g, &paging_pool), 0);
	assert_int_equal(paging_map(&kernel_paging, POOL_BASE, FAKE_REGION, FAKE_REGION_BYTES, flags), 0);
	assert_int_equal(paging_map(&kernel_paging, WINDOW_BASE, FAKE_RAM_END / 2, FAKE_FRAME, flags), 0);
	assert_int_equal(paging_map(&kernel_paging, MMIO_BASE, 0xfee00000, 0x1000, flags | PAGING_UC), 0);
}

static struct partition *find(const char *name)
{
	for (unsigned i = 0; i < partition_count; i++) {
		if (strcmp(partitions[i]->name, name) == 0)
			return partitions[i];
	}
	fail_msg("no partition %s", name);
	return NULL;
}

int fake_system(void **state)
{
	(void)state;
	fake_machine(FAKE_CPUS);
	for (unsigned i = 0; i < FAKE_CPUS; i++) {
		sched_init(&fake_cpu[i].sched);
		assert_true(trace_create(&fake_cpu[i]));
	}
	start_boot_info = &fake_boot;
	fake_boot.region_bytes = FAKE_REGION_BYTES;
	add_memory();
	add_images();
	configure();
	sched_slice = clock_ticks(fake_boot.config.machine.slice_microseconds);
	frame_init(&fake_boot);
	map_kernel();
	memset(&fake_boot.pci, 0, sizeof(fake_boot.pci));
	pci_scan(&fake_boot.pci, &machine_acpi);
	device_init(&fake_boot.pci);
	build_partitions(&fake_boot);
	the_console = find("console");
	the_linux = find("linux");
	the_monitor = find("linux.monitor");
	the_ping = find("ping");
	the_pong = find("pong");
	the_broken = find("broken");
	return 0;
}

int fake_system_end(void **state)
{
	(void)state;
	fake_machine_end();
	return 0;
}

/* ---- between tests ------------------------------------------------------------------------------- */

static void reset_vcpu(struct vcpu *vcpu)
{
	struct entity *entity = vcpu->entity;

	vcpu->state = VCPU_OFF;
	vcpu->epoch = 0;
	vcpu->requests = 0;
	vcpu->events = 0;
	vcpu->wait_mask = 0;
	vcpu->timer.deadline = TIMER_NEVER;
	vcpu->wake_queued = false;
	memset(vcpu->arch.gpr, 0, sizeof(vcpu->arch.gpr));
	entity->next = NULL;
	entity->work = NULL;
	entity->weighted = entity->period_start = entity->period_used = 0;
	entity->unthrottle.deadline = TIMER_NEVER;
	entity->active = entity->queued = entity->throttled = false;
}

static void reset_partition(struct partition *partition)
{
	bool failed = partition == the_broken;

	partition->state = failed ? BH_STATE_FAILED_CONFIG : BH_STATE_STOPPED;
	partition->cause = BH_CAUSE_NEVER_STARTED;
	partition->epoch = 0;
	partition->letting_go = 0;
	memset((void *)partition->holding, 0, sizeof(partition->holding));
	partition->start_again = false;
	partition->dirty = true;
	partition->device_step = 0;
	partition_init_timer(partition);
	partition->failures = 0;
	partition->started = partition->wiped = 0;
	if (!failed)
		partition->report_bytes = partition->report_epoch = 0;
	assert_int_equal(partition->lock.next, partition->lock.serving);
	for (unsigned i = 0; i < partition->vcpus; i++)
		reset_vcpu(partition->vcpu[i]);
}

int fake_system_reset(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAKE_CPUS; i++) {
		sched_init(&fake_cpu[i].sched);
		fake_cpu[i].sched.charged = fake_now;
		trace_keep(&fake_cpu[i], true);
		for (unsigned n = 0; n < TRACE_RECORDS; n++)
			fake_cpu[i].trace->record[n].tsc = 0; /* never written */
	}
	for (unsigned i = 0; i < partition_count; i++)
		reset_partition(partitions[i]);
	for (unsigned i = 0; i < channel_count; i++)
		channels[i].end[0].bound = channels[i].end[1].bound = 0;
	fake_forget();
	fake_on(0);
	return 0;
}

/* ---- using it ------------------------------------------------------------------------------------ */

int64_t fake_call(struct vcpu *caller, uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	uint64_t *gpr = caller->arch.gpr;
	int64_t result;

	fake_on(caller->cpu);
	gpr[BH_RAX] = number;
	gpr[BH_RDI] = a;
	gpr[BH_RSI] = b;
	gpr[BH_RDX] = c;
	gpr[BH_R10] = d;
	gpr[BH_R8] = e;
	result = hypercall(caller);
	/* Who waits gets his result when the wait ends. */
	if (caller->state != VCPU_WAITING)
		gpr[BH_RAX] = (uint64_t)result;
	return (int64_t)gpr[BH_RAX];
}

uint64_t fake_handle(const struct partition *holder, enum bh_handle_type type, const char *name)
{
	for (unsigned i = 0; i < holder->handle_max; i++) {
		if (holder->handle[i].type == type && strcmp(holder->handle[i].name, name) == 0)
			return handle_value(&holder->handle[i], i);
	}
	fail_msg("%s has no handle %s", holder->name, name);
	return BH_NO_HANDLE;
}

static bool busy(unsigned index)
{
	const struct sched *s = &fake_cpu[index].sched;

	return s->look || s->wake || s->attend[0] || s->attend[1];
}

static void attend_all(void)
{
	bool again = true;

	while (again) {
		again = false;
		for (unsigned i = 0; i < FAKE_CPUS; i++) {
			if (busy(i)) {
				fake_run(i);
				again = true;
			}
		}
	}
}

static bool working(void)
{
	for (unsigned i = 0; i < partition_count; i++) {
		if (partitions[i]->vcpus && partitions[i]->vcpu[0]->entity->work)
			return true;
	}
	return false;
}

void fake_settle(void)
{
	attend_all();
	/* Work waits for its turn behind vCPUs that run. */
	while (working()) {
		fake_now += sched_slice;
		for (unsigned i = 0; i < FAKE_CPUS; i++)
			fake_run(i);
		attend_all();
	}
}

void fake_start(struct partition *partition)
{
	assert_int_equal(partition_control(partition, BH_START), 0);
	fake_settle();
	assert_int_equal(partition->state, BH_STATE_RUNNING);
}
