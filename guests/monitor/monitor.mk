# monitor.mk: the monitor. Included by guests/guests.mk.

MONITOR := guests/monitor
ZYDIS := $(B)/src/zydis
ZYCORE := $(B)/src/zycore

# The decoder alone, with no C library, no operands and no text: all that decode.c needs.
ZYDIS_FLAGS := -DZYDIS_STATIC_BUILD -DZYCORE_STATIC_BUILD -DZYAN_NO_LIBC -DZYDIS_MINIMAL_MODE \
	-DZYDIS_DISABLE_FORMATTER -DZYDIS_DISABLE_ENCODER -DZYDIS_DISABLE_AVX512 -DZYDIS_DISABLE_KNC \
	-isystem $(ZYDIS)/include -isystem $(ZYDIS)/src -isystem $(ZYCORE)/include
ZYDIS_SOURCES := $(foreach s,Decoder DecoderData SharedData,$(ZYDIS)/src/$(s).c)

MONITOR_SOURCES := $(wildcard $(MONITOR)/*.c)

# Not our code, so not our warnings.
$(B)/guests/obj/$(ZYDIS)/%.c.o: NATIVE_CFLAGS += -w $(ZYDIS_FLAGS)
$(B)/guests/obj/$(MONITOR)/decode.c.o: NATIVE_CFLAGS += $(ZYDIS_FLAGS)

# dsdt.asl as bytes in C. iasl's remarks are shown only when it refuses.
$(B)/guests/monitor/dsdt.aml: $(MONITOR)/dsdt.asl
	@mkdir -p $(@D)
	iasl -vs -we -p $(@:.aml=) $< > $(@:.aml=.log) 2>&1 || { cat $(@:.aml=.log); exit 1; }

$(B)/guests/monitor/dsdt.c: $(B)/guests/monitor/dsdt.aml
	@{ echo '#include "guests/monitor/acpi.h"'; echo 'const unsigned char acpi_dsdt[] = {'; \
	od -An -v -tx1 $< | sed 's/ \(..\)/0x\1,/g'; echo '};'; \
	echo 'const unsigned acpi_dsdt_bytes = sizeof(acpi_dsdt);'; } > $@

$(eval $(call native_program,monitor,$(MONITOR_SOURCES) $(ZYDIS_SOURCES) $(B)/guests/monitor/dsdt.c))

# For tests on the host: the decoder with Zydis, which the tests' own rules know nothing of.
MONITOR_HOST := $(B)/guests/host
MONITOR_HOST_CFLAGS := -std=gnu11 -g -O1 -DHOST_TEST -I. -Iguests/include -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer

$(MONITOR_HOST)/decode.o: $(MONITOR)/decode.c $(MONITOR)/decode.h
	@mkdir -p $(@D)
	$(NATIVE_CC) $(MONITOR_HOST_CFLAGS) -Wall -Wextra -Werror $(ZYDIS_FLAGS) -c -o $@ $<

$(MONITOR_HOST)/zydis-%.o: $(ZYDIS)/src/%.c
	@mkdir -p $(@D)
	$(NATIVE_CC) $(MONITOR_HOST_CFLAGS) -w $(ZYDIS_FLAGS) -c -o $@ $<

$(MONITOR_HOST)/libdecode.a: $(foreach s,decode zydis-Decoder zydis-DecoderData zydis-SharedData,$(MONITOR_HOST)/$(s).o)
	rm -f $@
	ar rcsD $@ $^
