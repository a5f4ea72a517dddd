/* virt_choose.c: which of the back ends this CPU is for. The only place that asks for the vendor. */
#include <guests/lib/bh_string.h>
#include "instructions.h"
#include "virt.h"

extern const struct virt_ops vmx_ops, svm_ops;

const struct virt_ops *virt;

static bool is_vendor(const struct cpuid *leaf, const char *name)
{
	return !memcmp(&leaf->ebx, name, 4) && !memcmp(&leaf->edx, name + 4, 4) && !memcmp(&leaf->ecx, name + 8, 4);
}

/* By vendor, so that where virtualization is missing it is missed by the right name. */
void virt_choose(void)
{
	struct cpuid leaf = cpuid(0, 0);

	virt = is_vendor(&leaf, "AuthenticAMD") || is_vendor(&leaf, "HygonGenuine") ? &svm_ops : &vmx_ops;
}
