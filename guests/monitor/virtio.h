/*
 * virtio.h: what all virtio devices have in common (virtio 1.1, clauses 2 and 3): status, features, queues, interrupts.
 * virtio_pci.h shows it to the guest.
 *
 * One lock, that of the PCI function, guards the device. The guest's accesses come with it held; a device's own work,
 * on the I/O vCPU, takes it. Everything declared here is called with it held.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guest_memory.h"
#include "msix.h"
#include "pci_function.h"
#include "virtqueue.h"

#define VIRTIO_QUEUES	 9
#define VIRTIO_NO_VECTOR 0xffffu

/* Device status (2.1). */
#define VIRTIO_ACKNOWLEDGE 1u
#define VIRTIO_DRIVER	   2u
#define VIRTIO_DRIVER_OK   4u
#define VIRTIO_FEATURES_OK 8u
#define VIRTIO_NEEDS_RESET 64u
#define VIRTIO_FAILED	   128u

/* Features that belong to no type of device (clause 6), as bit numbers. */
#define VIRTIO_F_INDIRECT_DESC 28
#define VIRTIO_F_EVENT_IDX     29
#define VIRTIO_F_VERSION_1     32

/* ISR status (4.1.4.5), for drivers that poll it. */
#define VIRTIO_ISR_QUEUE  1u
#define VIRTIO_ISR_CONFIG 2u

/* A type of device. All functions are called with the lock held. */
struct virtio_type {
	const char *name;
	uint16_t id; /* clause 5 */
	uint32_t class_code;
	bool (*accepts)(void *device, uint64_t features); /* do these, of those offered, go together? */
	void (*start)(void *device);			  /* the driver is ready: DRIVER_OK */
	void (*reset)(void *device);			  /* no driver any more */
};

struct virtio_outside {
	void (*msi)(void *context, uint64_t address, uint32_t data);
	/* The I/O vCPU is to serve device `index`. */
	void (*kick)(void *context, unsigned index);
	/* The notify registers of device `index` are at `port` now, or (`on` false) no longer. */
	void (*doorbell)(void *context, unsigned index, uint32_t port, bool on);
	void *context;
};

struct virtio_setup {
	const struct virtio_type *type;
	void *device;
	unsigned index;	   /* on the bus */
	const char *owner; /* for the log */
	uint64_t features; /* offered, besides those above */
	unsigned queues;
	const void *config; /* the device's configuration (2.4), which the guest only reads */
	unsigned config_bytes;
	const struct guest_memory *memory;
	struct virtio_outside outside;
};

struct virtio {
	struct pci_function function;
	struct msix msix;
	struct virtqueue queue[VIRTIO_QUEUES];
	struct virtio_setup setup;
	uint64_t offered, accepted;
	uint32_t offered_select, accepted_select;
	uint16_t queue_select, config_vector;
	uint8_t status, generation, isr;
	uint8_t window;	   /* offset of the capability that reaches the BARs by configuration space */
	uint32_t doorbell; /* port of the notify registers; 0: nowhere */
	unsigned complaints;
};

/* ---- for devices ------------------------------------------------------------------------------------------ */

/* Does the device work: a driver that is ready, nothing broken, and a bus master? */
static inline bool virtio_is_running(const struct virtio *virtio)
{
	return (virtio->status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET | VIRTIO_FAILED)) == VIRTIO_DRIVER_OK &&
	       pci_function_is_master(&virtio->function);
}

static inline bool virtio_has(const struct virtio *virtio, unsigned feature) { return virtio->accepted >> feature & 1; }

/* Shows the driver what was given back to the queue, with an interrupt if it wants one. */
void virtio_publish(struct virtio *virtio, struct virtqueue *queue);

/* The device's configuration has changed. */
void virtio_config_changed(struct virtio *virtio);

/* The driver broke a rule, which the log names. Nothing happens any more until it resets the device (2.1.2). */
void virtio_break(struct virtio *virtio, const char *rule);

/* The same if `queue` is what is broken. */
void virtio_break_queue(struct virtio *virtio, const struct virtqueue *queue);

/* ---- for the transport -------------------------------------------------------------------------------------- */

/* Fills the fields that have to do with no transport; 0 is written to the status. */
void virtio_init(struct virtio *virtio, const struct virtio_setup *setup);
void virtio_set_status(struct virtio *virtio, uint8_t status);
/* 32 features of `select`: what the driver accepts. Ignored once it has said FEATURES_OK. */
void virtio_set_features(struct virtio *virtio, uint32_t select, uint32_t features);
void virtio_enable_queue(struct virtio *virtio, struct virtqueue *queue);
