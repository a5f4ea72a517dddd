/* certificate_store.h: the console's own key and certificate, as they are kept over its restarts. */
#pragma once
#include <stdint.h>

#define CERTIFICATE_KEY_MAX 256
#define CERTIFICATE_DER_MAX 1024

/* Written once. A service that ends meanwhile leaves a checksum that is wrong. */
struct certificate_store {
	uint64_t magic;
	uint32_t version, key_bytes, der_bytes, pad;
	uint8_t key[CERTIFICATE_KEY_MAX]; /* DER (RFC 5915) */
	uint8_t der[CERTIFICATE_DER_MAX];
	uint8_t check[32]; /* SHA-256 of all before it */
};
