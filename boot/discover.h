/* discover.h: what firmware knows about the machine and the kernel could not find out later. */
#pragma once
#include "boot_info.h"

/*
 * Fills info's acpi, iommu, framebuffer, wall clock, boot_apic_id, cpus and apic_id. What firmware does
 * not offer stays 0; boot_apic_id and apic_id[0] are always there.
 */
void discover(struct boot_info *info);
