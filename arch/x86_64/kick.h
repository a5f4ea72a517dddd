/* kick.h: makes another CPU come back to the kernel. */
#pragma once

/* Ends the CPU's idling, or its vCPU's run, at once. Any CPU, interrupts off. */
void kick_cpu(unsigned index);
