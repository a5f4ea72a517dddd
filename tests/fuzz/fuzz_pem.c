/* Any bytes as the files of an administrator: PEM, and lines of tokens. */
#include <string.h>
#include "guests/console/pem.h"
#include "guests/console/users/users.h"
#include "tests/unit/sha256.h"
#include "tests/fuzz/require.h"

static void no_noise(void *to, size_t bytes) { memset(to, 7, bytes); }
static uint64_t seconds(void) { return 1; }
static unsigned last;

static void wrong(unsigned line)
{
	REQUIRE(line > last);
	last = line;
}

static void read_tokens(const char *text, size_t size)
{
	static const struct users_host host = { no_noise, sha256, seconds };
	static struct users_store store;

	memset(&store, 0, sizeof(store));
	last = 0;
	users_start(&store, &host);
	users_import_text(text, size, wrong);
	/* All that was taken is found good again. */
	REQUIRE(users_entry(0) ? users_start(&store, &host) == USERS_FOUND : 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pem pem = pem_of((const char *)data, size);
	char label[PEM_LABEL_BYTES];
	uint8_t der[256];
	enum pem_found found;
	size_t count;

	while ((found = pem_next(&pem, label, der, sizeof(der), &count)) == PEM_BLOCK)
		REQUIRE(count <= sizeof(der) && strlen(label) < sizeof(label) && pem.line < pem.next_line);
	REQUIRE(found == PEM_END || pem.wrong);
	read_tokens((const char *)data, size);
	return 0;
}
