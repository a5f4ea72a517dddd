/* control.h: requests of the console, by the channel "network". */
#pragma once

/* Opens the channel, if there is one. Before the ports, which count there. */
void control_start(void);

/* Takes the request that is there, if there is one, and answers. */
void control_event(void);
