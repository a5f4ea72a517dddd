/*
 * Intel 82540EM, 8086:100e: what QEMU calls e1000, and Bochs too. PCI, INTx.
 */
#include "e1000_common.h"

#define ID_82540EM 0x100e8086u

static bool match(uint32_t id, uint32_t class_code)
{
	(void)class_code;
	return id == ID_82540EM;
}

static bool eeprom_word(struct nic *nic, uint32_t index, uint32_t *value)
{
	return e1000_eeprom(nic, index << E1000_EERD_ADDR_SHIFT, E1000_EERD_DONE, value);
}

static bool start(struct nic *nic)
{
	if (!e1000_prepare(nic) || !e1000_reset(nic) || !e1000_address(nic, eeprom_word))
		return false;
	e1000_of(nic)->ctrl = E1000_CTRL_ASDE;
	return e1000_go(nic);
}

const struct nic_driver e1000_driver = {
	.name = "e1000",
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
