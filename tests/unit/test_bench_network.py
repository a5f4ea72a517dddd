"""The computing parts of the network's measures: exit traces, counts by CPU."""
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TESTS, "bench"), os.path.join(TESTS, "system")]
import counters  # noqa: E402
import exit_times  # noqa: E402
import network_card  # noqa: E402

# Two frames: beta sleeps before each, alpha goes on for a while after its OUT. A third one comes while beta is awake.
ALPHA = """\
alpha ignored
1000 0 200 out 0xc000
1500 0 100 wrmsr 0x6e0 (TSC_DEADLINE)
2000 0 150 hlt
11000 0 200 out 0xc000
13000 0 150 hlt
21000 0 200 out 0xc000
23000 0 150 hlt
31000 0 200 out 0xc000
"""
BETA = """\
500 0 150 hlt
4000 0 100 wrmsr 0x80b (x2APIC EOI)
5000 0 150 hlt
16000 0 100 wrmsr 0x80b (x2APIC EOI)
20000 0 100 wrmsr 0x80b (x2APIC EOI)
25000 0 100 wrmsr 0x80b (x2APIC EOI)
"""


def test_a_trace_is_read():
    trace = exit_times.read_trace(ALPHA)
    assert len(trace) == 8 and trace[1] == (1500, 0, 100, "wrmsr 0x6e0 (TSC_DEADLINE)")


def test_notifies_are_doorbells():
    exits = [exit_times.Exit(0, 0, 0, what) for what in ("out 0xc000", "out 0xcfc (PCI)", "in 0xc000", "out 0xc041")]
    assert [exit_times.is_notify(one) for one in exits] == [True, False, False, True]


def test_what_the_sender_does_meanwhile_is_left_out():
    found = exit_times.latencies(exit_times.read_trace(ALPHA), exit_times.read_trace(BETA))
    assert found == [(3000, 3000 - (2150 - 1200), 200), (5000, 5000 - (13150 - 11200), 200)]


def test_median():
    assert exit_times.median([5, 1, 9]) == 5


def test_what_two_runs_share_falls_out():
    short, long = counters.by_cpu((10, 10), (110, 20)), counters.by_cpu((110, 20), (410, 40))
    assert counters.slope(short, long, 100) == [2, 0.1]


def test_a_flood_takes_time_where_there_is_some_to_spare():
    # The second CPU has least; the first has half of its time left.
    assert counters.kept((1, 4, 0), (3, 4, 4), (0, 1), 2) == 1
    assert counters.kept((1, 4, 0), (1, 5, 4), (0, 1), 2) == 0.75
    assert counters.kept((2, 2, 0), (2, 2, 8), (0, 1), 2) == 1


def test_the_peer_tells_its_address():
    own, own_ip, peer_ip = bytes.fromhex("525400b80000"), bytes((10, 6, 0, 1)), bytes((10, 6, 0, 2))
    head = b"\x08\x06\x00\x01\x08\x00\x06\x04\x00"
    back = network_card.answer(b"\xff" * 6 + own + head + b"\1" + own + own_ip + bytes(6) + peer_ip)
    assert back == own + network_card.PEER_MAC + head + b"\2" + network_card.PEER_MAC + peer_ip + own + own_ip
    assert network_card.answer(b"\xff" * 6 + own + head + b"\1" + own + own_ip + bytes(6) + own_ip) is None


def test_the_peer_sends_udp_back():
    own, own_ip, peer_ip = bytes.fromhex("525400b80000"), bytes((10, 6, 0, 1)), bytes((10, 6, 0, 2))
    ip, rest = b"\x45\x00\x00\x20\0\0\x40\0\x40\x11\x12\x34", b"\x00\x0c\x56\x78echo"
    frame = network_card.PEER_MAC + own + b"\x08\x00" + ip + own_ip + peer_ip + b"\x80\x01\x00\x07" + rest
    assert network_card.answer(frame) == (own + network_card.PEER_MAC + b"\x08\x00" + ip + peer_ip + own_ip
                                          + b"\x00\x07\x80\x01" + rest)
    assert network_card.answer(frame[:23] + b"\x06" + frame[24:]) is None
