"""What each of QEMU's CPUs has executed, by the plugin count_instructions.c."""
import os
import struct

from machine import BUILD

FOLDER = os.path.join(BUILD, "bench")
CPUS = 4


class Counts:
    """Of a machine that was started with `options`."""

    def __init__(self, name):
        self.path = os.path.join(FOLDER, f"counts-{name}-{os.getpid()}")
        self.options = ("-plugin", f"{FOLDER}/count-instructions.so,counts={self.path}")

    def read(self):
        with open(self.path, "rb") as file:
            return struct.unpack(f"={CPUS}Q", file.read(8 * CPUS))

    def close(self):
        if os.path.exists(self.path):
            os.unlink(self.path)


def by_cpu(before, after):
    """What each CPU did between two readings."""
    return [late - early for early, late in zip(before, after)]


def slope(short, long, units):
    """By CPU, for each of the units that a long run has more than a short one: what both have in common falls out."""
    return [(more - less) / units for less, more in zip(short, long)]
