#include "device.h"
#include "iommu/iommu.h"
#include "irq.h"
#include "partition.h"
#include "pci_device.h"
#include "vcpu.h"

static bool is_register(const struct pci_function *f, uint64_t offset, uint64_t bytes)
{
	return (bytes == 1 || bytes == 2 || bytes == 4) && offset % bytes == 0 && offset < pci_config_bytes(f->address);
}

static int64_t write(const struct pci_function *f, uint64_t offset, uint64_t bytes, uint64_t value)
{
	if (!is_register(f, offset, bytes) || value >> 8 * bytes)
		return -BH_EINVAL;
	if (!pci_may_write(f, (unsigned)offset, (unsigned)bytes))
		return -BH_EPERM;
	pci_write(f->address, (unsigned)offset, (unsigned)bytes, (uint32_t)value);
	return 0;
}

static int64_t stat(const struct device *device, uint64_t field, uint64_t index)
{
	if (index >= PCI_BARS)
		return -BH_EINVAL;
	switch (field) {
	case BH_DEVICE_ADDRESS: return device->pci->address;
	case BH_DEVICE_ID: return device->pci->id;
	case BH_DEVICE_CLASS: return device->pci->class_code;
	case BH_DEVICE_IRQS: return device->irqs;
	case BH_DEVICE_IRQ_KIND: return device->irq_kind;
	case BH_DEVICE_IOMMU: return iommu_present();
	case BH_DEVICE_BAR_ADDRESS: return (int64_t)device->address[index];
	case BH_DEVICE_BAR_BYTES: return device->address[index] ? (int64_t)device->pci->bar[index].bytes : 0;
	default: return -BH_EINVAL;
	}
}

static int64_t master(struct device *device, uint64_t on)
{
	if (on > 1)
		return -BH_EINVAL;
	spin_lock(&device->lock);
	pci_device_master(device->pci, on);
	spin_unlock(&device->lock);
	return 0;
}

/* With the lock held. INTx is masked when it comes, until it is bound again: irq.c. */
static bool bind(const struct device *device, unsigned index, struct vcpu *vcpu, unsigned bit)
{
	unsigned irq = device->irq + index;

	if (device->irq_kind == BH_DEVICE_IRQ_INTX) {
		pci_device_intx(device->pci);
		return irq_set_isa(irq, vcpu, bit);
	}
	irq_set(irq, vcpu, bit);
	return pci_device_message(device->pci, index, irq_vector(irq), vcpu->cpu);
}

static int64_t bind_irq(struct device *device, uint64_t index, uint64_t vcpu, uint64_t bit)
{
	struct partition *holder = device->holder;
	bool bound;

	if (!device->irqs)
		return -BH_ENOENT;
	if (index >= device->irqs || vcpu >= holder->vcpus || bit >= BH_EVENT_BITS)
		return -BH_EINVAL;
	spin_lock(&device->lock);
	bound = bind(device, (unsigned)index, holder->vcpu[vcpu], (unsigned)bit);
	spin_unlock(&device->lock);
	return bound ? 0 : -BH_ENOENT;
}

/* Where an IOMMU stands between, the device knows memory by the addresses of its holder. */
static int64_t dma(const struct partition *holder, uint64_t address)
{
	for (unsigned i = 0; i < holder->extents; i++) {
		const struct extent *extent = &holder->extent[i];

		if (address >= extent->address && address - extent->address < extent->bytes)
			return (int64_t)(iommu_present() ? address : address - extent->address + extent->physical);
	}
	return -BH_EINVAL;
}

int64_t device_call(uint64_t number, struct device *device, uint64_t b, uint64_t c, uint64_t d)
{
	switch (number) {
	case BH_DEVICE_READ:
		if (!is_register(device->pci, b, c))
			return -BH_EINVAL;
		return pci_read(device->pci->address, (unsigned)b, (unsigned)c);
	case BH_DEVICE_WRITE: return write(device->pci, b, c, d);
	case BH_DEVICE_STAT: return stat(device, b, c);
	case BH_DEVICE_MASTER: return master(device, b);
	case BH_DEVICE_IRQ_BIND: return bind_irq(device, b, c, d);
	default: return dma(device->holder, b);
	}
}
