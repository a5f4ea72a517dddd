/* lwip_hooks.h: where lwIP asks us. */
#pragma once
#include "arch/cc.h"

/* The first sequence number of a connection: one that nobody can guess (RFC 6528, 2). lwIP's own only counts. */
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port) entropy_word()
