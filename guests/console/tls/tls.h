/*
 * tls.h: port 443: TLS 1.2 (mbedTLS) on lwIP's TCP, and above it http. Not by way of lwIP's own layer for this
 * (altcp_tls), which asserts and leaks where a peer or a lack of memory makes it.
 *
 * TLS_CONNECTIONS at once, each with its buffers of 20 KiB from one static heap. When all are taken, a new one gets the
 * place of the oldest that has not finished its handshake; one source has half of the places at most.
 */
#pragma once
#include <stdbool.h>
#include <bulkhead/network.h>
#include "certificate_store.h"

#define TLS_CONNECTIONS 40
#define TLS_PER_SOURCE	(TLS_CONNECTIONS / 2)

/* Who the console is: files (BH_CONSOLE_FILES of them), where they are given, or what is kept in `store`. */
struct tls_identity {
	const char *hostname;
	const struct bh_console_file *file;
	struct certificate_store *store;
};

/*
 * Takes key and certificate, or makes them, and listens. Once, after ip_start. False: the log and contact.h say why.
 */
bool tls_start(const struct tls_identity *identity);
