"""The parser of instruction traces that tests/bench counts an exit's way with; needs no machine."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench"))
import path_trace  # noqa: E402

GUEST = 0x14e277
KERNEL = path_trace.Symbols([(0xffffffff80010000, "vmx_exit_entry"), (0xffffffff80010100, "vmx_quick"),
                             (0xffffffff80010200, "vmx_enter")])
MONITOR = path_trace.Symbols([(0x150000, "main")])
FIELDS = {0x4402: "EXIT_REASON", 0x681e: "GUEST_RIP"}

# As Bochs prints it: CPU, time, physical and linear address, instruction, its bytes.
ROUND = """\
(1).[749911975] [0x00003e14e277] 0008:000000000014e277 (unk. ctxt): cpuid                     ; 0fa2
(1).[749911975] [0x00003cc10000] 0008:ffffffff80010000 (unk. ctxt): mov qword ptr ss:[rsp], rax ; 48890424
(1).[749911975] [0x00003cc10100] 0008:ffffffff80010100 (unk. ctxt): mov ecx, 0x00004402       ; b902440000
(1).[749911975] [0x00003cc10105] 0008:ffffffff80010105 (unk. ctxt): vmread rcx, rcx           ; 0f78c9
(1).[749911975] [0x00003cc10108] 0008:ffffffff80010108 (unk. ctxt): rdtsc                     ; 0f31
(1).[749911975] [0x00003cc1010a] 0008:ffffffff8001010a (unk. ctxt): vmread rax, rcx           ; 0f78c8
(1).[749911975] [0x00003cc1010d] 0008:ffffffff8001010d (unk. ctxt): mov r9d, 0x0000681e       ; 41b91e680000
(1).[749911975] [0x00003cc10113] 0008:ffffffff80010113 (unk. ctxt): vmwrite r9, rax           ; 4c0f79c8
"""
SWITCH = """\
(1).[749911975] [0x00003cc10116] 0008:ffffffff80010116 (unk. ctxt): vmptrld qword ptr ds:[rsi+288] ; 0fc7b620010000
(1).[749911975] [0x00003cc10200] 0008:ffffffff80010200 (unk. ctxt): vmlaunch                  ; 0f01c2
(1).[749911975] [0x00003e150010] 0008:0000000000150010 (unk. ctxt): vmcall                    ; 0f01c1
(1).[749911975] [0x00003cc10000] 0008:ffffffff80010000 (unk. ctxt): wrmsr                     ; 0f30
"""
RESUME = """\
(1).[749911975] [0x00003cc10203] 0008:ffffffff80010203 (unk. ctxt): vmresume                  ; 0f01c3
"""
LOOP = """\
(1).[749911975] [0x00003e14e279] 0008:000000000014e279 (unk. ctxt): dec r9d                   ; 41ffc9
(1).[749911975] [0x00003e14e27c] 0008:000000000014e27c (unk. ctxt): jnz .-12  (0x000000000014e272) ; 75f4
"""
DIRECT = ROUND + RESUME + LOOP
THROUGH = ROUND + SWITCH + RESUME + LOOP


def operations(text):
    return path_trace.operations(path_trace.parse(text, 1), GUEST)


def test_a_line():
    one = path_trace.parse_line(ROUND.splitlines()[2])
    assert one == (1, 0xffffffff80010100, "mov ecx, 0x00004402", 5)


@pytest.mark.parametrize("line", ["", "<bochs:2> ", "Next at t=748553910", "Tracing enabled for CPU0",
                                  "(1) Breakpoint 1, 0x000000000014e277 in ?? ()"])
def test_what_is_no_instruction(line):
    assert path_trace.parse_line(line) is None


def test_other_cpus_are_left_out():
    other = ROUND.replace("(1)", "(0)")
    assert path_trace.parse(other + ROUND, 1) == path_trace.parse(ROUND, 1)
    assert path_trace.parse(other, 1) == []


def test_counts_of_a_direct_way():
    found = operations(DIRECT)
    assert len(found) == 1
    assert path_trace.count(found[0], KERNEL) == {
        "path": 9, "kernel": 8, "monitor": 0, "entries": 1, "vmptrld": 0, "vmread": 2, "vmwrite": 1, "wrmsr": 0,
        "rdtsc": 1}


def test_counts_of_a_way_through_the_monitor():
    found = operations(THROUGH)
    assert path_trace.count(found[0], KERNEL) == {
        "path": 13, "kernel": 11, "monitor": 1, "entries": 2, "vmptrld": 1, "vmread": 2, "vmwrite": 1, "wrmsr": 1,
        "rdtsc": 1}


def test_what_is_cut_off_does_not_count():
    assert len(operations(RESUME + LOOP + DIRECT + ROUND)) == 1
    assert operations(ROUND) == []
    with pytest.raises(path_trace.TraceError):
        path_trace.usual([])


def test_the_usual_way_is_what_most_took():
    operation, times = path_trace.usual(operations(THROUGH + DIRECT + DIRECT))
    assert (len(operation), times) == (9, 2)


def test_names_of_fields():
    operation = operations(DIRECT)[0]
    words = path_trace.described(operation, FIELDS)
    assert [words[at] for at in sorted(words)] == [
        "vmread EXIT_REASON", "rdtsc", "vmread rax, rcx",       # the first VMREAD has overwritten the constant
        "vmwrite GUEST_RIP", "vmresume"]


def test_fields_of_a_header():
    header = "enum vmcs_field {\n\tVPID = 0x0000,\n\tGUEST_RIP = 0x681e, /* words */\n};\n#define OTHER = 0x12\n"
    assert path_trace.vmcs_fields(header) == {0: "VPID", 0x681e: "GUEST_RIP"}
    assert path_trace.vmcs_fields("") == {}


def test_functions_of_the_way():
    operation = operations(THROUGH)[0]
    assert [(side, function, offset, len(part))
            for side, function, offset, part in path_trace.stretches(operation, KERNEL, MONITOR)] == [
        ("guest", "", 0, 1), ("kernel", "vmx_exit_entry", 0, 1), ("kernel", "vmx_quick", 0, 7),
        ("kernel", "vmx_enter", 0, 1), ("monitor", "main", 0x10, 1), ("kernel", "vmx_exit_entry", 0, 1),
        ("kernel", "vmx_enter", 3, 1)]


def test_addresses_beside_the_functions():
    assert 0xffffffff8000ffff not in KERNEL
    assert 0xffffffff80010fff in KERNEL
    assert 0xffffffff80011000 not in KERNEL
    assert 1 not in path_trace.Symbols([])
