#include "virt_choose.h"
#include "vmx/vmx.h"

const struct virt_ops *virt_choose(void)
{
	return &vmx_ops;
}
