#include "build.h"
#include <bulkhead/state.h>
#include <bulkhead/terminal.h>
#include <guests/lib/bh_format.h>
#include <guests/lib/bh_string.h>
#include "boot/boot_table.h"
#include "boot/config_classes.h"
#include "boot/config_machine.h"
#include "boot/region.h"
#include "build_vcpus.h"
#include "channel.h"
#include "cpu.h"
#include "device.h"
#include "frame.h"
#include "irq.h"
#include "log.h"
#include "panic.h"
#include "partition.h"
#include "populate.h"
#include "report.h"
#include "vcpu.h"
#include "virt.h"
#include "window.h"

#define CONSOLE_BYTES	      (4 * FRAME_BYTES)
#define CONSOLE_BYTES_FOR_ONE (128ull * 1024) /* scrollback and the like of one partition */
#define CONSOLE_UART_PORT     0x3f8
#define CONSOLE_UART_IRQ      4

static struct boot_info *boot;
static struct partition *console;
static bool built;
static struct partition *configured[CONFIG_PARTITIONS + 1]; /* the last: the console, as BH_PORT_OF_CONSOLE */

/* ---- failing ----------------------------------------------------------------------------------- */

/* A monitor's failure is its guest's. */
static void complain(struct partition *partition, uint32_t line, const char *text)
{
	log_printf("bulkhead.conf:%u: %s: %s", line, partition->name, text);
	report_line(partition_leader(partition), "bulkhead.conf:%u: %s", line, text);
}

static void fail_at(struct partition *partition, uint32_t line, const char *text)
{
	complain(partition, line, text);
	atomic_store(&partition_leader(partition)->state, BH_STATE_FAILED_CONFIG);
}

__attribute__((format(printf, 2, 3))) static void fail(struct partition *partition, const char *why, ...)
{
	char text[CONFIG_ERROR_BYTES];
	va_list arguments;

	va_start(arguments, why);
	bh_vsnprintf(text, sizeof(text), why, arguments);
	va_end(arguments);
	if (!partition->config)
		panic("the console cannot be built: %s", text);
	fail_at(partition, partition->config->line, text);
}

static bool failed(struct partition *partition) { return partition_leader(partition)->state == BH_STATE_FAILED_CONFIG; }

static void log_error(void *context, uint32_t line, const char *text)
{
	(void)context;
	log_printf("bulkhead.conf:%u: %s", line, text);
}

/* ---- pieces ------------------------------------------------------------------------------------ */

/* A new one, or that of a removed one of its kind with its tables, handles and vCPUs. */
static struct partition *find_place(enum bh_kind kind, uint32_t handles)
{
	uint64_t bytes = sizeof(struct partition) + handles * sizeof(struct handle) + REPORT_BYTES;
	struct partition *partition;

	for (unsigned i = 0; i < partition_count; i++) {
		if (partitions[i]->state == BH_STATE_REMOVED && partitions[i]->kind == kind)
			return partitions[i];
	}
	partition = pool_alloc((unsigned)((bytes + PAGE_BYTES - 1) / PAGE_BYTES));
	if (!partition || paging_create(&partition->ept, virt->paging(), &paging_pool) != PAGING_OK)
		panic("the kernel's memory (%llu KiB) is too small for this configuration",
		      (unsigned long long)(boot->pool_bytes / 1024));
	partition->id = partition_count;
	partition->kind = kind;
	partition->handle_max = handles;
	partition->handle = (struct handle *)(partition + 1);
	partition->report = (char *)(partition->handle + handles);
	partitions[partition_count++] = partition;
	return partition;
}

static struct partition *new_partition(const char *name, enum bh_kind kind, const struct config_partition *config)
{
	bool many = kind == BH_KIND_CONSOLE || (config && config == config_net(&boot->config));
	struct partition *partition = find_place(kind, many ? HANDLE_MAX : HANDLE_USUAL);

	partition->config = config;
	bh_snprintf(partition->name, sizeof(partition->name), "%s", name);
	partition->state = BH_STATE_STOPPED;
	partition->cause = BH_CAUSE_NEVER_STARTED;
	partition->dirty = true;
	partition_init_timer(partition);
	return partition;
}

/* Up to `want` frames in one piece, as many as there are; 1 GiB or more aligned for the largest pages. */
static struct extent take_piece(uint64_t want, uint16_t owner)
{
	struct extent piece = { .physical = want >= 512 ? frame_take(want, 512, owner) : 0 };

	if (!piece.physical) {
		want = want < frame_largest() ? want : frame_largest();
		piece.physical = frame_take(want, 1, owner);
	}
	piece.bytes = want * FRAME_BYTES;
	return piece;
}

/* In as few pieces as there are. */
static bool take_memory(struct partition *partition, uint64_t bytes)
{
	uint64_t address = 0;

	while (partition->memory_bytes < bytes && partition->extents < PARTITION_EXTENTS) {
		bool low = partition->kind == BH_KIND_GUEST && address < BH_GUEST_LOW_MAX;
		uint64_t left = bytes - partition->memory_bytes, room = low ? BH_GUEST_LOW_MAX - address : left;
		struct extent piece = take_piece((left < room ? left : room) / FRAME_BYTES,
						 (uint16_t)(FRAME_PARTITION + partition->id));

		if (!piece.physical)
			return false;
		piece.address = address;
		partition->extent[partition->extents++] = piece;
		partition->memory_bytes += piece.bytes;
		address += piece.bytes;
		if (low && address == BH_GUEST_LOW_MAX)
			address = BH_GUEST_HIGH;
	}
	return partition->memory_bytes == bytes;
}

static bool map_extent(struct partition *partition, const struct extent *extent)
{
	uint64_t last = extent->address + extent->bytes, end;

	for (uint64_t address = extent->address; address < last; address = end) {
		unsigned rights = populate_rights(partition, address, &end);

		end = end < last ? end : last;
		if (!frame_map(partition, address, extent->physical + (address - extent->address), end - address,
			       rights))
			return false;
	}
	return true;
}

static bool map_memory(struct partition *partition)
{
	for (unsigned i = 0; i < partition->extents; i++) {
		if (!map_extent(partition, &partition->extent[i]))
			return false;
	}
	return true;
}

static void give_memory(struct partition *partition, uint64_t bytes)
{
	if (!take_memory(partition, bytes))
		fail(partition, "%llu MiB of memory do not fit: %llu MiB are free", (unsigned long long)(bytes >> 20),
		     (unsigned long long)(frame_free_bytes() >> 20));
	else if (!map_memory(partition))
		fail(partition, "the kernel's memory is too small for its tables");
}

/* ---- handles ----------------------------------------------------------------------------------- */

static void add(struct partition *holder, struct handle *handle, const char *name)
{
	bh_snprintf(handle->name, sizeof(handle->name), "%s", name);
	if (handle_add(holder, handle) < 0)
		fail(holder, "more grants than the %u that a partition can hold", holder->handle_max);
}

static void grant(struct partition *holder, enum bh_handle_type type, uint32_t rights, void *object, const char *name)
{
	add(holder, &(struct handle){ .object = object, .type = type, .rights = rights }, name);
}

/* It is there: the loader has failed those that need what is not. */
static void grant_image(struct partition *holder, const char *path, const char *name)
{
	const struct boot_image *image = boot_image_named(boot, path);
	uint64_t bytes = (image->bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	struct handle handle = {
		.object = (void *)image,
		.type = BH_HANDLE_IMAGE,
		.rights = BH_RIGHT_USE,
		.address = BH_GPA_IMAGES,
		.bytes = image->bytes,
	};

	for (const struct handle *other = holder->handle; other < holder->handle + holder->handle_max; other++) {
		if (other->type == BH_HANDLE_IMAGE)
			handle.address = (other->address + other->bytes + FRAME_BYTES - 1) / FRAME_BYTES * FRAME_BYTES;
	}
	add(holder, &handle, name);
	if (!failed(holder) && !frame_map(holder, handle.address, image->physical, bytes, MAP_READ))
		fail(holder, "no room for the file %s in its tables", path);
}

/* Named irqN. */
static void grant_irq(struct partition *holder, unsigned irq)
{
	struct handle handle = { .type = BH_HANDLE_IRQ, .rights = BH_RIGHT_USE, .number = (uint16_t)irq };
	char name[BH_NAME_BYTES];

	bh_snprintf(name, sizeof(name), "irq%u", irq);
	if (irq_take(irq))
		add(holder, &handle, name);
	else
		fail(holder, "interrupt %u has a holder already: it can have one", irq);
}

static void grant_device(struct partition *holder, const struct config_grant *what)
{
	const char *problem = device_grant(holder, what->first, what->last, NULL);

	if (problem)
		fail_at(holder, what->line, problem);
}

static void grant_configured(struct partition *holder, const struct config_grant *what)
{
	switch (what->type) {
	case CONFIG_GRANT_CONTROL:
		grant(holder, BH_HANDLE_PARTITION, BH_RIGHT_CONTROL | BH_RIGHT_INSPECT, configured[what->partition],
		      configured[what->partition]->name);
		break;
	case CONFIG_GRANT_INSPECT:
		grant(holder, BH_HANDLE_PARTITION, BH_RIGHT_INSPECT, configured[what->partition],
		      configured[what->partition]->name);
		break;
	case CONFIG_GRANT_MACHINE:
		grant(holder, BH_HANDLE_MACHINE, BH_RIGHT_CONTROL | BH_RIGHT_INSPECT, NULL, "machine");
		break;
	case CONFIG_GRANT_PORTS:
		holder->port[holder->port_ranges++] = (struct port_range){ what->first, what->last };
		break;
	case CONFIG_GRANT_IRQ: grant_irq(holder, what->first); break;
	case CONFIG_GRANT_IMAGE: grant_image(holder, what->path, what->path); break;
	case CONFIG_GRANT_DEVICE: grant_device(holder, what); break;
	}
}

static void connect_console(struct partition *partition)
{
	struct partition *terminal = partition->monitor ? partition->monitor : partition;
	const char *problem =
		channel_create(partition->name, BH_TERMINAL_BYTES, terminal, console, "console", partition->name);

	if (problem)
		fail(partition, "%s", problem);
}

/* What outlives a restart of the console. The seed is nobody else's. */
static void keep_state(void)
{
	if (channel_create(BH_STATE_NAME, BH_STATE_BYTES, console, console, BH_STATE_NAME, NULL))
		fail(console, "there is no memory for its state");
	memcpy(window_map(channels[channel_count - 1].physical), boot->seed, sizeof(boot->seed));
	memset(boot->seed, 0, sizeof(boot->seed));
}

/* ---- partitions -------------------------------------------------------------------------------- */

static void build_console(void)
{
	uint64_t bytes = CONSOLE_BYTES + boot->config.partitions * CONSOLE_BYTES_FOR_ONE;
	const struct bh_network_records *records = &boot->config.network;

	configured[BH_PORT_OF_CONSOLE] = console = new_partition("console", BH_KIND_CONSOLE, NULL);
	console->program = boot_program_named(boot, "console.elf");
	console->port[console->port_ranges++] = (struct port_range){ CONSOLE_UART_PORT, CONSOLE_UART_PORT + 7 };
	give_memory(console, (bytes + FRAME_BYTES - 1) / FRAME_BYTES * FRAME_BYTES);
	grant(console, BH_HANDLE_MACHINE, BH_RIGHT_CONTROL | BH_RIGHT_INSPECT | BH_RIGHT_CREATE, NULL, "machine");
	if (boot_image_named(boot, CONFIG_NAME))
		grant_image(console, CONFIG_NAME, CONFIG_NAME);
	grant_irq(console, CONSOLE_UART_IRQ);
	keep_state();
	for (const struct bh_console_file *file = records->file; file < records->file + BH_CONSOLE_FILES; file++)
		if (file->path[0] && !file->failed)
			grant_image(console, file->path, file->name);
	build_service_vcpu(console, 0, &boot->config.machine);
}

static void build_native(struct partition *native)
{
	native->program = boot_program_named(boot, native->config->image);
	give_memory(native, native->config->memory_bytes);
}

/* The monitor sees all of its guest's memory, at the guest's addresses plus BH_GPA_GUEST, and its
 * message pages. */
static bool map_ward(struct partition *monitor)
{
	struct partition *guest = monitor->ward;

	for (unsigned i = 0; i < guest->extents; i++) {
		const struct extent *extent = &guest->extent[i];

		if (!frame_map(monitor, BH_GPA_GUEST + extent->address, extent->physical, extent->bytes,
			       MAP_READ | MAP_WRITE))
			return false;
	}
	for (unsigned i = 0; i < guest->vcpus; i++) {
		if (!frame_map(monitor, BH_GPA_MESSAGES + i * PAGE_BYTES, pool_physical(guest->vcpu[i]->message),
			       PAGE_BYTES, MAP_READ | MAP_WRITE))
			return false;
	}
	return true;
}

static void build_monitor(struct partition *guest)
{
	const struct config_partition *config = guest->config;
	struct partition *monitor;
	char name[BH_NAME_BYTES];

	bh_snprintf(name, sizeof(name), "%.*s.monitor", BH_NAME_BYTES - 9, guest->name);
	monitor = new_partition(name, BH_KIND_MONITOR, config);
	monitor->program = boot_program_named(boot, "monitor.elf");
	monitor->ward = guest;
	guest->monitor = monitor;
	give_memory(monitor, CONFIG_MONITOR_BYTES);
	if (!failed(monitor) && !build_guest_vcpus(guest, monitor, &boot->config.machine))
		fail(monitor, "the kernel's memory is too small for its vCPUs");
	if (!failed(monitor) && !map_ward(monitor))
		fail(monitor, "the kernel's memory is too small for its tables");
	grant(monitor, BH_HANDLE_PARTITION, BH_RIGHT_MONITOR, guest, guest->name);
	grant_image(monitor, config->image, "kernel");
	if (config->initrd[0])
		grant_image(monitor, config->initrd, "initrd");
}

static void build_configured(const struct config_partition *config, uint32_t index)
{
	uint32_t rights = BH_RIGHT_CONTROL | BH_RIGHT_INSPECT | (built ? BH_RIGHT_CREATE : 0);
	struct partition *partition = new_partition(config->name, config->kind, config);

	configured[index] = partition;
	grant(console, BH_HANDLE_PARTITION, rights, partition, partition->name);
	if (config->error[0]) {
		report_line(partition, "bulkhead.conf:%u: %s", config->line, config->error);
		atomic_store(&partition->state, BH_STATE_FAILED_CONFIG);
		return;
	}

	if (config->kind == BH_KIND_NATIVE) {
		build_native(partition);
	} else {
		give_memory(partition, config->memory_bytes);
		if (!failed(partition))
			build_monitor(partition);
		if (partition->monitor)
			grant(console, BH_HANDLE_PARTITION, BH_RIGHT_INSPECT, partition->monitor,
			      partition->monitor->name);
	}
	if (!failed(partition))
		connect_console(partition);
}

static void build_channel(const struct config_channel *config)
{
	struct partition *a = configured[config->end[0]];
	struct partition *b = configured[config->end[1]];
	const char *problem;

	if (failed(a) || failed(b))
		return;
	problem = channel_create(config->name, config->bytes, a, b, config->name, config->name);
	if (problem) {
		fail(a, "channel %s: %s", config->name, problem);
		fail(b, "channel %s: %s", config->name, problem);
	}
}

/* The net service; NULL: there is none, or it failed. */
static struct partition *net_service(void)
{
	struct partition *net = config_net(&boot->config) ? configured[boot->config.net] : NULL;

	return net && !failed(net) ? net : NULL;
}

static void connect_net(void)
{
	struct partition *net = net_service();
	const char *problem = NULL;

	if (net)
		problem = channel_create("network", BH_NETWORK_CHANNEL_BYTES, net, console, "network", "network");
	if (problem)
		fail(net, "its channel to the console: %s", problem);
}

/* For each virtual NIC of a guest, and perhaps for the console, its way to the net service. */
static void build_ports(uint32_t index)
{
	struct partition *net = net_service(), *owner = configured[index];

	for (unsigned i = 0; net && i < boot->config.network.ports; i++) {
		const struct bh_port *port = &boot->config.network.port[i];
		const char *problem;

		if (!port->name[0] || port->partition != index || failed(owner))
			continue;
		problem = channel_create(port->name, BH_PORT_CHANNEL_BYTES, owner->monitor ? owner->monitor : owner,
					 net, port->name, port->name);
		if (problem)
			fail(owner, "port %s: %s", port->name, problem);
	}
}

/* Grants name partitions that may come later in the file. A native's vCPUs are made with its ports, so after them. */
static void build_grants(struct partition *partition)
{
	for (unsigned i = 0; i < partition->config->grants && !failed(partition); i++)
		grant_configured(partition, &partition->config->grant[i]);
	if (partition->kind == BH_KIND_NATIVE && !failed(partition) && !build_native_vcpus(partition))
		fail(partition, "the kernel's memory is too small for its vCPUs");
}

/* A network whose NIC cannot be had is without one; the others are none the worse. */
static void grant_nics(const struct config *config)
{
	struct partition *net = net_service();

	for (unsigned i = 0; net && i < config->network.networks; i++) {
		const struct config_device *nic = &config->nic[i];
		const char *problem = NULL;

		if (nic->by != CONFIG_DEVICE_NONE)
			problem = device_grant(net, nic->by, nic->number, config->network.network[i].name);
		if (problem)
			complain(net, nic->line, problem);
	}
}

static void check_machine(struct config *config)
{
	struct config_facts facts = {
		.cpus = cpu_count,
		.memory_known = true,
		.memory_bytes = frame_free_bytes(),
		.monitor_bytes = CONFIG_MONITOR_BYTES,
		.partition_bytes = BH_TERMINAL_BYTES,
	};

	config_machine_check(config, &facts, log_error, NULL);
	config_classes_resolve(config, pci_functions, pci_function_count);
}

void build_partitions(struct boot_info *info)
{
	struct config *config = &info->config;

	boot = info;
	if (config->machine.services_cpu >= cpu_count)
		config->machine.services_cpu = 0;
	build_console();
	check_machine(config);
	for (unsigned i = 0; i < config->partitions; i++)
		build_configured(&config->partition[i], i);
	for (unsigned i = 0; i < config->channels; i++)
		build_channel(&config->channel[i]);
	connect_net();
	for (unsigned i = 0; i <= CONFIG_PARTITIONS; i++)
		build_ports(i);
	grant_nics(config);
	for (unsigned i = 0; i < config->partitions; i++)
		build_grants(configured[i]);
	device_list();
	built = true;
}

/* ---- at run time ------------------------------------------------------------------------------- */

/* Who hands things to it and to its monitor. */
static void tell(void)
{
	struct partition *net = net_service();

	populate_tell(console);
	/* Otherwise its memory is being wiped, or it gets its records when it is built. */
	if (net && (net->state == BH_STATE_RUNNING || net->state == BH_STATE_PAUSED))
		populate_tell(net);
}

bool build_create(const struct config_creation *creation)
{
	/* What building takes is there before it begins, in one piece. */
	unsigned pages = (unsigned)(region_partition_bytes(&creation->partition) / PAGE_BYTES) + 1;
	void *room = pool_alloc(pages);
	struct config_partition *record = room ? boot_creation_place(&boot->config, creation) : NULL;
	uint32_t index = (uint32_t)(record - boot->config.partition);

	if (room)
		pool_free(room, pages);
	if (!record) {
		log_printf("%s: the kernel's memory, its places or its ports do not suffice", creation->partition.name);
		return false;
	}
	build_configured(record, index);
	build_ports(index);
	build_grants(configured[index]);
	if (failed(configured[index])) {
		build_remove(configured[index]);
		return false;
	}
	log_printf("%s: made", record->name);
	tell();
	if (record->autostart)
		partition_control(configured[index], BH_START);
	return true;
}

static void clear(struct partition *partition)
{
	handle_revoke(partition);
	channel_leave(partition);
	paging_unmap(&partition->ept, 0, 1ull << 48);
	for (unsigned i = 0; i < partition->extents; i++)
		frame_give(partition->extent[i].physical, partition->extent[i].bytes);
	memset(partition->handle, 0, partition->handle_max * sizeof(struct handle));
	memset((char *)partition + offsetof(struct partition, name), 0,
	       sizeof(*partition) - offsetof(struct partition, name));
	partition->state = BH_STATE_REMOVED;
}

void build_remove(struct partition *partition)
{
	log_printf("%s: removed", partition->name);
	boot_creation_remove(&boot->config, partition->config);
	if (partition->monitor)
		clear(partition->monitor);
	clear(partition);
	tell();
}
