# The Linux guest: Debian's cloud kernel as it is, and a small initramfs with busybox.

L := $(B)/guests/linux

LINUX_MODULES := virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover \
	virtio_net llc stp garp mrp 8021q
# Only for the native reference of tests/bench.
LINUX_BENCH_MODULES := veth
LINUX_TOOLS := breakpoint-race clock-check code-change net-crowd net-pour net-raw port-bench port-write \
	vector-check

# Taken from the archive once; `make clean` keeps what was downloaded.
$(L)/vmlinuz $(LINUX_MODULES:%=$(L)/modules/%.ko) $(LINUX_BENCH_MODULES:%=$(L)/modules/%.ko) &: \
		guests/linux/fetch-kernel guests/linux/linux.mk
	@mkdir -p $(L)/modules
	guests/linux/fetch-kernel $(L)/vmlinuz $(L)/modules $(LINUX_MODULES) $(LINUX_BENCH_MODULES)

$(L)/tools/%: guests/linux/tools/%.c $(wildcard guests/linux/tools/*.h)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 $(WARN) -static -nostdlib -ffreestanding -fno-stack-protector \
		-fno-tree-loop-distribute-patterns -fno-pie -no-pie -fcf-protection=none -s -Wl,--build-id=none -o $@ $<

$(L)/initramfs.img: guests/linux/make-initramfs guests/linux/init $(wildcard guests/linux/network/*) \
		$(LINUX_TOOLS:%=$(L)/tools/%) $(LINUX_MODULES:%=$(L)/modules/%.ko)
	guests/linux/make-initramfs $@ $(filter-out %/make-initramfs,$^)

$(B)/bench/initramfs.img: guests/linux/make-initramfs guests/linux/init $(LINUX_TOOLS:%=$(L)/tools/%) \
		$(LINUX_BENCH_MODULES:%=$(L)/modules/%.ko)
	@mkdir -p $(@D)
	guests/linux/make-initramfs $@ $(filter-out %/make-initramfs,$^)

# The native reference for network cards: a kernel that has their drivers, 70 MB of the archive.
LINUX_CARD_MODULES := e1000e
$(B)/bench/vmlinuz $(LINUX_CARD_MODULES:%=$(B)/bench/modules/%.ko) &: guests/linux/fetch-kernel guests/linux/linux.mk
	@mkdir -p $(B)/bench/modules
	guests/linux/fetch-kernel --all-drivers $(B)/bench/vmlinuz $(B)/bench/modules $(LINUX_CARD_MODULES)

$(B)/bench/card.img: guests/linux/make-initramfs guests/linux/init $(LINUX_TOOLS:%=$(L)/tools/%) \
		$(LINUX_CARD_MODULES:%=$(B)/bench/modules/%.ko)
	@mkdir -p $(@D)
	guests/linux/make-initramfs $@ $(filter-out %/make-initramfs,$^)

ALL += $(L)/vmlinuz $(L)/initramfs.img
