"""The machine's own reboot and power-off, as a person asks for them: firmware, loader and kernel once more."""
import pytest

from machine import PROMPT
from natives import attach, audit_clean, detach, native, wait_state

pytestmark = [pytest.mark.steps]


@pytest.fixture(scope="module")
def machine(group):
    return group.start("reboot", native("hello"), ["hello.elf"], cpus=2, memory=512)


def comes_up(machine):
    machine.expect(r"Bulkhead.*\(ABI 1\)", 200)
    machine.expect(r"smp: 2 CPUs run", 60)
    machine.expect("^" + PROMPT, 60)
    wait_state(machine, "hello", "running")
    attach(machine, "hello")
    machine.expect(r"BH_NULL returned 0 after")
    detach(machine)
    audit_clean(machine)


def boots(machine):
    return machine.text.count("(ABI 1)")


def test_console_comes_up(machine):
    comes_up(machine)


def test_reboot_asks(machine):
    machine.send("reboot\r")
    machine.expect(r"Reboot the machine\? \(yes/no\) ")
    machine.send("no\r")
    machine.expect(r"Nothing was done")
    machine.expect("^" + PROMPT)
    machine.progress(5)
    assert boots(machine) == 1


def test_reboot(machine):
    machine.send("reboot\r")
    machine.expect(r"Reboot the machine\? \(yes/no\) ")
    machine.send("yes\r")
    comes_up(machine)
    assert boots(machine) == 2


def test_reboot_without_asking(machine):
    machine.send("reboot -f\r")
    comes_up(machine)
    assert boots(machine) == 3


def test_poweroff(machine):
    machine.send("poweroff\r")
    machine.expect(r"Power off\? \(yes/no\) ")
    machine.command_end("yes", 120)
