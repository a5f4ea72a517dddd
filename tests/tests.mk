# Tests. `make test` runs everything and ends with the sum; the parts are unit, fuzz, lint and system.

T := $(B)/tests
FUZZ_SECONDS ?= 60
MACHINES ?= all
TESTS ?=

# A line of a list is "NAME: source..."; here it becomes "NAME:source:source". UNIT="a b" builds only these.
list_of = $(shell sed -e 's/\#.*//' -e 's/: */:/' -e 's/ *$$//' -e 's/  */:/g' $(1) 2>/dev/null)
words_of = $(subst :, ,$(1))
UNIT_LIST := $(call list_of,tests/unit/tests.list)
FUZZ_LIST := $(call list_of,tests/fuzz/fuzz.list)
UNIT ?= $(foreach line,$(UNIT_LIST),$(firstword $(call words_of,$(line))))
FUZZ ?= $(foreach line,$(FUZZ_LIST),$(firstword $(call words_of,$(line))))

HOST_FLAGS := -std=gnu11 -g -O1 -fno-omit-frame-pointer $(WARN) $(INCLUDE) -Iguests/lib -Iguests/monitor \
	-DHOST_TEST -MMD -MP

define unit_rule
$(T)/unit/$(1): $(2)
	@mkdir -p $$(@D)
	$(CC) $(HOST_FLAGS) -fsanitize=address,undefined -fno-sanitize-recover=all -MF $$@.d \
		-o $$@ $(2) -lcmocka
-include $(T)/unit/$(1).d
endef

define fuzz_rule
$(T)/fuzz/$(1): $(2)
	@mkdir -p $$(@D)
	$(CLANG) $(HOST_FLAGS) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -MF $$@.d \
		-o $$@ $(2)
-include $(T)/fuzz/$(1).d
endef

$(foreach line,$(UNIT_LIST),$(eval $(call unit_rule,$(firstword $(call words_of,$(line))),\
	tests/unit/test_$(firstword $(call words_of,$(line))).c $(wordlist 2,199,$(call words_of,$(line))))))
$(foreach line,$(FUZZ_LIST),$(eval $(call fuzz_rule,$(firstword $(call words_of,$(line))),\
	tests/fuzz/fuzz_$(firstword $(call words_of,$(line))).c $(wordlist 2,199,$(call words_of,$(line))))))

# The network API on a fake machine, for the Python tests.
API_SERVER := tests/unit/api_server.c tests/unit/fake_view.c $(wildcard $(addprefix guests/console/,http/*.c users/*.c api/*.c)) \
	guests/console/api/openapi.S guests/lib/bh_format.c guests/lib/bh_string.c

$(T)/unit/api_server: $(API_SERVER) guests/console/api/openapi.json
	@mkdir -p $(@D)
	$(CC) $(HOST_FLAGS) -fsanitize=address,undefined -fno-sanitize-recover=all -MF $@.d -o $@ $(API_SERVER)
-include $(T)/unit/api_server.d

# What Prometheus thinks of /metrics: the tool alone, of a package that would install a server.
$(T)/promtool: .ci/apt-private
	@mkdir -p $(@D)
	.ci/apt-private deb $(B)/download prometheus
	dpkg-deb --fsys-tarfile $(B)/download/prometheus_*.deb | tar -x -O ./usr/bin/promtool >$@
	chmod 755 $@

# The same with the page, for a browser.
include guests/console/page/page.mk
PAGE_SERVER := tests/unit/page_server.c $(PAGE_SOURCES) $(filter-out tests/unit/api_server.c,$(API_SERVER))

$(T)/unit/page_server: $(PAGE_SERVER) guests/console/api/openapi.json
	@mkdir -p $(@D)
	$(CC) $(HOST_FLAGS) -fsanitize=address,undefined -fno-sanitize-recover=all -MF $@.d -o $@ $(PAGE_SERVER)
-include $(T)/unit/page_server.d

.PHONY: unit fuzz lint system unit-programs fuzz-programs

# The Python tests of the parser use its host tool, those of the API and the page a server of it.
unit-programs: $(UNIT:%=$(T)/unit/%) $(B)/boot/check $(T)/unit/api_server $(T)/unit/page_server $(T)/promtool
fuzz-programs: $(FUZZ:%=$(T)/fuzz/%)

lint:
	$(PYTHON) tests/suite.py lint

unit: unit-programs
	$(PYTHON) tests/suite.py lint unit $(UNIT:%=$(T)/unit/%)

fuzz: fuzz-programs
	$(PYTHON) tests/suite.py fuzz --seconds $(FUZZ_SECONDS) $(FUZZ:%=$(T)/fuzz/%)

system: all demo $(T)/promtool
	$(PYTHON) tests/suite.py system --machines "$(MACHINES)" $(TESTS)

# The parts one after the other, whatever comes of each; the sum decides.
test: all demo unit-programs fuzz-programs
	$(PYTHON) tests/suite.py all --seconds $(FUZZ_SECONDS) --machines "$(MACHINES)" \
		--unit "$(UNIT:%=$(T)/unit/%)" --fuzz "$(FUZZ:%=$(T)/fuzz/%)" $(TESTS)

# For QEMU: counts what each CPU executes.
$(B)/bench/count-instructions.so: tests/bench/count_instructions.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 $(WARN) -shared -fPIC -o $@ $<

# For the console: who asks (wrk), and who answers natively.
$(B)/bench/host/usr/bin/wrk: .ci/unpack-debs
	@mkdir -p $(B)/bench
	.ci/unpack-debs $(B)/bench/host wrk libluajit-5.1-2 libssl3
	touch $@

$(B)/bench/nginx.img: $(B)/bench/card.img .ci/unpack-debs $(wildcard tests/bench/nginx/*)
	tests/bench/nginx/make-image $@ $(B)/bench/card.img

BENCH_QEMU := $(B)/bench/count-instructions.so $(B)/bench/initramfs.img $(B)/bench/card.img $(B)/bench/vmlinuz \
	$(B)/bench/host/usr/bin/wrk $(B)/bench/nginx.img
bench: all demo $(if $(filter qemu,$(MACHINE)),$(BENCH_QEMU))
	$(PYTHON) tests/bench/bench.py --machine $(or $(MACHINE),bochs)


# Firmware that locks VT-x off, for a test of what the kernel says then.
$(T)/lock_vmx.efi: tests/system/lock_vmx.c
	@mkdir -p $(@D)
	$(CC) -isystem /usr/include/efi -isystem /usr/include/efi/x86_64 $(EFI_CFLAGS) -c -o $(T)/lock_vmx.o $<
	ld -nostdlib -znocombreloc -shared -Bsymbolic --no-undefined -znoexecstack -T $(EFI_SCRIPT) $(EFI_CRT) \
		$(T)/lock_vmx.o /usr/lib/libefi.a $(EFI_LIBRARY) -o $(T)/lock_vmx.so
	objcopy -j .text -j .sdata -j .data -j .dynamic -j .dynsym -j .rel -j .rela -j '.rel.*' -j '.rela.*' \
		-j .reloc --target=efi-app-x86_64 $(T)/lock_vmx.so $@

ALL += $(T)/lock_vmx.efi
