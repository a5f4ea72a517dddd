#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "qemu_nic.h"

#define MEMORY	     0x4000000u
#define MEMORY_FIRST 0x200000u
#define BORDER	     0x200000u
#define MSI_CELL     0x100000u /* messages are written here instead of to a local APIC */
#define BAR_FIRST    0xe0000000u
#define BAR_STEP     0x1000000u
#define FUNCTION     0x80001000u /* bus 0, device 2 */
#define WAIT_MS	     20000
#define MSIX_BAR_MAX 6u

static struct {
	pid_t pid;
	FILE *to, *from; /* qtest */
	int net, monitor;
	uint8_t *memory;
	size_t used;
	uint32_t bar[NIC_BARS];
	char folder[64];
} q;

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	abort();
}

/* ---- qtest ------------------------------------------------------------------------------------- */

static uint64_t command(const char *format, ...)
{
	char line[256];
	va_list list;

	va_start(list, format);
	vfprintf(q.to, format, list);
	va_end(list);
	fputc('\n', q.to);
	fflush(q.to);
	do
		must(fgets(line, sizeof(line), q.from), "QEMU has ended");
	while (!strncmp(line, "IRQ ", 4));
	must(!strncmp(line, "OK", 2), line);
	return line[2] == ' ' ? strtoull(line + 3, NULL, 0) : 0;
}

static char letter(unsigned bytes) { return "?bw?l???q"[bytes]; }

static uint64_t read_register(void *context, unsigned bar, uint32_t offset, unsigned bytes)
{
	(void)context;
	return command("read%c 0x%x", letter(bytes), q.bar[bar] + offset);
}

static void write_register(void *context, unsigned bar, uint32_t offset, unsigned bytes, uint64_t value)
{
	(void)context;
	command("write%c 0x%x 0x%llx", letter(bytes), q.bar[bar] + offset, (unsigned long long)value);
}

static uint32_t config_read(void *context, uint32_t offset, unsigned bytes)
{
	(void)context;
	command("outl 0xcf8 0x%x", FUNCTION | (offset & 0xfc));
	return (uint32_t)command("in%c 0x%x", letter(bytes), 0xcfc + (offset & 3));
}

static void config_write(void *context, uint32_t offset, unsigned bytes, uint32_t value)
{
	(void)context;
	command("outl 0xcf8 0x%x", FUNCTION | (offset & 0xfc));
	command("out%c 0x%x 0x%x", letter(bytes), 0xcfc + (offset & 3), value);
}

/* ---- what the kernel and the service do otherwise ---------------------------------------------- */

static void *allocate(void *context, size_t bytes, size_t align)
{
	size_t at = (q.used + align - 1) / align * align;

	(void)context;
	if (at / BORDER != (at + bytes - 1) / BORDER)
		at = (at / BORDER + 1) * BORDER;
	must(at + bytes <= MEMORY, "memory");
	q.used = at + bytes;
	return q.memory + at;
}

static uint64_t dma(void *context, const void *address)
{
	(void)context;
	return (uint64_t)((const uint8_t *)address - q.memory);
}

static bool master(void *context, bool on)
{
	uint32_t value = config_read(context, 4, 2);

	config_write(context, 4, 2, on ? value | 4 : value & ~4u);
	return true;
}

static bool bind_irq(void *context, unsigned index)
{
	(void)context;
	return index == 0;
}

static uint64_t now(void *context)
{
	(void)context;
	return 0;
}

static void pause_us(void *context, unsigned microseconds)
{
	(void)context;
	usleep(microseconds);
}

static void say(void *context, const char *format, ...)
{
	va_list list;

	(void)context;
	va_start(list, format);
	printf("    ");
	vprintf(format, list);
	printf("\n");
	va_end(list);
}

/* PCI 3.0, 6.2.5.1: the size is what stays 0 of all ones. */
static void place_bars(struct qemu_nic *nic)
{
	for (unsigned i = 0; i < NIC_BARS; i++) {
		uint32_t kind = config_read(NULL, 0x10 + 4 * i, 4), mask;

		if (kind & 1)
			continue;
		config_write(NULL, 0x10 + 4 * i, 4, ~0u);
		mask = config_read(NULL, 0x10 + 4 * i, 4) & ~0xfu;
		if (!mask)
			continue;
		q.bar[i] = BAR_FIRST + i * BAR_STEP;
		nic->access.bar_bytes[i] = ~mask + 1;
		config_write(NULL, 0x10 + 4 * i, 4, q.bar[i]);
		if (kind & 4)
			config_write(NULL, 0x10 + 4 * ++i, 4, 0);
	}
	config_write(NULL, 4, 2, 2);
}

static uint32_t capability(uint8_t id)
{
	uint32_t at = config_read(NULL, 0x34, 1);

	while (at && config_read(NULL, at, 1) != id)
		at = config_read(NULL, at + 1, 1);
	return at;
}

static void set_msix(void)
{
	uint32_t at = capability(0x11), table = config_read(NULL, at + 4, 4);
	unsigned bar = table & 7;

	must(at && bar < MSIX_BAR_MAX, "MSI-X");
	config_write(NULL, at + 2, 2, 0x8000);
	write_register(NULL, bar, (table & ~7u) + 0, 4, MSI_CELL);
	write_register(NULL, bar, (table & ~7u) + 4, 4, 0);
	write_register(NULL, bar, (table & ~7u) + 8, 4, 0x41);
	write_register(NULL, bar, (table & ~7u) + 12, 4, 0);
}

static void set_msi(void)
{
	uint32_t at = capability(0x05);

	must(at, "MSI");
	config_write(NULL, at + 4, 4, MSI_CELL);
	config_write(NULL, at + 8, 4, 0);
	config_write(NULL, at + 12, 2, 0x41);
	config_write(NULL, at + 2, 2, 1);
}

bool qemu_nic_interrupted(struct qemu_nic *nic, unsigned steps)
{
	volatile uint32_t *cell = (volatile uint32_t *)(q.memory + MSI_CELL);

	for (unsigned i = 0; i < steps; i++) {
		qemu_nic_step();
		if (nic->access.irq_kind == BH_DEVICE_IRQ_INTX && config_read(NULL, 6, 2) & 8)
			return true;
		if (*cell) {
			*cell = 0;
			return true;
		}
	}
	return false;
}

void qemu_nic_step(void)
{
	config_read(NULL, 0, 4);
	usleep(1000);
}

/* ---- the network ------------------------------------------------------------------------------- */

bool qemu_nic_receive(const void *frame, uint32_t bytes)
{
	uint32_t length = htonl(bytes);
	struct iovec parts[2] = { { &length, 4 }, { (void *)frame, bytes } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent = sendmsg(q.net, &message, MSG_DONTWAIT);

	must(sent < 0 || sent == (ssize_t)bytes + 4, "network");
	return sent > 0;
}

static void read_all(void *to, size_t bytes) { must(recv(q.net, to, bytes, MSG_WAITALL) == (ssize_t)bytes, "network"); }

uint32_t qemu_nic_sent(void *frame, uint32_t size)
{
	struct pollfd wait = { .fd = q.net, .events = POLLIN };
	uint32_t bytes;

	if (poll(&wait, 1, WAIT_MS) != 1)
		return 0;
	read_all(&bytes, 4);
	bytes = ntohl(bytes);
	must(bytes <= size, "a frame's length");
	read_all(frame, bytes);
	return bytes;
}

void qemu_nic_link(bool up)
{
	char text[256];

	dprintf(q.monitor, "set_link n %s\n", up ? "on" : "off");
	for (int i = 0; i < 20; i++)
		qemu_nic_step();
	while (recv(q.monitor, text, sizeof(text), MSG_DONTWAIT) > 0)
		;
}

/* ---- QEMU -------------------------------------------------------------------------------------- */

/* A processor that halts at once: the machine runs, and nobody but us uses the NIC. */
static void write_firmware(const char *path)
{
	static uint8_t rom[0x10000];
	static const uint8_t code[] = { 0xfa, 0xf4, 0xeb, 0xfd };
	FILE *file = fopen(path, "w");

	memcpy(rom + 0xfff0, code, sizeof(code));
	must(file && fwrite(rom, sizeof(rom), 1, file) == 1 && !fclose(file), path);
}

static void run(const char *machine, const char *device, int in, int out, int net, int monitor)
{
	char bios[128], memory[256], netdev[64], chardev[64], kind[64], nic[128];

	snprintf(bios, sizeof(bios), "%s/rom", q.folder);
	snprintf(memory, sizeof(memory), "memory-backend-file,id=m,size=64M,share=on,mem-path=%s/memory", q.folder);
	snprintf(kind, sizeof(kind), "%s,memory-backend=m", machine);
	snprintf(netdev, sizeof(netdev), "socket,id=n,fd=%d", net);
	snprintf(chardev, sizeof(chardev), "socket,id=c,fd=%d", monitor);
	snprintf(nic, sizeof(nic), "%s,id=nic,netdev=n,addr=2,mac=52:54:00:12:34:56", device);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not close it */
	dup2(in, 0);
	dup2(out, 1);
	dup2(open("/dev/null", O_WRONLY), 2);
	execlp("qemu-system-x86_64", "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
	       "-accel", "tcg", "-object", memory, "-machine", kind, "-m", "64M", "-bios", bios, "-netdev", netdev,
	       "-device", nic, "-chardev", chardev, "-mon", "chardev=c", "-qtest", "stdio", "-qtest-log", "/dev/null",
	       (char *)NULL);
	_exit(127);
}

static void start(const char *machine, const char *device)
{
	int in[2], out[2], net[2], monitor[2];

	must(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC), "pipe");
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, net) && !socketpair(AF_UNIX, SOCK_STREAM, 0, monitor), "socketpair");
	fcntl(net[0], F_SETFD, FD_CLOEXEC);
	fcntl(monitor[0], F_SETFD, FD_CLOEXEC);
	fflush(NULL);
	q.pid = fork();
	if (q.pid == 0)
		run(machine, device, in[0], out[1], net[1], monitor[1]);
	close(in[0]);
	close(out[1]);
	close(net[1]);
	close(monitor[1]);
	q.to = fdopen(in[1], "w");
	q.from = fdopen(out[0], "r");
	q.net = net[0];
	q.monitor = monitor[0];
}

static void map_memory(void)
{
	char path[128];
	int file;

	snprintf(path, sizeof(path), "%s/memory", q.folder);
	file = open(path, O_RDWR | O_CREAT, 0600);
	must(file >= 0 && !ftruncate(file, MEMORY), path);
	q.memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	must(q.memory != MAP_FAILED, path);
	close(file);
}

/* QEMU has answered, so it has opened both. */
static void remove_files(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/rom", q.folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/memory", q.folder);
	unlink(path);
	rmdir(q.folder);
}

bool qemu_nic_open(struct qemu_nic *nic, const char *machine, const char *device, enum bh_device_irq kind)
{
	char path[128];

	if (system("command -v qemu-system-x86_64 > /dev/null"))
		return false;
	memset(&q, 0, sizeof(q));
	memset(nic, 0, sizeof(*nic));
	strcpy(q.folder, "/tmp/qemu_nic.XXXXXX");
	must(mkdtemp(q.folder), q.folder);
	snprintf(path, sizeof(path), "%s/rom", q.folder);
	write_firmware(path);
	map_memory();
	q.used = MEMORY_FIRST;
	start(machine, device);
	nic->access = (struct nic_access){
		.read = read_register,
		.write = write_register,
		.config_read = config_read,
		.config_write = config_write,
		.allocate = allocate,
		.dma = dma,
		.master = master,
		.bind_irq = bind_irq,
		.irq_kind = kind,
		.irqs = 1,
		.now = now,
		.ticks_per_ms = 1,
		.pause = pause_us,
		.say = say,
	};
	nic->id = config_read(NULL, 0, 4);
	nic->class_code = config_read(NULL, 8, 4) >> 8;
	remove_files();
	place_bars(nic);
	if (kind == BH_DEVICE_IRQ_MSIX)
		set_msix();
	if (kind == BH_DEVICE_IRQ_MSI)
		set_msi();
	return true;
}

void qemu_nic_close(void)
{
	kill(q.pid, SIGKILL);
	waitpid(q.pid, NULL, 0);
	fclose(q.to);
	fclose(q.from);
	close(q.net);
	close(q.monitor);
	munmap(q.memory, MEMORY);
}
