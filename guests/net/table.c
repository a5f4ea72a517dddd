/* table.c: a hash with chains, in an array of which each learning port owns a part. */
#include "table.h"
#include "bytes.h"
#include "guests/lib/bh_string.h"

#define ENTRIES BH_NETWORK_MACS
#define BUCKETS 1024u
#define END	0xffffu

struct entry {
	uint64_t key;  /* 0: free */
	uint64_t seen; /* ticks */
	uint16_t next; /* in the bucket */
	uint8_t port;
	bool fixed;
};

/* A learning port's part of entry[], used in turn. */
struct part {
	uint16_t first, count, next;
};

static struct {
	uint64_t factor, age;
	uint32_t fixed; /* entries used from the start of entry[] on */
	uint16_t bucket[BUCKETS];
	struct entry entry[ENTRIES];
	struct part part[BH_PORT_NUMBERS];
} table;

static uint64_t key_of(unsigned network, unsigned vlan, uint64_t mac)
{
	_Static_assert(BH_NETWORKS <= 8, "three bits");
	return 1ull << 63 | (uint64_t)network << 60 | (uint64_t)(vlan & 0xfff) << 48 | mac;
}

/* Multiplication by a secret odd number: who does not know it cannot choose addresses that meet in one bucket. */
static uint16_t *bucket_of(uint64_t key)
{
	key ^= key >> 32;
	return &table.bucket[key * table.factor >> 54];
}

void table_start(uint64_t seed, uint64_t age)
{
	memset(&table, 0, sizeof(table));
	memset(table.bucket, 0xff, sizeof(table.bucket));
	table.factor = seed * 0x9e3779b97f4a7c15ull | 1;
	table.age = age;
}

static struct entry *find(uint64_t key)
{
	for (uint16_t i = *bucket_of(key); i != END; i = table.entry[i].next)
		if (table.entry[i].key == key)
			return &table.entry[i];
	return NULL;
}

static void add(struct entry *entry, uint64_t key, unsigned port, uint64_t now)
{
	uint16_t *bucket = bucket_of(key);

	*entry = (struct entry){ .key = key, .seen = now, .next = *bucket, .port = (uint8_t)port };
	*bucket = (uint16_t)(entry - table.entry);
}

static void take_out(struct entry *entry)
{
	uint16_t *link = bucket_of(entry->key);

	while (*link != (uint16_t)(entry - table.entry))
		link = &table.entry[*link].next;
	*link = entry->next;
	entry->key = 0;
}

bool table_fix(unsigned network, unsigned vlan, uint64_t mac, unsigned port)
{
	uint64_t key = key_of(network, vlan, mac);

	if (find(key) || table.fixed == BH_PORT_NUMBERS)
		return false;
	add(&table.entry[table.fixed], key, port, 0);
	table.entry[table.fixed++].fixed = true;
	return true;
}

void table_divide(uint64_t ports)
{
	uint32_t each = ports ? (ENTRIES - table.fixed) / bits_count(ports) : 0;
	uint32_t first = table.fixed;

	for (; ports; ports &= ports - 1, first += each)
		table.part[__builtin_ctzll(ports)] = (struct part){ (uint16_t)first, (uint16_t)each, 0 };
}

static bool too_old(const struct entry *entry, uint64_t now) { return !entry->fixed && now - entry->seen > table.age; }

unsigned table_find(unsigned network, unsigned vlan, uint64_t mac, uint64_t now)
{
	const struct entry *entry = find(key_of(network, vlan, mac));

	return entry && !too_old(entry, now) ? entry->port : TABLE_NOBODY;
}

/* The next entry of the port's part, emptied; NULL: it has none. */
static struct entry *next_own(unsigned port)
{
	struct part *part = &table.part[port];
	struct entry *entry;

	if (!part->count)
		return NULL;
	entry = &table.entry[part->first + part->next];
	part->next = (uint16_t)((part->next + 1) % part->count);
	if (entry->key)
		take_out(entry);
	return entry;
}

bool table_learn(unsigned network, unsigned vlan, uint64_t mac, unsigned port, uint64_t now)
{
	uint64_t key = key_of(network, vlan, mac);
	struct entry *entry = find(key);

	if (entry && entry->port == port) {
		entry->seen = now;
		return true;
	}
	if (entry && entry->fixed)
		return false;
	if (entry)
		take_out(entry); /* it has moved */
	entry = next_own(port);
	if (entry)
		add(entry, key, port, now);
	return true;
}

void table_forget(unsigned port)
{
	for (unsigned i = table.fixed; i < ENTRIES; i++)
		if (table.entry[i].key && table.entry[i].port == port)
			take_out(&table.entry[i]);
}

static void describe(const struct entry *entry, struct bh_mac_entry *to, uint64_t now, uint64_t hz)
{
	*to = (struct bh_mac_entry){ .vlan = (uint16_t)(entry->key >> 48 & 0xfff),
				     .network = (uint16_t)(entry->key >> 60 & 7),
				     .port = entry->port,
				     .age = entry->fixed ? 0 : (uint32_t)((now - entry->seen) / hz) };
	memcpy(to->mac, &entry->key, sizeof(to->mac));
	if (to->vlan == TABLE_VLAN_ANY)
		to->vlan = 0;
}

uint32_t table_list(struct bh_mac_entry *to, uint64_t now, uint64_t hz)
{
	uint32_t count = 0;

	for (unsigned i = 0; i < ENTRIES; i++)
		if (table.entry[i].key && !too_old(&table.entry[i], now))
			describe(&table.entry[i], &to[count++], now, hz);
	return count;
}
