/*
 * receiver.c: lets a card of Intel's (e1000e) write frames into its memory until it is stopped; each life first looks
 * through all memory that has not been given a meaning, for what the card may have written between two lives.
 */
#include "bh.h"
#include "terminal.h"

#define RING   64u
#define BUFFER 2048u

/* 82574L data sheet, 10.2.5: receive control, descriptor ring. */
enum nic {
	NIC_CONTROL = 0x00,
	NIC_RECEIVE = 0x100,
	NIC_RING = 0x2800,
	NIC_RING_HIGH = 0x2804,
	NIC_RING_BYTES = 0x2808,
	NIC_HEAD = 0x2810,
	NIC_TAIL = 0x2818,
};
#define CONTROL_LINK_UP	 (1u << 6)
#define RECEIVE_ENABLE	 (1u << 1)
#define RECEIVE_ALL	 (3u << 3) /* promiscuous */
#define RECEIVE_ANYBODYS (1u << 15)

struct descriptor {
	uint64_t address;
	uint64_t status; /* 32: done */
};

extern uint64_t bh_image_end[];

static uint64_t found(void)
{
	const uint64_t *end = (const uint64_t *)bh_info()->memory_bytes;
	uint64_t count = 0;

	for (const uint64_t *word = bh_image_end; word < end; word++)
		count += *word != 0;
	return count;
}

static void receive(volatile uint32_t *nic, const struct bh_info_handle *device, struct terminal *terminal)
{
	struct descriptor *ring = bh_alloc(RING * sizeof(*ring), 4096);
	uint8_t *buffers = bh_alloc(RING * BUFFER, 4096);
	uint64_t first = (uint64_t)bh_call2(BH_DEVICE_DMA, device->handle, (uint64_t)ring);
	uint32_t head;

	for (unsigned i = 0; i < RING; i++)
		ring[i].address = (uint64_t)bh_call2(BH_DEVICE_DMA, device->handle, (uint64_t)(buffers + i * BUFFER));
	nic[NIC_RING / 4] = (uint32_t)first;
	nic[NIC_RING_HIGH / 4] = (uint32_t)(first >> 32);
	nic[NIC_RING_BYTES / 4] = RING * sizeof(*ring);
	nic[NIC_HEAD / 4] = 0;
	nic[NIC_TAIL / 4] = RING - 1;
	nic[NIC_CONTROL / 4] = nic[NIC_CONTROL / 4] | CONTROL_LINK_UP;
	bh_call2(BH_DEVICE_MASTER, device->handle, 1);
	nic[NIC_RECEIVE / 4] = RECEIVE_ENABLE | RECEIVE_ALL | RECEIVE_ANYBODYS;
	while (nic[NIC_HEAD / 4] < 4)
		bh_sleep_ms(10);
	terminal_printf(terminal, "receiver: life %u receives\r\n", bh_info()->restarts);
	/* The card is never out of buffers. */
	for (;;) {
		head = nic[NIC_HEAD / 4];
		nic[NIC_TAIL / 4] = (head + RING - 1) % RING;
		bh_sleep_ms(1);
	}
}

int main(unsigned vcpu)
{
	const struct bh_info_handle *device = bh_find("00:09.0", BH_HANDLE_DEVICE);
	struct terminal terminal;

	if (vcpu != 0)
		return 0;
	if (!terminal_open_console(&terminal, vcpu, 0) || !device)
		bh_fail("no channel \"console\", or no device\n");
	bh_sleep_ms(300);
	terminal_printf(&terminal, "receiver: life %u found %u words\r\n", bh_info()->restarts, (unsigned)found());
	receive((volatile uint32_t *)bh_call3(BH_DEVICE_STAT, device->handle, BH_DEVICE_BAR_ADDRESS, 0), device,
		&terminal);
	return 0;
}
