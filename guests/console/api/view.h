/*
 * view.h: the machine as the API sees it. guests/console/view.c implements this with the console's own modules; tests
 * have a fake. Nothing here waits.
 *
 * Partitions, CPUs, networks and ports are numbered from 0, always in the same order. Names from outside may hold any
 * byte. Times are in nanoseconds since the machine was started, or since 1970 where it says so.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <bulkhead/network.h>

struct view_machine {
	unsigned cpus;
	uint64_t memory, memory_free, kernel, kernel_free; /* bytes */
	uint64_t now, tsc_hz;
	unsigned restarts; /* of the console itself */
};
void view_machine(struct view_machine *machine);

struct view_cpu {
	unsigned apic_id;
	uint64_t idle;
};
void view_cpu(unsigned number, struct view_cpu *cpu);

/* Up to 8 bytes of text at `offset`; 0 at its end. Of the log, where the offset is a position from `first` to `end`. */
unsigned view_text(enum bh_machine_text which, uint64_t offset, char text[8]);
void view_log(uint64_t *first, uint64_t *end);

/* ---- partitions ---- */

struct view_partition {
	const char *name, *kind; /* "guest", "native", "monitor" */
	const char *guest;	 /* of a monitor; "" */
	const char *words;	 /* the state for people: "powered off" */
	unsigned state, cause;	 /* enum bh_state, enum bh_cause */
	unsigned vcpus;
	uint64_t memory, restarts;
	uint64_t started; /* 0: never */
	bool console;	  /* it has one */
	bool runtime;	  /* made at run time: it can be removed */
};
/* How many places there are. One whose partition was removed has the name "", until another takes it. */
unsigned view_partitions(void);
void view_partition(unsigned number, struct view_partition *partition);
/* -1: there is none. */
int view_find(const char *name);
/* Its name, or of a monitor its guest's: whose right to see it decides. Cheap, as the kernel is not asked. */
const char *view_owner(unsigned number);

struct view_vcpu {
	unsigned cpu;
	bool dedicated;
	uint64_t ran, kernel, monitor; /* nanoseconds */
};
void view_vcpu(unsigned partition, unsigned number, struct view_vcpu *vcpu);
uint64_t view_exits(unsigned partition, unsigned vcpu, unsigned reason);

/* Up to 8 bytes of its last report at `offset`; 0 at its end. */
unsigned view_report(unsigned partition, uint64_t offset, char text[8]);

/* ---- operations ---- */

enum view_answer {
	VIEW_BEGUN,
	VIEW_REFUSED,	/* its state does not allow it now */
	VIEW_FORBIDDEN, /* never: a monitor, or the console has no right */
	VIEW_UNKNOWN	/* no such operation */
};
#define VIEW_WORDS 160
/* "start", "stop", "pause", "resume", "restart". `words`: a sentence that says why not. */
enum view_answer view_operate(unsigned partition, const char *operation, char words[VIEW_WORDS]);

/* ---- what is made at run time ---- */

enum view_change {
	VIEW_DONE,
	VIEW_MISSING, /* there is none of that name */
	VIEW_TAKEN,   /* the name is another's */
	VIEW_BAD,     /* what was asked for is wrong: the words say how */
	VIEW_BUSY,    /* not now, or not this one */
	VIEW_NO_ROOM, /* memory, CPUs or places do not suffice */
};
#define VIEW_SENTENCE 256 /* why not */

struct view_key {
	const char *name, *value;
};
/* `kind`: "guest" or "native". `wrong`: the key that the sentence is about; "": none of them. */
enum view_change view_create(const char *kind, const char *name, const struct view_key *keys, unsigned count,
			     char words[VIEW_SENTENCE], char wrong[BH_NAME_BYTES]);
enum view_change view_remove(unsigned partition, char words[VIEW_SENTENCE]);

/* bulkhead.conf, and what was made since; returns how many bytes from `offset` on were copied. */
size_t view_configuration(uint64_t offset, char *to, size_t max);

#define VIEW_IMAGE_NAME 128
struct view_image {
	char name[VIEW_IMAGE_NAME];
	uint64_t bytes, received;
	bool uploaded; /* not of the boot: it can be removed */
};
/* How many places there are; false: there is none in this one. */
unsigned view_images(void);
bool view_image(unsigned number, struct view_image *image);
int view_image_find(const char *name);
/* The partition's configuration names the image. */
bool view_image_used(const char *image, unsigned partition);
enum view_change view_image_create(const char *name, uint64_t bytes, char words[VIEW_SENTENCE]);
/* The next bytes of it, all or none. */
enum view_change view_image_write(unsigned number, const void *data, size_t bytes, char words[VIEW_SENTENCE]);
enum view_change view_image_remove(unsigned number, char words[VIEW_SENTENCE]);

/* ---- its console ---- */

/* Positions of the oldest byte that is kept, and after the newest. */
void view_console(unsigned partition, uint64_t *first, uint64_t *end);
size_t view_console_read(unsigned partition, uint64_t position, char *to, size_t max);
/* Returns how many bytes found room. */
size_t view_console_type(unsigned partition, const char *from, size_t bytes);

/* ---- networks ---- */

enum view_service { VIEW_NO_NETWORKS, VIEW_SERVICE_STOPPED, VIEW_SERVICE_RUNS };
enum view_service view_service(void);

unsigned view_networks(void);
const struct bh_network *view_network(unsigned number);

struct view_port {
	const char *name;
	const char *guest; /* "": it is the network's own */
	unsigned network, vlan;
	bool trunk;
	uint64_t rate; /* bytes a second; 0: no limit */
	struct bh_port_stat stat;
};
unsigned view_ports(void);
/* False: there is no such port now. */
bool view_port(unsigned number, struct view_port *port);
