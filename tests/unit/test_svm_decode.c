/* Lengths and registers of the few instructions whose exits need them: all prefixes, in all orders that a CPU takes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <bulkhead/abi.h>
#include "svm/svm_decode.h"
#include "svm/vmcb.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3 };

static const struct form {
	uint32_t code;
	uint8_t bytes, opcode[3];
} forms[] = {
	{ SVM_EXIT_CPUID, 2, { 0x0f, 0xa2 } },
	{ SVM_EXIT_HLT, 1, { 0xf4 } },
	{ SVM_EXIT_MSR, 2, { 0x0f, 0x30 } },
	{ SVM_EXIT_MSR, 2, { 0x0f, 0x32 } },
	{ SVM_EXIT_INVD, 2, { 0x0f, 0x08 } },
	{ SVM_EXIT_WBINVD, 2, { 0x0f, 0x09 } },
	{ SVM_EXIT_VMMCALL, 3, { 0x0f, 0x01, 0xd9 } },
	{ SVM_EXIT_XSETBV, 3, { 0x0f, 0x01, 0xd1 } },
	{ SVM_EXIT_CR_WRITE + 4, 3, { 0x0f, 0x22, 0xe0 } },
	{ SVM_EXIT_CR_READ + 4, 3, { 0x0f, 0x20, 0xe0 } },
};

/* From memory of exactly `count` bytes, so that the sanitizer sees who reads on. The length; 0: none. */
static unsigned decode(const uint8_t *bytes, unsigned count, bool code64, uint32_t code, unsigned *operand)
{
	uint8_t *exact = malloc(count ? count : 1);
	struct svm_instruction instruction = { 0, 0xff };
	bool found;

	memcpy(exact, bytes, count);
	found = svm_decode(exact, count, code64, code, &instruction);
	free(exact);
	if (!found)
		return 0;
	assert_in_range(instruction.length, 1, count);
	if (code != SVM_EXIT_SWINT)
		assert_in_range(instruction.operand, 0, 15);
	if (operand)
		*operand = instruction.operand;
	return instruction.length;
}

static unsigned length(const uint8_t *bytes, unsigned count, uint32_t code)
{
	return decode(bytes, count, true, code, NULL);
}

/* `prefix` bytes, then the form's opcode, then what would be the next instruction. */
static unsigned compose(uint8_t *to, const uint8_t *prefix, unsigned prefix_bytes, const struct form *form)
{
	memset(to, 0xcc, 32);
	memcpy(to, prefix, prefix_bytes);
	memcpy(to + prefix_bytes, form->opcode, form->bytes);
	return prefix_bytes + form->bytes;
}

static void test_plain(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(forms); i++) {
		assert_int_equal(length(forms[i].opcode, forms[i].bytes, forms[i].code), forms[i].bytes);
		assert_int_equal(decode(forms[i].opcode, forms[i].bytes, false, forms[i].code, NULL), forms[i].bytes);
	}
}

static void test_each_prefix(void **state)
{
	uint8_t bytes[32];

	(void)state;
	for (unsigned i = 0; i < COUNT(forms); i++)
		for (unsigned p = 0; p < COUNT(prefixes); p++) {
			unsigned all = compose(bytes, &prefixes[p], 1, &forms[i]);

			assert_int_equal(length(bytes, 15, forms[i].code), all);
			assert_int_equal(decode(bytes, 15, false, forms[i].code, NULL), all);
		}
}

/* REX.R would make CR4 another one; else all sixteen do nothing to these. */
static void test_each_rex(void **state)
{
	uint8_t bytes[32];

	(void)state;
	for (unsigned i = 0; i < COUNT(forms); i++)
		for (unsigned rex = 0x40; rex < 0x50; rex++) {
			uint8_t byte = (uint8_t)rex;
			unsigned all = compose(bytes, &byte, 1, &forms[i]);
			bool other = forms[i].code < SVM_EXIT_DR_READ && rex & 4;

			assert_int_equal(length(bytes, 15, forms[i].code), other ? 0 : all);
			/* INC or DEC of a register, in other code. */
			assert_int_equal(decode(bytes, 15, false, forms[i].code, NULL), 0);
		}
}

/* All of two, in both orders, and REX between, before and behind them: only the one right before the opcode counts. */
static void test_orders(void **state)
{
	const struct form *move = &forms[8];
	uint8_t bytes[32];

	(void)state;
	for (unsigned p = 0; p < COUNT(prefixes); p++)
		for (unsigned q = 0; q < COUNT(prefixes); q++)
			for (unsigned at = 0; at < 3; at++) {
				uint8_t two[3] = { prefixes[p], prefixes[q], 0x4f };

				two[2] = two[at];
				two[at] = 0x4f; /* R and B among them */
				for (unsigned i = 0; i < COUNT(forms) - 2; i++) {
					unsigned all = compose(bytes, two, 3, &forms[i]);

					assert_int_equal(length(bytes, 15, forms[i].code), all);
				}
				compose(bytes, two, 3, move);
				assert_int_equal(length(bytes, 15, move->code), at == 2 ? 0 : 6);
			}
	assert_int_equal(length((const uint8_t *)"\x44\x48\x0f\x22\xe0", 5, move->code), 5);
	assert_int_equal(length((const uint8_t *)"\x48\x44\x0f\x22\xe0", 5, move->code), 0);
}

static void test_fifteen_bytes(void **state)
{
	uint8_t prefix[15], bytes[32];

	(void)state;
	for (unsigned p = 0; p < COUNT(prefixes); p++) {
		memset(prefix, prefixes[p], sizeof(prefix));
		for (unsigned i = 0; i < COUNT(forms); i++)
			for (unsigned n = 0; n <= 15; n++) {
				unsigned all = compose(bytes, prefix, n, &forms[i]);

				assert_int_equal(length(bytes, 15, forms[i].code), all <= 15 ? all : 0);
			}
	}
}

/* Every instruction cut off after each of its bytes. */
static void test_truncated(void **state)
{
	static const uint8_t some[] = { 0x66, 0xf3, 0x48 };
	uint8_t bytes[32];

	(void)state;
	for (unsigned i = 0; i < COUNT(forms); i++)
		for (unsigned p = 0; p <= sizeof(some); p++) {
			unsigned all = compose(bytes, some, p, &forms[i]);

			for (unsigned n = 0; n < all; n++)
				assert_int_equal(length(bytes, n, forms[i].code), 0);
			assert_int_equal(length(bytes, all, forms[i].code), all);
		}
}

/* An instruction that does not exit so, and everything else: with one, two or three bytes. */
static void test_other_opcodes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(forms); i++)
		for (uint32_t value = 0; value < 1u << 24; value += value < 0x10000 ? 1 : 0x3fd) {
			uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), 0xcc };
			bool is = false;

			for (unsigned j = 0; j < COUNT(forms) - 2; j++)
				is |= forms[j].code == forms[i].code && !memcmp(bytes, forms[j].opcode, forms[j].bytes);
			if (forms[i].code < SVM_EXIT_DR_READ)
				is = bytes[0] == 0x0f && bytes[1] == forms[i].opcode[1] && (bytes[2] >> 3 & 7) == 4;
			/* Prefixes have tests of their own. */
			if (memchr(prefixes, bytes[0], sizeof(prefixes)))
				continue;
			assert_int_equal(decode(bytes, 4, false, forms[i].code, NULL), is ? forms[i].bytes : 0);
		}
	for (unsigned i = 0; i < COUNT(forms); i++)
		for (unsigned j = 0; j < COUNT(forms); j++)
			assert_int_equal(length(forms[j].opcode, forms[j].bytes, forms[i].code),
					 forms[i].code == forms[j].code ? forms[j].bytes : 0);
}

/* Software interrupts: each vector, prefixes before it, the vector beyond what can be read, and what is none. */
static void test_ints(void **state)
{
	unsigned vector = 0;

	(void)state;
	for (unsigned n = 0; n < 256; n++) {
		uint8_t bytes[] = { 0x48, 0xcd, (uint8_t)n, 0xcd };

		assert_int_equal(decode(bytes + 1, 3, false, SVM_EXIT_SWINT, &vector), 2);
		assert_int_equal(vector, n);
		assert_int_equal(decode(bytes, 4, true, SVM_EXIT_SWINT, &vector), 3);
		assert_int_equal(vector, n);
		assert_int_equal(length(bytes, 2, SVM_EXIT_SWINT), 0);
		bytes[0] = (uint8_t)n;
		if (n < 0xcc || n > 0xce)
			assert_int_equal(decode(bytes, 1, true, SVM_EXIT_SWINT, NULL), 0);
	}
	assert_int_equal(decode((const uint8_t *)"\xcc\xcd\x20", 3, true, SVM_EXIT_SWINT, &vector), 1);
	assert_int_equal(vector, 3);
	assert_int_equal(decode((const uint8_t *)"\x66\xcc", 2, false, SVM_EXIT_SWINT, &vector), 2);
	assert_int_equal(vector, 3);
	assert_int_equal(decode((const uint8_t *)"\xce", 1, false, SVM_EXIT_SWINT, &vector), 1);
	assert_int_equal(vector, 4);
	assert_int_equal(length((const uint8_t *)"\xce", 1, SVM_EXIT_SWINT), 0);
	assert_int_equal(length((const uint8_t *)"", 0, SVM_EXIT_SWINT), 0);
}

/* MOV CR4: every register, with and without REX.B and W; ModRM's mod does not count (APM vol. 3). */
static void test_moves(void **state)
{
	(void)state;
	for (unsigned write = 0; write < 2; write++)
		for (unsigned cr = 0; cr < 16; cr++)
			for (unsigned reg = 0; reg < 16; reg++)
				for (unsigned mod = 0; mod < 4; mod++) {
					uint8_t rex = (uint8_t)(0x40 | (cr & 8 ? 4 : 0) | (reg & 8 ? 1 : 0));
					uint8_t bytes[] = { rex, 0x0f, write ? 0x22 : 0x20,
							    (uint8_t)(mod << 6 | (cr & 7) << 3 | (reg & 7)) };
					uint32_t code = (write ? SVM_EXIT_CR_WRITE : SVM_EXIT_CR_READ) + cr;
					unsigned gpr = 99;

					assert_int_equal(decode(bytes, 4, true, code, &gpr), 4);
					assert_int_equal(gpr, reg);
					bytes[0] |= 8;
					assert_int_equal(decode(bytes, 4, true, code, &gpr), 4);
					assert_int_equal(gpr, reg);
					assert_int_equal(decode(bytes, 4, true, code ^ 8, NULL), 0);
					assert_int_equal(decode(bytes, 4, true, code ^ 0x10, NULL), 0);
					assert_int_equal(decode(bytes, 4, true, code ^ 1, NULL), 0);
					/* Without REX, in any code. */
					if (cr < 8 && reg < 8) {
						assert_int_equal(decode(bytes + 1, 3, false, code, &gpr), 3);
						assert_int_equal(gpr, reg);
					}
				}
}

static void test_no_bytes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(forms); i++)
		assert_int_equal(length(forms[i].opcode, 0, forms[i].code), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	      cmocka_unit_test(test_each_prefix),
		cmocka_unit_test(test_each_rex),      cmocka_unit_test(test_orders),
		cmocka_unit_test(test_fifteen_bytes), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_other_opcodes), cmocka_unit_test(test_moves),
		cmocka_unit_test(test_ints),	      cmocka_unit_test(test_no_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
