# Bulkhead: `make help` lists what can be asked for.
#
# Each folder's own rules are in its .mk file. Everything generated goes to build/.

B := build
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules -j$(shell nproc)
.SUFFIXES:

CC      := gcc
CLANG   := clang
PYTHON  := /usr/bin/python3
INCLUDE := -I. -Ikernel -Iarch/x86_64 -Iguests/include
WARN    := -Wall -Wextra -Werror

# Empty: the best that this host has.
MACHINE ?=
CONF    ?= $(B)/demo/bulkhead.conf
IMG     ?= $(B)/bulkhead.img
SERIAL  ?= stdio
# The network card of `make run`: empty for the emulator's usual one, a model, or none; and who reaches guests through it.
NIC     ?=
FORWARD ?=
# The port of this host that leads to the machine's console; 0: none. If it is taken, another one.
HTTPS   ?= 8443

.DEFAULT_GOAL := all
.PHONY: all help deps sources clean run image check test bench

# Goals that need nothing installed.
BARE_GOALS := help deps clean

# Every other goal first gets what is missing: make runs .ci/deps for this file, then starts afresh, so
# that rules may look at the sources that it unpacked.
ifneq ($(filter-out $(BARE_GOALS),$(or $(MAKECMDGOALS),all)),)
include $(B)/deps.mk
endif

$(B)/deps.mk: .ci/deps
	@mkdir -p $(@D)
	@.ci/deps
	@echo '# made by .ci/deps' > $@

deps:
	@mkdir -p $(B)
	@.ci/deps
	@echo '# made by .ci/deps' > $(B)/deps.mk

-include boot/boot.mk
-include kernel/kernel.mk
-include guests/guests.mk
-include guests/linux/linux.mk
-include tests/tests.mk

# What a machine is started from. The .mk files above may add to it.
ALL += $(B)/boot/BOOTX64.EFI $(B)/kernel/kernel.elf $(B)/guests/monitor.elf $(B)/guests/console.elf

all: $(ALL)

# The demo: its configuration and the files that it names, in one folder.
DEMO_FILES := $(L)/vmlinuz $(L)/initramfs.img $(patsubst %,$(B)/guests/%.elf,hello ping pong measure)

.PHONY: demo
demo: $(B)/demo/bulkhead.conf

$(B)/demo/bulkhead.conf: boot/demo.conf $(DEMO_FILES)
	@mkdir -p $(@D)
	cp -u $(DEMO_FILES) $(@D)/
	cp $< $@

# Without a CONF of one's own these work on the demo's.
image check: $(if $(filter file,$(origin CONF)),demo)

run: all demo
	@$(PYTHON) boot/run.py --machine "$(MACHINE)" --conf $(CONF) --serial $(SERIAL) \
		--nic "$(NIC)" --forward "$(FORWARD)" --https "$(HTTPS)"

help:
	@echo 'make                 builds the loader, the kernel, the services and the sample guests'
	@echo 'make deps            installs what is missing (Debian packages) and fetches sources that are built in'
	@echo 'make run             starts the demo: CONF=path SERIAL=stdio|tcp:PORT MACHINE=kvm|qemu|bochs'
	@echo '                     (without MACHINE the best that this host has)'
	@echo '                     NIC=e1000|e1000e|virtio-net-pci|none FORWARD=8080:10.0.2.16:80,... (this host to guests)'
	@echo '                     HTTPS=8443 (the port of this host that leads to the console)'
	@echo 'make image           makes a bootable disk image: CONF=path IMG=path'
	@echo 'make check           says what is wrong with a configuration: CONF=path'
	@echo 'make test            all tests: unit, fuzz, system'
	@echo 'make unit            unit tests on the host, and the checks of the source tree'
	@echo 'make fuzz            fuzz targets, FUZZ_SECONDS=60 in total'
	@echo 'make system          whole machines: MACHINES="bochs qemu" TESTS="test_demo.py ..."'
	@echo 'make bench           measures, MACHINE=bochs|qemu; tables and build/bench/MACHINE.json'
	@echo 'make lint            headers compile alone, clang-format, lines of the kernel'
	@echo 'make clean           removes build/, except for what was fetched'

clean:
	@if [ -d $(B) ]; then find $(B) -mindepth 1 -maxdepth 1 ! -name apt ! -name src ! -name download -exec rm -rf {} +; fi
