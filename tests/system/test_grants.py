"""Every kind of grant, from the configuration to its use; and those that cannot be had."""
import re

import pytest

from machine import PROMPT
from natives import attach, audit_clean, detach, native, report_of, state_of, wait_state

pytestmark = [pytest.mark.steps]
TEXT = b"a file for a native\n" * 300000        # 6 MB: more than two large pages


@pytest.fixture(scope="module")
def machine(group):
    conf = (native("stopped", "hello", cpus="shared 0") + native("watched", "hello", cpus="shared 0") +
            native("granted", cpus="shared 0", more="memory = 4M\nautostart = no\ngrants = ports 0x70-0x71, "
                   "ports 0x80-0x80, irq 8, image file.txt, control stopped, inspect watched, machine") +
            native("greedy", "hello", cpus="shared 0", more="grants = ports 0x3f0-0x3ff") +
            native("busy", "hello", cpus="shared 0", more="grants = irq 4"))
    return group.start("grants", conf, ["hello.elf", "granted.elf", ("file.txt", TEXT)], cpus=1, memory=1024)


def test_what_is_the_machines_own_is_refused(machine):
    machine.expect("^" + PROMPT, 300)
    for name, words in (("greedy", r"0x3f8-0x3ff are the machine's own"), ("busy", r"interrupt 4 is the console's")):
        assert "failed" in state_of(machine, name)
        assert re.search(words, report_of(machine, name)), name


def test_granted(machine):
    wait_state(machine, "stopped", "running")
    machine.command("start granted")
    attach(machine, "granted")
    machine.expect(r"granted: done", 300)
    detach(machine)
    text = machine.text
    assert "granted: ports answer 80" in text
    assert re.search(r"granted: irq8 bound 0 came 2", text)
    assert f"granted: image file.txt of {len(TEXT)} bytes, sum {sum(TEXT)}" in text
    assert re.search(r"granted: partition stopped rights 3 state 3 stop 0", text)
    assert re.search(r"granted: partition watched rights 2 state 3 stop -1", text)
    assert "granted: machine of 1 CPUs" in text


def test_control_and_inspect_did_what_they_may(machine):
    wait_state(machine, "stopped", "stopped")
    assert "running" in state_of(machine, "watched")
    audit_clean(machine)
