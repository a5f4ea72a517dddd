/*
 * crash.c: dies after a second in the way that its argument (info.command) names; without one, it
 * lists the ways. With "now" after it, it does not wait.
 */
#include "bh.h"
#include "terminal.h"

static void triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	__asm__ volatile("lidt %0\n\tud2" : : "m"(none));
}

/* Nothing is there, and a native program has no monitor that would answer. */
static void outside(void) { *(volatile uint64_t *)0xf0000000ull = 1; }

static void outside_read(void) { (void)*(volatile uint64_t *)0xf0000000ull; }

static void fpu(void) { __asm__ volatile("fldz"); }

static void sse(void) { __asm__ volatile(".byte 0x0f, 0x57, 0xc0"); /* xorps %xmm0, %xmm0 */ }

/* Its own page tables allow both; the segments of its image do not. */
static void readonly(void) { *(volatile uint8_t *)(uint64_t)main = 0xcc; }

static void execute(void)
{
	static uint8_t code[16] = { 0xc3 };
	void (*call)(void) = (void (*)(void))(uint64_t)code;

	__asm__ volatile("" : "+r"(call));
	call();
}

static void null_pointer(void)
{
	volatile uint64_t *volatile pointer = NULL;

	*pointer = 1;
}

static void stack(void) { __asm__ volatile("1: push %%rax\n\tjmp 1b" : : : "memory"); }

/* Page tables that are not there: the next fetch faults, and so does the handler's. */
static void cr3(void) { __asm__ volatile("mov %0, %%cr3" : : "r"(0xf0000000ull) : "memory"); }

/* No interrupt can come, so this vCPU will never run again. */
static void halt(void) { __asm__ volatile("cli\n\thlt"); }

/* Paging off in 64-bit mode: the CPU refuses. */
static void paging(void)
{
	uint64_t cr0;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 & ~(1ull << 31)) : "memory");
}

static void finish(void) { bh_exit(0); }

static void fail(void) { bh_fail("crash: asked to fail\n"); }

static const struct way {
	const char *name;
	void (*die)(void);
} ways[] = {
	{ "triplefault", triple_fault },
	{ "outside", outside },
	{ "outside-read", outside_read },
	{ "fpu", fpu },
	{ "sse", sse },
	{ "readonly", readonly },
	{ "execute", execute },
	{ "null", null_pointer },
	{ "stack", stack },
	{ "cr3", cr3 },
	{ "halt", halt },
	{ "paging", paging },
	{ "finish", finish },
	{ "fail", fail },
};

/* `command` is the name, or the name and more words. */
static bool is_word(const char *command, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(command, name, length) && (command[length] == ' ' || !command[length]);
}

int main(unsigned vcpu)
{
	const char *command = bh_info()->command;
	struct terminal terminal;

	if (vcpu != 0)
		return 0;
	if (!terminal_open_console(&terminal, vcpu, 0))
		bh_fail("no channel \"console\"\n");
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!is_word(command, ways[i].name))
			continue;
		terminal_printf(&terminal, "crash: %s\r\n", ways[i].name);
		if (!strstr(command, " now"))
			bh_sleep_ms(1000);
		ways[i].die();
		terminal_printf(&terminal, "crash: still alive after %s\r\n", ways[i].name);
		bh_fail("still alive after %s\n", ways[i].name);
	}
	terminal_printf(&terminal, "crash: I know");
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		terminal_printf(&terminal, " %s", ways[i].name);
	terminal_printf(&terminal, "\r\n");
	return 2;
}
