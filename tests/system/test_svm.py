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
    """All on one CPU."""
    conf = guest("alpha", "shared 1") + guest("beta", "shared 1") + native("witness", more="memory = 4M")
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


def test_xsetbv_is_not_for_programs(machine):
    text = linux(machine, "alpha", "code-change", timeout=600)
    assert "code-change: XSETBV refused" in text, text
    detach(machine)


def test_native_forms(machine):
    machine.command("start forms")
    wait_state(machine, "forms", "finished|failed", step=3)
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
