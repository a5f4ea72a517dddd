/* page.h: the page, as it is built in. */
#pragma once
#include <stdbool.h>
#include "guests/console/http/answer.h"

/* Made by pack.py of the files in this folder. */
extern const struct http_file page_files[];
extern const unsigned page_file_count;

/* GET of one of them; false: it is none. For api_start. */
bool page_answer(struct http *http);
