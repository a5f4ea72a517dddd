/* PCI devices: how they are named, and the check that nobody gets another's. */
#include "config_parser.h"

/* "00:1f.6", with "0000:" in front where there are several segments. */
static bool read_address(struct text value, uint32_t *number)
{
	uint64_t segment = 0, bus, device, function;
	struct text rest = value, first = text_until(&rest, ':'), second = text_until(&rest, ':');

	if (rest.bytes) {
		if (!text_hex(first, 4, 4, &segment))
			return false;
		first = second;
		second = rest;
	}
	rest = second;
	second = text_until(&rest, '.');
	if (!text_hex(first, 2, 2, &bus) || !text_hex(second, 2, 2, &device) || !text_hex(rest, 1, 1, &function) ||
	    device > 31 || function > 7)
		return false;
	*number = (uint32_t)(segment << 16 | bus << 8 | device << 3 | function);
	return true;
}

/* "02:00" or "0200": class and subclass (PCI Code and ID Assignment Specification, 1). */
static bool read_class(struct text value, uint32_t *number)
{
	struct text subclass = value, class = text_until(&subclass, ':');
	uint64_t high, low;

	if (text_hex(value, 4, 4, &low)) {
		*number = (uint32_t)low;
		return true;
	}
	if (!text_hex(class, 2, 2, &high) || !text_hex(subclass, 2, 2, &low))
		return false;
	*number = (uint32_t)(high << 8 | low);
	return true;
}

bool config_device_read(struct text value, struct config_device *device)
{
	struct text rest = value;

	if (text_equal(text_word(&rest), "class")) {
		device->by = CONFIG_DEVICE_CLASS;
		return read_class(text_trim(rest), &device->number);
	}
	device->by = CONFIG_DEVICE_ADDRESS;
	return read_address(value, &device->number);
}

/* A device that is named by its address, and for whom. */
struct claim {
	uint32_t number, line;
	const char *name;
	struct config_partition *partition; /* or NULL: */
	struct config_entry *network;
};

#define CLAIMS (BH_NETWORKS + CONFIG_PARTITIONS * CONFIG_GRANTS)

static bool claim_of_network(struct config_parser *parser, uint32_t index, struct claim *claim)
{
	const struct config_device *nic = &parser->config->nic[index];

	*claim = (struct claim){ nic->number, nic->line, parser->config->network.network[index].name, NULL,
				 &parser->network_entry[index] };
	return index < parser->config->network.networks && nic->by == CONFIG_DEVICE_ADDRESS;
}

static bool claim_of_grant(struct config_partition *partition, uint32_t index, struct claim *claim)
{
	const struct config_grant *grant = &partition->grant[index];

	*claim = (struct claim){ grant->last, grant->line, partition->name, partition, NULL };
	return index < partition->grants && grant->type == CONFIG_GRANT_DEVICE && grant->first == CONFIG_DEVICE_ADDRESS;
}

/* Claim `index`, first those of the networks, then those of the partitions' grants; false: there is none. */
static bool claim_at(struct config_parser *parser, uint32_t index, struct claim *claim)
{
	if (index < BH_NETWORKS)
		return claim_of_network(parser, index, claim);
	index -= BH_NETWORKS;
	return claim_of_grant(&parser->config->partition[index / CONFIG_GRANTS], index % CONFIG_GRANTS, claim);
}

static void refuse(struct config_parser *parser, const struct claim *later, const struct claim *earlier)
{
	uint32_t number = later->number;

	config_fail(parser, later->partition, later->line,
		    "the device %04x:%02x:%02x.%x is %s %s's already, in line %u: name another, or take it from one "
		    "of the two",
		    number >> 16, number >> 8 & 0xff, number >> 3 & 31, number & 7,
		    earlier->network ? "network" : "partition", earlier->name, earlier->line);
	if (later->network)
		later->network->broken = true;
}

/* The first in the file keeps a device: lines tell, as networks and partitions stand in any order. */
static void check_claim(struct config_parser *parser, uint32_t index)
{
	struct claim own, other, earliest = { 0 };

	if (!claim_at(parser, index, &own))
		return;
	for (uint32_t i = 0; i < CLAIMS; i++) {
		if (i == index || !claim_at(parser, i, &other) || other.number != own.number)
			continue;
		if (other.line > own.line || (other.line == own.line && i > index))
			continue;
		if (!earliest.name || other.line < earliest.line)
			earliest = other;
	}
	if (earliest.name)
		refuse(parser, &own, &earliest);
}

void config_check_devices(struct config_parser *parser)
{
	for (uint32_t i = 0; i < CLAIMS; i++)
		check_claim(parser, i);
}
