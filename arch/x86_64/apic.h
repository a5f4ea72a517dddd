/* apic.h: this CPU's local APIC (SDM vol. 3, chapter 11). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Register offsets of the xAPIC (table 11-1); the x2APIC's MSR is 0x800 + offset / 16. */
enum apic_register {
	APIC_ID = 0x020,
	APIC_VERSION = 0x030,
	APIC_TPR = 0x080,
	APIC_PPR = 0x0a0,
	APIC_EOI = 0x0b0,
	APIC_LDR = 0x0d0,
	APIC_DFR = 0x0e0,
	APIC_SVR = 0x0f0,
	APIC_ISR = 0x100, /* 8 registers of 32 vectors each, 16 bytes apart */
	APIC_TMR = 0x180,
	APIC_IRR = 0x200,
	APIC_ESR = 0x280,
	APIC_ICR = 0x300,
	APIC_ICR_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_THERMAL = 0x330,
	APIC_LVT_PERF = 0x340,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_INITIAL = 0x380, /* timer: initial count */
	APIC_CURRENT = 0x390,
	APIC_DIVIDE = 0x3e0,
	APIC_SELF_IPI = 0x3f0,
};

/* Delivery modes of ICR, LVT and MSI, bits 10:8. */
enum apic_delivery { APIC_FIXED, APIC_LOWEST, APIC_SMI, APIC_NMI = 4, APIC_INIT, APIC_SIPI, APIC_EXTINT };

#define APIC_BASE_BSP	  0x100u /* IA32_APIC_BASE (11.4.4, 11.12.1) */
#define APIC_BASE_EXTD	  0x400u
#define APIC_BASE_EN	  0x800u
#define APIC_BASE_ADDRESS 0xfee00000u /* at reset */

#define LVT_MASKED 0x10000u
#define SVR_ENABLE 0x100u

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
