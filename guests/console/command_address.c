/* command_address.c: where the console is on the network, and how its certificate is known. */
#include "commands.h"
#include "contact.h"
#include "screen.h"

/* For programs: whoever looks for a leak compares these. */
static void show_pools(void)
{
	const struct contact_pool *pool;

	for (unsigned i = 0; (pool = contact_pool(i)) != NULL; i++) {
		screen_printf("%s %llu\n", pool->name, (unsigned long long)pool->used(pool->argument));
		if (pool->room)
			screen_printf("%s.room %llu\n", pool->name, (unsigned long long)pool->room);
	}
}

void command_address(const struct arguments *arguments)
{
	const char *network = contact_network();
	bool any = false;

	if (arguments->flag == 'k') {
		show_pools();
		return;
	}
	if (!network) {
		screen_printf(
			"The console is on no network; `console = NETWORK` in [machine] of bulkhead.conf puts it on "
			"one.\n");
		return;
	}
	for (unsigned i = 0; i < CONTACT_ADDRESSES; i++) {
		if (!contact_address(i)[0])
			continue;
		screen_printf("https://%s/ on %s\n", contact_address(i), network);
		any = true;
	}
	if (!any)
		screen_printf("The console has no address on %s yet.\n", network);
	if (contact_fingerprint()[0])
		screen_printf("SHA-256 of its certificate:\n%s\n", contact_fingerprint());
	if (contact_problem()[0])
		screen_printf("%s\n", contact_problem());
}
