/*
 * main.c: a monitor's vCPUs.
 *
 * vCPU 0 builds the guest and starts it. Then vCPU i answers the guest's vCPU i, and the last one,
 * the I/O vCPU, does what nobody waits for. README.md shows the virtual PC.
 */
#include <stdatomic.h>
#include "guests/lib/bh.h"
#include "guests/lib/control_registers.h"
#include "linux_boot.h"
#include "machine.h"
#include "message.h"

#define MESSAGE_BYTES 4096

static struct machine machine;
static _Atomic bool machine_ready;

static struct bh_message *message_of(unsigned vcpu)
{
	return (struct bh_message *)(BH_GPA_MESSAGES + (uint64_t)vcpu * MESSAGE_BYTES);
}

/* The image's content, usable at its address; NULL if it was not granted. */
static const void *find_image(const char *name, uint64_t *bytes)
{
	const struct bh_info_handle *handle = bh_find(name, BH_HANDLE_IMAGE);

	if (!handle)
		return NULL;
	if (!bh_map(handle->address, handle->bytes))
		machine_fail(&machine, "no memory for the page tables of image \"%s\"", name);
	*bytes = handle->bytes;
	return (const void *)handle->address;
}

static void build_guest(struct bh_message *message)
{
	const struct bh_info *info = bh_info();
	char reason[BZIMAGE_REASON_BYTES];
	struct linux_boot boot = { .command = info->command, .vcpus = info->guest_vcpus };

	boot.kernel = find_image("kernel", &boot.kernel_bytes);
	boot.initrd = find_image("initrd", &boot.initrd_bytes);
	if (!boot.kernel)
		machine_fail(&machine, "no image \"kernel\" was given");
	if (!linux_boot(&boot, &machine.memory, &message->state, reason))
		machine_fail(&machine, "kernel image refused: %s", reason);
	if (machine.invalid_state)
		message->state.cr0 &= ~CR0_PE; /* PG without PE in long mode: neither vendor's CPUs enter that */
	message->state_out = BH_STATE_ALL;
}

/* The window is above the images, and both above what is mapped from the start. */
static void map_window(void)
{
	const struct bh_info *info = bh_info();
	uint64_t bytes = info->guest_memory_bytes;

	if (bytes > BH_GUEST_LOW_MAX)
		bytes += BH_GUEST_HIGH - BH_GUEST_LOW_MAX;
	if (!bh_map(BH_GPA_GUEST, bytes))
		bh_fail("no memory for the page tables of the guest's %lu MiB\n",
			(unsigned long)(info->guest_memory_bytes >> 20));
}

static void set_up(void)
{
	map_window();
	machine_init(&machine, (void *)BH_GPA_GUEST, (const struct bh_network_records *)BH_GPA_SERVICE);
	build_guest(message_of(0));
	atomic_store(&machine_ready, true);
	bh_call2(BH_EVENT_SIGNAL, machine.vcpus, 1ull << MACHINE_EVENT_TIMER);
}

/* Each reply also waits for the next message. `flags` is BH_WAIT_REPLY if the page holds an answer
 * already. */
static _Noreturn void serve_guest(unsigned vcpu, uint64_t flags)
{
	struct bh_message *message = message_of(vcpu);

	message->vcpu = vcpu; /* the pairing, which nothing else needs to tell */
	for (;;) {
		int64_t events = bh_call3(BH_WAIT, 0, BH_FOREVER, flags);

		flags = 0;
		if (events < 0)
			machine_fail(&machine, "vCPU %u: waiting for the guest fails with %ld", vcpu, (long)events);
		if ((uint64_t)events & BH_EVENT_MESSAGE) {
			message_handle(&machine, message);
			flags = BH_WAIT_REPLY;
		}
	}
}

static _Noreturn void serve_devices(void)
{
	uint64_t events = MACHINE_EVENTS; /* what came before the machine was ready counts as well */

	while (!atomic_load(&machine_ready))
		bh_call3(BH_WAIT, MACHINE_EVENTS, BH_FOREVER, 0);
	for (;;) {
		uint64_t deadline = machine_service(&machine, events);

		events = (uint64_t)bh_signals_wait(&machine.signals, MACHINE_EVENTS, deadline);
	}
}

int main(unsigned vcpu)
{
	if (vcpu >= bh_info()->guest_vcpus)
		serve_devices();
	if (vcpu == 0)
		set_up();
	/* The other vCPUs' first message comes when the guest starts them, so after the set-up. */
	serve_guest(vcpu, vcpu == 0 ? BH_WAIT_REPLY : 0);
}
