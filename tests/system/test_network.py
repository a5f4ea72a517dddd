"""Networks between guests: stock Linux kernels with virtio-net, through the monitors and the switch of the net service."""
import base64
import re
import struct

import pytest

from machine import PROMPT
from natives import LINUX, LINUX_LINE, again_in, attach, audit_clean, detach, linux, to_shell, wait_state

pytestmark = [pytest.mark.machines("qemu"), pytest.mark.steps]

MIB = 1 << 20
MACS = {"alpha": "02:aa:00:00:00:01", "beta": "02:aa:00:00:00:02", "gamma": "02:aa:00:00:00:03"}
NUMBER = {"alpha": 1, "beta": 2, "gamma": 3}


def section(name, cpu, networks):
    number = NUMBER[name]
    line = f"{LINUX_LINE} hostname={name} ip=10.5.0.{number}/24 ip6=fd05::{number}/64"
    return (f"[guest {name}]\nkernel = vmlinuz\ninitrd = initramfs.img\ncommand-line = {line} eth1=10.6.0.{number}/24 "
            f"eth2=10.7.0.{number}/24\nmemory = 128M\ncpus = dedicated {cpu}\nnetworks = {networks}\n")


# On `lan` all three; on `quiet`, alpha and beta in VLAN 5, gamma's second card in VLAN 6 and its third in VLAN 5.
CONF = ("[network lan]\nmtu = 9000\nbroadcasts = 200\n[network quiet]\n"
        + section("alpha", 1, f"lan mac {MACS['alpha']}, quiet vlan 5")
        + section("beta", 2, f"lan mac {MACS['beta']} queues 2, quiet vlan 5")
        + section("gamma", 3, f"lan mac {MACS['gamma']} rate 200K, quiet vlan 6, quiet vlan 5"))


@pytest.fixture(scope="module")
def lan(group):
    return group.start("network", CONF, LINUX)


def in_guest(machine, name, *lines, timeout=120):
    """What the lines print in the guest's shell, each; the console's prompt is left and comes back."""
    again_in(machine, name)
    texts = [linux(machine, name, line, timeout) for line in lines]
    detach(machine)
    return texts


def numbers(machine):
    """`net -k` as a map."""
    text = machine.command("net -k")
    return {key: int(number) for key, number in re.findall(r"^(\S+) (\d+)$", text, re.M)}


def assert_ping(text, count):
    assert f"{count} packets transmitted, {count} packets received" in text, text


def test_guests_come_up(lan):
    lan.expect("^" + PROMPT, 120)
    for name in MACS:
        to_shell(lan, name)
        detach(lan)
    assert all(numbers(lan)[f"port.{name}.0.driver"] == 1 for name in MACS)


@pytest.mark.parametrize("name,peer", [("alpha", "beta"), ("beta", "alpha")])
def test_ping(lan, name, peer):
    texts = in_guest(lan, name, f"ping -c 5 10.5.0.{NUMBER[peer]}", f"ping -c 5 fd05::{NUMBER[peer]}")
    for text in texts:
        assert_ping(text, 5)


def pour(machine, sender, receiver, port, more="", megabytes=256):
    """TCP from one guest to the other: bytes and checksums as each end has them."""
    in_guest(machine, receiver, f"net-pour receive {port} -t 90000 >/r{port} &")
    sent, = in_guest(machine, sender, f"net-pour send 10.5.0.{NUMBER[receiver]} {port} -b {megabytes}M {more}",
                     timeout=900)
    received, = in_guest(machine, receiver, f"sleep 1; cat /r{port}")
    return [re.search(rf"{what} bytes=(\d+) sum=(\w+)", text) for what, text in (("sent", sent),
                                                                                 ("received", received))]


@pytest.mark.parametrize("sender,receiver,port", [("alpha", "beta", 5001), ("beta", "alpha", 5002)])
def test_tcp(lan, sender, receiver, port):
    """256 MiB, in segments that cross the switch whole."""
    before = numbers(lan)
    sent, received = pour(lan, sender, receiver, port)
    after = numbers(lan)
    assert sent and received and int(sent.group(1)) == 256 * MIB
    assert sent.groups() == received.groups()
    key = f"port.{sender}.0.out_"
    frames, octets = (after[key + what] - before[key + what] for what in ("frames", "bytes"))
    assert octets / frames > 9000, "segments were cut up on their way"


def test_tcp_without_offloads(lan):
    """The same with checksums and segments made by the guests, and MTU 1500."""
    for name in ("alpha", "beta"):
        in_guest(lan, name, "net-raw offload eth0 off")
    sent, received = pour(lan, "alpha", "beta", 5003, megabytes=8)
    for name in ("alpha", "beta"):
        in_guest(lan, name, "net-raw offload eth0 on")
    assert sent and received and sent.groups() == received.groups()


def test_segments_for_a_guest_that_takes_none(lan):
    """What the receiver does not take whole, the switch cuts up."""
    in_guest(lan, "beta", "net-raw offload eth0 off")
    sent, received = pour(lan, "alpha", "beta", 5004, megabytes=8)
    in_guest(lan, "beta", "net-raw offload eth0 on")
    assert sent and received and sent.groups() == received.groups()


def test_small_packets(lan):
    """100,000 of UDP. What a guest's socket has no room for is lost there; none comes twice or changed."""
    in_guest(lan, "beta", "net-pour receive 5005 -u >/u &")
    in_guest(lan, "alpha", "net-pour send 10.5.0.2 5005 -u -n 100000 -r 5000", timeout=400)
    text, = in_guest(lan, "beta", "sleep 2; cat /u")
    found = re.search(r"received packets=(\d+) lost=(\d+) twice=(\d+) wrong=(\d+)", text)
    assert found, text
    packets, lost, twice, wrong = map(int, found.groups())
    assert packets + lost == 100000 and not twice and not wrong
    assert packets > 50000, text


def test_jumbo_frames(lan):
    for name in ("alpha", "beta"):
        in_guest(lan, name, "ip link set eth0 mtu 9000")
    before = numbers(lan)["port.alpha.0.drops.oversize"]
    text, = in_guest(lan, "alpha", "ping -c 3 -s 8900 10.5.0.2")
    assert_ping(text, 3)
    assert numbers(lan)["port.alpha.0.drops.oversize"] == before
    text, = in_guest(lan, "beta", "ping -c 3 -s 8900 fd05::1")
    assert_ping(text, 3)
    for name in ("alpha", "beta"):
        in_guest(lan, name, "ip link set eth0 mtu 1500")


def test_spoofed_frames(lan):
    """gamma pretends to be alpha: by its Ethernet address, and by an ARP answer under its own."""
    alpha, gamma = (MACS[name].replace(":", "") for name in ("alpha", "gamma"))
    arp = f"ffffffffffff{gamma}08060001080006040002{alpha}0a050001ffffffffffff0a050002"
    in_guest(lan, "beta", "net-raw sniff eth0 -t 20000 -x >/s &")
    before = numbers(lan)["port.gamma.0.drops.spoofed"]
    in_guest(lan, "gamma", f"A={alpha}", "net-raw send eth0 ffffffffffff${A}88b5beef -n 20", f"B={arp[:44]}",
             f"C={arp[44:]}", "net-raw send eth0 $B$C -n 20")
    assert numbers(lan)["port.gamma.0.drops.spoofed"] == before + 40
    text, = in_guest(lan, "alpha", "ping -c 2 10.5.0.2")
    assert_ping(text, 2)
    text, = in_guest(lan, "beta", "sleep 10; grep -c 88b5 /s")
    assert re.search(r"^0$", text, re.M), text


def test_networks_and_vlans_do_not_leak(lan):
    """What alpha asks everybody on `quiet` in VLAN 5 comes to gamma's card there, and to none of its others."""
    for card in ("eth0", "eth1", "eth2"):
        in_guest(lan, "gamma", f"ip link set {card} up", f"net-raw sniff {card} -t 15000 -x >/{card} &")
    in_guest(lan, "alpha", "ping -c 3 10.6.0.77", "ping -c 3 10.6.0.2")
    # The ARP request for 10.6.0.77 is a frame whose last bytes are that address.
    texts = in_guest(lan, "gamma", "sleep 12", *(f"grep -c 0a06004d /{card}" for card in ("eth0", "eth1", "eth2")))
    counts = [int(re.search(r"^(\d+)$", text, re.M).group(1)) for text in texts[1:]]
    assert counts[0] == 0 and counts[1] == 0 and counts[2] > 0, counts


def test_broadcasts_are_limited(lan):
    before = numbers(lan)["port.gamma.0.drops.broadcast"]
    in_guest(lan, "gamma", f"net-raw send eth0 ffffffffffff{MACS['gamma'].replace(':', '')}88b5 -n 3000")
    assert numbers(lan)["port.gamma.0.drops.broadcast"] > before


def test_rate_is_held(lan):
    """3 MB at 200 KB a second take longer than what fits into queues and burst lets one believe."""
    header = (MACS["alpha"] + MACS["gamma"]).replace(":", "")
    texts = in_guest(lan, "gamma", f"A={header}88b5", "cut -d. -f1 /proc/uptime",
                     "net-raw send eth0 $A -n 2000 -s 1500", "cut -d. -f1 /proc/uptime", timeout=200)
    begin, end = (int(re.search(r"^(\d+)$", texts[i], re.M).group(1)) for i in (1, 3))
    assert end - begin >= 8


def test_link_down_and_up(lan):
    lan.command("link alpha.0 down")
    carrier, text = in_guest(lan, "alpha", "cat /sys/class/net/eth0/carrier", "ping -c 1 -W 1 10.5.0.2")
    assert re.search(r"^0$", carrier, re.M) and "100% packet loss" in text
    lan.command("link alpha.0 up")
    carrier, text = in_guest(lan, "alpha", "cat /sys/class/net/eth0/carrier", "ping -c 2 10.5.0.2")
    assert re.search(r"^1$", carrier, re.M)
    assert_ping(text, 2)


def test_tap(lan):
    """As lines, and as a file that others can read."""
    in_guest(lan, "alpha", "ping -c 30 10.5.0.2 >/dev/null &")
    lan.send("tap lan\r")
    lan.expect(r"10\.5\.0\.1 > 10\.5\.0\.2.*echo request", 30)
    lan.send("\x03")
    lan.expect("^" + PROMPT)
    text = lan.command("tap -p lan 4", timeout=60)
    data = base64.b64decode("".join(re.findall(r"^([A-Za-z0-9+/=]{4,76})$", text, re.M)))
    magic, _, _, _, _, _, link = struct.unpack("<IHHiIII", data[:24])
    assert magic == 0xA1B2C3D4 and link == 1
    kept, length = struct.unpack("<II", data[32:40])
    assert kept == length >= 42
    assert "tap of lan is off" in lan.command("log 10")


def test_net_service_dies_and_comes_back_under_traffic(lan):
    in_guest(lan, "beta", "net-pour receive 5006 -t 90000 >/r &")
    in_guest(lan, "alpha", "net-pour send 10.5.0.2 5006 -b 96M >/s &")
    before = numbers(lan)["port.alpha.0.out_bytes"]
    lan.progress(1)
    assert numbers(lan)["port.alpha.0.out_bytes"] > before
    lan.command("restart net")
    wait_state(lan, "net", "running")
    attach(lan, "alpha")
    lan.send("\r")
    lan.expect(r"^alpha# ", 60)
    for _ in range(60):
        text = linux(lan, "alpha", "sleep 3; cat /s")
        if "sent bytes" in text:
            break
    detach(lan)
    received, = in_guest(lan, "beta", "sleep 1; cat /r")
    sent, received = (re.search(r"bytes=(\d+) sum=(\w+)", t) for t in (text, received))
    assert sent and received and sent.groups() == received.groups() and int(sent.group(1)) == 96 * MIB
    carrier, = in_guest(lan, "alpha", "cat /sys/class/net/eth0/carrier")
    assert re.search(r"^1$", carrier, re.M)


def test_guest_that_restarts_gets_its_link_back(lan):
    lan.command("restart alpha")
    wait_state(lan, "alpha", "running")
    to_shell(lan, "alpha")
    text = linux(lan, "alpha", "ping -c 3 10.5.0.2")
    detach(lan)
    assert_ping(text, 3)
    text, = in_guest(lan, "beta", "ping -c 3 10.5.0.1")
    assert_ping(text, 3)


def test_audit_is_clean(lan):
    audit_clean(lan)
