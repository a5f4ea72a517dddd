/* test_monitor_decode.c: encodings of instructions that touch devices, against the manual's opcode tables. */
#include "monitor_host.h"
#include "guests/monitor/decode.h"

struct expected {
	unsigned mode;
	const char *bytes; /* hexadecimal */
	struct decode decode;
};

static unsigned parse(const char *text, uint8_t *to)
{
	unsigned count = 0;

	for (; *text; text += text[2] ? 3 : 2)
		to[count++] = (uint8_t)strtoul(text, NULL, 16);
	return count;
}

/* Then reg, and what else is not zero. */
#define D(op_, length_, size_, register_size_, address_size_, ...) \
	((struct decode){ .segment = BH_DS,                        \
			  .op = op_,                               \
			  .length = length_,                       \
			  .size = size_,                           \
			  .register_size = register_size_,         \
			  .address_size = address_size_,           \
			  __VA_ARGS__ })

static const struct expected table[] = {
	/* mov %eax,(%rdi) */
	{ 64, "89 07", D(DECODE_MOV, 2, 4, 4, 8, BH_RAX, .to_memory = true) },
	/* mov 0xf0(%rdi),%r9d */
	{ 64, "44 8b 8f f0 00 00 00", D(DECODE_MOV, 7, 4, 4, 8, BH_R9) },
	{ 64, "48 89 44 24 08", D(DECODE_MOV, 5, 8, 8, 8, BH_RAX, .to_memory = true) },
	{ 64, "66 89 1e", D(DECODE_MOV, 3, 2, 2, 8, BH_RBX, .to_memory = true) },
	/* mov %ah,(%rcx); with REX it is %spl */
	{ 64, "88 21", D(DECODE_MOV, 2, 1, 1, 8, BH_RAX, .to_memory = true, .high_byte = true) },
	{ 64, "40 88 21", D(DECODE_MOV, 3, 1, 1, 8, BH_RSP, .to_memory = true) },
	{ 64, "44 8a 29", D(DECODE_MOV, 3, 1, 1, 8, BH_R13) },
	/* movl $0x12345678,(%rax); movq $-2,(%rax); movw; movb */
	{ 64, "c7 00 78 56 34 12",
	  D(DECODE_MOV, 6, 4, 4, 8, .to_memory = true, .has_immediate = true, .immediate = 0x12345678) },
	{ 64, "48 c7 00 fe ff ff ff",
	  D(DECODE_MOV, 7, 8, 8, 8, .to_memory = true, .has_immediate = true, .immediate = -2ull) },
	{ 64, "66 c7 00 34 12",
	  D(DECODE_MOV, 5, 2, 2, 8, .to_memory = true, .has_immediate = true, .immediate = 0x1234) },
	{ 64, "c6 00 80", D(DECODE_MOV, 3, 1, 1, 8, .to_memory = true, .has_immediate = true, .immediate = -128ull) },
	/* mov %eax,0xfee000b0 and back (absolute) */
	{ 64, "a3 b0 00 e0 fe 00 00 00 00", D(DECODE_MOV, 9, 4, 4, 8, .to_memory = true) },
	{ 32, "a1 20 00 e0 fe", D(DECODE_MOV, 5, 4, 4, 4, 0) },
	{ 16, "a2 34 12", D(DECODE_MOV, 3, 1, 1, 2, .to_memory = true) },
	{ 64, "67 89 03", D(DECODE_MOV, 3, 4, 4, 4, BH_RAX, .to_memory = true) },
	{ 16, "66 67 89 03", D(DECODE_MOV, 4, 4, 4, 4, BH_RAX, .to_memory = true) },
	{ 16, "89 07", D(DECODE_MOV, 2, 2, 2, 2, BH_RAX, .to_memory = true) },
	/* movzbl, movzwl, movsbq, movswl, movslq */
	{ 64, "0f b6 02", D(DECODE_MOVZX, 3, 1, 4, 8, BH_RAX) },
	{ 64, "44 0f b7 02", D(DECODE_MOVZX, 4, 2, 4, 8, BH_R8) },
	{ 64, "48 0f be 0a", D(DECODE_MOVSX, 4, 1, 8, 8, BH_RCX) },
	{ 64, "0f bf 0a", D(DECODE_MOVSX, 3, 2, 4, 8, BH_RCX) },
	{ 64, "48 63 0a", D(DECODE_MOVSX, 3, 4, 8, 8, BH_RCX) },
	{ 64, "66 0f b6 02", D(DECODE_MOVZX, 4, 1, 2, 8, BH_RAX) },
	/* xchg, with the LOCK that it has anyway */
	{ 64, "f0 87 17", D(DECODE_XCHG, 3, 4, 4, 8, BH_RDX, .to_memory = true) },
	{ 64, "86 17", D(DECODE_XCHG, 2, 1, 1, 8, BH_RDX, .to_memory = true) },
	/* arithmetic: register to memory, memory to register, immediates of all lengths */
	{ 64, "09 07", D(DECODE_OR, 2, 4, 4, 8, BH_RAX, .to_memory = true) },
	{ 64, "23 07", D(DECODE_AND, 2, 4, 4, 8, BH_RAX) },
	{ 64, "3b 1f", D(DECODE_CMP, 2, 4, 4, 8, BH_RBX) },
	{ 64, "28 1f", D(DECODE_SUB, 2, 1, 1, 8, BH_RBX, .to_memory = true) },
	{ 64, "83 0f 40",
	  D(DECODE_OR, 3, 4, 4, 8, BH_RCX, .to_memory = true, .has_immediate = true, .immediate = 0x40) },
	{ 64, "48 83 27 f0",
	  D(DECODE_AND, 4, 8, 8, 8, BH_RSP, .to_memory = true, .has_immediate = true, .immediate = -16ull) },
	{ 64, "81 3f 00 00 00 80",
	  D(DECODE_CMP, 6, 4, 4, 8, BH_RDI, .to_memory = true, .has_immediate = true,
	    .immediate = 0xffffffff80000000) },
	{ 64, "80 37 ff",
	  D(DECODE_XOR, 3, 1, 1, 8, BH_RSI, .to_memory = true, .has_immediate = true, .high_byte = true,
	    .immediate = -1ull) },
	{ 64, "f7 07 00 10 00 00",
	  D(DECODE_TEST, 6, 4, 4, 8, BH_RAX, .to_memory = true, .has_immediate = true, .immediate = 0x1000) },
	{ 64, "84 07", D(DECODE_TEST, 2, 1, 1, 8, BH_RAX, .to_memory = true) },
	/* strings */
	{ 64, "f3 48 a5", D(DECODE_MOVS, 3, 8, 8, 8, .repeat = true) },
	{ 64, "a4", D(DECODE_MOVS, 1, 1, 1, 8, 0) },
	{ 64, "f3 aa", D(DECODE_STOS, 2, 1, 1, 8, .repeat = true) },
	{ 64, "f3 6d", D(DECODE_INS, 2, 4, 4, 8, .repeat = true) },
	{ 64, "66 6f", D(DECODE_OUTS, 2, 2, 2, 8, 0) },
	{ 64, "48 6f", D(DECODE_OUTS, 2, 4, 4, 8, 0) }, /* REX.W does nothing */
	{ 32, "f3 6e", D(DECODE_OUTS, 2, 1, 1, 4, .repeat = true) },
};

static void test_table(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct expected *e = &table[i];
		struct decode got;
		uint8_t bytes[16];
		unsigned count = parse(e->bytes, bytes);

		if (!decode(bytes, count, e->mode, &got))
			fail_msg("%s: refused", e->bytes);
		struct decode want = e->decode;

		if (want.has_immediate) { /* its register field is the opcode's */
			want.reg = got.reg;
			want.high_byte = got.high_byte;
		}
		if (memcmp(&got, &want, sizeof(got)))
			fail_msg("%s (%u bits): op %u length %u size %u/%u address %u reg %u high %d "
				 "memory %d repeat %d immediate %#lx",
				 e->bytes, e->mode, got.op, got.length, got.size, got.register_size, got.address_size,
				 got.reg, got.high_byte, got.to_memory, got.repeat, (unsigned long)got.immediate);
		/* No byte less is enough. */
		assert_false(decode(bytes, count - 1, e->mode, &got));
	}
}

static void test_segments(void **state)
{
	(void)state;
	struct decode got;

	assert_true(decode((const uint8_t *)"\x65\xa4", 2, 64, &got));
	assert_int_equal(got.segment, BH_GS);
	assert_true(decode((const uint8_t *)"\x2e\xa4", 2, 64, &got));
	assert_int_equal(got.segment, BH_DS); /* no such override in 64-bit mode */
	assert_true(decode((const uint8_t *)"\x26\x6e", 2, 16, &got));
	assert_int_equal(got.segment, BH_ES);
}

/* Not ours: registers only, other groups, vectors, adc, lods, nothing at all. */
static void test_refused(void **state)
{
	(void)state;
	static const char *const none[] = { "89 c0",
					    "f7 17",
					    "c5 f8 10 07",
					    "11 07",
					    "13 07",
					    "ac",
					    "0f 10 07",
					    "0f c7 0f",
					    "ff 07",
					    "62 01 02 03",
					    "0f b6 c0",
					    "0f b0 07",
					    "90",
					    "cc",
					    "06",
					    "0f 0b",
					    "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66" };
	uint8_t bytes[16];
	struct decode got;

	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		unsigned count = parse(none[i], bytes);

		if (decode(bytes, count, 64, &got))
			fail_msg("%s was taken", none[i]);
	}
	assert_false(decode(bytes, 0, 64, &got));
}

/* Any bytes: an answer, and one that makes sense. */
static void test_noise(void **state)
{
	(void)state;
	static const unsigned modes[] = { 16, 32, 64 };
	uint8_t bytes[15];
	struct decode got;

	srand(1);
	for (unsigned i = 0; i < 300000; i++) {
		for (unsigned j = 0; j < 15; j++)
			bytes[j] = (uint8_t)rand();
		if (!decode(bytes, 1 + i % 15, modes[i % 3], &got))
			continue;
		assert_true(got.length >= 1 && got.length <= 1 + i % 15);
		assert_true(got.size == 1 || got.size == 2 || got.size == 4 || got.size == 8);
		assert_true(got.register_size >= got.size && got.register_size <= 8);
		assert_true(got.reg < 16 && got.segment <= BH_GS && got.op <= DECODE_OUTS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_noise),
	};

	host_reset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
