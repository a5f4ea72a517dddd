#!/usr/bin/python3
"""What the network costs: instructions in QEMU, where a clock and a plugin count them.

    network.py [guest_to_guest] [latency] [flood] [nic]

README.md says how each is computed.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "system")]
import command_line  # noqa: E402
import frame_path  # noqa: E402
from counters import Counts, by_cpu, kept, slope  # noqa: E402
from machine import BUILD, PROMPT, Machine, built, stage  # noqa: E402
from natives import LINUX, LINUX_LINE, again_in, detach, linux, to_shell  # noqa: E402
from network_card import measure_nic  # noqa: E402
from path_trace import Symbols  # noqa: E402

ALL = ("guest_to_guest", "latency", "flood", "nic")
ICOUNT = ("-icount", "shift=0,sleep=off")
SECONDS = 600
MIB = 1 << 20
PATIENCE = 1000000000                   # ms: while everybody waits, seconds pass in no time
# Two streams of one kind, in MiB: what they differ by is free of what starting and typing takes.
SHORT, LONG = 8, 72
GUESTS = ("alpha", "beta", "gamma")
PAIR, FLOODER = (0, 1, 2), 3            # CPUs that the pair's packets come by (0 is the services'), and gamma's
EVERYBODY, NOBODY = "ff:ff:ff:ff:ff:ff", "02:aa:00:00:00:99"
MACS = {name: f"02:aa:00:00:00:0{number + 1}" for number, name in enumerate(GUESTS)}
A_SECOND = 500                          # frames for the latency
FRAMES = 20                             # of them, at least


def section(number, name):
    line = f"{LINUX_LINE} hostname={name} ip=10.5.0.{number}/24"
    return (f"[guest {name}]\nkernel = vmlinuz\ninitrd = initramfs.img\ncommand-line = {line}\nmemory = 128M\n"
            f"cpus = dedicated {number}\nnetworks = lan mac {MACS[name]}\n")


def start_native():
    """Linux as the only system, with veth between two network namespaces; see boot_time.py."""
    line = LINUX_LINE + " hostname=native"
    options = ("-kernel", built("vmlinuz"), "-initrd", os.path.join(BUILD, "bench", "initramfs.img"), "-append", line)
    counts = Counts("native")
    machine = Machine(os.path.join(BUILD, "demo", "bulkhead.conf"), kind="qemu", name="bench-net-native", cpus=1,
                      memory=256, options=(*ICOUNT, *counts.options, *options))
    return machine, counts


def set_up_native(machine):
    machine.expect("^native# ", SECONDS)
    for line in ("insmod /lib/modules/veth.ko", "ip link add here type veth", "ip link set veth0 name there",
                 "unshare -n sleep 1000000 &", "P=$!; sleep 1", "ip link set there netns $P",
                 "N=\"nsenter -t $P -n\"", "ip addr add 10.5.0.1/24 dev here", "ip link set here up",
                 "$N ip addr add 10.5.0.2/24 dev there", "$N ip link set there up"):
        linux(machine, "native", line)
    text = linux(machine, "native", "ping -c 2 10.5.0.2")
    assert "2 packets received" in text, text


def stream(machine, counts, sender, port, megabytes):
    """One stream to whoever listens on the port; returns what each CPU executed meanwhile, in all a list."""
    before = counts.read()
    text = linux(machine, sender, f"net-pour send 10.5.0.2 {port} -q -b {megabytes}M", timeout=SECONDS)
    after = counts.read()
    assert f"bytes={megabytes * MIB}" in text, text
    return by_cpu(before, after)


def native_stream(machine, counts, port, megabytes):
    linux(machine, "native", f"$N net-pour receive {port} -q -t {PATIENCE} >/r{port} & sleep 1")
    return stream(machine, counts, "native", port, megabytes)


def our_stream(machine, counts, port, megabytes):
    again_in(machine, "beta")
    linux(machine, "beta", f"net-pour receive {port} -q -t {PATIENCE} >/r{port} & sleep 1")
    detach(machine)
    again_in(machine, "alpha")
    done = stream(machine, counts, "alpha", port, megabytes)
    detach(machine)
    return done


def a_byte(machine, counts, how, port):
    """Instructions per byte, by CPU."""
    short = how(machine, counts, port, SHORT)
    return slope(short, how(machine, counts, port + 1, LONG), (LONG - SHORT) * MIB)


def measure_native():
    machine, counts = start_native()
    try:
        set_up_native(machine)
        return sum(a_byte(machine, counts, native_stream, 5001))
    finally:
        machine.close()
        counts.close()


def measure_latency(machine, counts, result):
    """Small frames from alpha's own CPU to beta's, which waits in HLT each time."""
    frame = (MACS["beta"] + MACS["alpha"]).replace(":", "") + "88b5"
    again_in(machine, "alpha")
    linux(machine, "alpha", f"net-raw send eth0 {frame} -n 1000000 -r {A_SECOND} &")
    steps = counts.next_steps(SECONDS)
    linux(machine, "alpha", "kill $!")
    detach(machine)
    kernel = frame_path.Kernel(Symbols.of(os.path.join(BUILD, "kernel", "kernel.elf")))
    found = frame_path.ways(steps, kernel, sender=PAIR[1], services=PAIR[0], receiver=PAIR[2])
    assert len(found) >= FRAMES, f"only {len(found)} frames were seen on their whole way"
    middle = frame_path.middle(found)
    result["net.latency.frames"] = len(found)
    result["net.latency"] = sum(middle)
    for part, instructions in middle._asdict().items():
        result["net.latency." + part] = instructions


def flood(machine, targets):
    """gamma sends small frames to each of the targets, as fast as it can, until it is told to flood none."""
    again_in(machine, "gamma")
    own = MACS["gamma"].replace(":", "")
    for target in targets:
        linux(machine, "gamma", f"net-raw send eth0 {target.replace(':', '')}{own}88b5 -n 1000000000 &")
    if not targets:
        linux(machine, "gamma", "killall net-raw")
    detach(machine)


def measure_flood(machine, counts, result, without):
    """Broadcasts and small frames to one of the pair; and to an address that nobody has."""
    for number, (key, target) in enumerate((("net.flood", MACS["beta"]), ("net.flood.others", NOBODY))):
        flood(machine, (EVERYBODY, target))
        under = a_byte(machine, counts, our_stream, 5011 + 2 * number)
        flood(machine, ())
        for cpu, instructions in enumerate(under):
            result[f"{key}.cpu{cpu}"] = round(instructions, 3)
        result[key] = round(kept(without, under, PAIR, FLOODER), 3)


def measure_ours(what, result):
    counts = Counts("bulkhead", steps="latency" in what)
    conf = stage("bench-network", "[network lan]\n" + "".join(map(section, (1, 2, 3), GUESTS)), LINUX)
    machine = Machine(conf, kind="qemu", name="bench-net", options=(*ICOUNT, *counts.options))
    try:
        machine.expect("^" + PROMPT, SECONDS)
        for name in GUESTS:
            to_shell(machine, name)
            detach(machine)
        if "latency" in what:
            measure_latency(machine, counts, result)
        ours = a_byte(machine, counts, our_stream, 5001)
        for cpu in PAIR:
            result[f"net.guest_to_guest.cpu{cpu}"] = round(ours[cpu], 3)
        if "flood" in what:
            measure_flood(machine, counts, result, ours)
        return sum(ours)
    finally:
        machine.close()
        counts.close()


def measure_network(result, what=ALL):
    if "nic" in what:
        measure_nic(result)
    if set(what) <= {"nic"}:
        return
    ours = measure_ours(what, result)
    result["net.guest_to_guest.ours"] = round(ours, 3)
    if "guest_to_guest" in what:
        native = measure_native()
        result["net.guest_to_guest.native"] = round(native, 3)
        result["net.guest_to_guest"] = round(native / ours, 3)


if __name__ == "__main__":
    command_line.run(__doc__, ALL, measure_network)
