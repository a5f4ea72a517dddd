"""Natives that try whatever can be tried: documented results, an unaware neighbour, a clean audit."""
import re

import pytest

from machine import PROMPT
from natives import LINUX, attach, audit_clean, detach, guest, linux, native, report_of, state_of, to_shell, wait_state

pytestmark = [pytest.mark.steps]


@pytest.fixture(scope="module")
def machine(group):
    """The hostile ones share a CPU with the witness and with a Linux guest."""
    conf = (guest("alpha", "shared 1") + native("witness", more="memory = 4M") + native("spin", cpus="shared 0") +
            native("fuzzer", more="autostart = no\ngrants = inspect witness") + native("prober", more="autostart = no"))
    files = LINUX + [name + ".elf" for name in ("witness", "spin", "fuzzer", "prober")]
    return group.start("hostile", conf, files, cpus=2, memory=1024)


def test_console_comes_up_beside_one_that_never_yields(machine):
    machine.expect("^" + PROMPT, 300)
    assert "running" in state_of(machine, "spin")


def test_fuzzer(machine):
    """100,000 hypercalls, of all numbers, from ring 0 and ring 3."""
    machine.command("start fuzzer")
    attach(machine, "fuzzer")
    found = machine.expect(r"fuzzer: done, (\d+) calls, accepted (\d+) from ring 0 and (\d+) from ring 3", 900)
    detach(machine)
    assert int(found.group(1)) == 100000 and int(found.group(2)) > 0 and int(found.group(3)) == 0
    wait_state(machine, "fuzzer", "finished")


def test_prober(machine):
    """Every port, and the MSRs 0-1FFFh, 40000000h-400001FFh, C0000000h-C0001FFFh: silence, all-ones or #GP."""
    machine.command("start prober")
    attach(machine, "prober")
    ports = machine.expect(r"prober: ports 65536 answered (\d+) refused (\d+)", 900)
    ranges = [machine.expect(r"prober: MSRs (\w+)-(\w+) read (\d+) written (\d+) refused (\d+)\n", 300)
              for _ in range(3)]
    machine.expect(r"prober: done", 60)
    detach(machine)
    assert ports.group(1) == "0" and ports.group(2) == "0"
    for found, size in zip(ranges, (0x2000, 0x200, 0x2000)):
        read, refused = int(found.group(3)), int(found.group(5))
        assert read + refused <= size and refused > size * 0.9, found.group(0)
    wait_state(machine, "prober", "finished")


def test_witness_saw_nothing(machine):
    attach(machine, "witness")
    machine.expect(r"times unchanged", 120)
    detach(machine)
    assert "running" in state_of(machine, "witness"), report_of(machine, "witness")


def test_linux_beside_them_lives(machine):
    to_shell(machine, "alpha")
    assert re.search(r"^6\.", linux(machine, "alpha", "uname -r"), re.M)
    detach(machine)


def test_audit(machine):
    audit_clean(machine)
    machine.command_end("poweroff -f")
