"""The main job, on the configuration that `make run` starts: several operating systems side by side, managed."""
import os
import re
import time

import pytest

from https import ADDRESS, Console, fingerprint, first_token, said
from machine import BUILD, PROMPT, emulators
from natives import AMD, again_in, attach, audit_clean, detach, linux, state_of, to_shell, tsc_rate, wait_state

pytestmark = [pytest.mark.steps]

# The steps that are done on every CPU that the emulators have for us.
everywhere = pytest.mark.machines("bochs", "qemu", "bochs-sandy_bridge", "bochs-tigerlake", "bochs-ryzen")


@pytest.fixture(scope="module")
def console(kind):
    return Console(emulators.free_port(), seconds=600)


@pytest.fixture(scope="module")
def demo(group, console):
    return group.boot("demo", os.path.join(BUILD, "demo", "bulkhead.conf"),
                      nics=[emulators.Nic(forward=[console.forward])])


@everywhere
def test_console_comes_up(demo):
    demo.expect(r"smp: 4 CPUs run", 120)
    demo.expect("^" + PROMPT, 200)


@everywhere
def test_list(demo):
    for name in ("alpha", "beta", "hello", "ping", "pong"):
        wait_state(demo, name, "running")
    assert "never started" in state_of(demo, "measure")


@everywhere
def test_log_in_and_list_over_the_network(demo, console):
    """From this host, with the token that the serial line shows, by TLS."""
    said(demo, rf"\[console: https://{ADDRESS}/ on lan\]", 200)
    assert {"alpha", "beta", "hello", "ping", "pong", "measure", "net"} <= set(console.names(first_token(demo)))
    assert console.digest == fingerprint(demo)


def test_help_names_every_command(demo):
    text = demo.command("help")
    for word in ("help list attach start stop pause resume restart log stat net link tap pci iommu mem caps "
                 "trace audit address token debug reboot poweroff").split():
        assert re.search(rf"\b{word}\b", text), word


@everywhere
def test_alpha_shell(demo):
    to_shell(demo, "alpha")
    assert re.search(r"Linux alpha 6\.\d+\..*-cloud-amd64 .*x86_64", linux(demo, "alpha", "uname -a"))
    assert linux(demo, "alpha", "nproc").strip() == "1"
    detach(demo)


@everywhere
def test_beta_shell(demo):
    to_shell(demo, "beta")
    assert re.search(r"Linux beta 6\.\d+\..*-cloud-amd64 .*x86_64", linux(demo, "beta", "uname -a"))
    assert linux(demo, "beta", "nproc").strip() == "2"
    detach(demo)


def address_of(machine, name):
    """The address that the guest got by DHCP."""
    again_in(machine, name)
    for _ in range(40):
        found = re.search(r"inet (10\.0\.2\.\d+)/24", linux(machine, name, "ip addr show eth0"))
        if found:
            break
        linux(machine, name, "sleep 1")
    detach(machine)
    assert found, f"{name} has no address"
    return found.group(1)


@everywhere
def test_network(demo):
    """Both guests have an address from the network outside, and reach each other and the world through the card."""
    addresses = {name: address_of(demo, name) for name in ("alpha", "beta")}
    for name, peer in (("alpha", "beta"), ("beta", "alpha")):
        again_in(demo, name)
        for target in (addresses[peer], "10.0.2.2"):
            assert "3 packets received" in linux(demo, name, f"ping -c 3 {target}"), target
        detach(demo)
    text = demo.command("net")
    assert re.search(r"e1000e?: link up", text), text
    assert re.search(r"020000  net ", demo.command("pci"))


@everywhere
def test_vectors(demo):
    """Two tasks on one CPU, which is shared with other domains, keep their vector registers."""
    again_in(demo, "alpha")
    text = linux(demo, "alpha", "vector-check 2 >/tmp/v & vector-check 2; wait; cat /tmp/v", 200)
    assert len(re.findall(r"kept vectors of \d+ bytes for \d+ rounds", text)) == 2, text
    detach(demo)


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_clock(demo, name):
    """Three seconds of the guest's clocks against the TSC, whose rate is the machine's, not what Linux was told."""
    again_in(demo, name)
    text = linux(demo, name, "clock-check", 400)
    found = re.search(r"tsc=(\d+) monotonic=(\d+) real=(\d+)", text)
    tsc, monotonic, real = (int(n) for n in found.groups())
    rate, exact = tsc_rate(demo)
    assert tsc / rate >= 3
    assert monotonic / 1e9 == pytest.approx(tsc / rate, rel=exact)
    assert real / 1e9 == pytest.approx(tsc / rate, rel=exact)
    detach(demo)


def test_date_is_right(demo):
    """The guest's RTC gives the machine's date; the emulators give the host's."""
    again_in(demo, "alpha")
    found = re.search(r"^(\d{9,})$", linux(demo, "alpha", "date +%s"), re.M)
    assert abs(int(found.group(1)) - time.time()) < 86400
    detach(demo)


def test_job_control(demo):
    again_in(demo, "alpha")
    demo.send("sleep 1000\r")
    demo.expect(r"sleep 1000\n")
    demo.progress(3)
    demo.send("\x03")
    demo.expect(r"^alpha# ")
    assert linux(demo, "alpha", "pidof sleep || echo none").strip() == "none"
    detach(demo)


def test_hello_prints(demo):
    attach(demo, "hello")
    demo.expect(r"^hello \d+\n", 120)
    demo.send("x")
    demo.expect(r"You typed 'x'")
    detach(demo)


def test_ping_and_pong_talk(demo):
    """Both ends count what they exchange, and go on while they are watched."""
    for name, pattern in (("ping", r"ping: (\d+) rounds, \d+ ticks each\n"), ("pong", r"pong: (\d+) answers\n")):
        attach(demo, name)
        demo.position = len(demo.text)
        first = int(demo.expect(pattern, 120).group(1))
        assert int(demo.expect(pattern, 120).group(1)) > first
        detach(demo)


def test_ping_sees_that_pong_was_restarted(demo):
    demo.command("restart pong")
    wait_state(demo, "pong", "running")
    attach(demo, "ping")
    demo.expect(r"pong was started anew", 120)
    demo.expect(r"ping: (\d+) rounds", 120)
    detach(demo)


def test_kept_while_nobody_looks(demo):
    """What a guest prints while the console looks elsewhere is shown at the next attach."""
    again_in(demo, "alpha")
    linux(demo, "alpha", "(sleep 2; echo said-$((40+2))) &")
    detach(demo)
    demo.progress(10)
    assert "said-42" not in demo.text
    attach(demo, "alpha")
    demo.expect(r"said-42", 60)
    detach(demo)


def test_stat_and_trace(demo):
    text = demo.command("stat alpha")
    assert re.search(r"vCPU 0 on CPU 1 \(shared\)", text) and re.search(r"exits \d+: ", text), text
    trace = demo.command("trace alpha")
    lines = [line for line in trace.splitlines() if re.search(r"\b(pio|hlt|wrmsr|timer|interrupt|cpuid|mmio)\b", line)]
    assert len(lines) >= 5, trace


@everywhere
def test_caps(demo, kind):
    """By the vendor's names."""
    caps = demo.command("caps")
    for word in ("SVM", "nested paging", "ASID") if kind in AMD else ("EPT", "VPID"):
        assert word in caps, caps


def test_mem_log(demo):
    assert re.search(r"kernel", demo.command("mem"), re.I)
    log = demo.command("log 1000", timeout=120)
    assert "smp: 4 CPUs run" in log


def test_pause_and_resume(demo):
    """A paused guest answers nothing; once resumed, it answers what was typed meanwhile."""
    demo.command("pause alpha")
    wait_state(demo, "alpha", "paused")
    attach(demo, "alpha")
    demo.send("echo typed-$((40+2))\r")
    demo.progress(5)
    assert "typed-42" not in demo.text
    detach(demo)
    demo.command("resume alpha")
    wait_state(demo, "alpha", "running")
    attach(demo, "alpha")
    demo.expect(r"^typed-42", 120)
    detach(demo)


@everywhere
def test_stop_alpha_and_start_it_again(demo):
    demo.command("stop alpha")
    wait_state(demo, "alpha", "stopped")
    assert "running" in state_of(demo, "beta")
    audit_clean(demo)
    demo.command("start alpha")
    wait_state(demo, "alpha", "running")
    to_shell(demo, "alpha")
    detach(demo)
    again_in(demo, "beta")
    assert "still-here" in linux(demo, "beta", "echo still-here")
    detach(demo)


def test_reboot_inside(demo):
    """`reboot` in a guest's shell starts that guest afresh, and no other."""
    again_in(demo, "beta")
    demo.send("reboot\r")
    demo.expect(r"bulkhead-guest: init reached", 400)
    demo.expect(r"^beta# ", 200)
    detach(demo)
    assert "running" in state_of(demo, "alpha")


def test_poweroff_inside(demo):
    again_in(demo, "beta")
    demo.send("poweroff\r")
    demo.progress(5)
    detach(demo)
    wait_state(demo, "beta", r"stopped|power(ed)?.?off|off")
    assert "running" in state_of(demo, "alpha")


def test_completion_and_history(demo):
    """Tab completes a partition's name; the arrow up brings a line back."""
    demo.position = len(demo.text)
    demo.send("stat hel\t")
    demo.expect(r"stat hello")
    demo.send("\r")
    demo.expect("^" + PROMPT)
    demo.send("\x1b[A")
    demo.expect(r"stat hello")
    demo.send("\x03")
    demo.expect("^" + PROMPT)


def test_unknown_command_and_name(demo):
    assert re.search(r"lsit", demo.command("lsit"))
    assert re.search(r"nobody", demo.command("attach nobody"))


@everywhere
def test_audit_is_clean(demo):
    audit_clean(demo)


def test_poweroff_asks(demo):
    demo.send("poweroff\r")
    demo.expect(r"Power off\? \(yes/no\) ")
    demo.send("no\r")
    demo.expect("^" + PROMPT)


@everywhere
def test_machine_powers_off(demo):
    demo.command_end("poweroff -f", 120)
