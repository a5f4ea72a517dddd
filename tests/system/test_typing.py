"""
Typing without end at a guest that shares its CPU with one that computes. Characters come at any moment of the guest's,
also while it holds a lock with interrupts off: an interrupt that came then would make it wait for itself for ever.
"""
import random

import pytest

from machine import PROMPT
from natives import LINUX, attach, audit_clean, detach, guest, native, to_shell

pytestmark = [pytest.mark.steps]
ROUNDS = 150


@pytest.fixture(scope="module")
def machine(group):
    conf = guest("alpha", "shared 1") + native("witness", more="memory = 4M") + native("hello", cpus="shared 0")
    return group.start("typing", conf, LINUX + ["witness.elf", "hello.elf"], cpus=2, memory=1024)


def test_shell(machine):
    machine.expect("^" + PROMPT, 300)
    to_shell(machine, "alpha")


def test_every_line_is_answered(machine):
    """The words and pauses are random, but the same each time."""
    chance = random.Random(1)
    for number in range(ROUNDS):
        word = "".join(chance.choice("abcdefghij") for _ in range(chance.randint(1, 30)))
        machine.position = len(machine.text)
        machine.send(f"echo {word}-$(({number}+1))\r")
        machine.expect(rf"^{word}-{number + 1}\n", 120)
        machine.progress(chance.random() * 0.3)
    detach(machine)


def test_neighbour_saw_nothing(machine):
    attach(machine, "witness")
    machine.expect(r"times unchanged", 120)
    detach(machine)
    audit_clean(machine)
    machine.command_end("poweroff -f")
