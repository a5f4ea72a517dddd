/* message.h: what a guest's vCPU asks, by reason. */
#pragma once
#include "machine.h"

/* Answers one message, in place. The vCPU paired with the message's. */
void message_handle(struct machine *machine, struct bh_message *message);
