/*
 * uplink.h: the NICs' ports. A network whose NIC is not there, does not start, or stops answering works on without; the
 * words in bh_port_stat and the log say what is wrong.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>

/* Starts the NIC of each network that has one. */
void uplink_start(const struct bh_network_records *records);

/* Its event: `ports` are NICs' ports. */
void uplink_event(uint64_t ports);

/* Once a second. */
void uplink_check(void);

/* Is there a NIC that runs without interrupts, so that somebody has to look at it now and then? */
bool uplink_is_polled(void);

/*
 * At the end of a turn, before waiting: NICs that are not `active` may send interrupts from now on. The result are
 * those that have something already.
 */
uint64_t uplink_settle(uint64_t active);
