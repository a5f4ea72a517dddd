"""A configuration with many faults at once: `make check` and the machine say the same, and the machine comes up."""
import re

import pytest

from machine import PROMPT, make, stage
from natives import audit_clean, state_of

pytestmark = [pytest.mark.steps]

# Each fault's line carries the words that its message must hold, after `#!`. {n}: a line number is not asked.
CONF = """\
[machine]
services-cpu = 0
colour = blue                           #! colour
[native good]
program = hello.elf
[native good]                           #! good
program = hello.elf
[native lost]
program = nowhere.elf                   #! nowhere.elf
[guest large]
kernel = kernel.bin
memory = 900G                           #! memory
cpus = shared 0
[native first]
program = hello.elf
cpus = dedicated 1
[native second]
program = hello.elf
cpus = dedicated 1                      #! CPU 1
[native far]
program = hello.elf
cpus = shared 77                        #! CPU 77
[native odd]
program = hello.elf
memory = 3M                             #! memory
[native noise]
program = noise.elf                     #! noise.elf
[native empty]
program = empty.elf                     #! empty
[channel loose]
between = good, nobody                  #! nobody
"""
FILES = ["hello.elf", ("noise.elf", bytes(range(256)) * 64), ("empty.elf", b""), ("kernel.bin", b"MZ" + bytes(9000))]
PLAIN = "\n".join(line.split("#!")[0].rstrip() for line in CONF.split("\n"))
FAULTS = [(n, line.split("#!")[1].strip()) for n, line in enumerate(CONF.split("\n"), 1) if "#!" in line]
MACHINE_ONLY = {"CPU 77", "memory"}     # what only the machine can know


@pytest.fixture(scope="module")
def checked():
    """(line, text) pairs that `make check` prints."""
    done = make("check", "CONF=" + stage("bad-config-check", PLAIN, FILES))
    assert done.returncode != 0
    return re.findall(r"bulkhead\.conf:(\d+): (.*)", done.stdout + done.stderr)


@pytest.fixture(scope="module")
def booted(group):
    machine = group.start("bad-config", PLAIN, FILES, cpus=2, memory=512)
    machine.expect("^" + PROMPT, 200)
    return machine


def test_the_machine_comes_up(booted):
    assert "running" in state_of(booted, "first")


@pytest.mark.parametrize("line,words", FAULTS)
def test_fault_is_named_at_boot(booted, line, words):
    said = [text for n, text in re.findall(r"bulkhead\.conf:(\d+): (.*)", booted.text) if int(n) == line]
    assert said and any(words in text for text in said), (line, words, said)


@pytest.mark.parametrize("line,words", [f for f in FAULTS if f[1] not in MACHINE_ONLY])
def test_fault_is_named_by_check(checked, line, words):
    said = [text for n, text in checked if int(n) == line]
    assert said and any(words in text for text in said), (line, words, said)


def test_check_and_boot_say_the_same(booted, checked):
    """Each line of `make check`, word for word, is in the machine's log, too, but for the folder."""
    log = booted.text
    for line, text in checked:
        text = text.split(" in the folder ")[0]     # the machine's folder is another
        assert f"bulkhead.conf:{line}: {text}" in log, (line, text)


@pytest.mark.parametrize("name", ["lost", "large", "far", "odd", "noise", "empty"])
def test_partition_is_marked_failed(booted, name):
    assert re.search(r"failed", state_of(booted, name))


def test_start_of_a_failed_partition_says_why(booted):
    text = booted.command("start lost")
    assert "configuration is wrong" in text and "nowhere.elf" in text, text


def test_audit(booted):
    audit_clean(booted)
