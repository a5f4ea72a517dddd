/*
 * creation.h: partitions that are made and removed at run time, for the serial line and the network alike
 * (api/view.h has the calls). The configuration's own parser reads what is wanted, behind all that the configuration
 * says already, so what it says of it is what it would have said at boot.
 */
#pragma once

/* Takes over the configuration, and what a former life of the console has made. After machine_start and peers_start. */
void creation_start(void);
