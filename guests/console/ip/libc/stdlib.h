/* stdlib.h: what lwIP and mbedTLS find under this name. Memory comes from their own pools (tls/memory.c). */
#pragma once
#include <stddef.h>
