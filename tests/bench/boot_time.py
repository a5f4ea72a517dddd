#!/usr/bin/python3
"""From QEMU's start to the shells of the demo's Linux guests, and to that of the same kernel without Bulkhead.

    boot_time.py [--rounds N]

Wall time, so the host should have nothing else to do. One machine at a time, in turn, so that a host that is slower
for a while is so for both; of each the least counts, as everything that disturbs only ever adds.
"""
import argparse
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "system")]
from machine import BUILD, PROMPT, TOP, Machine, built, image_of  # noqa: E402
from natives import LINUX_LINE, attach, detach, stat_of  # noqa: E402

CONF = os.path.join(BUILD, "demo", "bulkhead.conf")
GUESTS = ("alpha", "beta")
# One CPU, as alpha has: the fastest of all native boots, since more CPUs make QEMU's slower. Twice a guest's memory,
# because this firmware cannot start the kernel in less.
NATIVE = {"cpus": 1, "memory": 256}
ROUNDS = 3
SECONDS = 600


def boot_native(image):
    """
    Linux as the only system: the kernel and the initramfs come to the firmware from QEMU itself (-kernel, -initrd), and
    it starts the kernel as an EFI application. The disk is there, too, as the firmware takes its time to find it.
    """
    line = LINUX_LINE + " hostname=native"
    options = ("-kernel", built("vmlinuz"), "-initrd", built("initramfs.img"), "-append", line)
    start = time.monotonic()
    machine = Machine(CONF, kind="qemu", name="bench-boot-native", image=image, options=options, **NATIVE)
    try:
        machine.expect("^native# ", SECONDS)
        return time.monotonic() - start
    finally:
        machine.close()


def boot_bulkhead(image):
    """Returns (seconds, the numbers of alpha)."""
    start = time.monotonic()
    machine = Machine(CONF, kind="qemu", name="bench-boot", image=image)
    try:
        machine.expect("^" + PROMPT, SECONDS)
        for name in GUESTS:
            attach(machine, name)
            machine.expect(rf"^{name}# ", SECONDS)
            seconds = time.monotonic() - start
            detach(machine)
        return seconds, stat_of(machine, GUESTS[0])
    finally:
        machine.close()


def measure_boot(rounds=ROUNDS):
    """Keys and numbers; the exits are those of the fastest boot."""
    image = image_of(CONF)
    native, ours = [], []
    for _ in range(rounds):
        native.append(boot_native(image))
        ours.append(boot_bulkhead(image))
    seconds, numbers = min(ours, key=lambda one: one[0])
    result = {"qemu.boot.seconds": round(seconds, 2), "qemu.boot.native.seconds": round(min(native), 2),
              "qemu.boot.ratio": round(seconds / min(native), 2)}
    for key, number in numbers.items():
        found = re.fullmatch(r"vcpu0\.(exits\.\w+)", key)
        if found and number:
            result["qemu.boot." + found.group(1)] = number
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="boots of each; the least counts")
    options = parser.parse_args()
    os.chdir(TOP)
    for key, number in measure_boot(options.rounds).items():
        print(f"{key:40} {number:>10}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
