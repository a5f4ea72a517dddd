#include "requirements.h"
#include "log.h"
#include "panic.h"

static unsigned missing;

void require(bool there, const char *what, const char *cure)
{
	if (there)
		return;
	missing++;
	log_printf("missing: %s. Cure: %s", what, cure);
}

void require_done(void)
{
	if (missing)
		panic("this machine cannot run Bulkhead: %u required features are missing, named above", missing);
}
