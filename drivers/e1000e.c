/*
 * Intel 82574L, 8086:10d3: what QEMU calls e1000e. PCI Express; MSI-X, MSI or INTx, all causes in one interrupt.
 */
#include "e1000_common.h"

#define ID_82574L      0x10d38086u
#define ID_82574IT     0x10f68086u
#define EITR_INTERVAL  195u
#define CAP_POINTER    0x34u
#define CAP_EXPRESS    0x10u
#define CAPS_MAX       48u
#define LINK_CONTROL   0x10u /* within the capability, PCI Express 3.0, 7.8.7 */
#define LINK_ASPM_MASK 0x3u

static bool match(uint32_t id, uint32_t class_code)
{
	(void)class_code;
	return id == ID_82574L || id == ID_82574IT;
}

static bool eeprom_word(struct nic *nic, uint32_t index, uint32_t *value)
{
	return e1000_eeprom(nic, index << E1000_EERD_ADDR_82574, E1000_EERD_DONE_82574, value);
}

static uint32_t config(struct nic *nic, uint32_t offset, unsigned bytes)
{
	return nic->access.config_read(nic->access.context, offset, bytes);
}

/* With ASPM the chip is known to stop now and then. Refused: it stays as it is. */
static void aspm_off(struct nic *nic)
{
	uint32_t at = config(nic, CAP_POINTER, 1) & 0xfc;

	for (unsigned i = 0; i < CAPS_MAX && at >= 0x40; i++) {
		uint32_t header = config(nic, at, 2);

		if ((header & 0xff) == CAP_EXPRESS) {
			uint32_t control = config(nic, at + LINK_CONTROL, 2);

			if (control & LINK_ASPM_MASK)
				nic->access.config_write(nic->access.context, at + LINK_CONTROL, 2,
							 control & ~LINK_ASPM_MASK);
			return;
		}
		at = header >> 8 & 0xfc;
	}
}

/* No request may be on its way when it is reset. One that does not stop is reset all the same. */
static void stop_requests(struct nic *nic)
{
	e1000_set(nic, E1000_CTRL, e1000_get(nic, E1000_CTRL) | E1000_CTRL_GIO_MASTER_DISABLE);
	e1000_wait(nic, E1000_STATUS, E1000_STATUS_GIO_MASTER_ENABLE, 0);
}

/* With MSI-X the queues have causes of their own, and vectors by IVAR. */
static void set_causes(struct nic *nic)
{
	struct e1000 *e = e1000_of(nic);
	bool msix = nic->access.irq_kind == BH_DEVICE_IRQ_MSIX;

	e1000_set(nic, E1000_EIAC, 0); /* nothing clears itself */
	e1000_set(nic, E1000_IAM, 0);
	e1000_set(nic, E1000_IVAR, msix ? E1000_IVAR_ALL_TO_0 : 0);
	e1000_set(nic, E1000_EITR0, EITR_INTERVAL);
	e->causes = msix ? E1000_ICR_RXQ0 | E1000_ICR_OTHER : 0;
	e->causes_room = msix ? E1000_ICR_TXQ0 : 0;
}

static bool start(struct nic *nic)
{
	if (!e1000_prepare(nic))
		return false;
	aspm_off(nic);
	e1000_quiet(nic);
	stop_requests(nic);
	if (!e1000_reset(nic) || !e1000_address(nic, eeprom_word))
		return false;
	e1000_set(nic, E1000_RFCTL, E1000_RFCTL_LEGACY);
	e1000_set(nic, E1000_MRQC, 0);
	e1000_set(nic, E1000_TXDCTL, E1000_TXDCTL_WTHRESH | E1000_TXDCTL_COUNT | E1000_TXDCTL_GRAN);
	set_causes(nic);
	return e1000_go(nic);
}

const struct nic_driver e1000e_driver = {
	.name = "e1000e",
	.match = match,
	.start = start,
	.stop = e1000_stop,
	.reserve = e1000_reserve,
	.commit = e1000_commit,
	.flush = e1000_flush,
	.next = e1000_next,
	.done = e1000_done,
	.interrupt = e1000_interrupt,
	.may_sleep = e1000_may_sleep,
	.check = e1000_check,
};
