/* rules.c: what a token may, and how it may look. */
#include "guests/lib/bh_string.h"
#include "table.h"

static const char *const roles[USERS_ROLES] = {
	[USERS_VIEWER] = "viewer", [USERS_OPERATOR] = "operator", [USERS_ADMINISTRATOR] = "administrator"
};

const char *users_role_words(enum users_role role) { return role > 0 && role < USERS_ROLES ? roles[role] : "none"; }

enum users_role users_role_called(const char *words)
{
	for (unsigned i = 1; i < USERS_ROLES; i++)
		if (!strcmp(words, roles[i]))
			return (enum users_role)i;
	return 0;
}

/* ---- what it may ---- */

/* NAME.monitor belongs to NAME. */
static bool is_named(const struct users_token *token, const char *partition)
{
	for (unsigned i = 0; i < token->partitions; i++) {
		size_t length = strlen(token->partition[i]);

		if (!strncmp(partition, token->partition[i], length) &&
		    (!partition[length] || !strcmp(partition + length, ".monitor")))
			return true;
	}
	return false;
}

bool users_may_see_all(const struct users_token *token)
{
	return token->role == USERS_ADMINISTRATOR || (token->role == USERS_VIEWER && !token->partitions);
}

bool users_may_see(const struct users_token *token, const char *partition)
{
	return users_may_see_all(token) || is_named(token, partition);
}

bool users_may_operate(const struct users_token *token, const char *partition)
{
	return token->role == USERS_ADMINISTRATOR || (token->role == USERS_OPERATOR && is_named(token, partition));
}

/* ---- how it may look ---- */

bool table_good_name(const char *name)
{
	size_t length = strnlen(name, USERS_NAME_BYTES);

	if (!length || length == USERS_NAME_BYTES)
		return false;
	for (; *name; name++)
		if (!(*name >= '0' && *name <= '9') && !((*name | 0x20) >= 'a' && (*name | 0x20) <= 'z') &&
		    !strchr("-_.@", *name))
			return false;
	return true;
}

/* Space and comma would not come back from a line of text (export.c). */
static bool good_partition(const char *name)
{
	size_t length = strnlen(name, USERS_NAME_BYTES);

	return length && length < USERS_NAME_BYTES && !strchr(name, ' ') && !strchr(name, ',');
}

bool table_good_role(const struct users_token *token)
{
	if (token->partitions > USERS_PARTITIONS)
		return false;
	for (unsigned i = 0; i < token->partitions; i++)
		if (!good_partition(token->partition[i]))
			return false;
	switch (token->role) {
	case USERS_VIEWER: return true;
	case USERS_OPERATOR: return token->partitions > 0;
	case USERS_ADMINISTRATOR: return token->partitions == 0;
	default: return false;
	}
}

enum users_result table_check(const struct users_token *wanted)
{
	if (!table_good_name(wanted->name))
		return USERS_BAD_NAME;
	if (table_named(wanted->name))
		return USERS_NAME_TAKEN;
	return table_good_role(wanted) ? USERS_DONE : USERS_BAD_ROLE;
}

const char *users_result_words(enum users_result result)
{
	switch (result) {
	case USERS_DONE: return "done";
	case USERS_BAD_NAME: return "a name has 1 to 31 letters, digits, '-', '_', '.' or '@'";
	case USERS_NAME_TAKEN: return "there is a token of that name";
	case USERS_BAD_ROLE:
		return "a role is viewer, operator or administrator; an operator needs the names of 1 to 8 partitions, "
		       "an administrator has none";
	case USERS_FULL: return "there is no room for another token";
	}
	return "unknown";
}
