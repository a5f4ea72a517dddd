#include "entropy.h"
#include "guests/lib/bh.h"

#define CPUID_1_ECX_RDRAND (1u << 30)
#define CPUID_7_EBX_RDSEED (1u << 18)
#define TRIES		   64
#define SAMPLES		   64 /* of the time stamp counter, where the CPU has no source */
#define RATE		   8  /* words of the state that take in and give out; the other 8 stay inside */

static enum { SOURCE_NONE, SOURCE_RDRAND, SOURCE_RDSEED } source;
static bool failed; /* the CPU's source has stopped */
static bool seeded;
static uint32_t state[16];

/* ---- the pool: a sponge (SP 800-90A calls it reseeding) over ChaCha's rounds (RFC 8439, 2.1) ---- */

static uint32_t turn(uint32_t word, unsigned bits) { return word << bits | word >> (32 - bits); }

static void quarter(unsigned a, unsigned b, unsigned c, unsigned d)
{
	state[a] += state[b], state[d] = turn(state[d] ^ state[a], 16);
	state[c] += state[d], state[b] = turn(state[b] ^ state[c], 12);
	state[a] += state[b], state[d] = turn(state[d] ^ state[a], 8);
	state[c] += state[d], state[b] = turn(state[b] ^ state[c], 7);
}

static void permute(void)
{
	for (unsigned i = 0; i < 10; i++) {
		quarter(0, 4, 8, 12), quarter(1, 5, 9, 13), quarter(2, 6, 10, 14), quarter(3, 7, 11, 15);
		quarter(0, 5, 10, 15), quarter(1, 6, 11, 12), quarter(2, 7, 8, 13), quarter(3, 4, 9, 14);
	}
}

void entropy_add(const void *data, size_t bytes)
{
	const uint8_t *from = data;

	for (size_t i = 0; i < bytes; i++) {
		state[i / 4 % RATE] ^= (uint32_t)from[i] << 8 * (i % 4);
		if (i % (4 * RATE) == 4 * RATE - 1)
			permute();
	}
	/* The end is marked, so that "ab" and "a", "b" differ. */
	state[RATE] ^= (uint32_t)bytes + 1;
	permute();
}

void entropy_seed(const void *data, size_t bytes)
{
	entropy_add(data, bytes);
	seeded = true;
}

/* What was given out cannot be computed from what is left. */
static void forget(void)
{
	for (unsigned i = 0; i < RATE; i++)
		state[i] = 0;
	state[15] ^= 1;
	permute();
}

/* ---- where it comes from ---- */

#ifdef HOST_TEST
unsigned entropy_fake_cpu(void); /* 0 none, 1 RDRAND, 2 RDSEED */
bool entropy_fake_number(uint64_t *number);

static bool draw(uint64_t *number) { return entropy_fake_number(number); }

static void look(void) { source = entropy_fake_cpu(); }
#else
static bool draw(uint64_t *number)
{
	uint8_t done;

	if (source == SOURCE_RDSEED)
		__asm__ volatile("rdseed %0; setc %1" : "=r"(*number), "=qm"(done) : : "cc");
	else
		__asm__ volatile("rdrand %0; setc %1" : "=r"(*number), "=qm"(done) : : "cc");
	return done;
}

static void cpuid(uint32_t leaf, uint32_t *eax, uint32_t *ebx, uint32_t *ecx)
{
	uint32_t edx;

	*eax = leaf;
	*ecx = 0;
	__asm__ volatile("cpuid" : "+a"(*eax), "=b"(*ebx), "+c"(*ecx), "=d"(edx));
}

static void look(void)
{
	uint32_t last, eax, ebx, ecx;

	source = SOURCE_NONE;
	cpuid(0, &last, &ebx, &ecx);
	cpuid(1, &eax, &ebx, &ecx);
	if (ecx & CPUID_1_ECX_RDRAND)
		source = SOURCE_RDRAND;
	if (last >= 7)
		cpuid(7, &eax, &ebx, &ecx);
	if (last >= 7 && ebx & CPUID_7_EBX_RDSEED)
		source = SOURCE_RDSEED;
}
#endif

/* RDSEED may have nothing ready; RDRAND has, but for a broken one. All ones or zeros for ever is broken, too (AMD). */
static bool draw_some(void)
{
	uint64_t number[2];

	for (unsigned i = 0, got = 0; i < TRIES; i++) {
		if (!draw(&number[got]) || !number[got] || !~number[got])
			continue;
		if (++got < 2)
			continue;
		if (number[0] == number[1])
			return false;
		entropy_add(number, sizeof(number));
		return true;
	}
	return false;
}

/* How long the same thing takes differs with caches, interrupts and neighbours; how much, nobody says. */
static void add_jitter(void)
{
	uint64_t sample[SAMPLES];

	for (unsigned i = 0; i < SAMPLES; i++) {
		sample[i] = bh_rdtsc();
		permute();
	}
	entropy_add(sample, sizeof(sample));
}

static void stir(void)
{
	uint64_t now = bh_rdtsc();

	entropy_add(&now, sizeof(now));
	failed = source != SOURCE_NONE && !draw_some();
	if (source == SOURCE_NONE || failed)
		add_jitter();
}

void entropy_start(void)
{
	const struct bh_info *info = bh_info();

	look();
	entropy_add(&info->wall_seconds, sizeof(info->wall_seconds));
	entropy_add(&info->wall_tsc, sizeof(info->wall_tsc));
	/* 512 bits at once, whatever comes later. */
	for (unsigned i = 0; i < 4; i++)
		stir();
	add_jitter();
}

void entropy_fill(uint8_t *to, size_t bytes)
{
	while (bytes) {
		size_t count = bytes < 4 * RATE ? bytes : 4 * RATE;

		stir();
		stir();
		memcpy(to, state, count);
		forget();
		to += count;
		bytes -= count;
	}
}

uint32_t entropy_word(void)
{
	uint64_t now = bh_rdtsc();
	uint32_t word;

	/* Often, and by whoever sends a packet: the CPU's source is slow, and was asked at the start. */
	entropy_add(&now, sizeof(now));
	word = state[0];
	forget();
	return word;
}

const char *entropy_problem(void)
{
	if (seeded)
		return NULL;
	if (source == SOURCE_NONE)
		return "there is neither RDSEED, RDRAND nor EFI_RNG: keys come from the clock's timing, and can "
		       "perhaps be "
		       "guessed";
	return failed ? "this CPU's source of random numbers has stopped: keys come from the timing of its clock alone"
		      : NULL;
}
