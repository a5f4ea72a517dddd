#include "kick.h"
#include "apic.h"
#include "interrupt.h"

void kick_cpu(unsigned index)
{
	apic_send_ipi(index, VECTOR_KICK);
}
