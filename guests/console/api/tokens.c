/* tokens.c: tokens, for administrators. */
#include "guests/console/users/journal.h"
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"
#include "session.h"

static unsigned count(struct http *http)
{
	(void)http;
	return USERS_TOKENS;
}

static void put_members(struct json *json, const struct users_token *token)
{
	json_string(json, "name", token->name);
	json_string(json, "role", users_role_words((enum users_role)token->role));
	json_open(json, "partitions", '[');
	for (unsigned i = 0; i < token->partitions; i++)
		json_string(json, NULL, token->partition[i]);
	json_close(json, ']');
}

static bool put(struct http *http, struct api_request *request, struct json *json)
{
	const struct users_token *token = users_entry(request->step);

	(void)http;
	if (!token)
		return true;
	json_open(json, NULL, '{');
	put_members(json, token);
	json_number(json, "created", token->created);
	json_close(json, '}');
	return true;
}

static enum http_more produce(struct http *http, struct text *text)
{
	static const struct api_list list = { NULL, "tokens", count, put };

	return api_list(http, text, &list);
}

void api_get_tokens(struct http *http) { api_json(http, 200, produce); }

/* ---- a new one ---- */

/* Each: NULL, or what is wrong with the value. */
static const char *set_name(struct users_token *token, const struct json_value *value)
{
	return json_get_string(value, token->name, sizeof(token->name)) ? NULL : "name is a string of 1 to 31 bytes";
}

static const char *set_role(struct users_token *token, const struct json_value *value)
{
	char role[16];

	if (json_get_string(value, role, sizeof(role)))
		token->role = (uint8_t)users_role_called(role);
	return token->role ? NULL : "role is viewer, operator or administrator";
}

static const char *set_partitions(struct users_token *token, const struct json_value *value)
{
	static const char wrong[] = "partitions is an array of at most 8 names of partitions";
	struct json_place next = { 0 };
	struct json_value ignored, element;

	token->partitions = 0;
	if (json_type(value) != JSON_ARRAY)
		return wrong;
	while (json_next(value, &next, &ignored, &element)) {
		if (token->partitions == USERS_PARTITIONS ||
		    !json_get_string(&element, token->partition[token->partitions], USERS_NAME_BYTES) ||
		    view_find(token->partition[token->partitions]) < 0)
			return wrong;
		token->partitions++;
	}
	return NULL;
}

static const struct {
	const char *key;
	const char *(*set)(struct users_token *token, const struct json_value *value);
} members[] = { { "name", set_name }, { "role", set_role }, { "partitions", set_partitions } };

#define MEMBERS (sizeof(members) / sizeof(members[0]))

static const char *set_member(struct users_token *token, const char *key, const struct json_value *value, bool *set)
{
	for (unsigned i = 0; i < MEMBERS; i++) {
		if (strcmp(members[i].key, key))
			continue;
		if (set[i])
			return "a member stands there twice";
		set[i] = true;
		return members[i].set(token, value);
	}
	return "a token has the members name, role and partitions only";
}

static const char *read_token(const struct json_value *object, struct users_token *token)
{
	struct json_place next = { 0 };
	struct json_value key, value;
	bool set[MEMBERS] = { false };
	const char *wrong = NULL;
	char name[16];

	if (json_type(object) != JSON_OBJECT)
		return "a token is an object";
	while (!wrong && json_next(object, &next, &key, &value))
		wrong = json_get_string(&key, name, sizeof(name)) ? set_member(token, name, &value, set)
								  : "a member is unknown";
	return wrong;
}

bool api_body(struct http *http, struct json_value *value)
{
	struct json_error error;
	char words[120];
	size_t bytes;
	const char *text = http_body(http, &bytes);

	if (json_read(text, bytes, value, &error))
		return true;
	bh_snprintf(words, sizeof(words), "The body is not JSON, at byte %u: %s.", (unsigned)error.at, error.what);
	http_problem(http, 400, words);
	return false;
}

static void answer_token(struct http *http, const struct users_token *token, const char *secret)
{
	char space[HTTP_PIECE_BYTES];
	struct text text = text_in(space, sizeof(space) - 1);
	struct json json = json_in(&text, false);

	json_open(&json, NULL, '{');
	put_members(&json, token);
	json_string(&json, "token", secret);
	json_close(&json, '}');
	space[text.used] = 0;
	http_answer(http, 201, "application/json", space);
	memset(space, 0, sizeof(space));
}

void api_post_token(struct http *http)
{
	struct users_token token = { 0 };
	struct json_value body;
	char secret[USERS_TOKEN_BYTES], words[200];
	const char *wrong;
	enum users_result result;

	if (!api_body(http, &body))
		return;
	wrong = read_token(&body, &token);
	result = wrong ? USERS_BAD_ROLE : users_create(&token, secret);
	if (result != USERS_DONE) {
		bh_snprintf(words, sizeof(words), "No token was made: %s.", wrong ? wrong : users_result_words(result));
		http_problem(http, result == USERS_NAME_TAKEN || result == USERS_FULL ? 409 : 422, words);
		return;
	}
	journal_add("done", "create token %s, %s", token.name, users_role_words((enum users_role)token.role));
	answer_token(http, &token, secret);
	memset(secret, 0, sizeof(secret));
}

void api_delete_token(struct http *http)
{
	const char *name = http_parameter(http, 0);
	bool done = users_revoke(name);

	if (!done) {
		http_problem(http, 404, "There is no such token.");
		return;
	}
	journal_add("done", "revoke token %s", name);
	http_answer(http, 204, NULL, NULL);
}
