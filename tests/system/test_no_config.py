"""Files that are no configuration at all: `make check` says so, and the machine comes up with its console."""
import re

import pytest

from machine import PROMPT, make, stage
from natives import audit_clean

# What the file holds, and what is said of it.
FILES = {
    "empty": (b"", r"empty|no partition|0 bytes"),
    "huge": (b"# padding\n" * (1 << 20), r"long|large|MiB|bytes"),
    "binary": (bytes(range(256)) * 16, r"ASCII|binary|text"),
}


@pytest.mark.parametrize("name", FILES)
def test_check(name):
    content, words = FILES[name]
    done = make("check", "CONF=" + stage("check-" + name, content))
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert re.search(rf"bulkhead\.conf.*({words})", text), text


@pytest.mark.parametrize("name", FILES)
def test_boot(one, name):
    content, words = FILES[name]
    machine = one.start("boot-" + name, content, cpus=1, memory=512)
    machine.expect(rf"bulkhead\.conf.*({words})", 200)
    machine.expect("^" + PROMPT, 60)
    assert "NAME" in machine.command("list")
    audit_clean(machine)


def test_check_of_the_demo_is_clean():
    done = make("check", "CONF=build/demo/bulkhead.conf")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("alpha", "beta", "hello", "ping", "pong"):
        assert name in done.stdout
