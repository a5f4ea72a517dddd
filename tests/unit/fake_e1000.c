#include <string.h>
#include "fake_e1000.h"
#include "fake_nic.h"

#define R(offset) fake_e1000.reg[(offset) / 4]

struct fake_e1000 fake_e1000;

static bool msix(void) { return fake_nic.access.irq_kind == BH_DEVICE_IRQ_MSIX; }

static void raise(uint32_t causes)
{
	bool before = R(E1000_ICR) & R(E1000_IMS);

	if (msix() && causes & (E1000_ICR_LSC | E1000_ICR_RXO))
		causes |= E1000_ICR_OTHER;
	R(E1000_ICR) |= causes;
	if (!before && R(E1000_ICR) & R(E1000_IMS))
		fake_e1000.interrupts++;
}

static uint32_t read_icr(void)
{
	uint32_t value = R(E1000_ICR);

	if (!msix() || !R(E1000_IMS))
		R(E1000_ICR) = 0;
	return value;
}

static uint32_t read_eerd(void)
{
	uint32_t value = R(E1000_EERD);
	uint32_t done = fake_e1000.is_82574 ? 2 : 0x10, shift = fake_e1000.is_82574 ? 2 : 8;
	uint32_t index = (value & 0xffff) >> shift;

	if (fake_e1000.eeprom_dead || !(value & 1))
		return value;
	return (index < 64 ? (uint32_t)fake_e1000.eeprom[index] << 16 : 0) | (value & 0xfffe) | done;
}

static uint32_t read_status(void)
{
	uint32_t value = R(E1000_STATUS);

	if (fake_e1000.is_82574 && !(R(E1000_CTRL) & E1000_CTRL_GIO_MASTER_DISABLE))
		value |= E1000_STATUS_GIO_MASTER_ENABLE;
	return value;
}

static uint64_t chip_read(unsigned bar, uint32_t offset, unsigned bytes)
{
	uint32_t value;

	fake_nic_check(bar == 0 && bytes == 4, "registers have 32 bits");
	if (fake_e1000.gone)
		return 0xffffffff;
	switch (offset) {
	case E1000_ICR: return read_icr();
	case E1000_EERD: return read_eerd();
	case E1000_STATUS: return read_status();
	case E1000_MPC:
		value = R(offset);
		if (!fake_e1000.mpc_stays)
			R(offset) = 0;
		return value;
	default: return R(offset);
	}
}

static void send_one(uint64_t *descriptor)
{
	uint64_t word = descriptor[1];
	uint32_t bytes = word & 0xffff;

	fake_nic_check((word >> 24 & 0x20) == 0, "legacy descriptors only");
	fake_nic_check(word & E1000_TXD_EOP && word & E1000_TXD_IFCS, "whole frames with FCS");
	fake_nic_check(bytes >= 60 && bytes <= 9018, "a frame's length");
	memcpy(fake_e1000.frame, fake_nic_dma(descriptor[0], bytes), bytes);
	fake_e1000.frame_bytes = bytes;
	fake_e1000.sent++;
	if (word & E1000_TXD_RS) {
		descriptor[1] = word | E1000_TXD_DD;
		fake_e1000.write_backs++;
		raise(msix() ? E1000_ICR_TXQ0 : E1000_ICR_TXDW);
	}
}

static uint64_t *ring(uint32_t first, uint32_t index)
{
	uint64_t base = R(first) | (uint64_t)R(first + 4) << 32;
	uint32_t bytes = R(first + 8);

	fake_nic_check(bytes && bytes % 128 == 0 && index < bytes / 16 && base % 16 == 0, "a ring that cannot be");
	return fake_nic_dma(base + 16 * index, 16);
}

static uint32_t step(uint32_t first, uint32_t index) { return (index + 1) % (R(first + 8) / 16); }

static void transmit(void)
{
	fake_nic_check(R(E1000_TDT) < R(E1000_TDLEN) / 16 || !R(E1000_TDLEN), "TDT");
	if (!(R(E1000_TCTL) & E1000_TCTL_EN) || fake_e1000.stuck || !(R(E1000_STATUS) & E1000_STATUS_LU))
		return;
	while (R(E1000_TDH) != R(E1000_TDT)) {
		send_one(ring(E1000_TDBAL, R(E1000_TDH)));
		R(E1000_TDH) = step(E1000_TDBAL, R(E1000_TDH));
	}
}

static void write_ctrl(uint32_t value)
{
	uint32_t status = R(E1000_STATUS), low = R(E1000_RAL0), high = R(E1000_RAH0);

	R(E1000_CTRL) = value & ~(fake_e1000.reset_hangs ? 0 : E1000_CTRL_RST);
	if (!(value & E1000_CTRL_RST))
		return;
	fake_e1000.resets++;
	if (fake_e1000.like_bochs || fake_e1000.reset_hangs)
		return;
	memset(fake_e1000.reg, 0, sizeof(fake_e1000.reg));
	R(E1000_STATUS) = status;
	R(E1000_RAL0) = low;
	R(E1000_RAH0) = high;
	fake_e1000.stuck = false;
}

/* The PHY has number 1. */
static void access_phy(uint32_t value)
{
	uint16_t *phy = &fake_e1000.phy[value >> 16 & 31];

	fake_nic_check((value >> 21 & 31) == 1, "the PHY's number");
	if (value & E1000_MDIC_WRITE)
		*phy = (uint16_t)value;
	R(E1000_MDIC) = (value & 0xffff0000) | *phy | E1000_MDIC_READY;
}

static void chip_write(unsigned bar, uint32_t offset, unsigned bytes, uint64_t value)
{
	fake_nic_check(bar == 0 && bytes == 4, "registers have 32 bits");
	if (fake_e1000.gone)
		return;
	switch (offset) {
	case E1000_CTRL: write_ctrl((uint32_t)value); return;
	case E1000_STATUS: return;
	case E1000_ICR: R(E1000_ICR) &= ~(uint32_t)value; return;
	case E1000_IMC: R(E1000_IMS) &= ~(uint32_t)value; return;
	case E1000_IMS:
		R(E1000_IMS) |= (uint32_t)value;
		fake_e1000.interrupts += (R(E1000_ICR) & R(E1000_IMS)) != 0;
		return;
	case E1000_MDIC: access_phy((uint32_t)value); return;
	case E1000_TDT: fake_e1000.tail_writes++; break;
	case E1000_RDT:
		fake_e1000.rx_tail_writes++;
		fake_e1000.check_rxov = false;
		break;
	default: break;
	}
	R(offset) = (uint32_t)value;
	if (offset == E1000_TDT || offset == E1000_TCTL)
		transmit();
}

/* ---- from outside ------------------------------------------------------------------------------ */

static uint32_t buffers_free(void)
{
	uint32_t count = R(E1000_RDLEN) / 16;

	/* Bochs takes RDH = RDT for a full ring when RDT was just written. */
	if (fake_e1000.like_bochs && R(E1000_RDT) == R(E1000_RDH) && !fake_e1000.check_rxov)
		return count;
	return (R(E1000_RDT) + count - R(E1000_RDH)) % count;
}

bool fake_e1000_receive(const void *frame, uint32_t bytes, uint8_t errors)
{
	uint32_t rctl = R(E1000_RCTL), limit = rctl & E1000_RCTL_LPE ? 16384 : 1522;
	uint32_t done = 0;

	if (!(rctl & E1000_RCTL_EN) || !(rctl & E1000_RCTL_UPE) || !(rctl & E1000_RCTL_MPE) || bytes > limit)
		return false;
	fake_nic_check(rctl & E1000_RCTL_SECRC, "frames come without FCS");
	if (bytes > buffers_free() * 2048) {
		R(E1000_MPC)++;
		raise(E1000_ICR_RXO);
		return false;
	}
	do {
		uint64_t *descriptor = ring(E1000_RDBAL, R(E1000_RDH)), word;
		uint32_t piece = bytes - done < 2048 ? bytes - done : 2048;

		fake_nic_check(descriptor[1] == 0, "a descriptor that was not cleared");
		memcpy(fake_nic_dma(descriptor[0], 2048), (const uint8_t *)frame + done, piece);
		done += piece;
		word = piece | E1000_RXD_DD | (done == bytes ? E1000_RXD_EOP | (uint64_t)errors << 40 : 0);
		if (done == bytes && fake_e1000.hold_last) {
			fake_e1000.held_word = word;
			fake_e1000.held_index = R(E1000_RDH);
		} else {
			descriptor[1] = word;
		}
		R(E1000_RDH) = step(E1000_RDBAL, R(E1000_RDH));
		fake_e1000.check_rxov = true;
	} while (done < bytes);
	raise(msix() ? E1000_ICR_RXQ0 : E1000_ICR_RXT0);
	return true;
}

void fake_e1000_finish(void) { ring(E1000_RDBAL, fake_e1000.held_index)[1] = fake_e1000.held_word; }

void fake_e1000_link(bool up)
{
	R(E1000_STATUS) = up ? R(E1000_STATUS) | E1000_STATUS_LU : R(E1000_STATUS) & ~E1000_STATUS_LU;
	raise(E1000_ICR_LSC);
	transmit();
}

void fake_e1000_reset(bool is_82574, enum bh_device_irq kind)
{
	static const uint16_t address[3] = { 0x5452, 0x1200, 0x5634 };

	fake_nic_reset();
	memset(&fake_e1000, 0, sizeof(fake_e1000));
	fake_e1000.is_82574 = is_82574;
	fake_nic.access.irq_kind = kind;
	fake_nic.access.bar_bytes[0] = 0x20000;
	fake_nic.read = chip_read;
	fake_nic.write = chip_write;
	fake_e1000.phy[0] = 0x1140;
	memcpy(fake_e1000.eeprom, address, sizeof(address));
	R(E1000_RAL0) = 0x12005452;
	R(E1000_RAH0) = 0x80005634;
	R(E1000_STATUS) = 0x80000080 | E1000_STATUS_LU;
}
