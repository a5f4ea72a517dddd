#include "fake_view.h"
#include <stdio.h>
#include <string.h>
#include "sha256.h"

struct fake_machine fake_machine;

static const char *const names[FAKE_PARTITIONS] = { "alpha", "alpha.monitor", "beta", FAKE_ODD_NAME, "" };

void fake_machine_start(void)
{
	memset(&fake_machine, 0, sizeof(fake_machine));
	for (unsigned i = 0; i < FAKE_PARTITIONS; i++)
		fake_machine.state[i] = BH_STATE_RUNNING;
	fake_machine.state[FAKE_BETA] = BH_STATE_STOPPED;
	fake_machine.cause[FAKE_BETA] = BH_CAUSE_POWEROFF;
	fake_machine.kept = 65536;
	fake_machine.typed_room = 200;
	fake_machine.cpus = 300;
	for (unsigned i = 0; i < 1000; i++)
		sprintf(fake_machine.log + strlen(fake_machine.log), "[%u.0] a line\n", i);
}

void fake_machine_prints(unsigned partition, const char *text)
{
	for (; *text; text++)
		fake_machine.console[partition][fake_machine.printed[partition]++ % sizeof(fake_machine.console[0])] =
			*text;
}

/* ---- the machine ---- */

void view_machine(struct view_machine *machine)
{
	*machine = (struct view_machine){ .cpus = fake_machine.cpus,
					  .memory = 1ull << 40,
					  .memory_free = 1 << 30,
					  .kernel = 4 << 20,
					  .kernel_free = 1 << 20,
					  .now = 5000000123 + fake_machine.elapsed,
					  .tsc_hz = 3000000000,
					  .restarts = 2 };
}

void view_cpu(unsigned number, struct view_cpu *cpu) { *cpu = (struct view_cpu){ 2 * number, 1000000000ull * number }; }

static unsigned text_at(const char *text, uint64_t offset, char to[8])
{
	size_t length = strlen(text);

	if (offset >= length)
		return 0;
	memcpy(to, text + offset, length - offset < 8 ? length - offset : 8);
	return length - offset < 8 ? (unsigned)(length - offset) : 8;
}

unsigned view_text(enum bh_machine_text which, uint64_t offset, char text[8])
{
	if (which == BH_TEXT_LOG)
		return text_at(fake_machine.log, offset - 1000, text);
	return text_at(which == BH_TEXT_CAPS ? "VPID: yes \x1b[2J \"quoted\"\n" : "", offset, text);
}

void view_log(uint64_t *first, uint64_t *end)
{
	*first = 1000;
	*end = 1000 + strlen(fake_machine.log);
}

/* ---- partitions ---- */

unsigned view_partitions(void) { return FAKE_PARTITIONS; }

static const char *name_of(unsigned number) { return number == FAKE_MADE ? fake_machine.made_name : names[number]; }

void view_partition(unsigned number, struct view_partition *partition)
{
	*partition = (struct view_partition){ .name = name_of(number),
					      .kind = number == FAKE_MONITOR ? "monitor"
						      : number == FAKE_ALPHA ? "guest"
									     : "native",
					      .guest = number == FAKE_MONITOR ? "alpha" : "",
					      .words = "some words",
					      .state = fake_machine.state[number],
					      .cause = fake_machine.cause[number],
					      .vcpus = number == FAKE_ALPHA ? 16 : 1,
					      .memory = 64 << 20,
					      .restarts = number,
					      .started = 1000 * number + fake_machine.started[number],
					      .console = number != FAKE_MONITOR,
					      .runtime = number == FAKE_MADE };
}

int view_find(const char *name)
{
	for (int i = 0; i < FAKE_PARTITIONS; i++)
		if (name[0] && !strcmp(name_of((unsigned)i), name))
			return i;
	return -1;
}

const char *view_owner(unsigned number) { return name_of(number == FAKE_MONITOR ? FAKE_ALPHA : number); }

void view_vcpu(unsigned partition, unsigned number, struct view_vcpu *vcpu)
{
	uint64_t ran = 9000000000 + fake_machine.elapsed / (2 + number + partition);

	*vcpu = (struct view_vcpu){ number + 1, partition == FAKE_ALPHA, ran, 500000000, 25 };
}

uint64_t view_exits(unsigned partition, unsigned vcpu, unsigned reason)
{
	return partition + vcpu + reason + fake_machine.elapsed / 10000000;
}

unsigned view_report(unsigned partition, uint64_t offset, char text[8])
{
	return text_at(partition == FAKE_ODD ? "triple fault\nrip \xff\xfe" : "", offset, text);
}

enum view_answer view_operate(unsigned partition, const char *operation, char words[VIEW_WORDS])
{
	words[0] = 0;
	fake_machine.operations++;
	if (partition == FAKE_MONITOR) {
		strcpy(words, "A monitor lives with its guest: use alpha.");
		return VIEW_FORBIDDEN;
	}
	if (strcmp(operation, fake_machine.state[partition] == BH_STATE_RUNNING ? "stop" : "start")) {
		snprintf(words, VIEW_WORDS, "%s is in another state.", name_of(partition));
		return VIEW_REFUSED;
	}
	fake_machine.state[partition] = *operation == 's' && operation[2] == 'o' ? BH_STATE_DYING : BH_STATE_BUILDING;
	return VIEW_BEGUN;
}

/* ---- what is made at run time ---- */

static enum view_change say(enum view_change change, char words[VIEW_SENTENCE], const char *text)
{
	snprintf(words, VIEW_SENTENCE, "%s", text);
	return change;
}

enum view_change view_create(const char *kind, const char *name, const struct view_key *keys, unsigned count,
			     char words[VIEW_SENTENCE], char wrong[BH_NAME_BYTES])
{
	(void)kind;
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(keys[i].name, "memory"))
			continue;
		if (!strcmp(keys[i].value, "1T"))
			return say(VIEW_NO_ROOM, words, "It does not fit.");
		if (keys[i].value[0] == 'x') {
			strcpy(wrong, "memory");
			return say(VIEW_BAD, words, "`memory = x` is \"wrong\".");
		}
	}
	if (view_find(name) >= 0)
		return say(VIEW_TAKEN, words, "The name is taken.");
	snprintf(fake_machine.made_name, sizeof(fake_machine.made_name), "%s", name);
	fake_machine.made = true;
	return VIEW_DONE;
}

enum view_change view_remove(unsigned partition, char words[VIEW_SENTENCE])
{
	if (partition != FAKE_MADE || fake_machine.state[partition] == BH_STATE_RUNNING)
		return say(VIEW_BUSY, words, "It runs, or is of the boot.");
	fake_machine.made_name[0] = 0;
	return VIEW_DONE;
}

size_t view_configuration(uint64_t offset, char *to, size_t max)
{
	static const char text[] = "[guest alpha]\nkernel = vmlinuz\n";
	size_t left = offset < sizeof(text) - 1 ? sizeof(text) - 1 - (size_t)offset : 0;

	left = left < max ? left : max;
	if (left)
		memcpy(to, text + offset, left);
	return left;
}

unsigned view_images(void) { return 3; }

bool view_image(unsigned number, struct view_image *image)
{
	*image = (struct view_image){ .name = "kernels/vmlinuz", .bytes = 1000, .received = 1000 };
	if (number == 2) {
		snprintf(image->name, sizeof(image->name), "%s", fake_machine.image_name);
		image->bytes = fake_machine.image_bytes;
		image->received = fake_machine.image_received;
		image->uploaded = true;
	}
	return number == 0 || (number == 2 && image->bytes);
}

int view_image_find(const char *name)
{
	struct view_image image;

	for (unsigned i = 0; i < view_images(); i++)
		if (view_image(i, &image) && !strcmp(image.name, name))
			return (int)i;
	return -1;
}

bool view_image_used(const char *image, unsigned partition)
{
	return view_image_find(image) == 0 ? partition == FAKE_ALPHA || partition == FAKE_ODD : partition == FAKE_MADE;
}

enum view_change view_image_create(const char *name, uint64_t bytes, char words[VIEW_SENTENCE])
{
	if (strchr(name, ' '))
		return say(VIEW_BAD, words, "That is no name.");
	if (view_image_find(name) >= 0)
		return say(VIEW_TAKEN, words, "The name is taken.");
	if (bytes > sizeof(fake_machine.image) || fake_machine.image_bytes)
		return say(VIEW_NO_ROOM, words, "There is no room.");
	snprintf(fake_machine.image_name, sizeof(fake_machine.image_name), "%s", name);
	fake_machine.image_bytes = bytes;
	fake_machine.image_received = 0;
	return VIEW_DONE;
}

enum view_change view_image_write(unsigned number, const void *data, size_t bytes, char words[VIEW_SENTENCE])
{
	if (number != 2 || bytes > fake_machine.image_bytes - fake_machine.image_received)
		return say(VIEW_BAD, words, "That is more than it has.");
	memcpy(fake_machine.image + fake_machine.image_received, data, bytes);
	fake_machine.image_received += bytes;
	return VIEW_DONE;
}

enum view_change view_image_remove(unsigned number, char words[VIEW_SENTENCE])
{
	if (number != 2 || fake_machine.made_name[0])
		return say(VIEW_BUSY, words, "It is used, or of the boot.");
	fake_machine.image_bytes = 0;
	return VIEW_DONE;
}

/* ---- consoles ---- */

void view_console(unsigned partition, uint64_t *first, uint64_t *end)
{
	*end = fake_machine.printed[partition];
	*first = *end > fake_machine.kept ? *end - fake_machine.kept : 0;
}

size_t view_console_read(unsigned partition, uint64_t position, char *to, size_t max)
{
	size_t count = 0;

	while (count < max && position < fake_machine.printed[partition])
		to[count++] = fake_machine.console[partition][position++ % sizeof(fake_machine.console[0])];
	return count;
}

size_t view_console_type(unsigned partition, const char *from, size_t bytes)
{
	(void)partition;
	if (bytes > fake_machine.typed_room - fake_machine.typed_bytes)
		bytes = fake_machine.typed_room - fake_machine.typed_bytes;
	memcpy(fake_machine.typed + fake_machine.typed_bytes, from, bytes);
	fake_machine.typed_bytes += bytes;
	return bytes;
}

/* ---- networks ---- */

static const struct bh_network networks[] = { { "lan", 1, 1500, 500, 3 }, { "inside", 0, 9000, 0, 9 } };
static const struct view_port ports[] = {
	{ "alpha.0", "alpha", 0, 0, false, 1000000, { .present = 1, .link = 1, .admin = 1, .driver = 1 } },
	{ "beta.0", "beta", 1, 7, false, 0, { .present = 1, .out_bytes = 1ull << 60, .drops = { 1, 2, 3 } } },
	{ "lan.nic", "", 0, 0, true, 0, { .present = 1, .link = 1, .words = "e1000: \x1b \xff \"x\"" } },
	{ "lan.console", "", 0, 0, false, 0, { .present = 0 } },
};

enum view_service view_service(void) { return VIEW_SERVICE_RUNS; }
unsigned view_networks(void) { return 2; }
const struct bh_network *view_network(unsigned number) { return &networks[number]; }
unsigned view_ports(void) { return sizeof(ports) / sizeof(ports[0]); }

bool view_port(unsigned number, struct view_port *port)
{
	*port = ports[number];
	port->stat.in_bytes += fake_machine.elapsed / 20000;
	port->stat.out_bytes += fake_machine.elapsed / 90000;
	return port->stat.present;
}

/* ---- tokens ---- */

static void noisy(void *to, size_t bytes)
{
	static uint32_t noise = 1;

	for (size_t i = 0; i < bytes; i++)
		((uint8_t *)to)[i] = (uint8_t)((noise = noise * 1664525 + 1013904223) >> 24);
}

static uint64_t seconds(void) { return 1700000000; }

const struct users_host fake_host = { noisy, sha256, seconds };

static void make(const char *name, enum users_role role, const char *partition, char *text)
{
	struct users_token wanted = { .role = (uint8_t)role, .partitions = partition[0] != 0 };

	snprintf(wanted.name, sizeof(wanted.name), "%s", name);
	snprintf(wanted.partition[0], sizeof(wanted.partition[0]), "%s", partition);
	users_create(&wanted, text);
}

void fake_tokens_make(struct fake_tokens *tokens)
{
	make("ann", USERS_ADMINISTRATOR, "", tokens->ann);
	make("vic", USERS_VIEWER, "", tokens->vic);
	make("oda", USERS_OPERATOR, "beta", tokens->oda);
}
