/* lists.h: parts of answers that several resources have. */
#pragma once
#include "parts.h"

unsigned api_count_partitions(struct http *http);
/* Of the partition in the path. */
unsigned api_count_vcpus(struct http *http);
void api_vcpu_members(struct json *json, const struct view_vcpu *vcpu);

/* "interrupt_window"; valid until the next call. */
const char *api_exit_key(unsigned reason);

/* Whether who asks sees a port: all that are a guest's of his; the network's own only if he sees all. */
bool api_sees_port(struct http *http, const struct view_port *port);
