/*
 * fuzz_virtio.c: a guest that does what it likes with the virtio transport: configuration space, registers, ports, and
 * the memory with its rings while the card works, against a net service that does what it likes with the channel.
 * Nothing may leave the guest's memory or the channel, and a driver that resets the card must find one that works.
 *
 * Input: operations of 8 bytes: kind, size, two bytes of address, four of value.
 */
#include <stdlib.h>
#include "guests/monitor/pci.h"
#include "guests/monitor/virtio_net.h"
#include "virtio_host.h"

#define MEMORY ((uint64_t)PCI_MEMORY_ADDRESS)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pci pci;
static struct host host;

static void poke(uint64_t address, unsigned size, uint64_t value) { pci_write_memory(&pci, address, size, value); }

/* A guest's usual first steps, with queues where the input can reach them; `features` as the guest likes. */
static void start(uint32_t features)
{
	pci_write_memory(&pci, PCI_ECAM_ADDRESS + 0x8000 + PCI_COMMAND, 2, 7);
	poke(MEMORY + 0x14, 1, 0);
	poke(MEMORY + 0x14, 1, 3);
	poke(MEMORY + 0x08, 4, 0);
	poke(MEMORY + 0x0c, 4, features);
	poke(MEMORY + 0x08, 4, 1);
	poke(MEMORY + 0x0c, 4, 1);
	poke(MEMORY + 0x14, 1, 11);
	for (unsigned i = 0; i < 5; i++) {
		poke(MEMORY + 0x16, 2, i);
		poke(MEMORY + 0x18, 2, 8);
		poke(MEMORY + 0x20, 4, 0x400 * i);
		poke(MEMORY + 0x28, 4, 0x400 * i + 0x100);
		poke(MEMORY + 0x30, 4, 0x400 * i + 0x200);
		poke(MEMORY + 0x1c, 2, 1);
	}
	poke(MEMORY + 0x14, 1, 15);
}

static void step(const uint8_t *op)
{
	unsigned size = 1u << op[1] % 4;
	uint16_t at;
	uint32_t value;

	memcpy(&at, op + 2, 2);
	memcpy(&value, op + 4, 4);
	switch (op[0] % 13) {
	case 0: poke(MEMORY + at % 0x2000, size, value); break;
	case 1: poke(MEMORY + at % 0x40, size, value); break;
	case 2: pci_read_memory(&pci, MEMORY + at % 0x2000, size); break;
	case 3: pci_write_memory(&pci, PCI_ECAM_ADDRESS + at % 0x9000, size, value); break;
	case 4: pci_read_memory(&pci, PCI_ECAM_ADDRESS + at % 0x9000, size); break;
	case 5: pci_write_port(&pci, at, 1u << op[1] % 3, value); break;
	case 6: memcpy(host.ram + at % (HOST_RAM - 8), op + 4, 4); break;
	case 7: memcpy(host.ram + at % 0x1400, op + 4, 4); break;
	case 8: host.ram[0x400 * (at % 5) + 0x102]++; break; /* an available index */
	case 9: host_channel_poke(&host, at, value); break;
	case 10: virtio_net_service(&host.net, op[1] & 2, op[1] & 1); break;
	case 12: virtio_net_complete(&host.net); break;
	case 11: start(value); break;
	}
}

/* After whatever happened: one frame each way. */
static void check_works(void)
{
	struct bh_frame frame = { 0 };
	uint32_t broken = 0;

	host_channel_open(&host);
	memset(host.ram, 0, HOST_RAM);
	pci_write_memory(&pci, PCI_ECAM_ADDRESS + 0x8000 + PCI_BAR(4), 4, MEMORY);
	start(0);
	host_describe(&host, 0x400, 0x4000, 72, 0);
	host_describe(&host, 0x000, 0x5000, 1600, 2);
	host.ram[0x502] = host.ram[0x102] = 1;
	host_network_put(&host, 60);
	while (virtio_net_service(&host.net, true, true))
		;
	virtio_net_complete(&host.net);
	host_check(frames_next(&host.from_guest, &frame, &broken) && frame.bytes == 60);
	host_check(host.ram[0x602] == 1 && host.ram[0x202] == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	host_init(&host, 2);
	pci_init(&pci, &(struct pci_outside){ 0 });
	pci_add(&pci, 0, &host.net.virtio.function);
	for (; size >= 8; data += 8, size -= 8)
		step(data);
	virtio_net_service(&host.net, true, true);
	host_check(host_log_lines < 64); /* the log is not the guest's to fill */
	check_works();
	host_end(&host);
	return 0;
}
