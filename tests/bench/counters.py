"""What each of QEMU's CPUs has executed, by the plugin count_instructions.c."""
import os
import struct
import time

import frame_path
from machine import BUILD

FOLDER = os.path.join(BUILD, "bench")
CPUS = 4


class Counts:
    """Of a machine that was started with `options`; with `steps` also of what its CPUs execute, block by block."""

    def __init__(self, name, steps=False):
        self.path, self.blocks, self.ring = (os.path.join(FOLDER, f"{what}-{name}-{os.getpid()}")
                                             for what in ("counts", "blocks", "path"))
        more = f",blocks={self.blocks},path={self.ring}" if steps else ""
        self.options = ("-plugin", f"{FOLDER}/count-instructions.so,counts={self.path}{more}")

    def read(self):
        with open(self.path, "rb") as file:
            return struct.unpack(f"={CPUS}Q", file.read(8 * CPUS))

    def next_steps(self, seconds):
        """The steps that follow from now on, as many as the ring holds. The machine goes on meanwhile."""
        def ring():
            with open(self.ring, "rb") as file:
                return file.read()
        limit, wanted = time.monotonic() + seconds, frame_path.taken(ring()) + frame_path.STEPS
        while frame_path.taken(data := ring()) < wanted:
            assert time.monotonic() < limit, "the machine does next to nothing"
            time.sleep(0.2)
        return frame_path.read_steps(data)

    def close(self):
        for path in (self.path, self.blocks, self.ring):
            if os.path.exists(path):
                os.unlink(path)


def by_cpu(before, after):
    """What each CPU did between two readings."""
    return [late - early for early, late in zip(before, after)]


def slope(short, long, units):
    """By CPU, for each of the units that a long run has more than a short one: what both have in common falls out."""
    return [(more - less) / units for less, more in zip(short, long)]


def kept(without, under, pair, flooder):
    """
    The share of its throughput that a pair keeps under a flood, by the instructions per byte of its CPUs and of the
    flooder's, without the flood and under it. The CPUs take turns; were they to run side by side, the flooder's would be
    busy all the time, and of each other's time the flood would take what that CPU had to do beyond its work for the
    pair, by what the flooder did. The pair is as fast as the slowest of its CPUs in what is left to it.
    """
    def left(cpu):
        return max(1e-9, 1 - max(0, under[cpu] - without[cpu]) / under[flooder])
    return max(without[cpu] for cpu in pair) / max(without[cpu] / left(cpu) for cpu in pair)
