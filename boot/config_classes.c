#include "config_classes.h"

/* What `each` is called with: how a device is named, and by what. True ends the walk. */
typedef bool (*visitor)(void *context, uint32_t *by, uint32_t *number);

static bool visit_all(struct config *config, visitor each, void *context)
{
	for (uint32_t i = 0; i < config->partitions; i++) {
		struct config_partition *partition = &config->partition[i];

		for (uint32_t n = 0; n < partition->grants && !partition->error[0]; n++) {
			struct config_grant *grant = &partition->grant[n];

			if (grant->type == CONFIG_GRANT_DEVICE && each(context, &grant->first, &grant->last))
				return true;
		}
	}
	for (uint32_t i = 0; i < config->network.networks; i++)
		if (each(context, &config->nic[i].by, &config->nic[i].number))
			return true;
	return false;
}

static bool names_it(void *context, uint32_t *by, uint32_t *number)
{
	const struct pci_function *function = context;

	return *by == CONFIG_DEVICE_ADDRESS && *number == function->address;
}

struct search {
	struct config *config;
	const struct pci_function *functions;
	uint32_t count;
};

static bool resolve(void *context, uint32_t *by, uint32_t *number)
{
	const struct search *search = context;

	for (uint32_t i = 0; i < search->count && *by == CONFIG_DEVICE_CLASS; i++) {
		const struct pci_function *function = &search->functions[i];

		if (function->class_code >> 8 != *number || visit_all(search->config, names_it, (void *)function))
			continue;
		*by = CONFIG_DEVICE_ADDRESS;
		*number = function->address;
	}
	return false;
}

void config_classes_resolve(struct config *config, const struct pci_function *functions, uint32_t count)
{
	struct search search = { config, functions, count };

	visit_all(config, resolve, &search);
}
