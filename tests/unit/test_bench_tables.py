"""The tables of tests/bench: limits by machine, exits by reason."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench"))
import tables  # noqa: E402

COUNTED = {"linux.boot.exits.cpuid": 7, "linux.boot.exits.pio": 3, "linux.boot.ran": 100}
BOTH = {**COUNTED, "qemu.boot.exits.pio": 5, "qemu.boot.exits.hlt": 15}


def test_limits_are_those_of_the_machine():
    assert tables.targets_of("bochs")["exit.cpuid"][1:] == (120, 978)
    assert tables.targets_of("qemu")["exit.cpuid"][1:] == (140, 2755)
    assert "qemu.boot.ratio" in tables.targets_of("qemu") and "qemu.boot.ratio" not in tables.targets_of("bochs")


def test_rows_are_sorted_by_the_first_column():
    assert tables.exit_rows(COUNTED) == [("cpuid", 7), ("pio", 3)]
    assert tables.exit_rows(BOTH) == [("cpuid", 7, 0), ("pio", 3, 5), ("hlt", 0, 15)]


def test_the_sum_is_printed(capsys):
    tables.print_exits(BOTH)
    text = capsys.readouterr().out
    assert re.search(r"^sum +10 +20$", text, re.M), text
    assert re.search(r"^hlt +0 +15 +75\.0%$", text, re.M), text


def test_no_exits_no_table(capsys):
    tables.print_exits({"kernel.lines": 1})
    assert not capsys.readouterr().out


def test_missed_and_missing(capsys):
    tables.print_keys("qemu", {"exit.cpuid": 141, "exit.pio": 520, "other": 1, **BOTH}, r"exit\.\w+\.")
    text = capsys.readouterr().out
    assert re.search(r"^exit\.cpuid +141 +140 +2755 +MISSED", text, re.M), text
    assert re.search(r"^exit\.pio +520 +520 +3000 +OUT", text, re.M), text
    assert re.search(r"^exit\.hypercall +- .*not measured", text, re.M), text
    assert re.search(r"^other +1$", text, re.M) and "boot.exits" not in text, text


def test_limits_that_more_is_better_for(capsys):
    tables.print_keys("qemu", {"net.guest_to_guest": 0.39, "net.flood": 0.8}, "nothing")
    text = capsys.readouterr().out
    assert re.search(r"^net\.guest_to_guest +0\.39 +least 0\.4 +MISSED", text, re.M), text
    assert re.search(r"^net\.flood +0\.8 +least 0\.8 +through", text, re.M), text
