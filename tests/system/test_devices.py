"""Devices of natives: what they are given, their memory and interrupts, and what is left of them when a native ends."""
import re
import socket
import threading

import pytest

from machine import PROMPT, emulators
from natives import attach, audit_clean, detach, native, report_of, state_of, wait_state

pytestmark = [pytest.mark.machines("qemu"), pytest.mark.steps]

SUM = 0x5a * 4088                       # of what is copied

OPTIONS = ["-device", "edu,addr=05.0,dma_mask=0xffffffffffffffff", "-device", "edu,addr=06.0,dma_mask=0xffffffffffffffff",
           "-device", "e1000,addr=07.0", "-device", "e1000e,addr=08.0", "-device", "e1000e,addr=09.0,netdev=flood"]


def holder(name, device, more=""):
    return native(name, "device", cpus="shared 0",
                  more=f"memory = 4M\nautostart = no\ntrusted-for-dma = yes\ngrants = device {device}\n{more}")


class Flood:
    """Frames to everybody, a thousand a second, to a card whose wire is a UDP port of this host."""

    def __init__(self):
        self.port, self.own = emulators.free_port(), emulators.free_port()
        self.options = ["-netdev", f"socket,id=flood,udp=127.0.0.1:{self.own},localaddr=127.0.0.1:{self.port}"]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.pour, daemon=True)
        self.thread.start()

    def pour(self):
        frame = b"\xff" * 6 + b"\x52\x54\x00\x00\x00\x01\x88\xb5" + b"flood" * 200
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            while not self.over.wait(0.001):
                try:
                    wire.sendto(frame, ("127.0.0.1", self.port))
                except OSError:
                    pass                # nobody listens yet


@pytest.fixture(scope="module")
def flood():
    pours = Flood()
    yield pours
    pours.over.set()
    pours.thread.join()


@pytest.fixture(scope="module")
def machine(group, flood):
    conf = (holder("copies", "00:05.0", "restart = never") + holder("leaves", "00:06.0", "arguments = leave\nrestart = on-failure 1") +
            holder("line", "00:07.0") + holder("messages", "class 02:00") +
            native("flooded", "receiver", cpus="shared 0", more="memory = 4M\nautostart = no\ntrusted-for-dma = yes\n"
                   "grants = device 00:09.0") +
            native("absent", "hello", more="trusted-for-dma = yes\ngrants = device 00:1e.7") +
            native("bridge", "hello", more="trusted-for-dma = yes\ngrants = device 00:1f.0") +
            native("screen", "hello", more="trusted-for-dma = yes\ngrants = device 00:01.0") +
            native("doubted", "hello", more="grants = device 00:1f.2"))
    return group.start("devices", conf, ["hello.elf", "device.elf", "receiver.elf"], cpus=2, memory=1024,
                       options=OPTIONS + flood.options)


def test_what_cannot_be_had(machine):
    machine.expect("^" + PROMPT, 300)
    for name, words in (("absent", r"there is no PCI device 0000:00:1e\.7"), ("bridge", "it is a bridge"),
                        ("screen", "the kernel uses it itself"), ("doubted", "`trusted-for-dma = yes`")):
        assert "failed" in state_of(machine, name)
        assert re.search(words, report_of(machine, name)), name
    assert "WARNING: no IOMMU: copies" in machine.text


def run(machine, name, life=0):
    """Starts it and returns what it says in this life, which it must end well. What it said before is shown, too."""
    machine.command("start " + name)
    attach(machine, name)
    end = machine.expect(rf"life {life} done", 300).start()
    text = machine.text[:end]
    detach(machine)
    return text[text.rindex("device: 00:"):]


def check_copies(text):
    assert "device: 00:05.0 id 11e81234 class ff00 irqs 1 kind 2 command 403, 6 of 6 refused" in text
    assert "device: edu inverts to edcba987" in text
    assert "device: bound 1 master 0" in text
    assert f"device: edu copied, 2 interrupts, sum {SUM} of {SUM}" in text
    assert "device: edu without bus mastering: sum 0" in text


def check_line(text):
    assert "device: 00:07.0 id 100e8086 class 20000 irqs 1 kind 1 command 403" in text
    assert "device: nic interrupts: 3 came" in text


def check_messages(text):
    assert "device: 00:08.0 id 10d38086 class 20000 irqs 5 kind 3 command 403" in text
    assert "device: nic interrupts: 3 came" in text


HOLDERS = {"copies": check_copies, "line": check_line, "messages": check_messages}


@pytest.mark.parametrize("name", HOLDERS)
def test_memory_and_interrupts(machine, name):
    HOLDERS[name](run(machine, name))


def test_what_comes_late_does_not_come(machine):
    """The device writes a while after it was told to; by then its holder has ended, and its next life looks."""
    assert "device: edu left 0" in run(machine, "leaves", 1)
    audit_clean(machine)


def test_what_goes_on_writing(machine):
    """The card receives all the time, and QEMU does not reset it between two lives."""
    for life in range(3):
        machine.command("start flooded")
        attach(machine, "flooded")
        machine.expect(rf"life {life} found 0 words", 300)
        machine.expect(rf"life {life} receives", 300)
        detach(machine)
        machine.command("stop flooded")
        wait_state(machine, "flooded", "stopped")
        audit_clean(machine)


def test_ended_and_again(machine):
    for name in HOLDERS:
        machine.command("stop " + name)
        wait_state(machine, name, "stopped")
    audit_clean(machine)
    for name, check in HOLDERS.items():
        check(run(machine, name, 1))
    audit_clean(machine)
