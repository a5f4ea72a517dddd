# console.mk: the console with lwIP and mbedTLS. Included by guests/guests.mk.

CONSOLE := guests/console
LWIP := $(B)/src/lwip/src
MBEDTLS := $(B)/src/mbedtls

# Instead of a C library: a few headers (ip/libc) on guests/lib.
CONSOLE_FLAGS := -I$(CONSOLE)/ip -isystem $(CONSOLE)/ip/libc -isystem $(LWIP)/include -isystem $(MBEDTLS)/include \
	-DMBEDTLS_CONFIG_FILE='"guests/console/tls/mbedtls_config.h"'

LWIP_SOURCES := $(addprefix $(LWIP)/core/,def.c inet_chksum.c init.c ip.c mem.c memp.c netif.c pbuf.c stats.c tcp.c tcp_in.c \
	tcp_out.c timeouts.c udp.c) \
	$(addprefix $(LWIP)/core/ipv4/,dhcp.c etharp.c icmp.c ip4.c ip4_addr.c ip4_frag.c) \
	$(addprefix $(LWIP)/core/ipv6/,ethip6.c icmp6.c ip6.c ip6_addr.c ip6_frag.c mld6.c nd6.c) \
	$(LWIP)/netif/ethernet.c

MBEDTLS_SOURCES := $(addprefix $(MBEDTLS)/library/,aes.c asn1parse.c asn1write.c bignum.c chacha20.c chachapoly.c cipher.c \
	cipher_wrap.c constant_time.c ctr_drbg.c ecdh.c ecdsa.c ecp.c ecp_curves.c entropy.c entropy_poll.c gcm.c hmac_drbg.c \
	md.c memory_buffer_alloc.c oid.c pk.c pk_wrap.c pkparse.c pkwrite.c platform.c platform_util.c poly1305.c rsa.c \
	rsa_internal.c sha256.c sha512.c \
	ssl_ciphersuites.c ssl_msg.c ssl_srv.c ssl_tls.c x509.c x509_create.c x509_crt.c x509write_crt.c)

include $(CONSOLE)/page/page.mk

# The configuration's parser.
CONSOLE_CONFIG := $(addprefix boot/,config.c config_section.c config_keys.c config_values.c config_path.c config_grants.c \
	config_device.c config_network.c config_ports.c config_console.c config_network_check.c config_check.c \
	config_report.c text.c)

CONSOLE_SOURCES := $(CONSOLE_CONFIG) $(PAGE_SOURCES) $(wildcard $(addprefix $(CONSOLE)/,*.c ip/*.c tls/*.c http/*.c users/*.c api/*.c api/*.S))

# Not our code, so not our warnings.
$(B)/guests/obj/$(LWIP)/%.c.o: NATIVE_CFLAGS += -w -ffunction-sections -fdata-sections $(CONSOLE_FLAGS)
$(B)/guests/obj/$(MBEDTLS)/%.c.o: NATIVE_CFLAGS += -w -ffunction-sections -fdata-sections $(CONSOLE_FLAGS)
$(B)/guests/obj/$(CONSOLE)/%.c.o: NATIVE_CFLAGS += $(CONSOLE_FLAGS)

# What these headers say comes to the others' files through headers of theirs, which -MMD leaves out.
$(patsubst %,$(B)/guests/obj/%.o,$(LWIP_SOURCES) $(MBEDTLS_SOURCES) $(wildcard $(CONSOLE)/ip/*.c $(CONSOLE)/tls/*.c)): \
	$(CONSOLE)/console.mk $(wildcard $(addprefix $(CONSOLE)/,ip/lwip*.h ip/arch/*.h ip/libc/*.h tls/mbedtls*.h))

# What openapi.S holds.
$(B)/guests/obj/$(CONSOLE)/api/openapi.S.o: $(CONSOLE)/api/openapi.json

# What nobody calls stays out.
$(B)/guests/console.elf: NATIVE_LDFLAGS += -Wl,--gc-sections

$(eval $(call native_program,console,$(CONSOLE_SOURCES) $(LWIP_SOURCES) $(MBEDTLS_SOURCES)))
