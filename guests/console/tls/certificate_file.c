/* certificate_file.c: an administrator's own key and certificate, as PEM (RFC 7468). */
#include "certificate.h"
#include "guests/console/pem.h"
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"

#define DER_BYTES 8192

static uint8_t der[DER_BYTES];

static bool is_key(const char *label)
{
	return !strcmp(label, "EC PRIVATE KEY") || !strcmp(label, "RSA PRIVATE KEY") || !strcmp(label, "PRIVATE KEY");
}

/* ---- what kind of key it is ---- */

#define KINDS "ECDSA on P-256 or P-384, and RSA of 2048 to 4096 bits, are known"

/* Object identifiers as they stand in a key (RFC 5480, 2.1.1; RFC 8410, 3; RFC 3279, 2.3.2). */
static const struct {
	const char *name;
	uint8_t bytes, oid[10];
} strangers[] = {
	{ "of ECDSA on P-521", 7, { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23 } },
	{ "of ECDSA on P-224", 7, { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x21 } },
	{ "of ECDSA on secp256k1", 7, { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a } },
	{ "of Ed25519", 5, { 0x06, 0x03, 0x2b, 0x65, 0x70 } },
	{ "of Ed448", 5, { 0x06, 0x03, 0x2b, 0x65, 0x71 } },
	{ "of DSA", 9, { 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01 } },
};

static bool holds(size_t bytes, const uint8_t *part, size_t length)
{
	for (size_t at = 0; at + length <= bytes; at++)
		if (!memcmp(der + at, part, length))
			return true;
	return false;
}

/* One that does not parse, in `der`. */
static const char *name_stranger(size_t bytes)
{
	static char words[128];
	const char *name = "damaged, or of another kind";

	for (unsigned i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		if (holds(bytes, strangers[i].oid, strangers[i].bytes))
			name = strangers[i].name;
	bh_snprintf(words, sizeof(words), "this key is %s; " KINDS, name);
	return words;
}

static const char *check_kind(const mbedtls_pk_context *key)
{
	static char words[128];
	size_t bits = mbedtls_pk_get_bitlen(key);

	if (mbedtls_pk_can_do(key, MBEDTLS_PK_ECDSA) ||
	    (mbedtls_pk_get_type(key) == MBEDTLS_PK_RSA && bits >= 2048 && bits <= 4096))
		return NULL;
	bh_snprintf(words, sizeof(words), "this key is of RSA with %u bits; " KINDS, (unsigned)bits);
	return words;
}

/* Curves that are not built in do not parse. */
static const char *take_key(struct certificate *certificate, size_t bytes)
{
	const char *wrong;

	mbedtls_pk_free(&certificate->key);
	mbedtls_pk_init(&certificate->key);
	wrong = mbedtls_pk_parse_key(&certificate->key, der, bytes, NULL, 0) ? name_stranger(bytes)
									     : check_kind(&certificate->key);
	memset(der, 0, sizeof(der));
	return wrong;
}

const char *certificate_read_key(struct certificate *certificate, const char *text, size_t bytes, unsigned *line)
{
	struct pem pem = pem_of(text, bytes);
	char label[PEM_LABEL_BYTES];
	enum pem_found found;
	size_t count;

	while ((found = pem_next(&pem, label, der, sizeof(der), &count)) == PEM_BLOCK) {
		*line = pem.line;
		if (!strcmp(label, "ENCRYPTED PRIVATE KEY"))
			return "an encrypted key is not read";
		if (is_key(label))
			return take_key(certificate, count);
	}
	*line = found == PEM_WRONG ? pem.line : 0;
	return found == PEM_WRONG ? pem.wrong : "there is no private key in it";
}

/* They are sent in one record (RFC 5246, 7.4.2): four bytes before the message, three before the list and before each.
 */
static size_t message_bytes(const mbedtls_x509_crt *chain)
{
	size_t bytes = 7;

	for (; chain; chain = chain->next)
		bytes += 3 + chain->raw.len;
	return bytes;
}

/* The first is the console's own. */
static const char *take_certificate(struct certificate *certificate, size_t bytes)
{
	bool first = !certificate->chain.raw.len;

	if (mbedtls_x509_crt_parse_der(&certificate->chain, der, bytes))
		return "this certificate is damaged, or its key or signature is of a kind that is not known";
	if (first && !certificate_finish(certificate))
		return "this certificate is of another key";
	if (message_bytes(&certificate->chain) > MBEDTLS_SSL_OUT_CONTENT_LEN)
		return "the certificates up to this one are longer than the 4 KiB that can be sent: leave out the last";
	return NULL;
}

const char *certificate_read_chain(struct certificate *certificate, const char *text, size_t bytes, unsigned *line)
{
	struct pem pem = pem_of(text, bytes);
	char label[PEM_LABEL_BYTES];
	enum pem_found found;
	const char *wrong;
	size_t count;

	while ((found = pem_next(&pem, label, der, sizeof(der), &count)) == PEM_BLOCK) {
		wrong = strcmp(label, "CERTIFICATE") ? NULL : take_certificate(certificate, count);
		*line = pem.line;
		if (wrong)
			return wrong;
	}
	*line = found == PEM_WRONG ? pem.line : 0;
	if (found == PEM_WRONG)
		return pem.wrong;
	return certificate->chain.raw.len ? NULL : "there is no certificate in it";
}
