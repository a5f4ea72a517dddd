"""The computing parts of the network's measures: exit traces, counts by CPU."""
import os
import struct
import sys

import pytest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TESTS, "bench"), os.path.join(TESTS, "system")]
import counters  # noqa: E402
import frame_path  # noqa: E402
import network_card  # noqa: E402
from path_trace import Symbols  # noqa: E402

# Blocks of a kernel with these functions; what lies elsewhere is a guest's or a service's.
KERNEL = frame_path.Kernel(Symbols([(0x8000, "cpu_idle"), (0x8100, "guest_control_ring"), (0x8200, "kick_cpu"),
                                    (0x8300, "send"), (0x8400, "svm_exit")]))
IDLE, RING, KICK, SEND, EXIT, OUTSIDE = 0x8010, 0x8110, 0x8200, 0x8310, 0x8400, 0x1000


def frame(sent=(3, 2, 1), passed=(7, 5, 9), received=(2, 4)):
    """One frame from CPU 1 by CPU 0 to CPU 2. What each does afterwards, and before it halts, is not the frame's."""
    notify = [(1, 50, OUTSIDE), (1, sent[0], EXIT), (1, sent[1], RING), (1, sent[2], KICK), (1, 1, SEND),
              (1, 100, RING), (1, 100, EXIT), (1, 100, OUTSIDE), (1, 100, EXIT), (1, 100, IDLE)]
    service = [(0, passed[0], EXIT), (0, passed[1], OUTSIDE), (0, passed[2], KICK), (0, 1, SEND), (0, 100, EXIT)]
    receive = [(2, received[0], EXIT), (2, received[1], IDLE), (2, 100, OUTSIDE), (2, 100, EXIT)]
    return [frame_path.Step(*step) for step in notify + service + receive]


def ways(steps):
    return frame_path.ways(steps, KERNEL, sender=1, services=0, receiver=2)


def test_a_ring_is_read_from_its_oldest_step():
    steps = [(number % 3, number + 1, 0x1000 + number) for number in range(frame_path.STEPS)]
    steps[:2] = [(0, 77, 0x77), (1, 88, 0x88)]   # the newest, over the oldest
    data = struct.pack("=Q", frame_path.STEPS + 2) + b"".join(struct.pack("=IIQ", *step) for step in steps)
    found = frame_path.read_steps(data)
    assert len(found) == frame_path.STEPS
    assert found[0] == steps[2] and found[-2:] == steps[:2]


def test_a_frame_is_counted_up_to_the_handler():
    assert ways(frame() + frame()) == [(3 + 2 + 1 + 1, 7 + 5 + 9 + 1, 2 + 4)]


def test_the_middle_one_of_the_frames():
    found = ways(frame() + frame(received=(50, 4)) + frame(sent=(9, 9, 9)) + frame())
    assert len(found) == 3 and frame_path.middle(found) == (28, 22, 6)


def test_a_frame_that_wakes_nobody_is_none():
    awake = [step for step in frame() if step.cpu != 2] + [frame_path.Step(2, 100, OUTSIDE)]
    unnoticed = [step for step in frame() if step.cpu != 0 or step.address not in (KICK, SEND)]
    before = [step for step in frame() if step.cpu == 2] + [step for step in frame() if step.cpu != 2]
    for steps in (awake, unnoticed, [step for step in frame() if step.cpu == 1]):
        assert not ways(steps + frame())
    assert not ways(frame()[:2] + before[:4] + frame()[2:-4] + frame())


def test_a_kernel_without_these_functions_is_named():
    with pytest.raises(frame_path.PathError, match="no kick_cpu, send"):
        frame_path.Kernel(Symbols([(0x8000, "cpu_idle"), (0x8100, "guest_control_ring")]))


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
