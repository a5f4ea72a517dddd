/*
 * lwipopts.h: lwIP's options, where they differ from its defaults (lwip/opt.h explains each).
 *
 * All memory is static: about 2 MiB. A peer that asks for more than there is of a thing is dropped.
 */
#pragma once

#define LWIP_HOOK_FILENAME "lwip_hooks.h"

/* One thread, no sockets: everything is a function that ip.c calls. */
#define NO_SYS			   1
#define SYS_LIGHTWEIGHT_PROT	   0
#define LWIP_NETCONN		   0
#define LWIP_SOCKET		   0
#define LWIP_STATS		   1 /* how much of the memory below is used, and nothing else */
#define LWIP_STATS_LARGE	   1
#define LINK_STATS		   0
#define ETHARP_STATS		   0
#define IP_STATS		   0
#define IPFRAG_STATS		   0
#define ICMP_STATS		   0
#define UDP_STATS		   0
#define TCP_STATS		   0
#define IP6_STATS		   0
#define ICMP6_STATS		   0
#define IP6_FRAG_STATS		   0
#define ND6_STATS		   0
#define MLD6_STATS		   0
#define LWIP_TIMERS		   1
#define LWIP_RAW		   0
#define LWIP_SINGLE_NETIF	   1
#define LWIP_HAVE_LOOPIF	   0
#define LWIP_NETIF_LOOPBACK	   0
#define LWIP_NETIF_HOSTNAME	   1
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_TX_SINGLE_PBUF  0

#define LWIP_IPV4		  1
#define LWIP_DHCP		  1
#define LWIP_DHCP_GET_NTP_SRV	  1
#define LWIP_DHCP_MAX_NTP_SERVERS 1
#define LWIP_IPV6		  1
#define LWIP_IPV6_MLD		  1
#define LWIP_IPV6_AUTOCONFIG	  1
#define LWIP_IPV6_FORWARD	  0
#define IPV6_FRAG_COPYHEADER	  1 /* pointers have 64 bits */
#define LWIP_IPV6_NUM_ADDRESSES	  4
#define LWIP_ND6_NUM_NEIGHBORS	  32
#define LWIP_ND6_NUM_DESTINATIONS 32
#define MEMP_NUM_ND6_QUEUE	  32
#define ARP_TABLE_SIZE		  32
#define IP_REASSEMBLY		  1
#define IP_REASS_MAX_PBUFS	  16
#define MEMP_NUM_REASSDATA	  4
#define LWIP_ICMP		  1
#define LWIP_BROADCAST_PING	  0
#define LWIP_MULTICAST_PING	  0

/* Beside the timers that lwIP counts: those of clock.c and web.c. */
#define MEMP_NUM_SYS_TIMEOUT (LWIP_NUM_SYS_TIMEOUT_INTERNAL + 3)

/*
 * TCP. Connections that wait for their third segment and those that are closing give way to new ones (tls.c,
 * redirect.c: tcp_setprio), so that there are many more of them than are served.
 */
#define LWIP_TCP		   1
#define LWIP_ALTCP		   0
#define TCP_MSS			   1460
#define TCP_WND			   (12 * TCP_MSS)
#define TCP_SND_BUF		   (8 * TCP_MSS)
#define TCP_SND_QUEUELEN	   32
#define TCP_OOSEQ_MAX_PBUFS	   4
#define TCP_LISTEN_BACKLOG	   1
#define TCP_DEFAULT_LISTEN_BACKLOG 64
#define TCP_SYNMAXRTX		   3
#define TCP_MAXRTX		   7
#define TCP_MSL			   10000
#define TCP_FIN_WAIT_TIMEOUT	   5000
#define TCP_SYN_RCVD_TIMEOUT	   5000
#define LWIP_TCP_KEEPALIVE	   0
#define MEMP_NUM_TCP_PCB	   160
#define MEMP_NUM_TCP_PCB_LISTEN	   2
#define MEMP_NUM_TCP_SEG	   1024
#define MEMP_NUM_UDP_PCB	   3

#define MEM_ALIGNMENT  8
#define MEM_SIZE       (768 * 1024)
#define PBUF_POOL_SIZE 512
#define MEMP_NUM_PBUF  64
