"""Memory is wiped before it is anybody's again: what a partition left behind is found by nobody, itself included."""
import pytest

from machine import PROMPT
from natives import attach, audit_clean, detach, native, wait_state

pytestmark = [pytest.mark.steps]
WORDS = 6 << 17                         # of 8 MiB, more than 6 are neither image nor information


@pytest.fixture(scope="module")
def machine(group):
    conf = (native("keeper", cpus="shared 0", more="memory = 8M") +
            native("falls", "keeper", cpus="shared 0", more="memory = 8M\narguments = fail\nrestart = on-failure 1"))
    return group.start("wiping", conf, ["keeper.elf"], cpus=1, memory=1024)


def life(machine, name, number):
    """What a life of the program found, and how much it left behind."""
    attach(machine, name)
    found = int(machine.expect(rf"keeper: life {number} found (\d+) words", 200).group(1))
    kept = int(machine.expect(r"keeper: keeps (\d+) words", 200).group(1))
    detach(machine)
    return found, kept


def test_first_start_finds_nothing_of_the_firmware(machine):
    machine.expect("^" + PROMPT, 300)
    found, kept = life(machine, "keeper", 0)
    assert found == 0 and kept > WORDS


def test_restart_finds_nothing(machine):
    machine.command("restart keeper", timeout=120)
    wait_state(machine, "keeper", "running")
    found, kept = life(machine, "keeper", 1)
    assert found == 0 and kept > WORDS


def test_stop_and_start_finds_nothing(machine):
    machine.command("stop keeper", timeout=120)
    wait_state(machine, "keeper", "stopped")
    machine.command("start keeper", timeout=120)
    wait_state(machine, "keeper", "running")
    assert life(machine, "keeper", 2)[0] == 0


def test_restart_after_a_failure_finds_nothing(machine):
    assert life(machine, "falls", 1)[0] == 0
    audit_clean(machine)
