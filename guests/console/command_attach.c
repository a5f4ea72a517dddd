#include "attach.h"
#include "commands.h"
#include "report.h"
#include "screen.h"

#define TAIL_BYTES 4096

void command_attach(const struct arguments *arguments)
{
	struct peer *peer = arguments->peer;

	/* A monitor's terminal is its guest's serial line. */
	if (!peer->has_channel && peer->guest)
		peer = peer->guest;
	if (!peer->has_channel) {
		screen_printf("%s has no terminal%s.\n", peer->name,
			      peer_stat(peer, BH_STAT_STATE, 0) == BH_STATE_FAILED_CONFIG
				      ? ": its configuration is wrong (`report` says how)"
				      : "");
		return;
	}
	attach_start(peer, arguments->flag == 'a' ? UINT32_MAX : TAIL_BYTES);
}

void command_report(const struct arguments *arguments) { report_print(arguments->peer); }
