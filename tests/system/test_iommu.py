"""
IOMMUs of both vendors: a device reaches its holder's memory and no other, whoever has the device; its interrupts come
by remapping, as do those of the I/O APIC, by which all that is typed here comes.

QEMU 7.2's AMD-Vi logs no access where page tables have nothing, so there only the neighbour's memory tells.
"""
import re

import pytest

from machine import PROMPT
from natives import attach, audit_clean, detach, native, report_of, state_of, wait_state

pytestmark = [pytest.mark.machines("qemu")]

EDU = ["-device", "edu,addr=05.0,dma_mask=0xffffffffffffffff", "-device", "edu,addr=06.0,dma_mask=0xffffffffffffffff"]
UNITS = {
    "intel": (["-device", "intel-iommu,intremap=on"], "VT-d", r"version 1\.0, tables of 3 levels.*interrupts remapped"),
    "intel-48": (["-device", "intel-iommu,intremap=on,aw-bits=48"], "VT-d", r"tables of 4 levels.*interrupts remapped"),
    "amd": (["-device", "amd-iommu,intremap=on"], "AMD-Vi", r"features \w+.*interrupts remapped"),
}
PIECE = 0x5a * 2048                     # what a copy of the native `wild` sums up to
AT = (0x400000, 0x1e000000, 0x30000000, 0x3f000000)


def holder(name, device):
    return native(name, "wild", cpus="shared 0", more="memory = 4M\nautostart = no\ngrants = device " + device +
                  "\narguments = " + " ".join(f"{address:x}" for address in AT))


@pytest.mark.parametrize("unit", UNITS)
def test_devices_stay_where_they_belong(one, unit):
    options, vendor, words = UNITS[unit]
    conf = holder("wild", "00:05.0") + holder("other", "00:06.0") + native("witness", cpus="shared 1", more="memory = 512M")
    machine = one.start("iommu-" + unit, conf, ["wild.elf", "witness.elf"], cpus=2, memory=1024, options=options + EDU)
    machine.expect("^" + PROMPT, 300)
    assert re.search(rf"iommu: {vendor} unit at 0x[0-9a-f]+: .*{words}", machine.text), machine.text
    assert "WARNING" not in machine.text
    audit_clean(machine)
    wait_state(machine, "witness", "running")  # its memory is wiped until then, and would not show what is written there

    for name in ("wild", "other"):
        machine.command("start " + name)
        attach(machine, name)
        machine.expect("wild: IOMMU 1", 100)
        machine.expect(rf"wild: at its own address, 2 interrupts, sum {PIECE} of {PIECE}", 100)
        machine.expect("wild: done", 200)
        detach(machine)
    audit_clean(machine)
    assert "running" in state_of(machine, "witness")
    if vendor == "VT-d":
        log = machine.command("log")
        for device, name in (("00:05.0", "wild"), ("00:06.0", "other")):
            assert re.search(rf"iommu: device {device} of {name}: write to 0x400000 refused: \w.*\(5\)", log), log
            assert re.search(rf"iommu: device {device} of {name}: read from 0x[0-9a-f]+ refused: \w.*\(6\)", log), log
        assert "device 00:05.0 of wild: write to 0x400000 refused" in report_of(machine, "wild")

    # Closed and opened again, with what it had.
    machine.command("stop wild")
    wait_state(machine, "wild", "stopped")
    audit_clean(machine)
    machine.command("start wild")
    attach(machine, "wild")
    machine.expect(rf"wild: at its own address, 2 interrupts, sum {PIECE} of {PIECE}", 100)
    detach(machine)
    machine.command_end("poweroff -f")


def test_without_remapping(one):
    """Memory is guarded all the same, and the log says what is not."""
    machine = one.start("iommu-plain", holder("wild", "00:05.0"), ["wild.elf"], cpus=2, memory=1024,
                        options=["-device", "intel-iommu,intremap=off"] + EDU)
    machine.expect("^" + PROMPT, 300)
    assert "iommu: interrupts are not remapped: a device can send any that it likes" in machine.text
    machine.command("start wild")
    attach(machine, "wild")
    machine.expect(rf"wild: at its own address, 2 interrupts, sum {PIECE} of {PIECE}", 100)
    detach(machine)
    audit_clean(machine)
