/*
 * breakpoint-race: two CPUs and one instruction that is a breakpoint for a moment, again and again.
 *
 * Kernels change their code in this way: INT3 goes over an instruction's first byte and later away again, and a CPU
 * that meets it meanwhile finds in the handler that it is gone, and does the instruction anew. A CPU that goes on
 * executing an INT3 that is no longer in memory never comes out of this. The runner says whether that happens.
 */
#include "program.h"

#define SYS_MMAP	 9
#define SYS_RT_SIGACTION 13
#define SYS_FORK	 57
#define SYS_KILL	 62

#define PAGE	     4096ull
#define PROT_RWX     7
#define SHARED	     0x21 /* and anonymous */
#define SIGNAL_TRAP  5
#define SIGNAL_KILL  9
#define ACTION_FLAGS 0x44000004u /* SA_SIGINFO, SA_RESTORER, SA_NODEFER */
#define RIP	     21		 /* in struct ucontext, in words */

#define NOP	0x90u
#define INT3	0xccu
#define SECONDS 10u
#define STUCK	5000000000ull /* nanoseconds without progress */

/* In shared memory: the code in a page of its own. */
struct shared {
	volatile uint8_t code[PAGE];
	volatile uint64_t rounds;    /* how often the code was run to its end */
	volatile uint64_t met;	     /* INT3 that was there */
	volatile uint64_t met_again; /* INT3 that was not there any more */
};

struct action {
	void (*handler)(int number, void *info, uint64_t *context);
	uint64_t flags;
	void (*restorer)(void);
	uint64_t mask;
};

static struct shared *shared;

void restorer(void);
__asm__("restorer: mov $15, %eax; syscall"); /* rt_sigreturn */

/* As kernels do it: what is gone is done anew. One that is there is passed over. */
static void trapped(int number, void *info, uint64_t *context)
{
	const volatile uint8_t *at = (const volatile uint8_t *)(context[RIP] - 1);

	(void)number;
	(void)info;
	if (*at == INT3) {
		shared->met++;
		return;
	}
	shared->met_again++;
	context[RIP]--;
}

static __attribute__((noreturn)) void runner(void)
{
	struct action action = { trapped, ACTION_FLAGS, restorer, 0 };

	call6(SYS_RT_SIGACTION, SIGNAL_TRAP, (uint64_t)&action, 0, sizeof(action.mask), 0, 0);
	for (;;) {
		__asm__ volatile(
			"lea -128(%%rsp), %%rsp\n\tcall *%0\n\tlea 128(%%rsp), %%rsp" /* not into the red zone */
			:
			: "r"(shared->code)
			: "memory", "cc");
		shared->rounds++;
	}
}

/* Until the runner has come through twice: the first one may have begun before. False: it does not. */
static int comes_through(void)
{
	uint64_t rounds = shared->rounds, end = 0;

	for (unsigned i = 0; shared->rounds < rounds + 2; i++) {
		if (i % 1024 == 0) {
			uint64_t now = clock_nanoseconds(CLOCK_MONOTONIC);

			if (!end)
				end = now + STUCK;
			if (now > end)
				return 0;
		}
		__asm__ volatile("pause");
	}
	return 1;
}

static void report(const char *what, uint64_t number)
{
	print(what);
	print_number(number);
}

int program(int words, char **word)
{
	uint64_t end = clock_nanoseconds(CLOCK_MONOTONIC) + SECONDS * 1000000000ull, changes = 0;
	int stuck = 0;
	int64_t child;

	(void)words;
	(void)word;
	shared = (struct shared *)call6(SYS_MMAP, 0, sizeof(*shared), PROT_RWX, SHARED, -1ull, 0);
	shared->code[0] = NOP;
	shared->code[1] = 0xc3;
	child = call(SYS_FORK, 0, 0, 0);
	if (child == 0)
		runner();
	while (clock_nanoseconds(CLOCK_MONOTONIC) < end && !stuck) {
		shared->code[0] = INT3;
		for (uint64_t i = 0; i < changes % 64; i++)
			__asm__ volatile("pause");
		shared->code[0] = NOP;
		changes++;
		stuck = !comes_through();
	}
	call(SYS_KILL, child, SIGNAL_KILL, 0);
	report("breakpoint-race: ", changes);
	report(" changes, met ", shared->met);
	report(", was gone ", shared->met_again);
	print(stuck ? ", STUCK at last\n" : ", never stuck\n");
	return stuck;
}
