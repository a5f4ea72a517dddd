#include "users.h"
#include "guests/lib/bh_string.h"
#include "secret.h"
#include "sessions.h"
#include "table.h"

static struct users_table table; /* private: what lies in the store is only written, once it was read */
static struct users_store own, *store;
static const struct users_host *host;

/* ---- the store ---- */

static void checksum(const struct users_table *from, uint8_t hash[USERS_HASH_BYTES])
{
	host->sha256(from, offsetof(struct users_table, check), hash);
}

static bool is_whole(const struct users_table *copy)
{
	uint8_t hash[USERS_HASH_BYTES];

	if (copy->magic != USERS_MAGIC || copy->version != USERS_VERSION || copy->bytes != sizeof(*copy))
		return false;
	checksum(copy, hash);
	return !memcmp(hash, copy->check, sizeof(hash));
}

/* Texts end, numbers are in range: what has a good checksum may still be another version's. */
static bool makes_sense(const struct users_token *token)
{
	return !token->number || (table_good_name(token->name) && table_good_role(token));
}

static bool take(const struct users_table *copy)
{
	if (copy->sequence < table.sequence)
		return false;
	/* Copied first: it is the private one that is checked. */
	static struct users_table candidate;

	candidate = *copy;
	if (!is_whole(&candidate))
		return false;
	for (unsigned i = 0; i < USERS_TOKENS; i++)
		if (!makes_sense(&candidate.token[i]))
			return false;
	table = candidate;
	return true;
}

static bool is_empty(const struct users_store *memory)
{
	const uint8_t *byte = (const uint8_t *)memory;

	for (size_t i = 0; i < sizeof(*memory); i++)
		if (byte[i])
			return false;
	return true;
}

enum users_found users_start(struct users_store *given, const struct users_host *with)
{
	bool found;

	host = with;
	store = given ? given : &own;
	memset(&table, 0, sizeof(table));
	found = take(&store->copy[0]);
	found |= take(&store->copy[1]);
	if (found)
		return USERS_FOUND;
	memset(&table, 0, sizeof(table));
	return is_empty(store) ? USERS_NEW : USERS_DAMAGED;
}

/* Over the older copy: the newer one stays whole until this one is. */
static void save(void)
{
	table.magic = USERS_MAGIC;
	table.version = USERS_VERSION;
	table.bytes = sizeof(table);
	table.sequence++;
	checksum(&table, table.check);
	memcpy(&store->copy[table.sequence % 2], &table, sizeof(table));
}

/* ---- the table ---- */

const struct users_token *users_entry(unsigned index)
{
	return index < USERS_TOKENS && table.token[index].number ? &table.token[index] : NULL;
}

const struct users_token *users_numbered(uint32_t number)
{
	for (unsigned i = 0; number && i < USERS_TOKENS; i++)
		if (table.token[i].number == number)
			return &table.token[i];
	return NULL;
}

const struct users_token *table_named(const char *name)
{
	for (unsigned i = 0; i < USERS_TOKENS; i++)
		if (table.token[i].number && !strcmp(table.token[i].name, name))
			return &table.token[i];
	return NULL;
}

enum users_result table_add(const struct users_token *token)
{
	for (unsigned i = 0; i < USERS_TOKENS; i++)
		if (!table.token[i].number) {
			table.token[i] = *token;
			save();
			return USERS_DONE;
		}
	return USERS_FULL;
}

bool users_revoke(const char *name)
{
	const struct users_token *found = table_named(name);

	if (!found)
		return false;
	sessions_end_all(found->number);
	memset(&table.token[found - table.token], 0, sizeof(*found));
	/* Both copies: none shall bring it back. */
	save();
	save();
	return true;
}

/* ---- secrets ---- */

static void hash_secret(const struct users_token *token, const uint8_t *secret, uint8_t hash[USERS_HASH_BYTES])
{
	uint8_t both[USERS_SALT_BYTES + USERS_SECRET_BYTES];

	memcpy(both, token->salt, USERS_SALT_BYTES);
	memcpy(both + USERS_SALT_BYTES, secret, USERS_SECRET_BYTES);
	host->sha256(both, sizeof(both), hash);
	memset(both, 0, sizeof(both));
}

static uint32_t new_number(void)
{
	uint32_t number;

	do
		host->random(&number, sizeof(number));
	while (!number || users_numbered(number));
	return number;
}

enum users_result users_create(const struct users_token *wanted, char text[USERS_TOKEN_BYTES])
{
	struct users_token token = *wanted;
	uint8_t secret[USERS_SECRET_BYTES];
	enum users_result result = table_check(&token);

	if (result != USERS_DONE)
		return result;
	token.number = new_number();
	token.created = host->seconds();
	host->random(token.salt, sizeof(token.salt));
	host->random(secret, sizeof(secret));
	hash_secret(&token, secret, token.hash);
	result = table_add(&token);
	memcpy(text, "bh_", 4);
	text = secret_to_hex(text + 3, &token.number, sizeof(token.number));
	*text++ = '_';
	secret_to_hex(text, secret, sizeof(secret));
	memset(secret, 0, sizeof(secret));
	return result;
}

/* "bh_", the number, '_', the secret. */
static bool split(const char *text, uint32_t *number, uint8_t secret[USERS_SECRET_BYTES])
{
	return strlen(text) == 3 + 8 + 1 + 2 * USERS_SECRET_BYTES && !strncmp(text, "bh_", 3) && text[11] == '_' &&
	       secret_from_hex(number, text + 3, sizeof(*number)) &&
	       secret_from_hex(secret, text + 12, USERS_SECRET_BYTES);
}

uint32_t users_claimed(const char *text)
{
	uint8_t secret[USERS_SECRET_BYTES];
	uint32_t number;

	return split(text, &number, secret) && users_numbered(number) ? number : 0;
}

const struct users_token *users_authenticate(const char *text)
{
	static const struct users_token nobody = { .name = "nobody" };
	const struct users_token *token;
	uint8_t secret[USERS_SECRET_BYTES], hash[USERS_HASH_BYTES];
	uint32_t number;

	if (!split(text, &number, secret))
		return NULL;
	token = users_numbered(number);
	hash_secret(token ? token : &nobody, secret, hash);
	return secret_same(hash, token ? token->hash : nobody.hash, sizeof(hash)) ? token : NULL;
}
