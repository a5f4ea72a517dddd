# The Linux guest: Debian's cloud kernel as it is, and a small initramfs with busybox.

L := $(B)/guests/linux

# Taken from the archive once; `make clean` keeps what was downloaded.
$(L)/vmlinuz: guests/linux/fetch-kernel
	@mkdir -p $(@D)
	guests/linux/fetch-kernel $@

$(L)/tools/%: guests/linux/tools/%.c guests/linux/tools/program.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 $(WARN) -static -nostdlib -ffreestanding -fno-stack-protector \
		-fno-pie -no-pie -fcf-protection=none -s -Wl,--build-id=none -o $@ $<

$(L)/initramfs.img: guests/linux/make-initramfs guests/linux/init \
		$(addprefix $(L)/tools/,breakpoint-race clock-check code-change port-bench port-write)
	guests/linux/make-initramfs $@ $(filter-out %/make-initramfs,$^)

ALL += $(L)/vmlinuz $(L)/initramfs.img
