# kernel.mk: the kernel's image. Included by the top-level Makefile; B is the build folder.

B ?= build
CC ?= gcc

KERNEL_SOURCES ?= $(wildcard kernel/*.c arch/x86_64/*.c arch/x86_64/*.S arch/x86_64/*/*.c arch/x86_64/*/*.S) \
	drivers/uart.c drivers/fbtext.c drivers/font.c boot/boot_table.c boot/config_classes.c boot/region.c boot/config_machine.c boot/config_record.c boot/config_files.c boot/config_report.c boot/text.c \
	guests/lib/bh_format.c guests/lib/bh_string.c guests/lib/guest_paging.c
KERNEL_OBJECTS := $(KERNEL_SOURCES:%=$(B)/kernel/obj/%.o)

KERNEL_CPPFLAGS := -I. -Ikernel -Iarch/x86_64 -Iguests/include
KERNEL_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fno-pic -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -Wall -Wextra -Werror
KERNEL_LDFLAGS := -static -nostdlib -no-pie -Wl,-T,linker.ld -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
	-Wl,--build-id=none -Wl,--fatal-warnings

$(B)/kernel/kernel.elf: $(KERNEL_OBJECTS) linker.ld
	@mkdir -p $(@D)
	$(CC) $(KERNEL_LDFLAGS) -o $@ $(KERNEL_OBJECTS)

$(B)/kernel/obj/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CPPFLAGS) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/kernel/obj/%.S.o: %.S
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CPPFLAGS) -g -MMD -MP -c -o $@ $<

-include $(KERNEL_OBJECTS:.o=.d)
