# boot.mk: the UEFI loader, the configuration's checker, disk images. Included by the top-level Makefile.

B ?= build

# Parsers that the loader, the host and the fuzzers share.
BOOT_CONFIG := $(addprefix boot/,config.c config_section.c config_keys.c config_values.c config_path.c config_grants.c \
	config_device.c config_network.c config_ports.c config_console.c config_network_check.c config_check.c \
	config_report.c config_files.c config_machine.c text.c) guests/lib/bh_format.c
BOOT_LOADER := $(BOOT_CONFIG) $(addprefix boot/,elf.c main.c firmware.c volume.c load.c discover.c memory_map.c \
	identity.c acpi.c dmar.c ivrs.c pci_scan.c pci_boot.c tsc.c region.c region_build.c enter.S) guests/lib/bh_string.c \
	$(addprefix arch/x86_64/,paging.c paging_formats.c pci_config.c)

EFI_CRT     := /usr/lib/crt0-efi-x86_64.o
EFI_LIBRARY := /usr/lib/libgnuefi.a
EFI_SCRIPT  := /usr/lib/elf_x86_64_efi.lds

# Firmware's functions take the Microsoft calling convention, declared so by gnu-efi's headers; no call of ours does.
EFI_CPPFLAGS := -I. -Iboot -Iarch/x86_64 -Ikernel -Iguests/include -isystem /usr/include/efi -isystem /usr/include/efi/x86_64 \
	-DGNU_EFI_USE_MS_ABI
EFI_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fpic -fshort-wchar -mno-red-zone -mgeneral-regs-only \
	-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fvisibility=hidden \
	-fno-tree-loop-distribute-patterns -Wall -Wextra -Werror

BOOT_OBJECTS := $(BOOT_LOADER:%=$(B)/boot/obj/%.o)

$(B)/boot/obj/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(EFI_CPPFLAGS) $(EFI_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/boot/obj/%.S.o: %.S
	@mkdir -p $(@D)
	$(CC) -g -MMD -MP -c -o $@ $<

$(B)/boot/loader.so: $(BOOT_OBJECTS)
	ld -nostdlib -znocombreloc -shared -Bsymbolic --no-undefined -znoexecstack -T $(EFI_SCRIPT) $(EFI_CRT) $^ \
		$(EFI_LIBRARY) -o $@

$(B)/boot/BOOTX64.EFI: $(B)/boot/loader.so
	objcopy -j .text -j .sdata -j .data -j .dynamic -j .dynsym -j .rel -j .rela -j '.rel.*' -j '.rela.*' \
		-j .reloc --target=efi-app-x86_64 $< $@

-include $(BOOT_OBJECTS:%.o=%.d)

$(B)/boot/check: boot/check.c boot/elf.c $(BOOT_CONFIG) $(wildcard boot/*.h guests/include/bulkhead/*.h)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g -Wall -Wextra -Werror -I. -Iguests/include -o $@ $(filter %.c,$^)

BOOT_VOLUME := $(B)/boot/BOOTX64.EFI $(B)/kernel/kernel.elf $(B)/guests/monitor.elf $(B)/guests/console.elf \
	$(B)/guests/net.elf

.PHONY: check image
check: $(B)/boot/check
	@$(B)/boot/check $(CONF)

# FORCE=1 makes an image of a configuration with errors too, to see what the machine says of them.
image: $(B)/boot/check $(BOOT_VOLUME)
	@$(PYTHON) boot/image.py $(if $(FORCE),--force) --build $(B) $(CONF) $(IMG)
