/* connection.h: the connections to port 443: TCP below, http above. */
#pragma once
#include <stdbool.h>
#include "mbedtls/ssl.h"

/* Listens; each connection is made with `config`, which stays. False: no memory. */
bool connection_start(const mbedtls_ssl_config *config);
