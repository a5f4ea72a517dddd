/* stdio.h: what lwIP and mbedTLS find under this name: formatting into memory only. */
#pragma once
#include "guests/lib/bh_format.h"

#define snprintf bh_snprintf
#define stderr	 ((FILE *)0)

typedef struct file FILE; /* named in declarations of what is left out */
