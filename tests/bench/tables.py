"""What `make bench` prints: the keys with their limits, and the exits of a boot by reason."""
import re

MIB = 1 << 20
# key: (what it is, {machine: (the limit, what Linux 6.1's KVM needs in the same emulator)})
TARGETS = {
    "exit.cpuid": ("CPUID, round trip, instructions", {"bochs": (120, 978), "qemu": (140, 2755)}),
    "exit.hypercall": ("null hypercall, round trip", {"bochs": (100, 1007), "qemu": (115, 2981)}),
    "exit.pio": ("OUT to a port of the monitor, and back", {"bochs": (450, 2965), "qemu": (520, 3000)}),
    "linux.outside": ("share outside of the guest, boot to init", {"bochs": (0.05, None), "qemu": (0.05, None)}),
    "kernel.bytes": ("memory of the kernel, this machine", {"bochs": (4 * MIB, None), "qemu": (4 * MIB, None)}),
    "kernel.bytes.256g": ("computed for 256 GiB", {"bochs": (32 * MIB, None), "qemu": (32 * MIB, None)}),
    "kernel.lines": ("lines in kernel/ and arch/", {"bochs": (11500, None), "qemu": (11500, None)}),
    "console.page": ("all that the console's page loads, compressed", {"qemu": (250 * 1024, None)}),
    "net.guest_to_guest": ("TCP between guests: instructions per byte natively, by ours", {"qemu": (0.4, None)}),
    "net.latency": ("from a guest's notify to another's interrupt handler", {"qemu": (4000, None)}),
    "net.flood": ("throughput that a pair keeps while a third floods", {"qemu": (0.8, None)}),
    "net.nic": ("UDP by e1000e: instructions per packet natively, by ours", {"qemu": (0.5, None)}),
    "console.requests": ("GETs of the partition list over TLS: by nginx's natively", {"qemu": (0.5, None)}),
    "console.memory": ("MiB of the console, with 32 connections", {"qemu": (16, None)}),
    "console.soak": ("held after requests and dropped connections, against before", {"qemu": (0, None)}),
    "qemu.boot.ratio": ("QEMU's start to the shells: times as long as natively", {"qemu": (3, None)}),
}
# Of these more is better.
AT_LEAST = {"net.guest_to_guest", "net.flood", "net.nic", "console.requests"}
# keys' beginning: whose exits they count
EXITS = {
    "linux.boot.exits.": "to init",
    "qemu.boot.exits.": "to shells",
}


def targets_of(machine):
    """The keys that a machine must have measured: (what, limit, KVM) by key."""
    return {key: (what, *limits[machine]) for key, (what, limits) in TARGETS.items() if machine in limits}


def within(key, value, limit):
    return value >= limit if key in AT_LEAST else value <= limit


def exit_rows(result):
    """Rows (reason, a number for each kind of exits in EXITS that was counted), the most frequent first."""
    kinds = [kind for kind in EXITS if any(key.startswith(kind) for key in result)]
    reasons = {key[len(kind):] for kind in kinds for key in result if key.startswith(kind)}
    rows = [(reason, *(result.get(kind + reason, 0) for kind in kinds)) for reason in reasons]
    return sorted(rows, key=lambda row: ([-number for number in row[1:]], row[0]))


def print_exits(result):
    """What the boot of alpha takes, by reason. The share is that of the last column."""
    rows = exit_rows(result)
    if not rows:
        return
    sums = [sum(row[column] for row in rows) for column in range(1, len(rows[0]))]
    heads = [words for kind, words in EXITS.items() if any(key.startswith(kind) for key in result)]
    print(f"{'exits of a Linux boot':24} " + " ".join(f"{words:>12}" for words in heads))
    for reason, *numbers in rows:
        columns = " ".join(f"{number:>12}" for number in numbers)
        print(f"{reason.replace('_', ' '):24} {columns} {numbers[-1] / sums[-1]:>8.1%}")
    print(f"{'sum':24} " + " ".join(f"{number:>12}" for number in sums))
    print()


def print_keys(machine, result, elsewhere):
    """Those with limits first, then the others except for those that tables show `elsewhere`, a regular expression."""
    targets = targets_of(machine)
    print(f"{'key':24} {'measured':>12} {'at most':>12} {'KVM':>8}  ")
    for key, (what, limit, kvm) in targets.items():
        value = result.get(key)
        shown = f"least {limit}" if key in AT_LEAST else limit
        verdict = "not measured" if value is None else "" if within(key, value, limit) else "MISSED"
        print(f"{key:24} {value if value is not None else '-':>12} {shown:>12} {kvm or '':>8}  {verdict:12} {what}")
    exits = "|".join(re.escape(kind) for kind in EXITS)
    for key in sorted(set(result) - set(targets)):
        if not re.match(rf"(?:{exits}|{elsewhere})", key):
            print(f"{key:24} {result[key]:>12}")
    print()
