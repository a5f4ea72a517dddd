"""Requests, connections left half-way and slow ones: what the console then holds of memory is what it held before."""
import functools
import os
import subprocess

import pytest

from console_client import Client
from console_wear import at_once, drop, keep_asking, pools, restarts, settle, slow_reader, slow_writer
from machine import BUILD, PROMPT, emulators
from natives import LINUX, audit_clean, guest
from test_console_net import ADDRESS, new_token

pytestmark = [pytest.mark.machines("qemu"), pytest.mark.steps]
STATE = {}


@pytest.fixture(scope="module")
def lan(group):
    STATE["port"] = emulators.free_port()
    conf = ("[machine]\ntrusted-for-dma = net\nconsole = lan\n[network lan]\nnic = ethernet\n"
            + guest("alpha", "dedicated 1"))
    return group.start("console-wear", conf, LINUX,
                       nics=[emulators.Nic("e1000e", forward=((STATE["port"], ADDRESS, 443),))])


def test_before(lan):
    lan.expect("^" + PROMPT, 120)
    lan.expect(rf"\[console: https://{ADDRESS}/ on lan\]", 60)
    STATE["client"] = Client(STATE["port"], new_token(lan, "wear", "administrator"), 120)
    assert STATE["client"].get("/api/v1/partitions")[0] == 200
    lan.progress(25)                    # what it took for the first ones is over
    STATE["pools"] = pools(lan)
    assert STATE["pools"]["tls.connections"] == 0 and STATE["pools"]["http.connections"] == 0


def test_metrics(lan):
    """As Prometheus' own tool wants them, from the real machine."""
    status, text = STATE["client"].get("/metrics")
    assert status == 200
    done = subprocess.run([os.path.join(BUILD, "tests", "promtool"), "check", "metrics"], input=text,
                          capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done


def test_requests(lan):
    works = [functools.partial(keep_asking, STATE["client"], 100)] * 4
    assert at_once(*works) == [100] * 4


def test_left_half_way(lan):
    for number in range(40):
        drop(STATE["client"], number)


def test_slow(lan):
    client = STATE["client"]
    told = at_once(functools.partial(slow_writer, client, 60), functools.partial(slow_reader, client, 30))
    assert told == [408, True]


def test_memory_as_before(lan):
    assert not settle(lan, STATE["pools"])
    assert STATE["client"].get("/api/v1/partitions")[0] == 200
    assert restarts(STATE["client"]) == 0
    audit_clean(lan)
