# console.mk: the console with lwIP and mbedTLS. Included by guests/guests.mk.

CONSOLE := guests/console
LWIP := $(B)/src/lwip/src
MBEDTLS := $(B)/src/mbedtls

# Instead of a C library: a few headers (ip/libc) on guests/lib.
CONSOLE_FLAGS := -I$(CONSOLE)/ip -isystem $(CONSOLE)/ip/libc -isystem $(LWIP)/include -isystem $(MBEDTLS)/include

LWIP_SOURCES := $(addprefix $(LWIP)/core/,def.c inet_chksum.c init.c ip.c mem.c memp.c netif.c pbuf.c tcp.c tcp_in.c \
	tcp_out.c timeouts.c udp.c) \
	$(addprefix $(LWIP)/core/ipv4/,dhcp.c etharp.c icmp.c ip4.c ip4_addr.c ip4_frag.c) \
	$(addprefix $(LWIP)/core/ipv6/,ethip6.c icmp6.c ip6.c ip6_addr.c ip6_frag.c mld6.c nd6.c) \
	$(LWIP)/netif/ethernet.c $(LWIP)/apps/sntp/sntp.c

CONSOLE_SOURCES := $(wildcard $(CONSOLE)/*.c $(CONSOLE)/ip/*.c $(CONSOLE)/tls/*.c)

# Not our code, so not our warnings.
$(B)/guests/obj/$(LWIP)/%.c.o: NATIVE_CFLAGS += -w -ffunction-sections -fdata-sections $(CONSOLE_FLAGS)
$(B)/guests/obj/$(CONSOLE)/%.c.o: NATIVE_CFLAGS += $(CONSOLE_FLAGS)

# What these headers say comes to the others' files through headers of theirs, which -MMD leaves out.
$(patsubst %,$(B)/guests/obj/%.o,$(LWIP_SOURCES) $(wildcard $(CONSOLE)/ip/*.c $(CONSOLE)/tls/*.c)): \
	$(CONSOLE)/console.mk $(wildcard $(addprefix $(CONSOLE)/,ip/lwip*.h ip/arch/*.h ip/libc/*.h tls/mbedtls*.h))

# What nobody calls stays out.
$(B)/guests/console.elf: NATIVE_LDFLAGS += -Wl,--gc-sections

$(eval $(call native_program,console,$(CONSOLE_SOURCES) $(LWIP_SOURCES)))
