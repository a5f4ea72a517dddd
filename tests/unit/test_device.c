#include "fake_system.h"
#include <stdio.h>
#include <string.h>
#include "audit.h"
#include "clock.h"
#include "device.h"
#include "fake_pci.h"
#include "frame.h"
#include "interrupt.h"
#include "irq.h"
#include "pci_device.h"

/*
 * A machine with devices: natives that hold them, and others that cannot.
 *
 *   00:02.0	Ethernet	MSI-X, FLR	driver
 *   00:03.0	Ethernet	MSI, D3hot	net, as "lan"
 *   00:04.0	Ethernet	INTx 11		line
 *   00:05.0	SATA		INTx 11, too	second, by its class
 */

#define ETHERNET	     0x020000u
#define NIC		     0x10d38086u
#define AT(device, function) ((device) << 3 | (function))
#define RW		     (PAGING_READ | PAGING_WRITE)
#define FAR		     0x4000000000ull

static struct fake_pci *msix, *msi, *intx, *other, *af;
static struct partition *driver, *net, *line, *second;

/* ---- the machine --------------------------------------------------------------------------------- */

static void add_devices(void)
{
	fake_pci_none();
	fake_pci_add(AT(0, 0), 0x29c08086, 0x060000);
	fake_pci_add(AT(1, 0), 0x14191022, 0x080600);
	msix = fake_pci_add(AT(2, 0), NIC, ETHERNET);
	fake_pci_bar(msix, 0, 0xe0000000, 0x400000, 0);
	fake_pci_bar(msix, 2, 0xc000, 0x20, 1);
	fake_pci_bar(msix, 3, 0xe0800000, 0x4000, 0);
	fake_pci_msix(msix, 0xa0, 5, 3, 0x1000);
	fake_pci_express(msix, 0x60, true);
	fake_pci_put(msix, 0x68, 2, 0x2810);
	msi = fake_pci_add(AT(3, 0), NIC, ETHERNET);
	fake_pci_bar(msi, 0, 0x300000100, 0x100, 4);
	fake_pci_msi(msi, 0x50, 0x80);
	fake_pci_power(msi, 0x40, false);
	intx = fake_pci_add(AT(4, 0), NIC, ETHERNET);
	fake_pci_put(intx, 0x3c, 2, 0x010b);
	other = fake_pci_add(AT(5, 0), 0x29228086, 0x010601);
	fake_pci_put(other, 0x3c, 2, 0x010b);

	/* What nobody gets. */
	fake_pci_bar(fake_pci_add(AT(8, 0), NIC, 0x070002), 0, 0x3f8, 8, 1);
	fake_pci_bar(fake_pci_add(AT(9, 0), NIC, 0x030000), 0, 0xfee00000, 0x1000, 0);
	fake_pci_bar(fake_pci_add(AT(10, 0), NIC, 0x010802), 0, 0, 0x1000, 0);
	fake_pci_bar(fake_pci_add(AT(11, 0), NIC, 0x010802), 0, 0xe1000000, 0x100, 0);
	fake_pci_bar(fake_pci_add(AT(12, 0), NIC, 0x010802), 0, 0xe1000100, 0x100, 0);
	fake_pci_bar(fake_pci_add(AT(13, 0), NIC, 0x010802), 0, FAKE_RAM_END - 0x100000, 0x1000, 0);
	fake_pci_add(AT(14, 0), NIC, 0x010802);
	af = fake_pci_add(AT(15, 0), NIC, 0x010802);
	fake_pci_af(af, 0x98);
	fake_pci_power(af, 0xa8, true);
}

static struct config_partition *holder(const char *name, enum config_device_by by, uint32_t number)
{
	struct config_partition *p = fake_native(name);

	p->trusted_for_dma = 1;
	p->grant[p->grants++] =
		(struct config_grant){ .type = CONFIG_GRANT_DEVICE, .line = p->line + 3, .first = by, .last = number };
	return p;
}

static void configure(struct config *config)
{
	holder("first", CONFIG_DEVICE_CLASS, 0x0200); /* all of that class are named by others */
	holder("driver", CONFIG_DEVICE_ADDRESS, AT(2, 0))->vcpus = 2;
	holder("again", CONFIG_DEVICE_ADDRESS, AT(2, 0));
	config->net = config->partitions;
	fake_native(CONFIG_NET_NAME)->trusted_for_dma = 1;
	config->network.networks = 3;
	strcpy(config->network.network[0].name, "isolated");
	strcpy(config->network.network[1].name, "lan");
	strcpy(config->network.network[2].name, "wan");
	config->nic[1] = (struct config_device){ CONFIG_DEVICE_ADDRESS, AT(3, 0), 71 };
	config->nic[2] = (struct config_device){ CONFIG_DEVICE_CLASS, 0x0200, 72 };
	holder("line", CONFIG_DEVICE_ADDRESS, AT(4, 0));
	holder("second", CONFIG_DEVICE_CLASS, 0x0106);
	holder("absent", CONFIG_DEVICE_ADDRESS, AT(31, 7));
	holder("none", CONFIG_DEVICE_CLASS, 0x0c03);
	holder("bridge", CONFIG_DEVICE_CLASS, 0x0600);
	holder("iommu", CONFIG_DEVICE_ADDRESS, AT(1, 0));
	holder("uart", CONFIG_DEVICE_ADDRESS, AT(8, 0));
	holder("screen", CONFIG_DEVICE_ADDRESS, AT(9, 0));
	holder("unplaced", CONFIG_DEVICE_ADDRESS, AT(10, 0));
	holder("sharing", CONFIG_DEVICE_ADDRESS, AT(11, 0));
	holder("memory", CONFIG_DEVICE_ADDRESS, AT(13, 0));
	holder("doubted", CONFIG_DEVICE_ADDRESS, AT(12, 0))->trusted_for_dma = 0;
}

static struct partition *find(const char *name)
{
	for (unsigned i = 0; i < partition_count; i++) {
		if (strcmp(partitions[i]->name, name) == 0)
			return partitions[i];
	}
	fail_msg("no partition %s", name);
	return NULL;
}

static int group_set_up(void **state)
{
	add_devices();
	fake_configure = configure;
	fake_system(state);
	driver = find("driver");
	net = find(CONFIG_NET_NAME);
	line = find("line");
	second = find("second");
	return 0;
}

static uint64_t call(struct partition *partition, uint64_t number, uint64_t b, uint64_t c, uint64_t d)
{
	const char *name = partition == net	 ? "lan"
			   : partition == driver ? "00:02.0"
			   : partition == line	 ? "00:04.0"
						 : "00:05.0";

	return (uint64_t)fake_call(partition->vcpu[0], number, fake_handle(partition, BH_HANDLE_DEVICE, name), b, c, d,
				   0);
}

#define STAT(partition, field, index) call(partition, BH_DEVICE_STAT, field, index, 0)

/* ---- grants -------------------------------------------------------------------------------------- */

static void test_refused(void **state)
{
	static const struct {
		const char *name, *words;
	} refused[] = {
		{ "again", "the device 00:02.0 is driver's already" },
		{ "absent", "there is no PCI device 0000:00:1f.7" },
		{ "first", "no PCI device of class 02:00 is there that nobody else has" },
		{ "none", "no PCI device of class 0c:03" },
		{ "bridge", "00:00.0 cannot be granted: it is a bridge" },
		{ "iommu", "00:01.0 cannot be granted: it is a bridge, or one that the machine needs" },
		{ "uart", "00:08.0 cannot be granted: it is the console's UART" },
		{ "screen", "the kernel uses it itself" },
		{ "unplaced", "the firmware gave its registers no address" },
		{ "sharing", "registers of another device stand in the same page" },
		{ "memory", "no room, or memory is there" },
	};

	for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct partition *p = find(refused[i].name);
		char start[32];

		assert_int_equal(p->state, BH_STATE_FAILED_CONFIG);
		p->report[p->report_bytes] = 0;
		if (!strstr(p->report, refused[i].words))
			fail_msg("%s: %s", p->name, p->report);
		sprintf(start, "bulkhead.conf:%u: ", p->config->line + 3);
		assert_memory_equal(p->report, start, strlen(start));
	}
	(void)state;
}

/* Its section's line, as for what no line of its own gives it; and the way out. */
static void test_doubted(void **state)
{
	struct partition *p = find("doubted");

	(void)state;
	assert_int_equal(p->state, BH_STATE_FAILED_CONFIG);
	p->report[p->report_bytes] = 0;
	/* 00:0c.0 shares a page, which is worse. */
	assert_non_null(strstr(p->report, "registers of another device"));
	assert_string_equal(device_grant(p, CONFIG_DEVICE_ADDRESS, AT(14, 0), NULL),
			    "no IOMMU is there, so doubted could read and write all memory by the device 00:0e.0: "
			    "`trusted-for-dma = yes` says that it may be trusted");
	net->config = &(const struct config_partition){ .trusted_for_dma = 0 };
	assert_non_null(strstr(device_grant(net, CONFIG_DEVICE_ADDRESS, AT(14, 0), NULL),
			       "`trusted-for-dma = net` in `[machine]` says"));
	net->config = &fake_boot.config.partition[fake_boot.config.net];
}

/* A network without its NIC is no reason not to start the service. */
static void test_nics(void **state)
{
	(void)state;
	assert_int_equal(net->state, BH_STATE_STOPPED);
	fake_handle(net, BH_HANDLE_DEVICE, "lan");
	net->report[net->report_bytes] = 0;
	assert_string_equal(net->report, "bulkhead.conf:72: no PCI device of class 02:00 is there that nobody else "
					 "has: `pci` lists them\n");
}

static void test_text(void **state)
{
	static const char first[] = "00:00.0  8086:29c0  060000  -\n00:01.0  1022:1419  080600  -\n"
				    "00:02.0  8086:10d3  020000  driver  msi-x 5  bar0 0xe0000000+0x400000  "
				    "ports2 0xc000+0x20  bar3 0xe0800000+0x4000\n"
				    "00:03.0  8086:10d3  020000  net  msi  bar0 0x300000100+0x100\n"
				    "00:04.0  8086:10d3  020000  line  irq 11\n";
	char text[1024];

	(void)state;
	for (unsigned at = 0; at < sizeof(text); at += 8) {
		int64_t word = device_text(at);

		memcpy(text + at, &word, 8);
	}
	assert_memory_equal(text, first, sizeof(first) - 1);
	assert_int_equal(device_text(8192), -BH_ENOENT);
}

static void test_stat(void **state)
{
	(void)state;
	assert_int_equal(STAT(driver, BH_DEVICE_ADDRESS, 0), AT(2, 0));
	assert_int_equal(STAT(driver, BH_DEVICE_ID, 0), NIC);
	assert_int_equal(STAT(driver, BH_DEVICE_CLASS, 0), ETHERNET);
	assert_int_equal(STAT(driver, BH_DEVICE_IRQS, 0), 5);
	assert_int_equal(STAT(driver, BH_DEVICE_IRQ_KIND, 0), BH_DEVICE_IRQ_MSIX);
	assert_int_equal(STAT(driver, BH_DEVICE_IOMMU, 0), 0);
	assert_int_equal(STAT(driver, BH_DEVICE_BAR_BYTES, 0), 0x400000);
	assert_int_equal(STAT(driver, BH_DEVICE_BAR_ADDRESS, 2), 0);
	assert_int_equal(STAT(driver, BH_DEVICE_BAR_BYTES, 2), 0);
	assert_int_equal(STAT(driver, BH_DEVICE_BAR_BYTES, 3), 0x4000);
	assert_int_equal(STAT(driver, BH_DEVICE_BAR_BYTES, 6), -BH_EINVAL);
	assert_int_equal(STAT(driver, BH_DEVICE_BAR_BYTES + 1, 0), -BH_EINVAL);
	assert_int_equal(STAT(net, BH_DEVICE_IRQ_KIND, 0), BH_DEVICE_IRQ_MSI);
	assert_int_equal(STAT(net, BH_DEVICE_IRQS, 0), 1);
	assert_int_equal(STAT(net, BH_DEVICE_BAR_ADDRESS, 0) % 0x1000, 0x100);
	assert_int_equal(STAT(line, BH_DEVICE_IRQ_KIND, 0), BH_DEVICE_IRQ_INTX);
	/* Its line is another holder's. */
	assert_int_equal(STAT(second, BH_DEVICE_IRQ_KIND, 0), BH_DEVICE_IRQ_NONE);
	assert_int_equal(STAT(second, BH_DEVICE_IRQS, 0), 0);
	assert_int_equal(fake_call(driver->vcpu[0], BH_DEVICE_STAT, 31, 0, 0, 0, 0), -BH_EBADF);
	assert_int_equal(fake_call(driver->vcpu[0], BH_DEVICE_STAT, fake_handle(driver, BH_HANDLE_CHANNEL, "console"),
				   0, 0, 0, 0),
			 -BH_EBADF);
}

/* ---- registers ----------------------------------------------------------------------------------- */

static unsigned found;
static uint64_t found_physical, wanted_address;

static bool look(void *context, const struct paging_page *page)
{
	(void)context;
	if (wanted_address >= page->address && wanted_address - page->address < page->bytes) {
		found = page->flags;
		found_physical = page->physical + (wanted_address - page->address);
	}
	return true;
}

/* How it is mapped: 0, not at all. */
static unsigned flags_at(struct partition *partition, uint64_t address)
{
	found = 0;
	wanted_address = address;
	paging_walk(&partition->ept, look, NULL);
	return found;
}

static void test_mapped(void **state)
{
	uint64_t bar0 = STAT(driver, BH_DEVICE_BAR_ADDRESS, 0), bar3 = STAT(driver, BH_DEVICE_BAR_ADDRESS, 3);

	(void)state;
	assert_in_range(bar0, BH_GPA_DEVICES, BH_GPA_IMAGES - 1);
	assert_int_equal(flags_at(driver, bar0 + 0x3ff000), RW | PAGING_UC);
	assert_int_equal(found_physical, 0xe03ff000);
	assert_int_equal(flags_at(driver, bar3), RW | PAGING_UC);
	assert_int_equal(flags_at(driver, bar3 + 0x1000), 0); /* the MSI-X table */
	assert_int_equal(flags_at(driver, bar3 + 0x3fff), RW | PAGING_UC);
	assert_int_equal(found_physical, 0xe0803fff);
	assert_int_equal(flags_at(driver, bar3 + 0x4000), 0);
	assert_int_equal(flags_at(net, STAT(net, BH_DEVICE_BAR_ADDRESS, 0)), RW | PAGING_UC);
	assert_int_equal(found_physical, 0x300000100);
	assert_int_equal(audit_run(), 0);
}

static void test_may_map(void **state)
{
	unsigned rights = MAP_READ | MAP_WRITE | MAP_DEVICE;

	(void)state;
	assert_true(frame_may_map(driver, 0xe0000000, 0x400000, rights));
	assert_true(frame_may_map(driver, 0xe0800000, 0x1000, rights));
	assert_true(frame_may_map(driver, 0xe0802000, 0x2000, rights));
	assert_false(frame_may_map(driver, 0xe0000000, 0x401000, rights));
	assert_false(frame_may_map(driver, 0xdffff000, 0x2000, rights));
	assert_false(frame_may_map(driver, 0xe0801000, 0x1000, rights));
	assert_false(frame_may_map(driver, 0xe0800000, 0x4000, rights));
	assert_false(frame_may_map(driver, 0xe0000000, 0x1000, rights | MAP_EXECUTE));
	assert_false(frame_may_map(driver, 0xe0000000, 0x1000, MAP_READ));
	assert_false(frame_may_map(driver, driver->extent[0].physical, 0x1000, rights));
	assert_false(frame_may_map(net, 0xe0000000, 0x1000, rights));
	assert_false(frame_may_map(driver, 0xc000, 0x1000, rights)); /* ports */
	assert_false(frame_may_map(driver, 0xe0000000, 0, rights));
}

static void test_audit(void **state)
{
	(void)state;
	/* The registers of somebody else's; its own once more; and one that is gone. */
	assert_int_equal(paging_map(&net->ept, FAR, 0xe0000000, 0x1000, RW | PAGING_UC), 0);
	assert_int_equal(audit_run(), 1);
	paging_unmap(&net->ept, FAR, 0x1000);
	assert_int_equal(paging_map(&driver->ept, FAR, 0xe0000000, 0x1000, RW | PAGING_UC), 0);
	assert_int_equal(audit_run(), 1);
	paging_unmap(&driver->ept, FAR, 0x1000);
	assert_int_equal(paging_map(&driver->ept, FAR, 0xe0000000, 0x1000, RW), 0);
	assert_int_equal(audit_run(), 1);
	paging_unmap(&driver->ept, FAR, 0x1000);
	assert_int_equal(audit_run(), 0);
	/* It writes to memory, and its holder does not run. */
	fake_pci_put(msix, 4, 2, 0x404);
	assert_int_equal(audit_run(), 1);
	fake_pci_put(msix, 4, 2, 0x400);
	assert_int_equal(audit_run(), 0);
}

/* ---- configuration space ------------------------------------------------------------------------- */

static void test_configuration(void **state)
{
	(void)state;
	assert_int_equal(call(net, BH_DEVICE_READ, 0, 4, 0), NIC);
	assert_int_equal(call(net, BH_DEVICE_READ, 2, 2, 0), 0x10d3);
	assert_int_equal(call(net, BH_DEVICE_READ, 0xff, 1, 0), 0);
	assert_int_equal(call(net, BH_DEVICE_READ, 1, 2, 0), -BH_EINVAL);
	assert_int_equal(call(net, BH_DEVICE_READ, 0, 3, 0), -BH_EINVAL);
	assert_int_equal(call(net, BH_DEVICE_READ, 0, 0, 0), -BH_EINVAL);
	assert_int_equal(call(net, BH_DEVICE_READ, 0, 8, 0), -BH_EINVAL);
	assert_int_equal(call(net, BH_DEVICE_READ, 256, 1, 0), -BH_EINVAL);
	assert_int_equal(call(net, BH_DEVICE_READ, 1ull << 32, 4, 0), -BH_EINVAL);
	assert_int_equal(call(net, BH_DEVICE_WRITE, 4, 2, 7), -BH_EPERM);
	assert_int_equal(call(net, BH_DEVICE_WRITE, 0x50, 4, 0), -BH_EPERM);
	assert_int_equal(call(net, BH_DEVICE_WRITE, 0x80, 1, 0x100), -BH_EINVAL);
	assert_int_equal(call(net, BH_DEVICE_WRITE, 0x81, 2, 0), -BH_EINVAL);
	msi->mask[0x82] = 0xff;
	assert_int_equal(call(net, BH_DEVICE_WRITE, 0x82, 2, 0x1234), 0);
	assert_int_equal(msi->space[0x82], 0x34);
}

/* ---- life ---------------------------------------------------------------------------------------- */

/* Lets the time of one reset go by. */
static void rest(unsigned milliseconds)
{
	fake_now += milliseconds * (clock_hz / 1000);
	for (unsigned i = 0; i < FAKE_CPUS; i++)
		fake_run(i);
	fake_settle();
}

static void start(struct partition *partition)
{
	assert_int_equal(partition_control(partition, BH_START), 0);
	fake_settle();
	for (unsigned i = 0; i < 3; i++)
		rest(100);
	assert_int_equal(partition->state, BH_STATE_RUNNING);
}

static void stop(struct partition *partition)
{
	assert_int_equal(partition_control(partition, BH_STOP), 0);
	fake_settle();
	for (unsigned i = 0; i < 3; i++)
		rest(100);
	assert_int_equal(partition->state, BH_STATE_STOPPED);
}

static void test_start(void **state)
{
	(void)state;
	msix->resets = 0;
	assert_int_equal(partition_control(driver, BH_START), 0);
	fake_settle();
	/* It has been reset, and is given its time. */
	assert_int_equal(msix->resets, 1);
	assert_int_equal(driver->state, BH_STATE_BUILDING);
	assert_null(fake_run(0));
	rest(99);
	assert_int_equal(driver->state, BH_STATE_BUILDING);
	rest(1);
	assert_int_equal(driver->state, BH_STATE_RUNNING);
	assert_int_equal(msix->resets, 1);
	assert_int_equal(fake_pci_get(msix, 4, 2), 0x403);
	assert_int_equal(fake_pci_get(msix, 0x10, 4), 0xe0000000);
	assert_int_equal(fake_pci_get(msix, 0x18, 4), 0xc001);
	assert_int_equal(fake_pci_get(msix, 0x1c, 4), 0xe0800000);
	assert_int_equal(fake_pci_get(msix, 0x68, 2), 0x2810);
	assert_int_equal(fake_pci_get(msix, 0xa2, 2), 0x8004);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(pci_functions[2].table[4 * i + 3], 1);
	assert_int_equal(fake_pci_get(other, 4, 2), 0x400); /* at rest */
}

static void test_master(void **state)
{
	(void)state;
	start(driver);
	assert_int_equal(call(driver, BH_DEVICE_MASTER, 2, 0, 0), -BH_EINVAL);
	assert_int_equal(call(driver, BH_DEVICE_MASTER, 1, 0, 0), 0);
	assert_int_equal(fake_pci_get(msix, 4, 2), 0x407);
	assert_int_equal(audit_run(), 0);
	assert_int_equal(call(driver, BH_DEVICE_MASTER, 0, 0, 0), 0);
	assert_int_equal(fake_pci_get(msix, 4, 2), 0x403);
}

static void test_dma(void **state)
{
	uint64_t physical = driver->extent[0].physical;

	(void)state;
	assert_int_equal(call(driver, BH_DEVICE_DMA, 0, 0, 0), physical);
	assert_int_equal(call(driver, BH_DEVICE_DMA, 0x234567, 0, 0), physical + 0x234567);
	assert_int_equal(call(driver, BH_DEVICE_DMA, 4 * FAKE_MIB, 0, 0), -BH_EINVAL);
	assert_int_equal(call(driver, BH_DEVICE_DMA, STAT(driver, BH_DEVICE_BAR_ADDRESS, 0), 0, 0), -BH_EINVAL);
	assert_int_equal(call(driver, BH_DEVICE_DMA, UINT64_MAX, 0, 0), -BH_EINVAL);
}

static uint64_t events(struct vcpu *vcpu) { return atomic_exchange(&vcpu->events, 0); }

static void test_msix_interrupts(void **state)
{
	volatile uint32_t *entry = pci_functions[2].table + 4 * 2;
	unsigned irq;

	(void)state;
	start(driver);
	assert_int_equal(call(driver, BH_DEVICE_IRQ_BIND, 5, 0, 0), -BH_EINVAL);
	assert_int_equal(call(driver, BH_DEVICE_IRQ_BIND, 0, 2, 0), -BH_EINVAL);
	assert_int_equal(call(driver, BH_DEVICE_IRQ_BIND, 0, 0, BH_EVENT_BITS), -BH_EINVAL);
	assert_int_equal(call(driver, BH_DEVICE_IRQ_BIND, 2, 1, 40), 0);
	assert_int_equal(entry[0], 0xfee00000 | driver->vcpu[1]->cpu * 2 << 12);
	assert_int_equal(entry[1], 0);
	assert_int_equal(entry[3], 0);
	assert_in_range(entry[2], VECTOR_DEVICE_FIRST + IRQ_ISA, VECTOR_DEVICE_LAST);
	irq = entry[2] - VECTOR_DEVICE_FIRST;
	irq_device(irq);
	assert_int_equal(events(driver->vcpu[1]), 1ull << 40);
	irq_device(irq + 1); /* not bound */
	assert_int_equal(events(driver->vcpu[0]) | events(driver->vcpu[1]), 0);

	cpus[driver->vcpu[1]->cpu]->apic_id = 255;
	assert_int_equal(call(driver, BH_DEVICE_IRQ_BIND, 2, 1, 40), -BH_ENOENT);
	cpus[driver->vcpu[1]->cpu]->apic_id = driver->vcpu[1]->cpu * 2;

	stop(driver);
	irq_device(irq);
	assert_int_equal(events(driver->vcpu[1]), 0);
	start(driver);
	assert_int_equal(entry[3], 1);
}

static void test_msi_interrupts(void **state)
{
	(void)state;
	start(net);
	assert_int_equal(fake_pci_get(msi, 0x52, 2), 0x80);
	assert_int_equal(call(net, BH_DEVICE_IRQ_BIND, 1, 0, 0), -BH_EINVAL);
	assert_int_equal(call(net, BH_DEVICE_IRQ_BIND, 0, 0, 7), 0);
	assert_int_equal(fake_pci_get(msi, 0x52, 2), 0x81);
	assert_int_equal(fake_pci_get(msi, 0x54, 4), 0xfee00000);
	assert_int_equal(fake_pci_get(msi, 0x58, 4), 0);
	irq_device(fake_pci_get(msi, 0x5c, 2) - VECTOR_DEVICE_FIRST);
	assert_int_equal(events(net->vcpu[0]), 1 << 7);
	msi->resets = 0;
	stop(net);
	assert_int_equal(fake_pci_get(msi, 0x52, 2), 0x80);
	assert_int_equal(msi->resets, 1); /* by D3hot */
	assert_int_equal(fake_pci_get(msi, 0x44, 2), 0);
	assert_int_equal(fake_pci_get(msi, 0x10, 4), 0x00000104);
	assert_int_equal(fake_pci_get(msi, 0x14, 4), 3);
}

static void test_line(void **state)
{
	(void)state;
	start(line);
	assert_int_equal(fake_pci_get(intx, 4, 2), 0x403);
	assert_false(fake_unmasked >> 11 & 1);
	assert_int_equal(call(line, BH_DEVICE_IRQ_BIND, 0, 0, 7), 0);
	assert_int_equal(fake_pci_get(intx, 4, 2), 0x003);
	assert_true(fake_unmasked >> 11 & 1);
	irq_device(11);
	assert_false(fake_unmasked >> 11 & 1);
	assert_int_equal(events(line->vcpu[0]), 1 << 7);
	assert_int_equal(call(line, BH_DEVICE_IRQ_BIND, 0, 0, 7), 0);
	assert_true(fake_unmasked >> 11 & 1);
	stop(line);
	assert_false(fake_unmasked >> 11 & 1);
	assert_int_equal(fake_pci_get(intx, 4, 2), 0x400);
	assert_int_equal(call(second, BH_DEVICE_IRQ_BIND, 0, 0, 7), -BH_ENOENT);
}

static void test_end(void **state)
{
	const struct extent *extent = &driver->extent[0];

	(void)state;
	start(driver);
	call(driver, BH_DEVICE_MASTER, 1, 0, 0);
	call(driver, BH_DEVICE_IRQ_BIND, 0, 0, 1);
	fake_memory_fill(extent->physical, extent->bytes, 0xee);
	fake_pci_put(msix, 0x6a, 2, 0x20); /* it has something under way */
	msix->resets = 0;
	partition_end(driver, BH_CAUSE_FAILED, false);
	fake_settle();
	assert_int_equal(fake_pci_get(msix, 4, 2), 0x400);
	assert_int_equal(fake_pci_get(msix, 0xa2, 2), 0x4004);
	assert_int_equal(msix->resets, 0);
	assert_true(fake_memory_is(extent->physical, extent->bytes, 0xee));
	/* Whoever else wants it to work does not make it go faster. */
	partition_control(driver, BH_STOP);
	fake_settle();
	assert_int_equal(msix->resets, 0);
	rest(100);
	assert_int_equal(msix->resets, 1);
	assert_true(fake_memory_is(extent->physical, extent->bytes, 0xee));
	assert_int_equal(driver->state, BH_STATE_DYING);
	rest(100);
	assert_int_equal(driver->state, BH_STATE_STOPPED);
	assert_true(fake_memory_is(extent->physical, extent->bytes, 0));
	assert_int_equal(fake_pci_get(msix, 4, 2), 0x400);
	assert_int_equal(audit_run(), 0);
	fake_pci_put(msix, 0x6a, 2, 0);
	start(driver);
	assert_int_equal(msix->resets, 1); /* it was done when the former life ended */
	assert_int_equal(fake_pci_get(msix, 4, 2), 0x403);
}

static const struct pci_function *function_at(uint32_t address)
{
	for (unsigned i = 0; i < pci_function_count; i++) {
		if (pci_functions[i].address == address)
			return &pci_functions[i];
	}
	fail_msg("no function %x", address);
	return NULL;
}

/* By Advanced Features; and one that has no reset, or that one in D3hot does not lose anything. */
static void test_other_resets(void **state)
{
	static const unsigned wait[PCI_RESET_STEPS] = { 0, 100, 0, 0 };

	(void)state;
	for (unsigned step = 0; step < PCI_RESET_STEPS; step++)
		assert_int_equal(pci_device_reset(function_at(AT(15, 0)), step), wait[step]);
	assert_int_equal(af->resets, 1);
	af->space[0x9b] = 0;
	for (unsigned step = 0; step < PCI_RESET_STEPS; step++)
		assert_int_equal(pci_device_reset(function_at(AT(15, 0)), step), 0);
	assert_int_equal(af->resets, 1);
	/* It was asleep. */
	fake_pci_put(af, 0xac, 2, 0x800b);
	af->mask[0xad] = 0x80;
	assert_int_equal(pci_device_reset(function_at(AT(15, 0)), 2), 10);
	assert_int_equal(fake_pci_get(af, 0xac, 2), 0x0008);
	for (unsigned step = 0; step < PCI_RESET_STEPS; step++)
		assert_int_equal(pci_device_reset(function_at(AT(14, 0)), step), 0);
}

/* Stopped while it is being built. */
static void test_stopped_early(void **state)
{
	(void)state;
	assert_int_equal(partition_control(driver, BH_START), 0);
	fake_settle();
	assert_int_equal(driver->state, BH_STATE_BUILDING);
	assert_int_equal(partition_control(driver, BH_STOP), 0);
	fake_settle();
	assert_int_equal(driver->state, BH_STATE_DYING);
	rest(100);
	assert_int_equal(driver->state, BH_STATE_STOPPED);
	start(driver);
	call(driver, BH_DEVICE_MASTER, 1, 0, 0);
	assert_int_equal(partition_control(driver, BH_RESTART), 0);
	fake_settle();
	rest(100);
	assert_int_equal(driver->state, BH_STATE_RUNNING);
	assert_int_equal(driver->epoch, 2);
	assert_int_equal(fake_pci_get(msix, 4, 2), 0x403);
}

#define TEST(name) cmocka_unit_test_setup(name, fake_system_reset)

int main(void)
{
	/* Those that look at what building has left come first. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nics),
		cmocka_unit_test(test_doubted),
		cmocka_unit_test(test_text),
		TEST(test_stat),
		TEST(test_mapped),
		TEST(test_may_map),
		TEST(test_audit),
		TEST(test_configuration),
		TEST(test_start),
		TEST(test_master),
		TEST(test_dma),
		TEST(test_msix_interrupts),
		TEST(test_msi_interrupts),
		TEST(test_line),
		TEST(test_end),
		TEST(test_other_resets),
		TEST(test_stopped_early),
	};

	return cmocka_run_group_tests(tests, group_set_up, fake_system_end);
}
