/* tls.c: key, certificate and memory of the server; random numbers for mbedTLS. */
#include "tls.h"
#include "certificate.h"
#include "connection.h"
#include "entropy.h"
#include "guests/console/contact.h"
#include "guests/console/given.h"
#include "guests/lib/bh.h"
#include "mbedtls/ctr_drbg.h"
#include "mbedtls/entropy.h"
#include "mbedtls/memory_buffer_alloc.h"
#include "mbedtls/platform.h"
#include "mbedtls/ssl.h"

/*
 * Per connection 16.7 + 4.5 KiB of buffers and less than 8 KiB of the rest while it shakes hands; for all together key,
 * certificates, and the signature that one of them waits for: of RSA with 4096 bits it needs 60 KiB.
 */
#define HEAP_BYTES (TLS_CONNECTIONS * 32 * 1024 + 160 * 1024)

static unsigned char heap[HEAP_BYTES] __attribute__((aligned(16)));
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context drbg;
static mbedtls_ssl_config config;
static struct certificate certificate;

/* For mbedtls_entropy_func: MBEDTLS_ENTROPY_HARDWARE_ALT. */
int mbedtls_hardware_poll(void *data, unsigned char *to, size_t bytes, size_t *got)
{
	(void)data;
	entropy_fill(to, bytes);
	*got = bytes;
	return 0;
}

static void fail_heap(int status)
{
	(void)status;
	bh_printf("console: mbedTLS' heap is damaged\n");
	bh_fail("mbedTLS' heap is damaged");
}

static int start_random(void)
{
	static const unsigned char name[] = "Bulkhead console";

	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&drbg);
	return mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, name, sizeof(name));
}

static int configure(void)
{
	static const char *protocols[] = { "http/1.1", NULL };
	/* For the exchange; the certificate's may be another. */
	static const mbedtls_ecp_group_id curves[] = { MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE };
	int error;

	mbedtls_ssl_config_init(&config);
	error = mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
					    MBEDTLS_SSL_PRESET_DEFAULT);
	if (error)
		return error;
	mbedtls_ssl_conf_min_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_curves(&config, curves);
	mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &drbg);
	error = mbedtls_ssl_conf_alpn_protocols(&config, protocols);
	return error ? error : mbedtls_ssl_conf_own_cert(&config, &certificate.chain, &certificate.key);
}

static void tell(void)
{
	/* A line of the log has 40 characters. */
	bh_printf("SHA-256 of its certificate:\n%.35s\n%.35s\n%s\n", certificate.fingerprint,
		  certificate.fingerprint + 36, certificate.fingerprint + 72);
	contact_set_fingerprint(certificate.fingerprint);
	if (entropy_problem()) {
		bh_printf("console: %s\n", entropy_problem());
		contact_set_problem(entropy_problem());
	}
}

static uint64_t heap_used(unsigned argument)
{
	size_t bytes, blocks;

	(void)argument;
	mbedtls_memory_buffer_alloc_cur_get(&bytes, &blocks);
	return bytes;
}

/* ---- whose certificate ---- */

static bool read_one(const struct bh_console_file *file,
		     const char *(*read)(struct certificate *, const char *, size_t, unsigned *))
{
	const char *text, *wrong;
	unsigned line = 0;
	size_t bytes = 0;

	text = given_read(file, &bytes);
	if (!text)
		return false;
	wrong = read(&certificate, text, bytes, &line);
	given_forget();
	if (wrong)
		given_wrong(file, line, wrong);
	return !wrong;
}

/* Those of an administrator; what is wrong with them has been told. */
static bool read_given(const struct bh_console_file *file)
{
	if (!file[BH_FILE_KEY].path[0] && !file[BH_FILE_CERTIFICATE].path[0])
		return false;
	certificate_init(&certificate);
	if (read_one(&file[BH_FILE_KEY], certificate_read_key) &&
	    read_one(&file[BH_FILE_CERTIFICATE], certificate_read_chain))
		return true;
	certificate_free(&certificate);
	return false;
}

static int find_certificate(const struct tls_identity *identity)
{
	int error;

	if (read_given(identity->file) || certificate_restore(&certificate, identity->store))
		return 0;
	error = certificate_make(&certificate, identity->store, identity->hostname, mbedtls_ctr_drbg_random, &drbg);
	if (!error)
		contact_note("its certificate is new, and ends with this boot; `token export` says how to keep one");
	return error;
}

bool tls_start(const struct tls_identity *identity)
{
	int error;

	mbedtls_memory_buffer_alloc_init(heap, sizeof(heap));
	mbedtls_platform_set_exit(fail_heap);
	contact_add_pool(&(struct contact_pool){ "tls.heap_bytes", sizeof(heap), heap_used, 0 });
	error = start_random();
	if (!error)
		error = find_certificate(identity);
	if (!error)
		error = configure();
	if (!error && connection_start(&config)) {
		tell();
		return true;
	}
	bh_printf("console: no TLS: error -0x%x\n", (unsigned)-error);
	contact_set_problem("there is no TLS; the log says why");
	return false;
}
