/* apic.h: this CPU's local APIC (SDM vol. 3, chapter 11). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Register offsets of the xAPIC; the x2APIC's MSR is 0x800 + offset / 16. */
enum apic_register {
	APIC_ID = 0x20,
	APIC_VERSION = 0x30,
	APIC_TPR = 0x80,
	APIC_EOI = 0xb0,
	APIC_SVR = 0xf0,
	APIC_ESR = 0x280,
	APIC_ICR = 0x300,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_THERMAL = 0x330,
	APIC_LVT_PERFORMANCE = 0x340,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};

/* Chooses x2APIC where there is one. Boot CPU, once, before apic_enable. Panics when there is no
 * APIC. */
void apic_init(void);

/* Enables the calling CPU's APIC, everything in it masked. */
void apic_enable(void);

bool apic_is_x2apic(void);
uint32_t apic_id(void);

uint32_t apic_read(enum apic_register offset);
void apic_write(enum apic_register offset, uint32_t value);

void apic_eoi(void);

/* NMI to every other CPU, whether it runs the kernel or not. */
void apic_send_nmi_all_but_self(void);

/* INIT and start-up IPIs by APIC id (SDM vol. 3, 9.4.4.1). `page`: physical address, below 1 MiB.
 */
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, uint64_t page);
