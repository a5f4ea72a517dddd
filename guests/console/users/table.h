/* table.h: what the sources of this folder share about the table of tokens. */
#pragma once
#include "users.h"

bool table_good_name(const char *name);
bool table_good_role(const struct users_token *token);
/* Whether a token could be added, but for want of room. */
enum users_result table_check(const struct users_token *wanted);
const struct users_token *table_named(const char *name);
/* Adds and saves. */
enum users_result table_add(const struct users_token *token);
