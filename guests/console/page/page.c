#include "page.h"
#include "guests/console/api/api.h"

bool page_answer(struct http *http) { return api_send_file(http, page_files, page_file_count); }
