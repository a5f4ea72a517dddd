/*
 * users.h: tokens: who may do what from the network.
 *
 * A token is a name, a role, the partitions that it is for, and a secret of which only a salted hash is kept. The table
 * lies in memory of the caller, which may outlive this service (a channel): two copies with a checksum each, written in
 * turns, so that a service that ends while it writes leaves the other.
 *
 * One vCPU. Nothing here waits.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USERS_TOKENS	   32
#define USERS_NAME_BYTES   32
#define USERS_PARTITIONS   8
#define USERS_SECRET_BYTES 24
#define USERS_SALT_BYTES   16
#define USERS_HASH_BYTES   32
#define USERS_TOKEN_BYTES  64 /* of a token as text, and a 0: "bh_", its number, '_', the secret */

enum users_role {
	USERS_VIEWER = 1,    /* sees all, or the partitions named if any are */
	USERS_OPERATOR,	     /* sees the partitions named, starts, stops and types */
	USERS_ADMINISTRATOR, /* everything */
	USERS_ROLES
};

struct users_token {
	uint32_t number; /* random, never 0; 0: this entry is free */
	uint8_t role;	 /* enum users_role */
	uint8_t partitions;
	uint8_t pad[2];
	uint64_t created; /* seconds since 1970 */
	char name[USERS_NAME_BYTES];
	char partition[USERS_PARTITIONS][USERS_NAME_BYTES];
	uint8_t salt[USERS_SALT_BYTES];
	uint8_t hash[USERS_HASH_BYTES]; /* SHA-256 of salt and secret */
};
_Static_assert(sizeof(struct users_token) == 352, "kept over restarts");

#define USERS_MAGIC   0x7372657375684201ull
#define USERS_VERSION 1

struct users_table {
	uint64_t magic;
	uint32_t version, bytes;
	uint64_t sequence; /* the copy with the higher one counts */
	struct users_token token[USERS_TOKENS];
	uint8_t check[USERS_HASH_BYTES]; /* SHA-256 of all before it */
};

struct users_store {
	struct users_table copy[2];
};

/* What this module needs of its host. */
struct users_host {
	void (*random)(void *to, size_t bytes); /* fit for keys */
	void (*sha256)(const void *data, size_t bytes, uint8_t hash[USERS_HASH_BYTES]);
	uint64_t (*seconds)(void); /* since 1970 */
};

enum users_found { USERS_FOUND, USERS_NEW, USERS_DAMAGED };

/*
 * Takes over what `store` holds; if that is nothing (all zero) or damaged (USERS_DAMAGED: worth a word), the table is
 * empty. `store` NULL: kept in own memory. Once, before all others.
 */
enum users_found users_start(struct users_store *store, const struct users_host *host);

enum users_result {
	USERS_DONE,
	USERS_BAD_NAME, /* 1 to 31 of letters, digits, '-', '_', '.', '@' */
	USERS_NAME_TAKEN,
	USERS_BAD_ROLE, /* none, or an operator of nothing, or an administrator of something */
	USERS_FULL,
};
const char *users_result_words(enum users_result result);

/* A token like `wanted` (name, role, partitions); `text` gets what its owner has to keep: it is shown this once. */
enum users_result users_create(const struct users_token *wanted, char text[USERS_TOKEN_BYTES]);

/* False if there is none of that name. Its sessions end with it. */
bool users_revoke(const char *name);

/* Entry `index` of the table; NULL if that is free. */
const struct users_token *users_entry(unsigned index);
/* NULL once it is revoked. */
const struct users_token *users_numbered(uint32_t number);

/* The number of the token that `text` says it is, whatever its secret; 0: there is none of that number. */
uint32_t users_claimed(const char *text);

/* The token whose secret is in `text`; NULL: none. Takes as long for a wrong secret as for the right one. */
const struct users_token *users_authenticate(const char *text);

/* ---- what a token may ---- */

bool users_may_see_all(const struct users_token *token);
bool users_may_see(const struct users_token *token, const char *partition);
bool users_may_operate(const struct users_token *token, const char *partition);

const char *users_role_words(enum users_role role);
/* 0: it is none. */
enum users_role users_role_called(const char *words);

/* ---- over a reboot ---- */

#define USERS_LINE_BYTES 512

/* "NAME ROLE PARTITION,PARTITION NUMBER SALT HASH": holds no secret. `-` for no partition. */
void users_export(const struct users_token *token, char line[USERS_LINE_BYTES]);
/* Adds what users_export wrote, or does nothing if that token is there. False: the line is none. */
bool users_import(const char *line);

/*
 * The same for each line of `text`, which may hold anything; lines may be empty, # begins a comment. `wrong` is told
 * the number of each line that is no token's, has a name that is taken, or finds no room.
 */
typedef void (*users_wrong)(unsigned line);
void users_import_text(const char *text, size_t bytes, users_wrong wrong);
