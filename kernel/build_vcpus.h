/* build_vcpus.h: the vCPUs of a partition and the entities that schedule them. At boot. False: no
 * memory left. */
#pragma once
#include <stdbool.h>

struct partition;
struct config_machine;

bool build_native_vcpus(struct partition *native);

/* The guest's, each in one entity with its monitor's, and the monitor's one more for input and
 * output. */
bool build_guest_vcpus(struct partition *guest, struct partition *monitor, const struct config_machine *machine);

/* One vCPU where the services run. */
bool build_service_vcpu(struct partition *service, unsigned index, const struct config_machine *machine);
