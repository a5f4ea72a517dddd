"""Partitions made at run time on machines of all kinds: from the serial line, in each other's place and memory."""
import re

import pytest

from machine import PROMPT
from natives import LINUX, attach, audit_clean, create, detach, guest, linux, native, to_shell, wait_state

pytestmark = [pytest.mark.steps]


@pytest.fixture(scope="module")
def machine(group):
    conf = (native("keeper", cpus="shared 0", more="memory = 8M\nautostart = no") +
            guest("alpha", "shared 1", more="autostart = no"))
    return group.start("runtime-serial", conf, ["keeper.elf", *LINUX], cpus=2, memory=1024)


def free(machine):
    return re.search(r"(\S+ \S+) free", machine.command("mem")).group(1)


def make(machine, name, memory, found="0"):
    create(machine, "native", name, "program = keeper.elf", f"memory = {memory}", "cpus = shared 1")
    attach(machine, name)
    machine.expect(rf"keeper: life 0 found {found} words", 200)
    machine.expect(r"keeper: keeps \d+ words", 200)
    detach(machine)
    audit_clean(machine)


def remove(machine, name):
    machine.command(f"stop {name}", timeout=120)
    wait_state(machine, name, "stopped")
    assert "Removed" in machine.command(f"remove {name}")
    assert name not in machine.command("list")
    audit_clean(machine)


def test_natives_in_the_place_of_others(machine):
    """
    The third gets the tables and the vCPU of the first, and memory of both at other addresses than they had it: it finds
    nothing of theirs there, and would not run a step with the first one's translations.
    """
    machine.expect("^" + PROMPT, 300)
    for _ in range(2):
        before = machine.command("mem")
        make(machine, "one", "8M")
        make(machine, "two", "8M")
        remove(machine, "one")
        remove(machine, "two")
        make(machine, "three", "12M")
        remove(machine, "three")
        if _:
            assert machine.command("mem") == before


def test_guests_in_the_place_of_others(machine):
    """A Linux, and another one in its place, whose memory begins elsewhere; one is removed while it computes."""
    for name, memory in (("gamma", "128M"), ("delta", "160M")):
        create(machine, "guest", name, "kernel = vmlinuz", "initrd = initramfs.img", f"memory = {memory}",
               f"command-line = console=ttyS0 quiet cryptomgr.notests hostname={name}", "cpus = shared 1")
        to_shell(machine, name, 900)
        assert "Linux" in linux(machine, name, "uname -a")
        linux(machine, name, "yes > /dev/null &")
        detach(machine)
        audit_clean(machine)
        remove(machine, name)
