/* virt_choose.h: which virtualization back end this CPU takes. */
#pragma once
#include "virt.h"

/* By CPUID's vendor: VT-x, also where there is none, so that its requirements say what is missing.
 */
const struct virt_ops *virt_choose(void);
