/*
 * partition.h: a partition, and its life from building to wiping.
 *
 * A guest and its monitor live and die together: the guest leads, the monitor follows. What starts,
 * stops or fails is always the leader; a native program leads itself.
 *
 * Life: STOPPED -> BUILDING (wiped, programs copied in; slices charged to its own first vCPU) ->
 * RUNNING <-> PAUSED; from any of them -> DYING (every CPU lets go of its vCPUs, then its devices are put to rest, then
 * memory is wiped) -> STOPPED. Nobody waits: each CPU concerned is told by a bit (cpu.sched.attend), and the
 * last to answer goes on with the next step.
 */
#pragma once
#include <stdint.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <bulkhead/abi.h>
#include "boot/boot_info.h"
#include "paging.h"
#include "handle.h"
#include "spinlock.h"
#include "timer.h"

#define PARTITION_MAX \
	(1 + 3 * CONFIG_PARTITIONS) /* console; guests, their monitors, natives, each kind with places of its own */
#define PARTITION_VCPUS	    (CONFIG_VCPUS + 1) /* a monitor has one more than its guest */
#define PARTITION_EXTENTS   16
#define REPORT_BYTES	    2048
#define PARTITION_CPU_WORDS 4

struct extent {
	uint64_t address; /* guest-physical */
	uint64_t physical;
	uint64_t bytes;
};

struct port_range {
	uint32_t first, last;
};

struct partition {
	/* What it leaves, when it is removed, to the next of its kind. */
	uint32_t id;   /* index in partitions[], and the owner's number of its frames */
	uint32_t kind; /* enum bh_kind */
	struct vcpu *vcpu[PARTITION_VCPUS];
	struct paging ept;
	struct handle *handle; /* handle_max of them */
	uint32_t handle_max;
	char *report; /* REPORT_BYTES */

	char name[BH_NAME_BYTES];
	const struct config_partition *config; /* NULL: the console. A monitor has its guest's */
	const struct boot_program *program;    /* natives, monitors */
	struct partition *monitor;	       /* a guest's */
	struct partition *ward;		       /* a monitor's guest */
	uint32_t vcpus;
	struct paging dma; /* what its devices reach (arch/x86_64/iommu/); root 0: it has none behind an IOMMU */
	struct extent extent[PARTITION_EXTENTS];
	uint32_t extents;
	uint64_t memory_bytes;
	struct port_range port[CONFIG_GRANTS]; /* I/O ports of its own */
	uint32_t port_ranges;
	_Atomic uint8_t doorbell[BH_DOORBELL_BLOCKS]; /* a guest's: the event bit of its monitor + 1; 0: none */

	/* Life; of the leader. `lock` guards the change of state and the report. */
	struct spinlock lock;
	_Atomic uint32_t state;			       /* enum bh_state */
	_Atomic uint32_t cause;			       /* enum bh_cause */
	_Atomic uint32_t epoch;			       /* counts starts */
	uint64_t cpu_mask[PARTITION_CPU_WORDS];	       /* CPUs of its vCPUs and of its monitor's */
	uint32_t cpu_total;			       /* how many these are */
	_Atomic uint64_t holding[PARTITION_CPU_WORDS]; /* while DYING: CPUs that have not let go yet */
	_Atomic uint32_t letting_go;		       /* how many these are */
	bool start_again;			       /* when DYING has ended */
	bool dirty;		   /* memory must be wiped before it is used; its first CPU's, as is `wiped` */
	uint32_t device_step;	   /* of device_stop, which goes before wiping */
	struct timer device_timer; /* armed until its next step */
	uint32_t failures;	   /* automatic restarts so far */
	uint64_t started;	   /* TSC */
	uint64_t wiped;		   /* bytes of both memories wiped since */
	/* A partition's own, not its leader's. */
	uint32_t report_bytes;
	uint32_t report_epoch; /* the life that it is about */
};

extern struct partition *partitions[PARTITION_MAX];
extern uint32_t partition_count;

/* The partition that leads `partition`'s life. */
static inline struct partition *partition_leader(struct partition *partition)
{
	return partition->ward ? partition->ward : partition;
}

/* BH_START, BH_STOP, ...: 0 or -BH_ESTATE, -BH_EINVAL. Any CPU. */
int64_t partition_control(struct partition *partition, uint64_t operation);

/*
 * Ends the partition (and its monitor or guest) with `cause`; with `again` it is started anew. The
 * caller's vCPU, if of this partition, must not run on. Any CPU.
 */
void partition_end(struct partition *partition, enum bh_cause cause, bool again);

/* Boot: of a new one. */
void partition_init_timer(struct partition *partition);

/* Own CPU: looks at the state of a leader and does this CPU's part. */
struct cpu;
void partition_attend(struct cpu *cpu, struct partition *leader);

/* Boot: starts what is configured to start by itself. */
void partition_autostart(void);

/* BH_PARTITION_STAT. Any CPU; counters of other CPUs may be a little old. */
int64_t partition_stat(struct partition *partition, uint64_t field, uint64_t index);
