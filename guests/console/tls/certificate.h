/*
 * certificate.h: the console's key, and the certificate for it that it signs itself. Both are made at each start: there
 * is nowhere to keep them. Who connects compares the fingerprint with the one on the serial line.
 */
#pragma once
#include <stdbool.h>
#include "mbedtls/pk.h"
#include "mbedtls/x509_crt.h"

#define CERTIFICATE_FINGERPRINT_BYTES 96 /* "AB:CD:...", of SHA-256, with its 0 */

struct certificate {
	mbedtls_pk_context key; /* ECDSA, P-256 */
	mbedtls_x509_crt chain;
	char fingerprint[CERTIFICATE_FINGERPRINT_BYTES];
};

/*
 * Makes them for a host of that name. `random` and `context` as mbedTLS wants them. 0, or mbedTLS' error; there is
 * nothing to be freed then, as the caller cannot do without.
 */
int certificate_make(struct certificate *certificate, const char *hostname,
		     int (*random)(void *context, unsigned char *to, size_t bytes), void *context);
