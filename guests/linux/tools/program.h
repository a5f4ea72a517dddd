/* program.h: what a Linux program of a page needs in place of a C library: a start, system calls,
 * text. */
#pragma once
#include <stdint.h>

#define SYS_WRITE	  1
#define SYS_IOPL	  172
#define SYS_NANOSLEEP	  35
#define SYS_EXIT	  60
#define SYS_CLOCK_GETTIME 228
#define CLOCK_REALTIME	  0
#define CLOCK_MONOTONIC	  1

struct timespec {
	int64_t seconds, nanoseconds;
};

/* A system call with up to two pointers or numbers; negative: the error. */
static inline int64_t call(int64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	int64_t result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

static inline uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void print(const char *text)
{
	uint64_t bytes = 0;

	while (text[bytes])
		bytes++;
	call(SYS_WRITE, 1, (uint64_t)text, bytes);
}

static inline void print_number(uint64_t number)
{
	char text[21];
	int at = 20;

	text[at] = 0;
	do {
		text[--at] = '0' + number % 10;
		number /= 10;
	} while (number);
	print(text + at);
}

static inline uint64_t clock_nanoseconds(int clock)
{
	struct timespec now = { 0, 0 };

	call(SYS_CLOCK_GETTIME, clock, (uint64_t)&now, 0);
	return now.seconds * 1000000000ull + now.nanoseconds;
}

/* The program: its words as in C's main. Returns the exit status. */
int program(int words, char **word);

/* The kernel leaves the number of words and their addresses on the stack. */
__attribute__((noreturn, used)) static void program_start(uint64_t *stack)
{
	call(SYS_EXIT, program(stack[0], (char **)(stack + 1)), 0, 0);
	__builtin_unreachable();
}

__asm__(".globl _start\n_start: xor %ebp, %ebp; mov %rsp, %rdi; and $-16, %rsp; "
	"call program_start");

/* A system call with up to six arguments. */
static inline int64_t call6(int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	int64_t result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
