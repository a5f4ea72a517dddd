#include "commands.h"
#include "machine.h"
#include "screen.h"
#include "words.h"

static void line(const char *name, uint64_t bytes, const char *more)
{
	char size[WORDS_BYTES];

	screen_printf("  %-22s %9s%s\n", name, words_size(size, bytes), more);
}

void command_mem(const struct arguments *arguments)
{
	uint64_t kernel = machine_stat(BH_MACHINE_KERNEL_BYTES, 0);
	char text[WORDS_BYTES], more[80];

	(void)arguments;
	line("machine", machine_stat(BH_MACHINE_MEMORY, 0), "");
	line("free", machine_stat(BH_MACHINE_MEMORY_FREE, 0), "");
	bh_snprintf(more, sizeof(more), ", of it unused %s", words_size(text, machine_stat(BH_MACHINE_KERNEL_FREE, 0)));
	line("kernel", kernel, more);
	line("kernel with 256 GiB", machine_stat(BH_MACHINE_KERNEL_256G, 0), ", it would be");
	line(bh_info()->name, bh_info()->memory_bytes, ", this shell");
	for (unsigned i = 0; i < peer_count; i++) {
		int64_t bytes = peer_stat(&peers[i], BH_STAT_MEMORY, 0);

		if (!peers[i].name[0])
			continue;
		line(peers[i].name, bytes < 0 ? 0 : (uint64_t)bytes, "");
	}
}
