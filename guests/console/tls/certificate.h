/*
 * certificate.h: the console's key and certificate: an administrator's own, or a pair that it makes and signs itself,
 * and keeps over its restarts. Who connects compares the fingerprint with the one on the serial line.
 */
#pragma once
#include <stdbool.h>
#include "certificate_store.h"
#include "mbedtls/pk.h"
#include "mbedtls/x509_crt.h"

#define CERTIFICATE_FINGERPRINT_BYTES 96 /* "AB:CD:...", of SHA-256, with its 0 */

struct certificate {
	mbedtls_pk_context key; /* ECDSA on P-256; an administrator's also on P-384, or RSA */
	mbedtls_x509_crt chain;
	char fingerprint[CERTIFICATE_FINGERPRINT_BYTES];
};

/*
 * Makes them for a host of that name, and keeps them in `store`. `random` and `context` as mbedTLS wants them. 0, or
 * mbedTLS' error; there is nothing to be freed then, as the caller cannot do without.
 */
int certificate_make(struct certificate *certificate, struct certificate_store *store, const char *hostname,
		     int (*random)(void *context, unsigned char *to, size_t bytes), void *context);

/* What certificate_make has kept in a former life; false: nothing that is whole. */
bool certificate_restore(struct certificate *certificate, const struct certificate_store *store);

/* ---- certificate_file.c: an administrator's own ---- */

/* Both as PEM. NULL, or what is wrong, and in `line` where; 0: in all of it. What was read before is kept. */
const char *certificate_read_key(struct certificate *certificate, const char *text, size_t bytes, unsigned *line);
/* With the certificates of those who signed it behind it; after the key. */
const char *certificate_read_chain(struct certificate *certificate, const char *text, size_t bytes, unsigned *line);

/* ---- for both ---- */

void certificate_init(struct certificate *certificate);
void certificate_free(struct certificate *certificate);

/* Whether key and certificate belong together; then the fingerprint is there. */
bool certificate_finish(struct certificate *certificate);
