/*
 * count_instructions.c: a plugin for QEMU's own emulation that counts what each CPU executes.
 *
 *   -plugin count-instructions.so,counts=PATH[,blocks=PATH][,path=PATH]
 *
 * PATH becomes an array of 64-bit numbers in the host's byte order, one for each CPU, which grow while the machine
 * runs; that of `blocks` an array of struct block, one for each block of instructions that was translated; that of
 * `path` a struct path: the blocks that were executed last, in order. A block that an exception ends early counts as a
 * whole, and each round of a REP instruction as an instruction. The interface is QEMU's, version 1
 * (docs/devel/tcg-plugins.rst); Debian has no package with its header.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CPUS   64
#define BLOCKS (1u << 21)
#define SEEN   4 /* CPUs that blocks are counted on */
#define STEPS  (1u << 20)

struct qemu_plugin_tb;
struct qemu_info;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
typedef void (*translated_fn)(uint64_t id, struct qemu_plugin_tb *block);
typedef void (*executed_fn)(unsigned cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_fn call);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, executed_fn call,
					  enum qemu_plugin_cb_flags flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int words, char **word);

extern int qemu_plugin_version;
int qemu_plugin_version = 1;

struct block {
	uint64_t address, instructions, times[SEEN];
};

/* The CPU, the instructions and the address of each step, in a ring. */
struct path {
	uint64_t steps;
	struct step {
		uint32_t cpu, instructions;
		uint64_t address;
	} step[STEPS];
};

static uint64_t *counts;
static struct block *blocks;
static struct path *path;
static size_t used;

static void executed(unsigned cpu, void *instructions)
{
	if (cpu < CPUS)
		counts[cpu] += (uintptr_t)instructions;
}

static void executed_block(unsigned cpu, void *data)
{
	struct block *block = data;

	executed(cpu, (void *)block->instructions);
	if (cpu < SEEN)
		block->times[cpu]++;
	if (path)
		path->step[path->steps++ % STEPS] = (struct step){ cpu, (uint32_t)block->instructions, block->address };
}

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
	size_t instructions = qemu_plugin_tb_n_insns(block);

	(void)id;
	if (blocks && used < BLOCKS) {
		blocks[used].address = qemu_plugin_tb_vaddr(block);
		blocks[used].instructions = instructions;
		qemu_plugin_register_vcpu_tb_exec_cb(block, executed_block, QEMU_PLUGIN_CB_NO_REGS, &blocks[used++]);
	} else {
		qemu_plugin_register_vcpu_tb_exec_cb(block, executed, QEMU_PLUGIN_CB_NO_REGS, (void *)instructions);
	}
}

static void *map(const char *path, size_t bytes)
{
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	void *memory;

	if (file < 0 || ftruncate(file, (off_t)bytes))
		return NULL;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int words, char **word)
{
	(void)info;
	for (int i = 0; i < words; i++) {
		if (!strncmp(word[i], "counts=", 7))
			counts = map(word[i] + 7, CPUS * sizeof(*counts));
		else if (!strncmp(word[i], "blocks=", 7))
			blocks = map(word[i] + 7, BLOCKS * sizeof(*blocks));
		else if (!strncmp(word[i], "path=", 5))
			path = map(word[i] + 5, sizeof(*path));
	}
	if (!counts)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
