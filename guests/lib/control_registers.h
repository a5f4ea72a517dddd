/* control_registers.h: bits of CR0, CR4 and EFER of a guest (SDM vol. 3, 2.2.1 and 2.5). */
#pragma once

#define CR0_PE	  (1ull << 0)
#define CR0_WP	  (1ull << 16)
#define CR0_NW	  (1ull << 29)
#define CR0_CD	  (1ull << 30)
#define CR0_PG	  (1ull << 31)
#define CR4_PSE	  (1ull << 4)
#define CR4_PAE	  (1ull << 5)
#define CR4_LA57  (1ull << 12)
#define CR4_PCIDE (1ull << 17)
#define EFER_LME  (1ull << 8)
#define EFER_LMA  (1ull << 10)
#define EFER_NXE  (1ull << 11)
