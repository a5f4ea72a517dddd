/* commands.c: the table of commands. */
#include "commands.h"

const struct command shell_commands[] = {
	{ "help", "[COMMAND]", "", "lists the commands, or explains one", "", MAY_TAKE_COMMAND, command_help },
	{ "list", "", "", "lists the partitions, their states and CPUs",
	  "VCPUS@CPUS: how many, and the physical CPU of each; d: the partition's own, s: shared.\n"
	  "A monitor is the service that makes a guest's virtual PC; it lives and dies with it.\n",
	  TAKES_NOTHING, command_list },
	{ "attach", "[-a] NAME", "a", "connects the line to a partition's terminal",
	  "Shows the last 4 KiB of what it printed, then what comes; -a: all that was kept (64 "
	  "KiB).\n"
	  "Ctrl-] comes back to the shell. Ctrl-] once more, as the next key, sends a Ctrl-] to "
	  "it.\n",
	  TAKES_NAME, command_attach },
	{ "start", "NAME", "", "starts a partition that does not run", "", TAKES_NAME, command_start },
	{ "stop", "NAME", "", "stops a partition at once and wipes its memory",
	  "It is not asked: to shut a guest down in order, use its own means.\n", TAKES_NAME, command_stop },
	{ "pause", "NAME", "", "stops a partition's vCPUs where they are",
	  "Its time goes on meanwhile. `resume` lets it go on.\n", TAKES_NAME, command_pause },
	{ "resume", "NAME", "", "lets a paused partition go on", "", TAKES_NAME, command_resume },
	{ "restart", "NAME", "", "stops a partition and starts it anew", "", TAKES_NAME, command_restart },
	{ "log", "[COUNT]", "", "the last lines of the kernel's log (24)", "", MAY_TAKE_COUNT, command_log },
	{ "stat", "[-k] [NAME]", "k", "what a partition, or each CPU, did so far",
	  "ran: in the partition; kernel: in the kernel for it; monitor: in its monitor;\n"
	  "outside: the share of kernel and monitor in the sum. -k: a key and a number per line.\n",
	  MAY_TAKE_NAME, command_stat },
	{ "net", "[-k|-m] [NAME]", "km", "the networks, their ports and what went through them",
	  "NAME: of a network, a port or a guest. out: from the port into the network; in: to the port.\n"
	  "Rates are since the last `net`. -m: the addresses learned, and behind which port they are;\n"
	  "-k: a key and a number per line.\n",
	  MAY_TAKE_NETWORK, command_net },
	{ "address", "[-k]", "k", "where the console is on the network, and how its certificate is known",
	  "A browser that is told of an unknown certificate shows its SHA-256: it is to be this one.\n"
	  "-k: what its connections take of memory now, a key and a number per line.\n",
	  TAKES_NOTHING, command_address },
	{ "token", "[new NAME ROLE [PARTITION...] | revoke NAME | export]", "",
	  "who may manage the machine over the network",
	  "Without words: the tokens. ROLE: administrator; operator, who starts, stops and types in the\n"
	  "PARTITIONs named; viewer, who sees these, or all. A new token is shown once.\n"
	  "export: what keeps them when the machine is switched off.\n",
	  MAY_TAKE_WORDS, command_token },
	{ "image", "[remove NAME]", "", "kernels and initramfs, where they are from and who has them",
	  "An image is uploaded over the network, in pieces into free memory. One that no partition is\n"
	  "made of can be removed.\n",
	  MAY_TAKE_WORDS, command_image },
	{ "create", "guest|native NAME", "", "makes a partition of free memory and CPUs",
	  "Asks for its keys, as in bulkhead.conf: kernel = vmlinuz, memory = 256M, cpus = shared 0, ...\n"
	  "An empty line makes it; it starts by itself unless autostart = no.\n",
	  MAY_TAKE_WORDS, command_create },
	{ "remove", "NAME", "", "removes a stopped partition that was made by create", "", TAKES_NAME, command_remove },
	{ "config", "", "", "bulkhead.conf, with what was made since", "", TAKES_NOTHING, command_config },
	{ "link", "NAME up|down", "", "plugs a port in, or pulls its cable",
	  "NAME: of a port, of a guest with one port, or NETWORK.nic for a network's uplink.\n", TAKES_PORT_AND_STATE,
	  command_link },
	{ "tap", "[-p] NETWORK [COUNT]", "p", "shows a network's frames as they pass",
	  "Until there were COUNT, or Ctrl-C: time (UTC), port that it came from, what it says.\n"
	  "-p: whole, as a file for tcpdump and Wireshark. Save what stands between the BEGIN and the END\n"
	  "line, and make the file of it: tr -d '\\r' < saved | base64 -d > frames.pcap\n",
	  TAKES_NETWORK_AND_COUNT, command_tap },
	{ "pci", "", "", "the PCI devices, and who has them", "", TAKES_NOTHING, command_pci },
	{ "iommu", "", "", "what keeps devices within their holders' memory", "", TAKES_NOTHING, command_iommu },
	{ "mem", "", "", "who has how much memory", "", TAKES_NOTHING, command_mem },
	{ "caps", "", "", "what the CPUs can do, and what is made of it", "", TAKES_NOTHING, command_caps },
	{ "trace", "[-k] NAME [COUNT]", "k", "the last exits of a partition (20)",
	  "Time (seconds since power-on), vCPU, reason, detail, and how long the kernel (and the\n"
	  "monitor) took. The rings hold the last 1024 exits of each CPU. -k: TSC, vCPU, ticks, detail.\n",
	  TAKES_NAME_AND_COUNT, command_trace },
	{ "report", "NAME", "", "why a partition ended, in the words of the kernel", "", TAKES_NAME, command_report },
	{ "audit", "", "", "checks every mapping against the record of owners", "", TAKES_NOTHING, command_audit },
	{ "debug", "crash console", "", "breaks something on purpose, to see what follows",
	  "crash console: the console fails; the kernel starts it anew, and the partitions run on.\n", MAY_TAKE_WORDS,
	  command_debug },
	{ "reboot", "[-f]", "f", "resets the machine", "-f: without asking.\n", TAKES_NOTHING, command_reboot },
	{ "poweroff", "[-f]", "f", "switches the machine off", "-f: without asking.\n", TAKES_NOTHING,
	  command_poweroff },
};
const unsigned shell_command_count = sizeof(shell_commands) / sizeof(shell_commands[0]);
_Static_assert(sizeof(shell_commands) / sizeof(shell_commands[0]) <= SHELL_COMMANDS_MAX, "names of all are listed");
