/* What devices tried and may not: into the log, and into the text that the console shows. */
#include <guests/lib/bh_format.h>
#include "clock.h"
#include "cpu_this.h"
#include "iommu.h"
#include "iommu_unit.h"
#include "log.h"
#include "partition.h"
#include "report.h"

#define LINES_A_SECOND 8u
#define FAULTS_AT_ONCE 256u    /* of a unit: a device may make them faster than they are read */
#define POLL	       100000u /* microseconds */
#define TEXT_BYTES     4096

static struct {
	uint64_t begun; /* TSC */
	uint64_t lines, hidden;
} said;

/* Each second begins anew. */
static void begin_second(void)
{
	uint64_t now = clock_now();

	if (now - said.begun <= clock_hz)
		return;
	if (said.hidden)
		log_printf("iommu: %lu faults more were not shown", said.hidden);
	said.begun = now;
	said.lines = said.hidden = 0;
}

/* Its device, NULL: no room for one more. */
static struct iommu_device *count(const struct iommu_fault *fault)
{
	struct iommu_device *d = NULL;

	for (unsigned i = 0; i < iommu.devices && !d; i++) {
		if (iommu.device[i].requester == fault->device)
			d = &iommu.device[i];
	}
	if (!d)
		d = iommu_add(fault->device, fault->device, NULL);
	if (d)
		d->faults++;
	return d;
}

static void say(const struct iommu_fault *fault, struct iommu_device *d)
{
	const char *name = d && d->holder ? d->holder->name : "nobody";
	char text[160];

	bh_snprintf(text, sizeof(text), "device %02x:%02x.%x of %s: %s 0x%lx refused: %s (%u)", fault->device >> 8,
		    fault->device >> 3 & 31, fault->device & 7, name,
		    fault->interrupt ? "interrupt"
		    : fault->write   ? "write to"
				     : "read from",
		    fault->address, fault->reason ? fault->reason : "the unit says not why", fault->number);
	log_printf("iommu: %s", text);
	if (d && d->holder && !d->told)
		report_line(d->holder, "%s", text);
	if (d)
		d->told = true;
}

/* False: the unit has no more. The report's lock goes before this one's. */
static bool take_fault(struct iommu_unit *unit)
{
	struct iommu_fault fault;
	struct iommu_device *d = NULL;
	bool found, shown = false;

	spin_lock(&iommu.lock);
	begin_second();
	found = iommu.vendor->fault(unit, &fault);
	if (found) {
		d = count(&fault);
		shown = said.lines < LINES_A_SECOND;
		said.lines += shown;
		said.hidden += !shown;
	}
	spin_unlock(&iommu.lock);
	if (shown)
		say(&fault, d);
	return found;
}

void iommu_poll(void)
{
	for (unsigned i = 0; i < iommu.units; i++) {
		for (unsigned n = 0; iommu.unit[i].on && n < FAULTS_AT_ONCE && take_fault(&iommu.unit[i]); n++)
			;
	}
}

static void look(struct timer *timer)
{
	iommu_poll();
	timer_set(&cpu_this()->sched.timers, timer, clock_now() + clock_ticks(POLL));
}

void iommu_watch(void)
{
	static struct timer timer = { .deadline = TIMER_NEVER, .fire = look };

	if (iommu_present() && iommu.devices)
		look(&timer);
}

/* ---- the text ---------------------------------------------------------------------------------- */

static char text[TEXT_BYTES];
static struct report_words words = { .text = text, .size = TEXT_BYTES };

static void make_text(void)
{
	words.bytes = 0;
	if (!iommu_present())
		report_say(&words, "none: whoever is given a device is trusted with all memory\n");
	for (unsigned i = 0; i < iommu.units; i++)
		report_say(&words, "%s unit at 0x%lx: %s\n", iommu.vendor->name, iommu.unit[i].place->base,
			   iommu.unit[i].on ? iommu.unit[i].words : "not in use");
	for (unsigned i = 0; i < iommu.tables->regions; i++)
		report_say(&words, "devices %04x to %04x: the firmware's, with 0x%lx to 0x%lx\n",
			   iommu.tables->region[i].first_device, iommu.tables->region[i].last_device,
			   iommu.tables->region[i].base, iommu.tables->region[i].last);
	for (unsigned i = 0; i < iommu.devices; i++) {
		const struct iommu_device *d = &iommu.device[i];

		report_say(&words, "device %02x:%02x.%x of %s: %s, %lu faults\n", d->bdf >> 8, d->bdf >> 3 & 31,
			   d->bdf & 7, d->holder ? d->holder->name : "nobody", d->open ? "open" : "closed", d->faults);
	}
}

int64_t iommu_text(uint64_t offset)
{
	int64_t word;

	if (offset == 0)
		iommu_poll();
	spin_lock(&iommu.lock);
	if (offset == 0)
		make_text();
	word = report_word(text, words.bytes, offset);
	spin_unlock(&iommu.lock);
	return word;
}
