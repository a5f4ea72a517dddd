#include "e1000_common.h"

/* In units of 256 ns, [8254x] 13.4.18: 20,000 interrupts a second at most. */
#define ITR_INTERVAL  195u
#define WAIT_STEP     500u /* microseconds */
#define WAIT_STEPS    100u
#define MTA_REGISTERS 128u
#define EEPROM_WORDS  3u
#define RX_TX_CAUSES  (E1000_ICR_RXT0 | E1000_ICR_RXDMT0 | E1000_ICR_RXO | E1000_ICR_LSC)
#define ADDRESS_GROUP 0x01u

bool e1000_wait(struct nic *nic, uint32_t offset, uint32_t mask, uint32_t value)
{
	for (uint32_t i = 0; i < WAIT_STEPS; i++) {
		if ((e1000_get(nic, offset) & mask) == value)
			return true;
		nic->access.pause(nic->access.context, WAIT_STEP);
	}
	return false;
}

/* ---- start and stop ---------------------------------------------------------------------------- */

bool e1000_prepare(struct nic *nic)
{
	uint64_t dma;

	if (nic->access.bar_bytes[0] < E1000_BAR_BYTES) {
		nic_fail(nic, NIC_STOPPED, "BAR 0 has not its 128 KiB of registers");
		return false;
	}
	if (e1000_get(nic, E1000_STATUS) == E1000_ALL_ONES)
		return e1000_gone(nic);
	if (nic->own)
		return true;
	nic->own = nic_memory(nic, sizeof(struct e1000), 64, &dma);
	return nic->own && e1000_rings_allocate(nic);
}

/* Before a reset: nothing that is on its way may end in the middle. */
void e1000_quiet(struct nic *nic)
{
	e1000_set(nic, E1000_IMC, E1000_ALL_ONES);
	e1000_set(nic, E1000_RCTL, 0);
	e1000_set(nic, E1000_TCTL, E1000_TCTL_PSP);
	e1000_get(nic, E1000_STATUS);
}

/* After 10 ms all that was on its way is done, and the EEPROM was read again. */
static bool reset_done(struct nic *nic)
{
	e1000_set(nic, E1000_CTRL, e1000_get(nic, E1000_CTRL) | E1000_CTRL_RST);
	nic->access.pause(nic->access.context, 10000);
	return e1000_wait(nic, E1000_CTRL, E1000_CTRL_RST, 0);
}

bool e1000_reset(struct nic *nic)
{
	e1000_quiet(nic);
	nic->access.pause(nic->access.context, 10000);
	if (!reset_done(nic)) {
		nic_fail(nic, NIC_FAILED, "does not end its reset");
		return false;
	}
	/* Emulated ones reset nothing: what was set above may still stand, and is needed if it does not. */
	e1000_quiet(nic);
	e1000_get(nic, E1000_ICR);
	return true;
}

void e1000_stop(struct nic *nic)
{
	if (nic->access.bar_bytes[0] < E1000_BAR_BYTES || e1000_get(nic, E1000_STATUS) == E1000_ALL_ONES)
		return;
	e1000_quiet(nic);
	reset_done(nic);
	e1000_quiet(nic);
}

/* ---- the address ------------------------------------------------------------------------------- */

bool e1000_eeprom(struct nic *nic, uint32_t command, uint32_t done, uint32_t *value)
{
	e1000_set(nic, E1000_EERD, command | E1000_EERD_START);
	if (!e1000_wait(nic, E1000_EERD, done, done))
		return false;
	*value = e1000_get(nic, E1000_EERD) >> E1000_EERD_DATA_SHIFT;
	return true;
}

static bool address_usable(uint32_t low, uint32_t high) { return (low || high & 0xffff) && !(low & ADDRESS_GROUP); }

static bool read_eeprom(struct nic *nic, bool (*word)(struct nic *, uint32_t, uint32_t *), uint32_t *low,
			uint32_t *high)
{
	uint32_t words[EEPROM_WORDS];

	for (uint32_t i = 0; i < EEPROM_WORDS; i++) {
		if (!word(nic, i, &words[i]))
			return false;
	}
	*low = words[0] | words[1] << 16;
	*high = words[2];
	return true;
}

bool e1000_address(struct nic *nic, bool (*word)(struct nic *, uint32_t, uint32_t *))
{
	uint32_t low = e1000_get(nic, E1000_RAL0), high = e1000_get(nic, E1000_RAH0);

	/* Bochs leaves the registers empty: the EEPROM has it. */
	if (!(high & E1000_RAH_AV) || !address_usable(low, high)) {
		if (!read_eeprom(nic, word, &low, &high) || !address_usable(low, high)) {
			nic_fail(nic, NIC_FAILED, "neither RAL0 nor the EEPROM has an address");
			return false;
		}
	}
	for (unsigned i = 0; i < 6; i++)
		nic->mac[i] = (uint8_t)(i < 4 ? low >> (8 * i) : high >> (8 * (i - 4)));
	e1000_set(nic, E1000_RAL0, low);
	e1000_set(nic, E1000_RAH0, (high & 0xffff) | E1000_RAH_AV);
	return true;
}

/* ---- go ---------------------------------------------------------------------------------------- */

/* All frames, with their VLAN tags, without FCS. LPE for those of more than 1522 bytes with it. */
static void set_filters(struct nic *nic)
{
	uint32_t rctl = E1000_RCTL_EN | E1000_RCTL_UPE | E1000_RCTL_MPE | E1000_RCTL_BAM | E1000_RCTL_SECRC;

	for (uint32_t i = 0; i < MTA_REGISTERS; i++)
		e1000_set(nic, E1000_MTA + 4 * i, 0);
	e1000_set(nic, E1000_RXCSUM, 0);
	e1000_set(nic, E1000_RCTL, rctl | (nic->mtu > NIC_MTU_USUAL ? E1000_RCTL_LPE : 0));
}

static bool phy(struct nic *nic, uint32_t command, uint32_t *value)
{
	e1000_set(nic, E1000_MDIC, command | E1000_MDIC_PHY_1);
	if (!e1000_wait(nic, E1000_MDIC, E1000_MDIC_READY, E1000_MDIC_READY))
		return false;
	*value = e1000_get(nic, E1000_MDIC);
	return !(*value & E1000_MDIC_ERROR);
}

/* A PHY that somebody has switched off never has a link. One that does not answer may be right all the same. */
static void wake_phy(struct nic *nic)
{
	uint32_t at = E1000_PHY_CONTROL << E1000_MDIC_REG_SHIFT,
		 off = E1000_PHY_CONTROL_POWER_OFF | E1000_PHY_CONTROL_ISOLATE;
	uint32_t control;

	if (!phy(nic, E1000_MDIC_READ | at, &control) || !(control & off))
		return;
	control = (control & 0xffff & ~off) | E1000_PHY_CONTROL_AUTO | E1000_PHY_CONTROL_RESTART;
	phy(nic, E1000_MDIC_WRITE | at | control, &control);
}

/*
 * Speed and duplex as the PHY finds them; tags stay in the frames. No flow control: a pause frame from outside must not
 * hold the networks up.
 */
static void set_link(struct nic *nic)
{
	uint32_t off = E1000_CTRL_LRST | E1000_CTRL_ILOS | E1000_CTRL_FRCSPD | E1000_CTRL_FRCDPLX | E1000_CTRL_RFCE |
		       E1000_CTRL_TFCE | E1000_CTRL_VME | E1000_CTRL_PHY_RST | E1000_CTRL_GIO_MASTER_DISABLE;

	e1000_set(nic, E1000_FCAL, 0);
	e1000_set(nic, E1000_FCAH, 0);
	e1000_set(nic, E1000_FCT, 0);
	e1000_set(nic, E1000_FCTTV, 0);
	e1000_set(nic, E1000_CTRL, (e1000_get(nic, E1000_CTRL) & ~off) | E1000_CTRL_SLU | e1000_of(nic)->ctrl);
	wake_phy(nic);
}

static void set_moderation(struct nic *nic)
{
	e1000_set(nic, E1000_RDTR, 0);
	e1000_set(nic, E1000_RADV, 0);
	e1000_set(nic, E1000_TIDV, 1); /* 0 is not allowed, [8254x] 13.4.41 */
	e1000_set(nic, E1000_ITR, ITR_INTERVAL);
}

bool e1000_go(struct nic *nic)
{
	struct e1000 *e = e1000_of(nic);

	set_link(nic);
	set_moderation(nic);
	e1000_rings_start(nic);
	if (!nic->access.master(nic->access.context, true)) {
		nic_fail(nic, NIC_STOPPED, "may not reach memory");
		return false;
	}
	e1000_set(nic, E1000_TIPG, E1000_TIPG_COPPER);
	e1000_set(nic, E1000_TCTL, E1000_TCTL_EN | E1000_TCTL_PSP | E1000_TCTL_CT | E1000_TCTL_COLD | E1000_TCTL_RTLC);
	set_filters(nic);
	e1000_rings_fill(nic);
	if (nic->access.irqs && !nic->access.bind_irq(nic->access.context, 0)) {
		nic_fail(nic, NIC_STOPPED, "its interrupt cannot be bound");
		return false;
	}
	e->missed = 0;
	e->unbound = false;
	e->armed = true;
	e->causes |= RX_TX_CAUSES;
	e->causes_room |= E1000_ICR_TXDW;
	e1000_link(nic, e1000_get(nic, E1000_STATUS), true);
	e1000_set(nic, E1000_IMS, e->causes);
	return true;
}
