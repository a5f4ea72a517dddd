/* export.c: tokens as lines of text, for a file that outlives a reboot. */
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"
#include "secret.h"
#include "table.h"

static void join(const struct users_token *token, char *to, size_t size)
{
	int used = 0;

	bh_strlcpy(to, "-", size);
	for (unsigned i = 0; i < token->partitions && used < (int)size; i++)
		used += bh_snprintf(to + used, size - (size_t)used, "%s%s", i ? "," : "", token->partition[i]);
}

void users_export(const struct users_token *token, char line[USERS_LINE_BYTES])
{
	char partitions[USERS_PARTITIONS * USERS_NAME_BYTES], number[16];
	char salt[2 * USERS_SALT_BYTES + 1], hash[2 * USERS_HASH_BYTES + 1];

	join(token, partitions, sizeof(partitions));
	secret_to_hex(number, &token->number, sizeof(token->number));
	secret_to_hex(salt, token->salt, sizeof(token->salt));
	secret_to_hex(hash, token->hash, sizeof(token->hash));
	bh_snprintf(line, USERS_LINE_BYTES, "%s %s %s %s %s %s", token->name,
		    users_role_words((enum users_role)token->role), partitions, number, salt, hash);
}

/* The next word up to `end`; false: there is none, or it is too long. */
static bool word(const char **at, char end, char *to, size_t size)
{
	size_t length = 0;

	while (**at && **at != end && **at != ' ' && length + 1 < size)
		to[length++] = *(*at)++;
	to[length] = 0;
	if (**at == end && end)
		(*at)++;
	else if (**at && **at != ' ')
		return false;
	return length > 0;
}

static bool split(const char *list, struct users_token *token)
{
	if (!strcmp(list, "-"))
		return true;
	while (*list) {
		if (token->partitions == USERS_PARTITIONS ||
		    !word(&list, ',', token->partition[token->partitions], USERS_NAME_BYTES))
			return false;
		token->partitions++;
	}
	return true;
}

bool users_import(const char *line)
{
	struct users_token token = { 0 };
	char role[16], list[USERS_PARTITIONS * USERS_NAME_BYTES], number[9], salt[2 * USERS_SALT_BYTES + 1];
	char hash[2 * USERS_HASH_BYTES + 1];

	if (!word(&line, ' ', token.name, sizeof(token.name)) || !word(&line, ' ', role, sizeof(role)) ||
	    !word(&line, ' ', list, sizeof(list)) || !word(&line, ' ', number, sizeof(number)) ||
	    !word(&line, ' ', salt, sizeof(salt)) || !word(&line, 0, hash, sizeof(hash)) || *line)
		return false;
	token.role = (uint8_t)users_role_called(role);
	if (!split(list, &token) || !secret_from_hex(&token.number, number, sizeof(token.number)) ||
	    !secret_from_hex(token.salt, salt, sizeof(token.salt)) ||
	    !secret_from_hex(token.hash, hash, sizeof(token.hash)) || !token.number)
		return false;
	if (users_numbered(token.number))
		return true;
	return table_check(&token) == USERS_DONE && table_add(&token) == USERS_DONE;
}

/* ---- a file of them ---- */

/* What stands in the line, without a comment and blanks at its ends; false: it is too long. */
static bool take_line(const char *from, size_t bytes, char line[USERS_LINE_BYTES])
{
	const char *comment = memchr(from, '#', bytes);

	if (comment)
		bytes = (size_t)(comment - from);
	while (bytes && (from[bytes - 1] == ' ' || from[bytes - 1] == '\t' || from[bytes - 1] == '\r'))
		bytes--;
	while (bytes && (*from == ' ' || *from == '\t'))
		from++, bytes--;
	if (bytes >= USERS_LINE_BYTES)
		return false;
	memcpy(line, from, bytes);
	line[bytes] = 0;
	return strlen(line) == bytes;
}

void users_import_text(const char *text, size_t bytes, users_wrong wrong)
{
	char line[USERS_LINE_BYTES];

	for (unsigned number = 1; bytes; number++) {
		const char *end = memchr(text, '\n', bytes);
		size_t length = end ? (size_t)(end - text) : bytes;

		if (!take_line(text, length, line) || (line[0] && !users_import(line)))
			wrong(number);
		text += end ? length + 1 : length;
		bytes -= end ? length + 1 : length;
	}
}
