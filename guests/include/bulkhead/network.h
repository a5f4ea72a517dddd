/*
 * network.h: networks, as the net service, the monitors and the console share them: the configuration's records, the
 * content of a port's channel, and the content of the channel "network" between the net service and the console.
 *
 * The kernel copies the records and looks into none of the channels.
 */
#pragma once
#include <stdint.h>
#include "abi.h"

/* ---- the configuration's records: at BH_GPA_SERVICE of the net service and of the monitors ------- */

#define BH_NETWORKS	   8
#define BH_PORTS	   32 /* of guests and the console, on all networks together */
#define BH_PORTS_PER_GUEST 4
#define BH_QUEUE_PAIRS_MAX 4
#define BH_MTU_USUAL	   1500
#define BH_MTU_MAX	   9000
#define BH_VLAN_MAX	   4094

struct bh_network {
	char name[BH_NAME_BYTES]; /* the handle of its NIC has this name as well (type DEVICE) */
	uint32_t uplink;	  /* 1: a NIC is configured, 0: isolated */
	uint32_t mtu;		  /* 576..BH_MTU_MAX */
	uint32_t broadcasts;	  /* frames to many that a port may send in a second; 0: no limit */
	uint32_t line;		  /* of bulkhead.conf */
};
_Static_assert(sizeof(struct bh_network) == 48, "ABI");

#define BH_PORT_TRUSTED 0x1u /* may send from any address */
#define BH_PORT_TRUNK	0x2u /* frames come and go with their VLAN tags, of all VLANs */

struct bh_port {
	char name[BH_NAME_BYTES]; /* GUEST.0 to GUEST.3, or BH_CONSOLE_PORT: the channel's name at both ends */
	uint32_t partition;	  /* the guest: index in the configuration; BH_PORT_OF_CONSOLE: the console's */
	uint32_t network;	  /* index in network[] */
	uint8_t mac[6];
	uint8_t flags;	/* BH_PORT_* */
	uint8_t queues; /* 1..BH_QUEUE_PAIRS_MAX */
	uint16_t vlan;	/* 1..BH_VLAN_MAX: the port's frames belong to it and carry no tag at the port. 0: none */
	uint16_t mtu;	/* its network's */
	uint32_t line;
	uint64_t rate;	/* bytes a second that it may send; 0: no limit */
	uint64_t burst; /* bytes that it may send at once beyond that */
};
_Static_assert(sizeof(struct bh_port) == 72, "ABI");

#define BH_CONSOLE_PORT	   "console.0" /* the name of the console's port, if it has one */
#define BH_PORT_OF_CONSOLE 32u	       /* in bh_port.partition: behind all that a configuration may name */

/* How the console is reached at its port. Addresses are in the order of the network. */
struct bh_console_address {
	char hostname[BH_NAME_BYTES]; /* for DHCP and the certificate */
	uint8_t address[4];	      /* all 0: from DHCP */
	uint8_t gateway[4];	      /* all 0: none */
	uint8_t address6[16];	      /* beside those that follow from routers' advertisements */
	uint8_t prefix, prefix6;      /* bits; prefix6 0: no address6 */
	uint8_t pad[6];
	uint8_t time_server[16]; /* IPv6's, or IPv4's behind ::ffff (RFC 4291, 2.5.5.2); all 0: the one that DHCP tells
				  */
};
_Static_assert(sizeof(struct bh_console_address) == 80, "ABI");

/* Files for the console that [machine] names. Who was there is an image of that name, granted to the console. */
enum { BH_FILE_TOKENS, BH_FILE_CERTIFICATE, BH_FILE_KEY, BH_CONSOLE_FILES };

struct bh_console_file {
	char name[BH_NAME_BYTES]; /* its key: "tokens", "certificate", "key" */
	char path[128];		  /* empty: none is named */
	uint32_t line;		  /* of bulkhead.conf */
	uint32_t failed;	  /* 1: it is not there, or cannot be read */
};
_Static_assert(sizeof(struct bh_console_file) == 168, "ABI");

/* A monitor gets the ports of its own guest only, and all networks. */
struct bh_network_records {
	uint32_t networks, ports;
	struct bh_network network[BH_NETWORKS];
	struct bh_port port[BH_PORTS];
	struct bh_console_address console;	       /* the console and the net service only */
	struct bh_console_file file[BH_CONSOLE_FILES]; /* the console only */
};
_Static_assert(sizeof(struct bh_network_records) <= BH_SERVICE_BYTES, "ABI");

/* ---- a port's channel: monitor (or console) and net service --------------------------------------- */

/*
 * Two rings of frames, one each way. Positions count bytes and only grow (modulo 2^32); the byte at position p stands
 * at data[p % BH_FRAMES_BYTES], so a record may wrap around. A record is a struct bh_frame, `bytes` of frame
 * (Ethernet, no FCS), and padding to a multiple of 16. Each end owns its side's words and checks the other's each
 * time. An end that starts goes on at the positions that it finds: the channel outlives both ends. Who finds
 * `written - read` larger than the ring, or a record that cannot be, drops all that is there (read = written).
 */
#define BH_FRAMES_BYTES	 0x40000u
#define BH_FRAME_MAX	 65568u /* 64 KiB and an Ethernet header with VLAN tags, rounded up */
#define BH_FRAME_MIN	 14u
#define BH_FRAME_PADDING 16u

/* bh_frame.flags, as in virtio 1.1, 5.1.6: the checksum from csum_start on is still to be done; it is known good. */
#define BH_FRAME_NEEDS_CHECKSUM 0x1u
#define BH_FRAME_CHECKSUM_GOOD	0x2u

/* bh_frame.gso_type, as virtio's. */
enum bh_gso { BH_GSO_NONE = 0, BH_GSO_TCPV4 = 1, BH_GSO_TCPV6 = 4 };
#define BH_GSO_ECN 0x80u /* or-ed to the type */

struct bh_frame {
	uint32_t bytes; /* BH_FRAME_MIN..BH_FRAME_MAX */
	uint8_t flags;
	uint8_t gso_type;
	uint16_t gso_size;     /* TCP payload of each segment */
	uint16_t header_bytes; /* Ethernet, IP and TCP; a hint */
	uint16_t csum_start;   /* from the frame's first byte */
	uint16_t csum_offset;  /* from csum_start */
	uint16_t reserved;
};
_Static_assert(sizeof(struct bh_frame) == 16, "ABI");

struct bh_frames_writer {
	_Atomic uint32_t written;
	_Atomic uint32_t waits; /* 1: signal me when there is room; the reader clears it */
	uint32_t pad[14];
};
struct bh_frames_reader {
	_Atomic uint32_t read;
	_Atomic uint32_t sleeps; /* 1: signal me when there is something; the writer clears it */
	uint32_t pad[14];
};

/* What a guest's driver takes, in `offloads`: partial checksums, and unsegmented TCP over IPv4 and IPv6. */
#define BH_OFFLOAD_CHECKSUM 0x1u
#define BH_OFFLOAD_TCPV4    0x2u
#define BH_OFFLOAD_TCPV6    0x4u

struct bh_port_channel {
	/* Written by the monitor. */
	struct bh_frames_writer out_writer; /* guest to network */
	struct bh_frames_reader in_reader;  /* network to guest */
	_Atomic uint32_t offloads;	    /* BH_OFFLOAD_* */
	_Atomic uint32_t driver;	    /* 1: a driver runs in the guest */
	uint32_t pad0[30];
	uint8_t pad1[2048 - 2 * 64 - 128];
	/* Written by the net service. */
	struct bh_frames_reader out_reader;
	struct bh_frames_writer in_writer;
	_Atomic uint32_t link; /* 1: up; the monitor is signalled when it changes */
	uint32_t pad2[31];
	uint8_t pad3[2048 - 2 * 64 - 128];
	uint8_t out[BH_FRAMES_BYTES];
	uint8_t in[BH_FRAMES_BYTES];
};
#define BH_PORT_CHANNEL_BYTES (0x1000u + 2 * BH_FRAMES_BYTES)
_Static_assert(sizeof(struct bh_port_channel) == BH_PORT_CHANNEL_BYTES, "ABI");

/* ---- the channel "network": net service and console ---------------------------------------------- */

/* Ports by number: those of the records, then the NIC of each network. */
#define BH_PORT_NIC(network) (BH_PORTS + (network))
#define BH_PORT_NUMBERS	     (BH_PORTS + BH_NETWORKS)

/* Why a frame was dropped, counted at the port that it came from, except FULL: at the one that has no room. */
enum bh_drop {
	BH_DROP_MALFORMED, /* shorter than a header, longer than may be, offload fields that cannot be */
	BH_DROP_SPOOFED,   /* a source address (Ethernet, ARP, ND) that is not the port's */
	BH_DROP_VLAN,	   /* a tag that the port may not send, or VLAN that does not go there */
	BH_DROP_RATE,	   /* above the port's rate: stays 0, since a rate holds frames back and drops none */
	BH_DROP_BROADCAST, /* above the network's limit of frames to many */
	BH_DROP_OVERSIZE,  /* above the MTU of where it goes */
	BH_DROP_LINK,	   /* the link is down */
	BH_DROP_FULL,	   /* no room where it goes */
	BH_DROP_DEVICE,	   /* the NIC reported an error */
	BH_DROPS
};
#define BH_DROP_NAMES                                                                                             \
	{                                                                                                         \
		"malformed", "spoofed", "vlan", "rate", "broadcast", "oversize", "link down", "full", "NIC error" \
	}

struct bh_port_stat {
	uint32_t present;    /* 0: no such port */
	uint32_t link;	     /* 1: up */
	uint32_t admin;	     /* 1: not taken down by `link NAME down` */
	uint32_t driver;     /* guests: their driver runs. NICs: the driver runs */
	uint64_t out_frames; /* from the port into the network */
	uint64_t out_bytes;
	uint64_t in_frames; /* to the port */
	uint64_t in_bytes;
	uint64_t drops[BH_DROPS];
	uint8_t mac[6];
	uint8_t pad[2];
	char words[64]; /* NICs: driver and what is wrong, if something is. Ends with 0 */
};

struct bh_mac_entry {
	uint8_t mac[6];
	uint16_t vlan;
	uint16_t network;
	uint16_t port; /* number */
	uint32_t age;  /* seconds since it was seen */
};
_Static_assert(sizeof(struct bh_mac_entry) == 16, "ABI");

enum bh_network_request {
	BH_NETWORK_LINK = 1, /* a: port's number, b: 1 up, 0 down */
	BH_NETWORK_TABLE,    /* fills macs and mac[] */
	BH_NETWORK_TAP,	     /* a: network, b: 1 on, 0 off; frames of all networks that are on go to the ring */
	BH_NETWORK_PORTS,    /* the records at BH_GPA_SERVICE have changed: ports came, or went (no name) */
};

#define BH_NETWORK_MACS	    1024
#define BH_TAP_BYTES	    0x40000u
#define BH_TAP_SNAPSHOT_MAX 65535u

/* A record in the tap's ring: this, `kept` bytes of frame, padding to a multiple of 16. */
struct bh_tap_record {
	uint64_t tsc;
	uint32_t bytes; /* of the frame with its VLAN's tag: may be more than BH_FRAME_MAX by that */
	uint16_t kept;
	uint8_t port; /* where it came from */
	uint8_t network;
};
_Static_assert(sizeof(struct bh_tap_record) == 16, "ABI");

struct bh_network_channel {
	/* Written by the console. A request is taken when `request` differs from `answered`. */
	_Atomic uint32_t request; /* a number that grows */
	uint32_t operation;	  /* enum bh_network_request */
	uint32_t a, b;
	_Atomic uint32_t tap_read;
	uint32_t pad0[11];
	uint8_t pad1[4096 - 64];
	/* Written by the net service. */
	_Atomic uint32_t answered;
	int32_t result; /* 0, or -BH_EINVAL */
	uint32_t macs;
	_Atomic uint32_t tap_written;
	uint64_t tap_lost; /* frames for which there was no room */
	uint8_t tap_on[BH_NETWORKS];
	struct bh_port_stat port[BH_PORT_NUMBERS];
	struct bh_mac_entry mac[BH_NETWORK_MACS];
	uint8_t tap[BH_TAP_BYTES];
};
#define BH_NETWORK_CHANNEL_BYTES ((sizeof(struct bh_network_channel) + 4095) / 4096 * 4096)
