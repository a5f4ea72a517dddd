/* certificate_file.c: an administrator's own key and certificate, as PEM (RFC 7468). */
#include "certificate.h"
#include "guests/console/pem.h"
#include "guests/lib/bh_string.h"

#define DER_BYTES 8192

static uint8_t der[DER_BYTES];

static bool is_key(const char *label) { return !strcmp(label, "EC PRIVATE KEY") || !strcmp(label, "PRIVATE KEY"); }

/* Of P-256, the only curve that is built in: others do not parse. */
static const char *take_key(struct certificate *certificate, size_t bytes)
{
	int error;

	mbedtls_pk_free(&certificate->key);
	mbedtls_pk_init(&certificate->key);
	error = mbedtls_pk_parse_key(&certificate->key, der, bytes, NULL, 0);
	memset(der, 0, sizeof(der));
	return error || !mbedtls_pk_can_do(&certificate->key, MBEDTLS_PK_ECDSA)
		       ? "this is not a key of ECDSA on the curve P-256"
		       : NULL;
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

/* The first is the console's own. */
static const char *take_certificate(struct certificate *certificate, size_t bytes)
{
	bool first = !certificate->chain.raw.len;

	if (mbedtls_x509_crt_parse_der(&certificate->chain, der, bytes))
		return "this certificate is damaged, or its keys are not of ECDSA on P-256 with SHA-256";
	if (first && !certificate_finish(certificate))
		return "this certificate is of another key";
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
