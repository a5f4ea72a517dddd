# guests.mk: native programs. Included by the top-level Makefile; B is the build folder.
#
# $(eval $(call native_program,NAME,SOURCES...)) makes $(B)/guests/NAME.elf from C and assembly sources.

B ?= build

NATIVE_CC ?= gcc
NATIVE_CPPFLAGS := -I. -Iguests/include -Iguests/lib
NATIVE_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only \
	-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
	-Wall -Wextra -Werror
NATIVE_LDFLAGS := -static -nostdlib -no-pie -Wl,-T,guests/lib/native.ld -Wl,-z,max-page-size=4096 \
	-Wl,--build-id=none -Wl,-z,noexecstack

# Where every packet passes, calls between files cost more than the work: these are optimized as a whole when they are
# linked. What the compiler itself calls stays outside of that.
NATIVE_WHOLE := -O3 -flto=auto -ffat-lto-objects
$(B)/guests/net.elf $(B)/guests/monitor.elf: NATIVE_LDFLAGS += $(NATIVE_WHOLE)
$(B)/guests/obj/guests/lib/%.c.o $(B)/guests/obj/guests/net/%.c.o $(B)/guests/obj/guests/monitor/%.c.o \
$(B)/guests/obj/drivers/%.c.o: NATIVE_CFLAGS += $(NATIVE_WHOLE)
$(B)/guests/obj/guests/lib/bh_string.c.o: NATIVE_CFLAGS += -fno-lto

NATIVE_LIB := $(B)/guests/libbh.a
NATIVE_CRT := $(B)/guests/obj/guests/lib/crt0.S.o
NATIVE_LIB_SOURCES := $(wildcard guests/lib/*.c)
NATIVE_PROGRAMS :=

$(B)/guests/obj/%.c.o: %.c
	@mkdir -p $(@D)
	$(NATIVE_CC) $(NATIVE_CPPFLAGS) $(NATIVE_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/guests/obj/%.S.o: %.S
	@mkdir -p $(@D)
	$(NATIVE_CC) $(NATIVE_CPPFLAGS) -g -MMD -MP -c -o $@ $<

$(NATIVE_LIB): $(NATIVE_LIB_SOURCES:%=$(B)/guests/obj/%.o)
	rm -f $@
	ar rcsD $@ $^

-include $(NATIVE_LIB_SOURCES:%=$(B)/guests/obj/%.d) $(B)/guests/obj/guests/lib/crt0.S.d

define native_program
NATIVE_PROGRAMS += $(B)/guests/$(1).elf
$(B)/guests/$(1).elf: $(foreach s,$(2),$(B)/guests/obj/$(s).o) $(NATIVE_CRT) $(NATIVE_LIB) guests/lib/native.ld
	@mkdir -p $$(@D)
	$(NATIVE_CC) $$(NATIVE_LDFLAGS) -o $$@ $(NATIVE_CRT) $(foreach s,$(2),$(B)/guests/obj/$(s).o) $(NATIVE_LIB)
-include $(foreach s,$(2),$(B)/guests/obj/$(s).d)
endef

$(eval $(call native_program,hello,guests/hello/hello.c))
$(eval $(call native_program,ping,guests/ping/ping.c))
$(eval $(call native_program,pong,guests/pong/pong.c))
$(eval $(call native_program,measure,guests/measure/measure.c))
$(eval $(call native_program,net,$(wildcard guests/net/*.c) $(wildcard $(addprefix drivers/,nic*.c e1000*.c virtio*.c))))

# Natives of the system tests: build/guests/tests/NAME.elf.
$(eval $(call native_program,tests/crash,guests/tests/crash.c))
$(eval $(call native_program,tests/fuzzer,guests/tests/fuzzer.c guests/tests/fuzzer_call.S))
$(eval $(call native_program,tests/forms,guests/tests/forms.c guests/tests/forms_code.S))
$(eval $(call native_program,tests/prober,guests/tests/prober.c))
$(eval $(call native_program,tests/spin,guests/tests/spin.c))
$(eval $(call native_program,tests/witness,guests/tests/witness.c))
$(eval $(call native_program,tests/keeper,guests/tests/keeper.c))
$(eval $(call native_program,tests/granted,guests/tests/granted.c))
$(eval $(call native_program,tests/wild,guests/tests/wild.c))
$(eval $(call native_program,tests/device,guests/tests/device.c))
$(eval $(call native_program,tests/receiver,guests/tests/receiver.c))

-include guests/console/console.mk
-include guests/monitor/monitor.mk

.PHONY: guests
guests: $(NATIVE_PROGRAMS)

ALL += $(NATIVE_PROGRAMS)
