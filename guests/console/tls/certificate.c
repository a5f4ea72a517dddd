#include "certificate.h"
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"
#include "mbedtls/oid.h"
#include "mbedtls/sha256.h"

#define MAGIC	     0x6669747265634842ull
#define VERSION	     1
#define NAME_BYTES   64
#define SERIAL_BYTES 16

/* There may be no clock that is right: valid always (RFC 5280, 4.1.2.5: no well-defined end). */
#define NOT_BEFORE "20200101000000"
#define NOT_AFTER  "99991231235959"

static int make_key(mbedtls_pk_context *key, int (*random)(void *, unsigned char *, size_t), void *context)
{
	int error = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
	return error ? error : mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), random, context);
}

/* SEQUENCE { [2] dNSName }: RFC 5280, 4.2.1.6. */
static int add_name(mbedtls_x509write_cert *draft, const char *hostname)
{
	unsigned char value[4 + NAME_BYTES];
	size_t bytes = strnlen(hostname, NAME_BYTES);

	value[0] = 0x30;
	value[1] = (unsigned char)(bytes + 2);
	value[2] = 0x82;
	value[3] = (unsigned char)bytes;
	memcpy(value + 4, hostname, bytes);
	return mbedtls_x509write_crt_set_extension(draft, MBEDTLS_OID_SUBJECT_ALT_NAME,
						   MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, value, 4 + bytes);
}

/* Positive, and never the same twice: browsers refuse two certificates of one issuer with one number. */
static int set_serial(mbedtls_x509write_cert *draft, int (*random)(void *, unsigned char *, size_t), void *context)
{
	unsigned char bytes[SERIAL_BYTES];
	mbedtls_mpi serial;
	int error = random(context, bytes, sizeof(bytes));

	bytes[0] = (bytes[0] & 0x3f) | 0x40;
	mbedtls_mpi_init(&serial);
	if (!error)
		error = mbedtls_mpi_read_binary(&serial, bytes, sizeof(bytes));
	if (!error)
		error = mbedtls_x509write_crt_set_serial(draft, &serial);
	mbedtls_mpi_free(&serial);
	return error;
}

static int describe(mbedtls_x509write_cert *draft, const char *hostname)
{
	char name[NAME_BYTES + 16];
	int error;

	bh_snprintf(name, sizeof(name), "CN=%s,O=Bulkhead", hostname);
	mbedtls_x509write_crt_set_version(draft, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(draft, MBEDTLS_MD_SHA256);
	error = mbedtls_x509write_crt_set_subject_name(draft, name);
	if (!error)
		error = mbedtls_x509write_crt_set_issuer_name(draft, name);
	if (!error)
		error = mbedtls_x509write_crt_set_validity(draft, NOT_BEFORE, NOT_AFTER);
	if (!error)
		error = mbedtls_x509write_crt_set_basic_constraints(draft, 0, -1);
	return error ? error : add_name(draft, hostname);
}

static void print_fingerprint(const unsigned char hash[32], char text[CERTIFICATE_FINGERPRINT_BYTES])
{
	for (unsigned i = 0; i < 32; i++)
		bh_snprintf(text + 3 * i, CERTIFICATE_FINGERPRINT_BYTES - 3 * i, "%02X%s", hash[i], i < 31 ? ":" : "");
}

void certificate_init(struct certificate *certificate)
{
	mbedtls_pk_init(&certificate->key);
	mbedtls_x509_crt_init(&certificate->chain);
}

void certificate_free(struct certificate *certificate)
{
	mbedtls_pk_free(&certificate->key);
	mbedtls_x509_crt_free(&certificate->chain);
}

bool certificate_finish(struct certificate *certificate)
{
	const mbedtls_x509_buf *raw = &certificate->chain.raw;
	unsigned char hash[32];

	if (mbedtls_pk_check_pair(&certificate->chain.pk, &certificate->key) ||
	    mbedtls_sha256_ret(raw->p, raw->len, hash, 0))
		return false;
	print_fingerprint(hash, certificate->fingerprint);
	return true;
}

/* ---- kept ---- */

static int checksum(const struct certificate_store *store, uint8_t hash[32])
{
	return mbedtls_sha256_ret((const uint8_t *)store, offsetof(struct certificate_store, check), hash, 0);
}

static bool is_whole(const struct certificate_store *store)
{
	uint8_t hash[32];

	return store->magic == MAGIC && store->version == VERSION && store->key_bytes <= sizeof(store->key) &&
	       store->der_bytes <= sizeof(store->der) && !checksum(store, hash) &&
	       !memcmp(hash, store->check, sizeof(hash));
}

bool certificate_restore(struct certificate *certificate, const struct certificate_store *store)
{
	struct certificate_store copy = *store;
	bool good;

	certificate_init(certificate);
	good = is_whole(&copy) && !mbedtls_pk_parse_key(&certificate->key, copy.key, copy.key_bytes, NULL, 0) &&
	       !mbedtls_x509_crt_parse_der(&certificate->chain, copy.der, copy.der_bytes) &&
	       certificate_finish(certificate);
	memset(&copy, 0, sizeof(copy));
	if (!good)
		certificate_free(certificate);
	return good;
}

/* mbedTLS writes from a buffer's end. */
static int keep(struct certificate *certificate, struct certificate_store *store, const uint8_t *der, size_t bytes)
{
	static struct certificate_store copy;
	int key = mbedtls_pk_write_key_der(&certificate->key, copy.key, sizeof(copy.key));

	if (key < 0)
		return key;
	memmove(copy.key, copy.key + sizeof(copy.key) - key, (size_t)key);
	memcpy(copy.der, der, bytes);
	copy.magic = MAGIC;
	copy.version = VERSION;
	copy.key_bytes = (uint32_t)key;
	copy.der_bytes = (uint32_t)bytes;
	checksum(&copy, copy.check);
	*store = copy;
	memset(&copy, 0, sizeof(copy));
	return 0;
}

/* ---- made ---- */

static int sign(struct certificate *certificate, struct certificate_store *store, mbedtls_x509write_cert *draft,
		int (*random)(void *, unsigned char *, size_t), void *context)
{
	static unsigned char der[CERTIFICATE_DER_MAX];
	const unsigned char *start;
	int bytes, error;

	bytes = mbedtls_x509write_crt_der(draft, der, sizeof(der), random, context);
	if (bytes < 0)
		return bytes;
	start = der + sizeof(der) - bytes;
	error = mbedtls_x509_crt_parse_der(&certificate->chain, start, (size_t)bytes);
	if (error)
		return error;
	return certificate_finish(certificate) ? keep(certificate, store, start, (size_t)bytes)
					       : MBEDTLS_ERR_X509_FATAL_ERROR;
}

int certificate_make(struct certificate *certificate, struct certificate_store *store, const char *hostname,
		     int (*random)(void *context, unsigned char *to, size_t bytes), void *context)
{
	mbedtls_x509write_cert draft;
	int error;

	certificate_init(certificate);
	error = make_key(&certificate->key, random, context);
	if (error)
		return error;
	mbedtls_x509write_crt_init(&draft);
	mbedtls_x509write_crt_set_subject_key(&draft, &certificate->key);
	mbedtls_x509write_crt_set_issuer_key(&draft, &certificate->key);
	error = describe(&draft, hostname);
	if (!error)
		error = set_serial(&draft, random, context);
	if (!error)
		error = sign(certificate, store, &draft, random, context);
	mbedtls_x509write_crt_free(&draft);
	return error;
}
