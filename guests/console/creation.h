/*
 * creation.h: partitions that are made and removed at run time, for the serial line and the network alike
 * (api/view.h has the calls). The configuration's own parser reads what is wanted, behind all that the configuration
 * says already, so what it says of it is what it would have said at boot.
 */
#pragma once

#include "creation_text.h"

/*
 * Takes over the configuration, and what a former life of the console has made: its sections are in the console's
 * state, where those of this life are kept as well. After machine_start and peers_start.
 */
void creation_start(char sections[CREATION_ROOM]);
