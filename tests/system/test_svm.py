"""
Where the CPU does not tell how long an instruction is, the kernel finds out: all forms of CPUID and VMMCALL, while code
and page tables change under it, and while others of the same CPU do the same.
"""
import re

import pytest

from machine import PROMPT
from natives import LINUX, again_in, attach, audit_clean, detach, guest, linux, native, report_of, state_of, to_shell, \
    wait_state

pytestmark = [pytest.mark.machines("qemu"), pytest.mark.steps]

FORMS = r"^code-change: (\d+) forms right$"


@pytest.fixture(scope="module")
def machine(group):
    """Both on one CPU, and alpha on one more, which may change what the first is about to be asked for."""
    conf = guest("alpha", "shared 1 0") + guest("beta", "shared 1") + native("witness", more="memory = 4M")
    conf += native("forms", more="autostart = no")
    files = LINUX + ["witness.elf", "forms.elf"]
    return group.start("svm", conf, files, cpus=2, memory=1024)


def test_guests_come_up(machine):
    machine.expect("^" + PROMPT, 300)
    to_shell(machine, "beta")
    # From now on they take each other's windows.
    linux(machine, "beta", "while code-change >>log; do :; done & echo begun")
    detach(machine)
    to_shell(machine, "alpha")


def test_code_changes_under_it(machine):
    text = linux(machine, "alpha", "code-change", timeout=600)
    assert re.search(FORMS, text, re.M), text
    assert int(re.search(FORMS, text, re.M).group(1)) > 4000, text


def test_xcr0_is_the_kernels_and_stays(machine):
    """Also where the CPU does not let XSETBV exit, as QEMU 7.2's does not."""
    text = linux(machine, "alpha", "code-change", timeout=600)
    assert "code-change: XSETBV refused" in text, text
    assert re.search(r"^code-change: XCR0 kept, (3|7|231)$", text, re.M), text
    assert "consistency" not in linux(machine, "alpha", "dmesg | grep -i xsave; echo end"), text


def test_race_for_an_instruction(machine):
    """One CPU of the guest takes away what the other one has begun: its program may end by SIGILL, the guest goes on."""
    for _ in range(3):
        text = linux(machine, "alpha", "code-change race", timeout=300)
        assert re.search(r"^code-change: raced, status (0|4|132)$", text, re.M), text
    assert "unharmed" in linux(machine, "alpha", "echo unharmed")


def test_breakpoint_that_is_gone(machine):
    """QEMU 7.2 alone goes on executing it, and a Linux that changes its code by breakpoints hangs without a word."""
    text = linux(machine, "alpha", "breakpoint-race", timeout=300)
    assert re.search(r"^breakpoint-race: [1-9]\d* changes, .*, never stuck$", text, re.M), text
    detach(machine)


def test_native_forms(machine):
    machine.command("start forms")
    wait_state(machine, "forms", "finished|failed")
    attach(machine, "forms")
    found = machine.expect(r"forms: done: (\d+) right (\d+) wrong", 60)
    detach(machine)
    assert int(found.group(1)) > 3000 and found.group(2) == "0", machine.text[-2000:] + report_of(machine, "forms")


def test_others_were_right_meanwhile(machine):
    again_in(machine, "beta")
    text = linux(machine, "beta", "killall code-change; grep -c right log; grep wrong log; echo end")
    assert re.search(r"^[1-9]\d*$", text, re.M) and "wrong" not in text.split("\n", 1)[1], text
    detach(machine)
    assert "running" in state_of(machine, "witness")
    audit_clean(machine)
    machine.command_end("poweroff -f")
