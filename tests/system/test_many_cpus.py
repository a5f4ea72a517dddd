"""More CPUs than any demo has: each is started, and each can be a partition's own."""
import pytest

from machine import PROMPT
from natives import attach, audit_clean, detach, native, stat_of, wait_state

pytestmark = [pytest.mark.machines("qemu"), pytest.mark.steps]
CPUS = 16
NAMES = {f"witness{cpu}": cpu for cpu in range(4, CPUS)}


@pytest.fixture(scope="module")
def machine(group):
    conf = "".join(native(name, "witness", cpus=f"dedicated {cpu}") for name, cpu in NAMES.items())
    return group.start("many-cpus", conf, ["witness.elf"], cpus=CPUS, memory=1024)


def test_every_cpu_comes_up(machine):
    found = machine.expect(r"smp: (\d+) CPUs run, named by ACPI; APIC ids(.*)\n", 600)
    assert int(found.group(1)) == CPUS and len(set(found.group(2).split())) == CPUS
    machine.expect("^" + PROMPT, 600)


def test_each_runs_on_its_own(machine):
    """All at once: between two looks at it, each has had its CPU for the greater part of the time."""
    for name, cpu in NAMES.items():
        assert f"1@{cpu}d" in wait_state(machine, name, "running")
    before = {name: stat_of(machine, name) for name in NAMES}
    machine.progress(5)
    for name, cpu in NAMES.items():
        now = stat_of(machine, name)
        assert now["vcpu0.cpu"] == cpu and now["vcpu0.dedicated"] == 1
        assert now["vcpu0.ran"] - before[name]["vcpu0.ran"] > (now["now"] - before[name]["now"]) / 2, name


def test_each_says_so(machine):
    for name in NAMES:
        attach(machine, name)
        machine.expect(r"witness: \d+ times unchanged", 300)
        detach(machine)


def test_audit_while_they_run(machine):
    audit_clean(machine)


def test_audit_after_they_were_stopped(machine):
    for name in NAMES:
        machine.command("stop " + name)
        wait_state(machine, name, "stopped")
    audit_clean(machine)
    machine.command_end("poweroff -f", 120)
