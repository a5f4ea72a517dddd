/* string.h: what lwIP and mbedTLS find under this name. */
#pragma once
#include "guests/lib/bh_string.h"
