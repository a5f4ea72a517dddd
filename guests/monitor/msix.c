/* msix.c: vectors and their masks. */
#include "msix.h"

#define CAPABILITY_ID	 0x11
#define CAPABILITY_BYTES 12
#define CONTROL		 2 /* message control, from the capability on */
#define TABLE		 4
#define PENDING		 8

#define CONTROL_ENABLE 0x8000u
#define CONTROL_MASK   0x4000u /* of the whole function */
#define ENTRY_MASK     0x1u

static uint32_t control(const struct msix *msix)
{
	return pci_function_get(msix->function, msix->capability + CONTROL, 2);
}

/* An MSI is a write to memory, so it takes a bus master. */
static void deliver(struct msix *msix, unsigned vector)
{
	const struct msix_entry *entry = &msix->entry[vector];

	if (control(msix) & CONTROL_MASK || entry->control & ENTRY_MASK || !pci_function_is_master(msix->function))
		return;
	msix->pending &= ~(1u << vector);
	/* A function sends edges: a guest that sets the bit for levels gets no BH_MSG_EOI that nobody wants. */
	msix->outside.msi(msix->outside.context, (uint64_t)entry->address_high << 32 | entry->address,
			  entry->data & ~BH_MSI_LEVEL);
}

void msix_raise(struct msix *msix, unsigned vector)
{
	if (vector >= msix->vectors || !msix_is_enabled(msix))
		return;
	msix->pending |= 1u << vector;
	deliver(msix, vector);
}

void msix_changed(struct msix *msix)
{
	if (!msix_is_enabled(msix))
		msix->pending = 0;
	for (unsigned vector = 0; msix->pending >> vector; vector++)
		if (msix->pending >> vector & 1)
			deliver(msix, vector);
}

static uint32_t *word_at(struct msix *msix, uint32_t offset) { return (uint32_t *)msix->entry + offset / 4; }

static bool in_table(const struct msix *msix, uint32_t offset, unsigned size)
{
	return (size == 4 || size == 8) && offset % size == 0 && offset < msix->vectors * sizeof(struct msix_entry);
}

uint64_t msix_read_table(const struct msix *msix, uint32_t offset, unsigned size)
{
	uint64_t value = 0;

	if (in_table(msix, offset, size))
		memcpy(&value, (const uint8_t *)msix->entry + offset, size);
	return value;
}

void msix_write_table(struct msix *msix, uint32_t offset, unsigned size, uint64_t value)
{
	if (!in_table(msix, offset, size))
		return;
	memcpy(word_at(msix, offset), &value, size);
	msix_changed(msix);
}

uint64_t msix_read_pending(const struct msix *msix, uint32_t offset)
{
	return offset < 8 ? (uint64_t)msix->pending >> offset * 8 : 0;
}

void msix_init(struct msix *msix, struct pci_function *function, unsigned vectors, unsigned bar, uint32_t table,
	       uint32_t pending, const struct msix_outside *outside)
{
	memset(msix, 0, sizeof(*msix));
	msix->outside = *outside;
	msix->function = function;
	msix->vectors = vectors;
	msix->capability = pci_function_add_capability(function, CAPABILITY_ID, CAPABILITY_BYTES);
	pci_function_set(function, msix->capability + CONTROL, 2, vectors - 1);
	pci_function_set_writable(function, msix->capability + CONTROL, 2, CONTROL_ENABLE | CONTROL_MASK);
	pci_function_set(function, msix->capability + TABLE, 4, table | bar);
	pci_function_set(function, msix->capability + PENDING, 4, pending | bar);
	for (unsigned i = 0; i < vectors; i++)
		msix->entry[i].control = ENTRY_MASK; /* as after a reset (6.8.2.9) */
}
