#include "region.h"

#define KIB   1024ull
#define FRAME (2048 * KIB)
#define PAGE  4096ull

#define FIXED	      (512 * KIB)
#define PER_CPU	      (64 * KIB)
#define PER_PARTITION (48 * KIB)
#define PER_VCPU      (24 * KIB)
#define PER_FRAME     (4 + 2 * 8)
#define SPARE	      (3 * (2 * PER_PARTITION + 9 * PER_VCPU))

static uint64_t round_up(uint64_t bytes, uint64_t step) { return (bytes + step - 1) / step * step; }

struct region_counts region_count(const struct config *config, uint32_t cpus)
{
	struct region_counts counts = { cpus ? cpus : REGION_UNKNOWN_CPUS, 1, 1 };

	for (uint32_t i = 0; i < config->partitions; i++) {
		const struct config_partition *partition = &config->partition[i];

		counts.partitions++;
		counts.vcpus += partition->vcpus;
		if (partition->kind != BH_KIND_GUEST)
			continue;
		counts.partitions++;
		counts.vcpus += partition->vcpus + 1;
	}
	return counts;
}

uint64_t region_partition_bytes(const struct config_partition *partition)
{
	return 2 * PER_PARTITION + (2 * partition->vcpus + 1) * PER_VCPU + partition->memory_bytes / FRAME * 16;
}

uint64_t region_fixed_bytes(uint64_t kernel_image_bytes)
{
	return round_up(kernel_image_bytes, PAGE) + round_up(sizeof(struct boot_info), PAGE) + REGION_STACK_BYTES +
	       REGION_TABLE_PAGES * PAGE;
}

uint64_t boot_region_bytes(uint64_t ram_bytes, const struct region_counts *counts, uint64_t kernel_image_bytes)
{
	uint64_t bytes = FIXED + SPARE;

	bytes += counts->cpus * PER_CPU;
	bytes += counts->partitions * PER_PARTITION;
	bytes += counts->vcpus * PER_VCPU;
	bytes += round_up(ram_bytes, FRAME) / FRAME * PER_FRAME;
	return round_up(bytes + region_fixed_bytes(kernel_image_bytes), FRAME);
}
