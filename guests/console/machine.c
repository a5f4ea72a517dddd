#include "machine.h"
#include "guests/lib/bh.h"

static bh_handle handle = BH_NO_HANDLE;

void machine_start(void)
{
	const struct bh_info *info = bh_info();

	for (uint32_t i = 0; i < info->handles && i < BH_INFO_HANDLES; i++)
		if (info->handle[i].type == BH_HANDLE_MACHINE)
			handle = info->handle[i].handle;
}

uint64_t machine_stat(enum bh_machine_stat field, uint64_t index)
{
	int64_t value = bh_call3(BH_MACHINE_STAT, handle, field, index);

	return value < 0 ? 0 : (uint64_t)value;
}

unsigned machine_text(enum bh_machine_text which, uint64_t offset, char text[8])
{
	int64_t word = bh_call3(BH_MACHINE_TEXT, handle, which, offset);

	if (word < 0)
		return 0;
	memcpy(text, &word, 8);
	return (unsigned)strnlen(text, 8);
}

int64_t machine_control(enum bh_machine_control operation) { return bh_call2(BH_MACHINE_CONTROL, handle, operation); }

int64_t machine_create(enum bh_hypercall number, uint64_t a, uint64_t b, uint64_t c)
{
	return bh_call4(number, handle, a, b, c);
}
