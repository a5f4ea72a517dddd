#include "e1000_common.h"

#define STUCK_SECONDS 3u

bool e1000_gone(struct nic *nic)
{
	nic_fail(nic, NIC_FAILED, "does not answer (its registers read as ones)");
	return false;
}

void e1000_link(struct nic *nic, uint32_t status, bool say)
{
	static const uint16_t speeds[4] = { 10, 100, 1000, 1000 };
	bool up = status & E1000_STATUS_LU;
	uint32_t speed = speeds[status >> E1000_STATUS_SPEED_SHIFT & 3];

	if (say || up != nic->link || (up && speed != nic->speed))
		nic_link(nic, up, speed);
}

/* ---- interrupts -------------------------------------------------------------------------------- */

/* With IMS = 0 reading clears all of ICR, with MSI-X too. False: the NIC is gone. */
static bool acknowledge(struct nic *nic)
{
	uint32_t causes = e1000_get(nic, E1000_ICR);

	if (causes == E1000_ALL_ONES)
		return e1000_gone(nic);
	if (causes & E1000_ICR_LSC)
		e1000_link(nic, e1000_get(nic, E1000_STATUS), false);
	return true;
}

void e1000_interrupt(struct nic *nic)
{
	struct e1000 *e = e1000_of(nic);

	nic->counters.interrupts++;
	e->unbound = nic->access.irq_kind == BH_DEVICE_IRQ_INTX;
	e->armed = false;
	e1000_set(nic, E1000_IMC, E1000_ALL_ONES);
	acknowledge(nic);
}

/*
 * What came before ICR is read here shows in the descriptors; what comes later sets ICR again, and with it an interrupt
 * as soon as IMS allows it.
 */
static bool arm(struct nic *nic, struct e1000 *e)
{
	if (!acknowledge(nic))
		return false;
	if (e->unbound && !nic->access.bind_irq(nic->access.context, 0)) {
		nic_fail(nic, NIC_FAILED, "its interrupt cannot be bound");
		return false;
	}
	e->unbound = false;
	e->armed = true;
	e1000_set(nic, E1000_IMS, e->causes);
	return true;
}

/* Its user comes by much more often than interrupts do: registers are touched only after one. */
bool e1000_may_sleep(struct nic *nic)
{
	struct e1000 *e = e1000_of(nic);

	e1000_flush(nic);
	if (!e->armed && !arm(nic, e))
		return true;
	if (e->tx_waits) {
		e1000_set(nic, E1000_IMS, e->causes_room);
		e->tx_waits = !e1000_room(e);
		if (!e->tx_waits)
			return false;
	}
	return !e1000_pending(e);
}

/* ---- once a second ----------------------------------------------------------------------------- */

/* [8254x] 13.7: reading clears it. In QEMU it does not: then it grows. */
static void count_missed(struct nic *nic, struct e1000 *e)
{
	uint32_t first = e1000_get(nic, E1000_MPC), again = e1000_get(nic, E1000_MPC);

	if (again < first) {
		nic->counters.rx_missed += first;
	} else {
		nic->counters.rx_missed += again > e->missed ? again - e->missed : 0;
		e->missed = again;
	}
}

/* Without a link frames wait. With one they are gone within two seconds, or the NIC has stopped. */
static void watch_sending(struct nic *nic, struct e1000 *e)
{
	e1000_reclaim(e);
	if (!nic->link || e->tx_clean == e->tx_told || e->tx_clean != e->tx_clean_seen)
		e->stuck = 0;
	else
		e->stuck++;
	e->tx_clean_seen = e->tx_clean;
	if (e->stuck >= STUCK_SECONDS)
		nic_fail(nic, NIC_FAILED, "stopped sending: TDH %u, TDT %u", e1000_get(nic, E1000_TDH) & 0xffff,
			 e->tx_told % E1000_DESCRIPTORS);
}

void e1000_check(struct nic *nic)
{
	struct e1000 *e = e1000_of(nic);
	uint32_t status = e1000_get(nic, E1000_STATUS);

	if (status == E1000_ALL_ONES) {
		e1000_gone(nic);
		return;
	}
	e1000_link(nic, status, false);
	count_missed(nic, e);
	watch_sending(nic, e);
}
