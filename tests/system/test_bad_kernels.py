"""Kernel images that are none: the monitor refuses each with the reason; its guest ends, the rest goes on."""
import re
import struct

import pytest

from machine import PROMPT, built
from natives import audit_clean, native, report_of, state_of, wait_state

pytestmark = [pytest.mark.steps]


def kernel():
    with open(built("vmlinuz"), "rb") as file:
        return file.read()


def patched(offset, form, value):
    """The first 64 KiB of a good kernel, padded to its size in the header, with one field changed."""
    data = bytearray(kernel()[:1 << 16])
    struct.pack_into(form, data, offset, value)
    return bytes(data)


# Linux boot protocol: the offsets are those of its table of header fields.
IMAGES = {
    "truncated": lambda: kernel()[:1 << 16],
    "stub": lambda: kernel()[:512],
    "tiny": lambda: b"x",
    "noise": lambda: bytes((n * 7 + 3) & 255 for n in range(100000)),
    "text": lambda: b"#!/bin/sh\necho not a kernel\n" * 100,
    "magic": lambda: patched(0x202, "<I", 0),
    "sectors": lambda: patched(0x1F1, "<B", 0xFF),
    "oldversion": lambda: patched(0x206, "<H", 0x0100),
    "size": lambda: patched(0x1F4, "<I", 0xFFFFFFFF),
    "initsize": lambda: patched(0x260, "<I", 0xFFFFFFF0),
    "alignment": lambda: patched(0x230, "<I", 0x80000000),
    "elf": lambda: b"\x7fELF\x02\x01\x01" + bytes(200),
}


@pytest.fixture(scope="module")
def machine(group):
    conf = native("hello", cpus="shared 1") + "".join(
        f"[guest {name}]\nkernel = {name}.bin\nmemory = 32M\ncpus = shared 1\nautostart = no\n" for name in IMAGES)
    files = ["hello.elf"] + [(name + ".bin", make()) for name, make in IMAGES.items()]
    return group.start("bad-kernels", conf, files, cpus=2, memory=1024)


def test_console_comes_up(machine):
    machine.expect("^" + PROMPT, 300)


@pytest.mark.parametrize("name", IMAGES)
def test_refused_with_the_reason(machine, name):
    machine.command("start " + name)
    wait_state(machine, name, "failed")
    reason = report_of(machine, name)
    assert re.search(r"kernel|image|header|boot protocol", reason), reason
    assert not re.search(r"page fault|exception|triple", reason), reason
    assert "running" in state_of(machine, "hello")


def test_audit(machine):
    audit_clean(machine)
