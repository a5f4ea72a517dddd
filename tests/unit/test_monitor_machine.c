/*
 * test_monitor_machine.c: the whole virtual PC under a fake kernel: from a kernel image to the first registers, and
 * then message by message. With BULKHEAD_VMLINUZ or build/guests/linux/vmlinuz a real kernel is placed as well.
 */
#include "monitor_host.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bzimage_sample.h"
#include "guests/lib/guest_paging.h"
#include "guests/monitor/linux_boot.h"
#include "guests/monitor/message.h"

#define MIB  (1ull << 20)
#define RAM  (512 * MIB)
#define CODE 0x200000ull /* where tests put instructions */

static struct machine machine;
static struct bh_message message;
static struct bh_terminal terminal;
static uint8_t *window;
static uint8_t sample[SAMPLE_BYTES];
static struct bh_network_records networks;
static struct bh_port_channel channel;

static void add_handle(const char *name, uint32_t type, uint32_t rights, uint64_t address, uint64_t bytes)
{
	struct bh_info_handle *to = &host_info.handle[host_info.handles];

	snprintf(to->name, sizeof(to->name), "%s", name);
	to->type = type;
	to->rights = rights;
	to->handle = 0x10000 | host_info.handles++;
	to->address = address;
	to->bytes = bytes;
}

static int setup(void **state)
{
	(void)state;
	host_reset();
	madvise(window, RAM, MADV_DONTNEED);
	memset(&machine, 0, sizeof(machine));
	memset(&terminal, 0, sizeof(terminal));
	memset(&networks, 0, sizeof(networks));
	host_info.tsc_hz = HOST_HZ;
	host_info.wall_seconds = 1700000000;
	host_info.guest_vcpus = 2;
	host_info.vcpus = 3;
	host_info.guest_memory_bytes = RAM;
	snprintf(host_info.command, sizeof(host_info.command), "console=ttyS0 quiet");
	add_handle("other", BH_HANDLE_PARTITION, BH_RIGHT_INSPECT, 0, 0);
	add_handle("guest", BH_HANDLE_PARTITION, BH_RIGHT_MONITOR, 0, 0);
	add_handle("console", BH_HANDLE_CHANNEL, BH_RIGHT_USE, (uint64_t)&terminal, BH_TERMINAL_BYTES);
	machine_init(&machine, window, &networks);
	sample_bzimage(sample);
	return 0;
}

/* ---- building ------------------------------------------------------------------------------------ */

static bool boot_with(const void *kernel, uint64_t bytes, const void *initrd, uint64_t initrd_bytes, char *reason)
{
	struct linux_boot boot = { .kernel = kernel,
				   .kernel_bytes = bytes,
				   .initrd = initrd,
				   .initrd_bytes = initrd_bytes,
				   .command = host_info.command,
				   .vcpus = 2 };

	memset(&message, 0, sizeof(message));
	return linux_boot(&boot, &machine.memory, &message.state, reason);
}

static uint64_t get(uint64_t address, unsigned bytes)
{
	uint64_t value = 0;

	assert_true(guest_memory_read(&machine.memory, address, &value, bytes));
	return value;
}

/* What every boot must have left, whatever the kernel. */
static void check_boot(const uint8_t *kernel, const uint8_t *initrd, uint64_t initrd_bytes)
{
	const struct bh_vcpu_state *state = &message.state;
	uint64_t params = state->gpr[BH_RSI], load = state->rip - 0x200, address;
	uint64_t payload = ((uint64_t)kernel[0x1f1] + 1) * 512;
	uint32_t payload_bytes;

	memcpy(&payload_bytes, kernel + 0x1f4, 4);
	assert_memory_equal(window + load, kernel + payload, (uint64_t)payload_bytes * 16);
	assert_memory_equal(window + params + 0x1f1, kernel + 0x1f1, 4); /* up to vid_mode */
	assert_memory_equal(window + params + 0x202, kernel + 0x202, 14);
	assert_int_equal(get(params + 0x210, 1), 0xff);
	assert_string_equal(window + get(params + 0x228, 4), host_info.command);
	assert_memory_equal(window + get(params + 0x070, 8), "RSD PTR ", 8);

	assert_int_equal(get(params + 0x21c, 4), initrd_bytes);
	if (initrd_bytes)
		assert_memory_equal(window + get(params + 0x218, 4), initrd, initrd_bytes);

	/* The identity map holds everywhere, by the guest's own registers. */
	for (uint64_t linear = 0; linear < 1ull << 32; linear += 0x1fffff) {
		assert_true(guest_paging_translate(&machine.memory.reader, state, linear, GUEST_WRITE | GUEST_FETCH,
						   &address));
		assert_int_equal(address, linear);
	}
	assert_int_equal(state->segment[BH_CS].selector, 0x10);
	assert_int_equal(state->segment[BH_DS].selector, 0x18);
	assert_int_equal(get(state->gdtr_base + 0x10, 8), 0x00af9b000000ffff);
	assert_int_equal(get(state->gdtr_base + 0x18, 8), 0x00cf93000000ffff);
	assert_int_equal(state->rflags, 2);
}

/* e820: sorted, without overlap; RAM is all there is but the BIOS area. */
static void check_memory_map(uint64_t memory)
{
	uint64_t params = message.state.gpr[BH_RSI], end = 0, ram = 0;

	for (unsigned i = 0; i < get(params + 0x1e8, 1); i++) {
		uint64_t entry = params + 0x2d0 + 20 * i;

		assert_true(get(entry, 8) >= end);
		end = get(entry, 8) + get(entry + 8, 8);
		if (get(entry + 16, 4) == 1)
			ram += get(entry + 8, 8);
	}
	assert_int_equal(ram, memory - (MIB - 0x9fc00));
	assert_int_equal(end, memory);
}

static void test_boot(void **state)
{
	(void)state;
	static uint8_t initrd[10000];
	char reason[BZIMAGE_REASON_BYTES] = "";

	memset(initrd, 0x77, sizeof(initrd));
	assert_true(boot_with(sample, sizeof(sample), initrd, sizeof(initrd), reason));
	assert_int_equal(message.state.rip, 16 * MIB + 0x200);
	check_boot(sample, initrd, sizeof(initrd));
	check_memory_map(RAM);
}

static void test_boot_refused(void **state)
{
	(void)state;
	char reason[BZIMAGE_REASON_BYTES] = "";

	assert_false(boot_with(sample, 1000, NULL, 0, reason));
	assert_non_null(strstr(reason, "truncated"));
	guest_memory_init(&machine.memory, window, 2 * MIB);
	assert_false(boot_with(sample, sizeof(sample), NULL, 0, reason));
	assert_non_null(strstr(reason, "24 MiB would do"));
	guest_memory_init(&machine.memory, window, 0);
	assert_false(boot_with(sample, sizeof(sample), NULL, 0, reason));
}

static void test_boot_real(void **state)
{
	(void)state;
	const char *path = getenv("BULKHEAD_VMLINUZ");
	FILE *from = fopen(path ? path : "build/guests/linux/vmlinuz", "rb");
	char reason[BZIMAGE_REASON_BYTES] = "";
	uint8_t *kernel = malloc(64 * MIB);
	uint64_t bytes, cut;

	if (!from) {
		free(kernel);
		skip();
	}
	bytes = fread(kernel, 1, 64 * MIB, from);
	fclose(from);
	if (!boot_with(kernel, bytes, sample, sizeof(sample), reason))
		fail_msg("%s", reason);
	check_boot(kernel, sample, sizeof(sample));
	check_memory_map(RAM);
	for (cut = bytes / 2; cut; cut /= 2)
		assert_false(boot_with(kernel, cut, NULL, 0, reason));
	guest_memory_init(&machine.memory, window, 16 * MIB);
	assert_false(boot_with(kernel, bytes, NULL, 0, reason));
	assert_non_null(strstr(reason, "would do"));
	free(kernel);
}

static void test_init_refused(void **state)
{
	(void)state;
	host_info.vcpus = 2;
	assert_true(HOST_ENDS(machine_init(&machine, window, &networks)));
	assert_int_equal(host_how, BH_END_FAILURE);
	assert_non_null(strstr(host_report, "2 vCPUs cannot monitor 2"));
	host_info.handles = 1;
	assert_true(HOST_ENDS(machine_init(&machine, window, &networks)));
	assert_non_null(strstr(host_report, "no partition to monitor"));
}

/* ---- ports --------------------------------------------------------------------------------------- */

static void out(uint16_t port, unsigned size, uint32_t value)
{
	message = (struct bh_message){
		.reason = BH_MSG_PIO, .port = port, .size = (uint8_t)size, .write = 1, .value = value
	};
	message_handle(&machine, &message);
	assert_int_equal(message.state_out, 0);
}

static uint32_t in(uint16_t port, unsigned size)
{
	message = (struct bh_message){ .reason = BH_MSG_PIO, .port = port, .size = (uint8_t)size };
	message_handle(&machine, &message);
	return (uint32_t)message.value;
}

static void test_every_port(void **state)
{
	(void)state;
	for (unsigned port = 0; port < 65536; port++)
		for (unsigned size = 1; size <= 4; size *= 2) {
			assert_int_equal((uint64_t)in((uint16_t)port, size) >> (8 * size), 0);
			if (port != 0x64 && port != 0x92 && port != 0xcf9 && (port < 0x61 || port > 0x64) &&
			    (port < 0x8f || port > 0x92))
				out((uint16_t)port, size, 0);
		}
	assert_int_equal(in(0x2f8, 1), 0xff); /* no COM2 */
	assert_int_equal(in(0x2f8, 4), 0xffffffff);
	assert_int_equal(in(0x64, 1), 0xff); /* no keyboard controller */
	assert_int_equal(in(0xffff, 4), 0xffffffff);
}

static void test_ports(void **state)
{
	(void)state;
	out(0x3ff, 1, 0x5a);
	assert_int_equal(in(0x3ff, 1), 0x5a);
	assert_int_equal(in(0x3ff, 4), 0xffffff5a); /* the ISA bus splits it */
	out(0x80, 1, 0x42);
	assert_int_equal(in(0x80, 1), 0x42);
	out(0x21, 1, 0xfb);
	assert_int_equal(in(0x21, 1), 0xfb);
	assert_int_equal(in(0x92, 1), 0x02);
	out(0x70, 1, 0x0d);
	assert_int_equal(in(0x71, 1), 0x80);
}

static void test_pci(void **state)
{
	(void)state;
	out(0xcf8, 4, 0x80000000);
	assert_int_equal(in(0xcf8, 4), 0x80000000);
	assert_int_equal(in(0xcfc, 4), 0x00081b36);
	assert_int_equal(in(0xcfe, 2), 0x0008);
	out(0xcf8, 4, 0x80000008);
	assert_int_equal(in(0xcff, 1), 0x06); /* a bridge */
	for (uint32_t bdf = 1; bdf < 65536; bdf += 1) {
		out(0xcf8, 4, 0x80000000 | bdf << 8);
		assert_int_equal(in(0xcfc, 4), 0xffffffff);
	}
	out(0xcf8, 4, 0); /* not enabled */
	assert_int_equal(in(0xcfc, 4), 0xffffffff);
}

/* A card for a port whose channel is there, and none for another; its notify register as doorbell and as message. */
static void test_network(void **state)
{
	(void)state;
	networks.ports = 2;
	networks.port[0] = (struct bh_port){ .name = "alpha.0", .mac = { 2, 0, 0, 0, 0, 1 }, .queues = 1, .mtu = 1500 };
	networks.port[1] = (struct bh_port){ .name = "alpha.1", .queues = 1 };
	add_handle("alpha.0", BH_HANDLE_CHANNEL, BH_RIGHT_USE, (uint64_t)&channel, sizeof(channel));
	add_handle("alpha.1", BH_HANDLE_CHANNEL, BH_RIGHT_USE, (uint64_t)&channel, 4096);
	memset(&machine, 0, sizeof(machine));
	machine_init(&machine, window, &networks);
	assert_non_null(strstr(host_log, "no channel for network port alpha.1"));
	assert_int_equal(host_doorbell[0], MACHINE_EVENT_DOORBELL(0) + 1);
	assert_int_equal(host_doorbell[1], 0);

	out(0xcf8, 4, 0x80000800); /* 00:01.0 */
	assert_int_equal(in(0xcfc, 4), 0x10411af4);
	out(0xcf8, 4, 0x80001000);
	assert_int_equal(in(0xcfc, 4), UINT32_MAX);
	host_kicks = 0;
	out(0xc004, 2, 1);
	assert_int_equal(host_kicks, 1ull << MACHINE_EVENT_DOORBELL(0));
	out(0xc03f, 2, 1); /* reaches past it */
	out(0xc040, 2, 1);
	assert_int_equal(in(0xc002, 2), 0);
	assert_int_equal(in(0xc040, 2), 0xffff);

	/* elsewhere there is no doorbell, and back again there is */
	out(0xcf8, 4, 0x80000810);
	out(0xcfc, 4, 0x5000);
	assert_int_equal(host_doorbell[0], 0);
	host_kicks = 0;
	out(0xc000, 2, 0);
	assert_int_equal(host_kicks, 0);
	out(0x5000, 2, 0);
	assert_int_equal(host_kicks, 1ull << MACHINE_EVENT_DOORBELL(0));
	out(0xcfc, 4, 0xc3c0);
	assert_int_equal(host_doorbell[15], MACHINE_EVENT_DOORBELL(0) + 1);
	assert_int_equal(machine_service(&machine, MACHINE_EVENTS), BH_FOREVER);
}

static void assert_port_ends(uint16_t port, unsigned size, uint32_t value, enum bh_end how)
{
	host_how = 0;
	assert_true(HOST_ENDS(out(port, size, value)));
	assert_int_equal(host_how, how);
}

static void test_ends(void **state)
{
	(void)state;
	out(0xcf9, 1, 0x02);
	assert_port_ends(0xcf9, 1, 0x06, BH_END_RESET);
	assert_port_ends(0x64, 1, 0xfe, BH_END_RESET);
	assert_port_ends(0x92, 1, 0x03, BH_END_RESET);
	out(0x604, 2, 1);
	assert_port_ends(0x604, 2, 5 << 10 | 1 << 13, BH_END_POWEROFF);
}

/* Does the hook crash this process? In a child, as it would be the end of the test. */
static bool hook_crashes(uint32_t value)
{
	int status;
	pid_t child = fork();

	if (!child) {
		signal(SIGSEGV, SIG_DFL);
		out(0x4242, 4, value);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static void test_hook(void **state)
{
	(void)state;
	assert_false(machine.test_hooks);
	assert_false(hook_crashes(0x68737263));
	snprintf(host_info.command, sizeof(host_info.command), "a xbulkhead.testhooks bulkhead.testhooks2");
	machine = (struct machine){ 0 };
	machine_init(&machine, window, &networks);
	assert_false(machine.test_hooks);
	snprintf(host_info.command, sizeof(host_info.command), "quiet bulkhead.testhooks");
	machine = (struct machine){ 0 };
	machine_init(&machine, window, &networks);
	assert_true(machine.test_hooks);
	assert_false(hook_crashes(1));
	assert_true(hook_crashes(0x68737263));
}

/* Registers that no CPU enters are given to nobody who did not ask with both words. */
static void test_hook_invalid_state(void **state)
{
	static const char *const commands[] = { "quiet", "bulkhead.testhooks", "bulkhead.invalid-state",
						"bulkhead.invalid-state bulkhead.testhooks" };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		snprintf(host_info.command, sizeof(host_info.command), "%s", commands[i]);
		machine = (struct machine){ 0 };
		machine_init(&machine, window, &networks);
		assert_int_equal(machine.invalid_state, i == 3);
	}
}

/* ---- device memory ----------------------------------------------------------------------------------- */

/* A message as the kernel sends it, for an instruction at CODE in 64-bit mode. */
static void mmio(const char *code, unsigned bytes, uint64_t address, bool write)
{
	memcpy(window + CODE, code, bytes);
	message.reason = BH_MSG_MMIO;
	message.vcpu = 1;
	message.address = address;
	message.write = write;
	message.reply = message.state_out = 0;
	message.state.rip = CODE;
	message_handle(&machine, &message);
}

#define MMIO(code, address, write) mmio(code, sizeof(code) - 1, address, write)

/* mov %eax,(%rdi) and mov (%rdi),%eax */
static void poke(uint64_t address, uint32_t value)
{
	message.state.gpr[BH_RAX] = value;
	MMIO("\x89\x07", address, true);
	assert_int_equal(message.state.rip, CODE + 2);
	assert_int_equal(message.state_out, BH_STATE_GPR | BH_STATE_RIP);
}

static uint32_t peek(uint64_t address)
{
	message.state.gpr[BH_RAX] = UINT64_MAX;
	MMIO("\x8b\x07", address, false);
	assert_int_equal(message.state.gpr[BH_RAX] >> 32, 0);
	return (uint32_t)message.state.gpr[BH_RAX];
}

/* A guest that has started: flat 64-bit code with an identity map. */
static int setup_mmio(void **state)
{
	char reason[BZIMAGE_REASON_BYTES];

	return setup(state) || !boot_with(sample, sizeof(sample), NULL, 0, reason);
}

static void test_ioapic(void **state)
{
	(void)state;
	poke(0xfec00000, 1);
	assert_int_equal(peek(0xfec00010), 0x000f0020);
	MMIO("\x0f\xb7\x07", 0xfec00012, false); /* movzwl: the upper half */
	assert_int_equal(message.state.gpr[BH_RAX], 0xf);
	assert_int_equal(peek(0xfed00000), 0xffffffff); /* nobody there */
	poke(0xfed00000, 1);
}

static void test_local_apic(void **state)
{
	(void)state;
	host_apic[0x30 / 16] = 0x50014;
	assert_int_equal(peek(0xfee00030), 0x50014);
	MMIO("\x8a\x07", 0xfee00032, false); /* mov (%rdi),%al */
	assert_int_equal(message.state.gpr[BH_RAX] & 0xff, 0x05);
	poke(0xfee000b0, 0);
	assert_int_equal(host_apic_writes, 1);
	MMIO("\x88\x07", 0xfee000b0, true); /* a byte: nothing happens */
	assert_int_equal(host_apic_writes, 1);
	/* or $0x40,(%rdi); then movl $7,(%rdi) */
	host_apic[0xf0 / 16] = 0x1ff & ~0x40u;
	MMIO("\x83\x0f\x40", 0xfee000f0, true);
	assert_int_equal(host_apic[0xf0 / 16], 0x1ff);
	MMIO("\xc7\x07\x07\x00\x00\x00", 0xfee00080, true);
	assert_int_equal(host_apic[0x80 / 16], 7);
	message.state.gpr[BH_RDX] = 0x123456789;
	MMIO("\x87\x17", 0xfee00080, true); /* xchg %edx,(%rdi) */
	assert_int_equal(host_apic[0x80 / 16], 0x23456789);
	assert_int_equal(message.state.gpr[BH_RDX], 7);
}

/* Results and flags of all the arithmetic, against this CPU. */
static void native(unsigned op, uint32_t *a, uint32_t b, uint64_t *flags)
{
	switch (op) {
#define OP(n, text) \
	case n: __asm__ volatile(text " %2, %0\n\tpushfq\n\tpop %1" : "+r"(*a), "=r"(*flags) : "r"(b) : "cc"); break;
		OP(0x01, "addl")
		OP(0x09, "orl")
		OP(0x21, "andl")
		OP(0x29, "subl")
		OP(0x31, "xorl")
		OP(0x39, "cmpl")
		OP(0x85, "testl")
	}
}

static void test_arithmetic(void **state)
{
	(void)state;
	static const uint8_t ops[] = { 0x01, 0x09, 0x21, 0x29, 0x31, 0x39, 0x85 };
	static const uint32_t corners[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x10, 0xf, 0x55 };

	for (unsigned i = 0; i < sizeof(ops) * 64; i++) {
		uint8_t op = ops[i / 64];
		uint32_t a = corners[i / 8 % 8], b = corners[i % 8];
		uint64_t flags = 0, mask = op == 0x01 || op == 0x29 || op == 0x39 ? 0x8d5 : 0x8c5;
		char code[2] = { (char)op, 0x07 };

		host_apic[8] = a;
		message.state.gpr[BH_RAX] = b;
		mmio(code, 2, 0xfee00080, true);
		native(op, &a, b, &flags);
		assert_int_equal(host_apic[8], a);
		assert_int_equal(message.state.rflags & mask, flags & mask);
		assert_int_equal(message.state.rflags & ~0x8d5ull, 2);
	}
}

static void test_strings(void **state)
{
	(void)state;
	struct bh_vcpu_state *s = &message.state;

	/* movsl from the I/O APIC's window to RAM, three times the same register address apart */
	poke(0xfec00000, 1);
	s->gpr[BH_RSI] = 0xfec00010;
	s->gpr[BH_RDI] = 0x300000;
	MMIO("\xa5", 0xfec00010, false);
	assert_int_equal(get(0x300000, 4), 0x000f0020);
	assert_int_equal(s->gpr[BH_RSI], 0xfec00014);
	assert_int_equal(s->gpr[BH_RDI], 0x300004);
	/* rep stosb over a hole, more than one message's worth, ending in RAM: never outside of the window */
	s->gpr[BH_RDI] = 0xd0000000;
	s->gpr[BH_RCX] = 1500;
	MMIO("\xf3\xaa", 0xd0000000, true);
	assert_int_equal(s->gpr[BH_RCX], 476);
	assert_int_equal(s->rip, CODE);
	assert_int_equal(s->gpr[BH_RDI], 0xd0000400);
	MMIO("\xf3\xaa", 0xd0000400, true);
	assert_int_equal(s->gpr[BH_RCX], 0);
	assert_int_equal(s->rip, CODE + 2);
	/* backwards, across the end of RAM */
	s->rflags |= 0x400;
	s->gpr[BH_RAX] = 0x1122334455667788;
	s->gpr[BH_RDI] = RAM - 4;
	s->gpr[BH_RCX] = 2;
	MMIO("\xf3\x48\xab", RAM, true);
	assert_int_equal(s->gpr[BH_RDI], RAM - 20);
	assert_int_equal(get(RAM - 12, 8), 0x1122334455667788);
	/* a string whose other end is not mapped: #GP, not an endless loop */
	s->gpr[BH_RSI] = 0xfec00010;
	s->gpr[BH_RDI] = 0x123456789000;
	MMIO("\xa5", 0xfec00010, false);
	assert_int_equal(message.reply, BH_REPLY_GP);
}

static void test_unknown_instruction(void **state)
{
	(void)state;
	assert_true(HOST_ENDS(MMIO("\x0f\x10\x07", 0xfed00000, false))); /* movups */
	assert_int_equal(host_how, BH_END_FAILURE);
	assert_non_null(strstr(host_report, "RIP 0x200000 that touches address 0xfed00000"));
	assert_non_null(strstr(host_report, "its bytes: 0f 10 07"));
}

static void test_no_instruction(void **state)
{
	(void)state;
	peek(0xfec00000);
	uint64_t cr3 = message.state.cr3;

	message.state.cr3 = RAM; /* tables outside: try again, the CPU will fault */
	message.state_out = 0;
	message.state.rip = CODE;
	message_handle(&machine, &message);
	assert_int_equal(message.state_out, 0);
	assert_int_equal(message.reply, 0);
	message.state.cr3 = cr3;
	message.state.rip = 0xd0000000; /* mapped, but there is nothing */
	assert_true(HOST_ENDS(message_handle(&machine, &message)));
	assert_non_null(strstr(host_report, "0xd0000000, where no memory is"));
}

/* Any state and any code: an answer or an end, never a crash. */
static void test_noise(void **state)
{
	(void)state;
	volatile unsigned ended = 0;
	volatile unsigned i;

	srand(3);
	for (i = 0; i < 20000; i++) {
		uint8_t *bytes = (uint8_t *)&message.state;
		char code[15];

		if (i % 2) {
			for (unsigned j = 0; j < sizeof(message.state); j++)
				bytes[j] = (uint8_t)rand();
			message.state.cr0 &= ~0x80000000ull;
		}
		for (unsigned j = 0; j < sizeof(code); j++)
			code[j] = (char)rand();
		ended += HOST_ENDS(mmio(code, sizeof(code), 0xfec00000 + (uint64_t)(rand() % 0x400000), i % 3));
		host_report[0] = 0;
		host_msis = 0;
	}
	assert_true(ended > 0 && ended < i);
}

/* ---- the rest ------------------------------------------------------------------------------------- */

/* A character typed becomes an interrupt by way of the I/O APIC, and what is written reaches the console. */
static void test_serial(void **state)
{
	(void)state;
	struct terminal console;
	char text[16] = "";

	terminal_open(&console, &terminal, 1, TERMINAL_CONSOLE);
	poke(0xfec00000, 0x18);
	poke(0xfec00010, 0x34);
	out(0x3fa, 1, 0x01);
	out(0x3fc, 1, 0x0b);
	out(0x3f9, 1, 0x05);
	assert_int_equal(host_msis, 0);
	assert_int_equal(terminal_write(&console, "ls\n", 3), 3);
	assert_true(machine_service(&machine, MACHINE_EVENTS) == BH_FOREVER);
	assert_int_equal(host_msis, 1);
	assert_int_equal(host_msi[0].data, 0x4034);
	assert_int_equal(in(0x3fd, 1), 0x61);
	assert_int_equal(in(0x3f8, 1), 'l');
	assert_int_equal(in(0x3f8, 1), 's');
	assert_int_equal(in(0x3f8, 1), '\n');
	assert_int_equal(in(0x3fd, 1), 0x60);
	out(0x3f8, 1, 'o');
	out(0x3f8, 1, 'k');
	assert_int_equal(terminal_read(&console, text, sizeof(text)), 2);
	assert_string_equal(text, "ok");
}

static void test_full_terminal(void **state)
{
	(void)state;
	struct terminal console;
	static char text[BH_TERMINAL_OUT_BYTES];

	terminal_open(&console, &terminal, 1, TERMINAL_CONSOLE);
	out(0x3fa, 1, 0x01);
	for (unsigned i = 0; i < BH_TERMINAL_OUT_BYTES; i++)
		out(0x3f8, 1, 'x');
	assert_int_equal(in(0x3fd, 1), 0x60);
	out(0x3f8, 1, 'y');
	assert_int_equal(in(0x3fd, 1), 0x00);
	unsigned signals = host_signals;

	assert_int_equal(terminal_read(&console, text, sizeof(text)), sizeof(text));
	assert_int_equal(host_signals, signals + 1); /* the writer had asked */
	machine_service(&machine, MACHINE_EVENTS);
	assert_int_equal(in(0x3fd, 1), 0x60);
	assert_int_equal(terminal_read(&console, text, sizeof(text)), 1);
	assert_int_equal(text[0], 'y');
}

static void test_timer(void **state)
{
	(void)state;
	poke(0xfec00000, 0x14); /* pin 2 */
	poke(0xfec00010, 0x30);
	out(0x43, 1, 0x34);
	out(0x40, 1, 0xa9);
	out(0x40, 1, 0x04);	       /* 1 ms */
	assert_true(host_signals > 0); /* the I/O vCPU was told */
	uint64_t deadline = machine_service(&machine, MACHINE_EVENTS);

	assert_in_range(deadline, 999000, 1001000);
	assert_int_equal(host_msis, 0);
	host_tsc = deadline;
	assert_in_range(machine_service(&machine, MACHINE_EVENTS), 1999000, 2001000);
	assert_int_equal(host_msis, 1);
	assert_int_equal(host_msi[0].data, 0x4030);
}

static void string_message(const char *code, unsigned bytes, uint16_t port)
{
	memcpy(window + CODE, code, bytes);
	message.reason = BH_MSG_PIO_STRING;
	message.port = port;
	message.reply = message.state_out = 0;
	message.state.rip = CODE;
	message_handle(&machine, &message);
}

static void test_string_io(void **state)
{
	(void)state;
	struct terminal console;
	char text[16] = "", reason[BZIMAGE_REASON_BYTES];
	struct bh_vcpu_state *s = &message.state;

	terminal_open(&console, &terminal, 1, TERMINAL_CONSOLE);
	memcpy(window + 0x300ffd, "hello", 5); /* across a page */
	s->gpr[BH_RSI] = 0x300ffd;
	s->gpr[BH_RCX] = 5;
	string_message("\xf3\x6e", 2, 0x3f8);
	assert_int_equal(terminal_read(&console, text, sizeof(text)), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(s->rip, CODE + 2);
	assert_int_equal(s->gpr[BH_RCX], 0);

	out(0xcf8, 4, 0x80000000);
	assert_true(boot_with(sample, sizeof(sample), NULL, 0, reason));
	s->gpr[BH_RDI] = 0x301ffe;
	string_message("\x6d", 1, 0xcfc);
	assert_int_equal(get(0x301ffe, 4), 0x00081b36);
	s->gpr[BH_RDI] = 1ull << 40;
	string_message("\x6d", 1, 0xcfc);
	assert_int_equal(message.reply, BH_REPLY_GP);
	s->gpr[BH_RDI] = 0x300000;
	s->gpr[BH_RCX] = 1ull << 60;
	string_message("\xf3\x6c", 2, 0x1234);
	assert_int_equal(s->gpr[BH_RCX], (1ull << 60) - 1024);
	assert_int_equal(s->rip, CODE);
}

static void test_msrs(void **state)
{
	(void)state;
	message = (struct bh_message){ .reason = BH_MSG_MSR_WRITE, .address = 0x4b564d01, .value = 0x5001 };
	message_handle(&machine, &message);
	assert_int_equal(message.reply, 0);
	assert_int_equal(get(0x5000 + 28, 2), 0x0100 | get(0x5000 + 28, 1)); /* TSC_STABLE */
	message.reason = BH_MSG_MSR_READ;
	message.value = 0;
	message_handle(&machine, &message);
	assert_int_equal(message.value, 0x5001);
	message.address = 0x4b564d05;
	message_handle(&machine, &message);
	assert_int_equal(message.reply, BH_REPLY_GP);
}

/* The report names the rule, and shows what it is about; by SVM's rules, which do not look at it, the manuals. */
static void test_refused_entry(void **state)
{
	(void)state;
	message = (struct bh_message){ .reason = BH_MSG_REFUSED, .value = 0xd01ull << 32 | 0x3707ff, .address = 40 };
	for (unsigned i = 0; i < BH_SEGMENTS; i++)
		message.state.segment[i] = (struct bh_segment){ 0, 0xffff, 0, 0x93 };
	message.state.segment[BH_CS] = (struct bh_segment){ 0xffff0000, 0xffff, 0xf000, 0x9b };
	message.state.segment[BH_SS].access = 0x83;
	message.state.rflags = 2;
	assert_true(HOST_ENDS(message_handle(&machine, &message)));
	assert_non_null(strstr(host_report, "invalid guest state: SS is a system segment (SDM"));
	assert_non_null(strstr(host_report, "cs   f000  base ffff0000  limit ffff  access 9b"));
	message.write = 1;
	assert_true(HOST_ENDS(message_handle(&machine, &message)));
	assert_non_null(strstr(host_report, "invalid guest state: the CPU refused to enter it (SDM"));
}

static void test_unknown_message(void **state)
{
	(void)state;
	message = (struct bh_message){ .reason = 99 };
	assert_true(HOST_ENDS(message_handle(&machine, &message)));
	assert_non_null(strstr(host_report, "reason 99"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_boot, setup),
		cmocka_unit_test_setup(test_boot_refused, setup),
		cmocka_unit_test_setup(test_boot_real, setup),
		cmocka_unit_test_setup(test_init_refused, setup),
		cmocka_unit_test_setup(test_every_port, setup),
		cmocka_unit_test_setup(test_ports, setup),
		cmocka_unit_test_setup(test_pci, setup),
		cmocka_unit_test_setup(test_network, setup),
		cmocka_unit_test_setup(test_ends, setup),
		cmocka_unit_test_setup(test_hook, setup),
		cmocka_unit_test_setup(test_hook_invalid_state, setup),
		cmocka_unit_test_setup(test_refused_entry, setup),
		cmocka_unit_test_setup(test_ioapic, setup_mmio),
		cmocka_unit_test_setup(test_local_apic, setup_mmio),
		cmocka_unit_test_setup(test_arithmetic, setup_mmio),
		cmocka_unit_test_setup(test_strings, setup_mmio),
		cmocka_unit_test_setup(test_unknown_instruction, setup_mmio),
		cmocka_unit_test_setup(test_no_instruction, setup_mmio),
		cmocka_unit_test_setup(test_noise, setup_mmio),
		cmocka_unit_test_setup(test_serial, setup_mmio),
		cmocka_unit_test_setup(test_full_terminal, setup),
		cmocka_unit_test_setup(test_timer, setup_mmio),
		cmocka_unit_test_setup(test_string_io, setup_mmio),
		cmocka_unit_test_setup(test_msrs, setup),
		cmocka_unit_test_setup(test_unknown_message, setup),
	};

	/* A page without access on both sides, so that what reaches out of the window ends the test. */
	window = mmap(NULL, RAM + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (window == MAP_FAILED)
		return 1;
	window += 4096;
	mprotect(window, RAM, PROT_READ | PROT_WRITE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
