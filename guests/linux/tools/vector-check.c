/*
 * vector-check SECONDS: keeps a pattern of its own in every vector register (and in the mask registers of AVX-512),
 * lets time pass, looks whether it is still there, and goes on for so many seconds. Says how many rounds there were,
 * and the first register that had changed.
 *
 * Who else runs on the CPU meanwhile, another task or another domain, has registers of his own. Two of it on one CPU
 * make Linux save and load them at every switch.
 */
#include "program.h"

#define XCR0_AVX    0x04u /* SDM vol. 1, 13.1 */
#define XCR0_AVX512 0xe0u

#define VECTORS 32
#define MASKS	8
#define WORDS	8 /* of 64 bits in the widest vector */
#define SPINS	20000u

struct registers {
	uint64_t vector[VECTORS][WORDS];
	uint64_t mask[MASKS];
};

static struct registers want, got __attribute__((aligned(64)));

#define EACH_8(step) step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7)
#define LOW_16(step) EACH_8(step) step(8) step(9) step(10) step(11) step(12) step(13) step(14) step(15)
#define HIGH_16(step)                                                                                               \
	step(16) step(17) step(18) step(19) step(20) step(21) step(22) step(23) step(24) step(25) step(26) step(27) \
		step(28) step(29) step(30) step(31)

#define SSE_IN(n)     "movups 64*" #n "(%0), %%xmm" #n "\n"
#define SSE_OUT(n)    "movups %%xmm" #n ", 64*" #n "(%1)\n"
#define AVX_IN(n)     "vmovdqu 64*" #n "(%0), %%ymm" #n "\n"
#define AVX_OUT(n)    "vmovdqu %%ymm" #n ", 64*" #n "(%1)\n"
#define AVX512_IN(n)  "vmovdqu64 64*" #n "(%0), %%zmm" #n "\n"
#define AVX512_OUT(n) "vmovdqu64 %%zmm" #n ", 64*" #n "(%1)\n"
#define MASK_IN(n)    "kmovq 64*32+8*" #n "(%0), %%k" #n "\n"
#define MASK_OUT(n)   "kmovq %%k" #n ", 64*32+8*" #n "(%1)\n"
#define SPIN	      "1: dec %2\njnz 1b\n"

/* What the compiler does not know of, it does not use. */
#define ROUND(code)                                                                                                  \
	__asm__ volatile(code                                                                                        \
			 : "+r"(from), "+r"(to), "+r"(spins)                                                         \
			 :                                                                                           \
			 : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", \
			   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

static void keep(unsigned bytes)
{
	const struct registers *from = &want;
	struct registers *to = &got;
	unsigned spins = SPINS;

	if (bytes == 64)
		ROUND(LOW_16(AVX512_IN) HIGH_16(AVX512_IN) EACH_8(MASK_IN) SPIN LOW_16(AVX512_OUT) HIGH_16(AVX512_OUT)
			      EACH_8(MASK_OUT));
	else if (bytes == 32)
		ROUND(LOW_16(AVX_IN) SPIN LOW_16(AVX_OUT) "vzeroupper\n");
	else
		ROUND(LOW_16(SSE_IN) SPIN LOW_16(SSE_OUT));
}

/* Bytes of a vector that Linux has enabled. */
static unsigned vector_bytes(void)
{
	uint32_t eax = 1, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if (!(ecx & 1u << 27)) /* OSXSAVE */
		return 16;
	__asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
	if ((eax & XCR0_AVX512) == XCR0_AVX512)
		return 64;
	return eax & XCR0_AVX ? 32 : 16;
}

static void change_pattern(uint64_t round)
{
	uint64_t *word = (uint64_t *)&want;

	for (unsigned i = 0; i < sizeof(want) / sizeof(*word); i++)
		word[i] = ~(round << 32 | i);
}

static int lost(const char *what, unsigned number, uint64_t round)
{
	print("vector-check: lost ");
	print(what);
	print_number(number);
	print(" in round ");
	print_number(round);
	print("\n");
	return 1;
}

static int compare(unsigned bytes, uint64_t round)
{
	unsigned vectors = bytes == 64 ? VECTORS : VECTORS / 2;

	for (unsigned i = 0; i < vectors; i++)
		for (unsigned word = 0; word < bytes / 8; word++)
			if (want.vector[i][word] != got.vector[i][word])
				return lost(word >= 4	? "upper half of zmm"
					    : word >= 2 ? "upper half of ymm"
							: "xmm",
					    i, round);
	for (unsigned i = 0; bytes == 64 && i < MASKS; i++)
		if (want.mask[i] != got.mask[i])
			return lost("k", i, round);
	return 0;
}

int program(int words, char **word)
{
	uint64_t end = clock_nanoseconds(CLOCK_MONOTONIC), round = 0;
	unsigned bytes = vector_bytes();
	uint64_t seconds = 0;

	for (const char *digit = words == 2 ? word[1] : "1"; *digit >= '0' && *digit <= '9'; digit++)
		seconds = 10 * seconds + (uint64_t)(*digit - '0');
	end += seconds * 1000000000ull;
	do {
		change_pattern(++round);
		keep(bytes);
		if (compare(bytes, round))
			return 1;
	} while (clock_nanoseconds(CLOCK_MONOTONIC) < end);

	print("vector-check: kept vectors of ");
	print_number(bytes);
	print(" bytes for ");
	print_number(round);
	print(" rounds\n");
	return 0;
}
