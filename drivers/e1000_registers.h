/*
 * e1000_registers.h: registers and descriptors of Intel's 82540EM and 82574L, by their manuals' names.
 * [8254x]: PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual, chapters 3 and 13.
 * [82574]: 82574 GbE Controller Family Datasheet, chapters 7 and 10.
 */
#pragma once

/* Offsets in BAR 0. All are 32 bits wide and are read and written as such. */
#define E1000_CTRL     0x00000u
#define E1000_STATUS   0x00008u
#define E1000_EERD     0x00014u
#define E1000_CTRL_EXT 0x00018u
#define E1000_MDIC     0x00020u
#define E1000_FCAL     0x00028u
#define E1000_FCAH     0x0002Cu
#define E1000_FCT      0x00030u
#define E1000_ICR      0x000C0u
#define E1000_ITR      0x000C4u
#define E1000_IMS      0x000D0u
#define E1000_IMC      0x000D8u
#define E1000_EIAC     0x000DCu /* 82574 */
#define E1000_IAM      0x000E0u /* 82574 */
#define E1000_IVAR     0x000E4u /* 82574 */
#define E1000_EITR0    0x000E8u /* 82574 */
#define E1000_RCTL     0x00100u
#define E1000_FCTTV    0x00170u
#define E1000_TCTL     0x00400u
#define E1000_TIPG     0x00410u
#define E1000_RDBAL    0x02800u
#define E1000_RDBAH    0x02804u
#define E1000_RDLEN    0x02808u
#define E1000_RDH      0x02810u
#define E1000_RDT      0x02818u
#define E1000_RDTR     0x02820u
#define E1000_RADV     0x0282Cu
#define E1000_TDBAL    0x03800u
#define E1000_TDBAH    0x03804u
#define E1000_TDLEN    0x03808u
#define E1000_TDH      0x03810u
#define E1000_TDT      0x03818u
#define E1000_TIDV     0x03820u
#define E1000_TXDCTL   0x03828u
#define E1000_MPC      0x04010u
#define E1000_RXCSUM   0x05000u
#define E1000_RFCTL    0x05008u /* 82574 */
#define E1000_MTA      0x05200u /* 128 of them */
#define E1000_RAL0     0x05400u
#define E1000_RAH0     0x05404u
#define E1000_MRQC     0x05818u /* 82574 */

#define E1000_BAR_BYTES 0x20000u

#define E1000_CTRL_LRST		      0x00000008u
#define E1000_CTRL_GIO_MASTER_DISABLE 0x00000004u /* 82574 */
#define E1000_CTRL_ASDE		      0x00000020u
#define E1000_CTRL_SLU		      0x00000040u
#define E1000_CTRL_ILOS		      0x00000080u
#define E1000_CTRL_FRCSPD	      0x00000800u
#define E1000_CTRL_FRCDPLX	      0x00001000u
#define E1000_CTRL_RFCE		      0x08000000u
#define E1000_CTRL_TFCE		      0x10000000u
#define E1000_CTRL_VME		      0x40000000u
#define E1000_CTRL_PHY_RST	      0x80000000u
#define E1000_CTRL_RST		      0x04000000u

#define E1000_STATUS_LU		       0x00000002u
#define E1000_STATUS_SPEED_SHIFT       6
#define E1000_STATUS_GIO_MASTER_ENABLE 0x00080000u /* 82574 */

/* [8254x] 13.4.7: a register of the PHY, which is number 1. */
#define E1000_MDIC_REG_SHIFT 16
#define E1000_MDIC_PHY_1     0x00200000u
#define E1000_MDIC_WRITE     0x04000000u
#define E1000_MDIC_READ	     0x08000000u
#define E1000_MDIC_READY     0x10000000u
#define E1000_MDIC_ERROR     0x40000000u

/* IEEE 802.3, 22.2.4.1: the PHY's register 0. */
#define E1000_PHY_CONTROL	    0u
#define E1000_PHY_CONTROL_RESTART   0x0200u
#define E1000_PHY_CONTROL_ISOLATE   0x0400u
#define E1000_PHY_CONTROL_POWER_OFF 0x0800u
#define E1000_PHY_CONTROL_AUTO	    0x1000u

/* The two chips lay EERD out differently ([8254x] 13.4.4; [82574], chapter 10). */
#define E1000_EERD_START      0x00000001u
#define E1000_EERD_DONE	      0x00000010u
#define E1000_EERD_ADDR_SHIFT 8
#define E1000_EERD_DONE_82574 0x00000002u
#define E1000_EERD_ADDR_82574 2
#define E1000_EERD_DATA_SHIFT 16

/* Interrupt causes: ICR, IMS, IMC. */
#define E1000_ICR_TXDW	 0x00000001u
#define E1000_ICR_LSC	 0x00000004u
#define E1000_ICR_RXDMT0 0x00000010u
#define E1000_ICR_RXO	 0x00000040u
#define E1000_ICR_RXT0	 0x00000080u
#define E1000_ICR_RXQ0	 0x00100000u /* 82574 with MSI-X: in place of RXT0 and TXDW, and for all others */
#define E1000_ICR_TXQ0	 0x00400000u
#define E1000_ICR_OTHER	 0x01000000u

/* IVAR of the 82574: each of RXQ0, TXQ0 and OTHER has a vector, 0 here, and a bit that it is valid. */
#define E1000_IVAR_ALL_TO_0 0x00080808u

#define E1000_RCTL_EN	 0x00000002u
#define E1000_RCTL_UPE	 0x00000008u
#define E1000_RCTL_MPE	 0x00000010u
#define E1000_RCTL_LPE	 0x00000020u
#define E1000_RCTL_BAM	 0x00008000u
#define E1000_RCTL_SECRC 0x04000000u /* BSIZE and BSEX are 0: 2048 bytes */

#define E1000_TCTL_EN	     0x00000002u
#define E1000_TCTL_PSP	     0x00000008u
#define E1000_TCTL_CT	     0x000000F0u /* 15, as [8254x] 14.5 wants it */
#define E1000_TCTL_COLD	     0x00040000u /* 64 byte times: full duplex */
#define E1000_TCTL_RTLC	     0x01000000u
#define E1000_TIPG_COPPER    0x0060200Au /* IPGT 10, IPGR1 8, IPGR2 6: [8254x] table 13-77 */
#define E1000_TXDCTL_WTHRESH 0x00010000u /* 1 */
#define E1000_TXDCTL_COUNT   0x00400000u /* bit 22, as Intel's own drivers set it */
#define E1000_TXDCTL_GRAN    0x01000000u

#define E1000_RFCTL_LEGACY 0x000010C1u /* EXTEN is 0; no iSCSI, NFS and ACK filters */
#define E1000_RAH_AV	   0x80000000u

/*
 * Legacy descriptors, [8254x] 3.2.3 and 3.3.3: 16 bytes, here as two words of 64 bits. The first is the buffer's
 * address, the second is, from bit 0:
 * received: length (16), checksum (16), status (8), errors (8), VLAN tag (16);
 * to send: length (16), CSO (8), command (8), status (4), reserved (4), CSS (8), VLAN tag (16).
 */
#define E1000_RXD_DD	 (1ull << 32)
#define E1000_RXD_EOP	 (1ull << 33)
#define E1000_RXD_ERRORS (0x97ull << 40) /* CE, SE, SEQ, CXE, RXE; those of IP's and TCP's checksums are not ours */
#define E1000_TXD_EOP	 (1ull << 24)
#define E1000_TXD_IFCS	 (1ull << 25)
#define E1000_TXD_RS	 (1ull << 27)
#define E1000_TXD_DD	 (1ull << 32)
