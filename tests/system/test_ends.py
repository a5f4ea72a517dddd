"""What is fatal to a partition ends it alone, with a report in words; its neighbours do not notice."""
import re

import pytest

from machine import PROMPT
from natives import (LINUX, attach, audit_clean, detach, guest, linux, native, report_of, stat_of, state_of, to_shell,
                     wait_state)

pytestmark = [pytest.mark.steps]

# guests/tests/crash.c: how it dies, and what its report says.
WAYS = {
    "triplefault": r"triple fault",
    "outside": r"wrote to f0000000",
    "outside-read": r"read from f0000000",
    "fpu": r"floating|FPU|device not available",
    "sse": r"floating|FPU|vector|device not available|invalid opcode",
    "readonly": r"wrote to|page fault",
    "execute": r"executed at|page fault",
    "null": r"page fault",
    "stack": r"page fault|triple fault|double fault|wrote to",
    "cr3": r"f0000000|triple fault",
    "paging": r"control register 0|general protection|triple fault",
    "fail": r"asked to fail",
}


@pytest.fixture(scope="module")
def machine(group):
    conf = guest("alpha", "shared 1").replace("cryptomgr.notests", "cryptomgr.notests bulkhead.testhooks")
    conf += guest("invalid", "shared 1", more="autostart = no").replace(
        "cryptomgr.notests", "cryptomgr.notests bulkhead.testhooks bulkhead.invalid-state")
    conf += native("witness", cpus="shared 1", more="memory = 4M") + native("hello", cpus="shared 0")
    for way in [*WAYS, "finish"]:
        conf += native("die-" + way, "crash", more=f"arguments = {way}\nautostart = no")
    conf += native("again", "crash", more="arguments = fail now\nautostart = no\nrestart = on-failure 2")
    files = LINUX + ["witness.elf", "hello.elf", "crash.elf"]
    return group.start("ends", conf, files, cpus=2, memory=1024)


def neighbours_live(machine):
    for name in ("witness", "hello"):
        assert "running" in state_of(machine, name)


def test_console_comes_up(machine):
    machine.expect("^" + PROMPT, 300)
    wait_state(machine, "witness", "running")


@pytest.mark.parametrize("way", WAYS)
def test_ends_alone_with_a_report(machine, way):
    machine.command("start die-" + way)
    wait_state(machine, "die-" + way, "failed")
    report = report_of(machine, "die-" + way)
    assert re.search(WAYS[way], report), report
    neighbours_live(machine)


def test_orderly_end_is_no_failure(machine):
    machine.command("start die-finish")
    wait_state(machine, "die-finish", "finished")


def test_restarted_as_often_as_the_configuration_says(machine):
    machine.command("start again")
    line = wait_state(machine, "again", "failed")
    machine.progress(5)
    assert stat_of(machine, "again")["restarts"] == 2, line


def test_invalid_state_is_reported_with_its_rule(machine):
    """Registers that the CPU does not enter: it does not say why, so the kernel has to find out."""
    machine.command("start invalid")
    wait_state(machine, "invalid", "failed")
    report = report_of(machine, "invalid")
    assert re.search(r"invalid guest state: CR0\.PG is set without CR0\.PE", report), report
    neighbours_live(machine)
    audit_clean(machine)


def test_audit_after_the_ends(machine):
    audit_clean(machine)


def test_monitor_crash_ends_its_guest_only(machine):
    """The shape test: the monitor is crashed on purpose, from the guest that it looks after."""
    to_shell(machine, "alpha")
    machine.send("port-write 4242 68737263\r")
    machine.progress(3)
    detach(machine)
    wait_state(machine, "alpha", "failed")
    report = report_of(machine, "alpha")
    assert "monitor" in report, report
    neighbours_live(machine)
    audit_clean(machine)


def test_guest_of_the_crashed_monitor_starts_again(machine):
    machine.command("start alpha")
    to_shell(machine, "alpha")
    assert "unharmed" in linux(machine, "alpha", "echo unharmed")
    detach(machine)


def test_kernel_panic_in_the_guest_is_its_own(machine):
    """A crashed Linux is a Linux that says so: its partition runs on until it is stopped."""
    attach(machine, "alpha")
    machine.send("echo c > /proc/sysrq-trigger\r")
    machine.expect(r"Kernel panic", 60)
    detach(machine)
    neighbours_live(machine)
    machine.command("stop alpha")
    wait_state(machine, "alpha", "stopped")


def test_witness_saw_nothing(machine):
    attach(machine, "witness")
    machine.expect(r"times unchanged", 60)
    detach(machine)
    audit_clean(machine)
    machine.command_end("poweroff -f")
