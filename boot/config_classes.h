/* config_classes.h: devices that are named by their class, on the machine that there is. Pure. */
#pragma once
#include "config.h"
#include "pci_scan.h"

/*
 * Whoever names a class gets the address of the first of that class that nobody else names, in the order of the file,
 * natives before networks. Where there is none the class stays.
 */
void config_classes_resolve(struct config *config, const struct pci_function *functions, uint32_t count);
