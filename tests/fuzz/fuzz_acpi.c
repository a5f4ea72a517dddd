/* ACPI tables of any content: the input is the memory that the RSDP stands at the beginning of. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "boot/acpi.h"

#define BASE 0x1000ull

static struct {
	const uint8_t *data;
	size_t bytes;
	uint8_t *mapped;
} in;

/* Repairs checksums, or the fuzzer would never come further; an exact copy, so that the sanitizer
 * sees each byte too far. */
static const void *map(uint64_t physical, uint64_t bytes)
{
	uint64_t at = physical - BASE;
	uint8_t sum = 0;

	free(in.mapped);
	in.mapped = NULL;
	if (physical < BASE || at > in.bytes || bytes > in.bytes - at)
		return NULL;
	in.mapped = malloc(bytes ? bytes : 1);
	memcpy(in.mapped, in.data + at, bytes);
	for (uint64_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + in.mapped[i]);
	if (bytes > 9)
		in.mapped[bytes == 20 || at == 0 ? 8 : 9] -= sum;
	return in.mapped;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct acpi acpi;

	in.data = data;
	in.bytes = bytes;
	acpi_parse(&acpi, BASE, map);
	free(in.mapped);
	in.mapped = NULL;
	if (acpi.cpus > ACPI_CPUS || acpi.ioapics > ACPI_IOAPICS || acpi.ecams > ACPI_ECAMS)
		abort();
	return 0;
}
