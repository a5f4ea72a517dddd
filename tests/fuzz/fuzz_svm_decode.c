/*
 * fuzz_svm_decode.c: any bytes as an instruction: none of those beyond `count` is read, and one that is found lies
 * within them. The first byte chooses the exit's code and the kind of code, the second one how many bytes there are.
 */
#include <stdlib.h>
#include <string.h>
#include "svm/svm_decode.h"
#include "svm/vmcb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t codes[] = { SVM_EXIT_CPUID,   SVM_EXIT_HLT,     SVM_EXIT_MSR,	     SVM_EXIT_INVD,
				  SVM_EXIT_WBINVD,  SVM_EXIT_VMMCALL, SVM_EXIT_XSETBV,	     SVM_EXIT_CR_READ + 4,
				  SVM_EXIT_CR_READ, SVM_EXIT_IOIO,    SVM_EXIT_CR_READ + 12, SVM_EXIT_CR_WRITE + 4,
				  SVM_EXIT_SWINT };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct svm_instruction found = { 0, 0 }, again = { 0, 0 };
	unsigned count;
	uint8_t *bytes;
	uint32_t code;

	if (size < 2)
		return 0;
	count = data[1] & 15;
	if (count > size - 2)
		count = (unsigned)size - 2;
	code = codes[(data[0] & 0x7f) % (sizeof(codes) / sizeof(codes[0]))];
	bytes = malloc(count ? count : 1);
	memcpy(bytes, data + 2, count);
	if (svm_decode(bytes, count, data[0] & 0x80, code, &found)) {
		if (!found.length || found.length > count || found.length > SVM_INSTRUCTION_BYTES ||
		    (found.operand > 15 && code != SVM_EXIT_SWINT))
			abort();
		/* What comes behind it says nothing about it. */
		if (!svm_decode(bytes, found.length, data[0] & 0x80, code, &again) || again.length != found.length ||
		    svm_decode(bytes, found.length - 1u, data[0] & 0x80, code, &again))
			abort();
	}
	free(bytes);
	return 0;
}
