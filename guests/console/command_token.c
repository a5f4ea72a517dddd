/* command_token.c: who may manage the machine over the network. */
#include "commands.h"
#include "contact.h"
#include "guests/lib/bh_string.h"
#include "screen.h"
#include "users/journal.h"
#include "users/users.h"

static void show(const struct users_token *token)
{
	screen_printf("%-20s %-14s", token->name, users_role_words((enum users_role)token->role));
	for (unsigned i = 0; i < token->partitions; i++)
		screen_printf("%s%s", i ? ", " : " ", token->partition[i]);
	screen_printf("\n");
}

static void list(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < USERS_TOKENS; i++) {
		if (!users_entry(i))
			continue;
		show(users_entry(i));
		count++;
	}
	if (!count)
		screen_printf("There is no token. `token new admin administrator` makes one.\n");
}

/* NAME ROLE [PARTITION...] */
static void make(const char *const *words)
{
	struct users_token wanted = { .role = (uint8_t)users_role_called(words[1] ? words[1] : "") };
	char text[USERS_TOKEN_BYTES];
	enum users_result result;

	bh_strlcpy(wanted.name, words[0] ? words[0] : "", sizeof(wanted.name));
	for (unsigned i = 2; words[0] && words[1] && words[i] && wanted.partitions < USERS_PARTITIONS; i++) {
		if (!peers_find(words[i])) {
			screen_printf("There is no partition ");
			screen_text(words[i], strlen(words[i]));
			screen_printf(".\n");
			return;
		}
		bh_strlcpy(wanted.partition[wanted.partitions++], words[i], USERS_NAME_BYTES);
	}
	result = users_create(&wanted, text);
	if (result != USERS_DONE) {
		screen_printf("%s\n", users_result_words(result));
		return;
	}
	journal_add("done", "token %s made", wanted.name);
	screen_printf("%s\nIt is shown this once. It lasts until the machine is switched off; "
		      "`token export` keeps it beyond that.\n",
		      text);
	memset(text, 0, sizeof(text));
}

static void revoke(const char *name)
{
	if (!name || !users_revoke(name)) {
		screen_printf("There is no such token.\n");
		return;
	}
	journal_add("done", "token %s revoked", name);
	screen_printf("Revoked; what it had open is closed.\n");
}

static void export_all(void)
{
	char line[USERS_LINE_BYTES];

	screen_printf("# Save this as a file on the EFI system partition, and name it in [machine] of bulkhead.conf:\n"
		      "#   tokens = tokens.txt\n"
		      "# Who reads it can use none of the tokens: their secrets are not in it.\n");
	for (unsigned i = 0; i < USERS_TOKENS; i++) {
		if (!users_entry(i))
			continue;
		users_export(users_entry(i), line);
		screen_text(line, strlen(line));
		screen_printf("\n");
	}
	screen_printf("# A certificate and its key are named likewise, as PEM (ECDSA on P-256 or P-384, RSA):\n"
		      "#   certificate = console.pem\n"
		      "#   key = console.key\n");
}

void command_token(const struct arguments *arguments)
{
	const char *what = arguments->words[0];

	journal_actor("serial line", "");
	if (!contact_network())
		screen_printf("The console is on no network: nobody needs a token.\n");
	else if (!what)
		list();
	else if (!strcmp(what, "new"))
		make(arguments->words + 1);
	else if (!strcmp(what, "revoke"))
		revoke(arguments->words[1]);
	else if (!strcmp(what, "export"))
		export_all();
	else
		screen_printf("token, token new NAME ROLE [PARTITION...], token revoke NAME, or token export.\n");
}
