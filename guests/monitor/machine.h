/*
 * machine.h: the virtual PC as a whole. There is one per monitor.
 *
 * Devices lock themselves. Order of locks: any device's, then the I/O APIC's or the 8259's.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/lib/bh.h"
#include "guests/lib/terminal.h"
#include "guest_memory.h"
#include "ioapic.h"
#include "pci.h"
#include "pic.h"
#include "pit.h"
#include "pm.h"
#include "port.h"
#include "pvclock.h"
#include "rtc.h"
#include "uart.h"
#include "virtio_net.h"

/* Events of the I/O vCPU. */
#define MACHINE_EVENT_TERMINAL 0 /* the console typed or made room */
#define MACHINE_EVENT_TIMER    1 /* the next deadline has changed, or the machine is ready */
/* Device n of the PCI bus: the guest has notified it; its channel's other end has signalled. */
#define MACHINE_EVENT_DOORBELL(n) (2 + (n))
#define MACHINE_EVENT_CHANNEL(n)  (2 + PCI_DEVICES + (n))
#define MACHINE_EVENTS		  ((1ull << MACHINE_EVENT_CHANNEL(PCI_DEVICES)) - 1)

struct machine {
	struct guest_memory memory;
	struct ports ports;
	struct uart uart;
	struct ioapic ioapic;
	struct pic pic;
	struct pit pit;
	struct rtc rtc;
	struct pm pm;
	struct pci pci;
	struct pvclock pvclock;
	struct virtio_net net[BH_PORTS_PER_GUEST]; /* device n of the bus is net[n] */
	struct bh_signals signals;		   /* I/O vCPU: of its cards */
	unsigned nets;
	uint32_t unfinished; /* I/O vCPU: devices that have more to do */
	uint64_t deadline;   /* I/O vCPU: of the 8254 */
	struct terminal terminal;
	_Atomic uint8_t diagnostic_code; /* port 80h */
	bool has_terminal;
	bool test_hooks;    /* "bulkhead.testhooks" on the guest's command line */
	bool invalid_state; /* and "bulkhead.invalid-state": its registers are to break a rule */
	bh_handle guest;
	unsigned vcpus; /* the guest's; the index of the I/O vCPU as well */
};

/*
 * Builds the devices for the guest that bh_info() describes, whose memory is at `window`, and whose network ports are
 * in `networks`, which is kept. Ends the guest with a report if the info makes no sense. vCPU 0, before anything else
 * touches the machine.
 */
void machine_init(struct machine *machine, void *window, const struct bh_network_records *networks);

/* Reports why, and ends guest and monitor. */
_Noreturn void machine_fail(const struct machine *machine, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Ends guest and monitor: BH_END_POWEROFF or BH_END_RESET. */
_Noreturn void machine_end(const struct machine *machine, enum bh_end how);

/*
 * I/O vCPU: a turn of what `events` (MACHINE_EVENT_*) and the time ask for. Says until when (TSC, BH_FOREVER, or 0:
 * now) there is nothing to do.
 */
uint64_t machine_service(struct machine *machine, uint64_t events);
