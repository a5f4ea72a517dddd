"""Network cards of the machine: from a guest through the net service's drivers to the host, with and without an IOMMU."""
import functools
import hashlib
import http.server
import os
import re
import threading

import pytest

import emulators
from machine import PROMPT
from natives import LINUX, again_in, audit_clean, detach, guest, linux, to_shell, wait_state

pytestmark = [pytest.mark.machines("qemu")]

MIB = 1 << 20
CARDS = [("e1000e", None), ("e1000", None), ("virtio-net-pci", None),
         ("e1000e", "intel"), ("virtio-net-pci", "amd")]


def conf(trusted):
    return ("[machine]\ntrusted-for-dma = net\n" if trusted else "") + (
        "[network lan]\nnic = ethernet\n" + guest("alpha", "dedicated 1", more="networks = lan")
        + guest("beta", "dedicated 2", more="networks = lan"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A file on the host, and the port and digest by which a guest finds it."""
    folder = tmp_path_factory.mktemp("www")
    data = os.urandom(16 * MIB)
    (folder / "file").write_bytes(data)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as www:
        threading.Thread(target=www.serve_forever, daemon=True).start()
        yield www.server_port, hashlib.md5(data).hexdigest()
        www.shutdown()


def with_address(machine, name):
    """At the guest's prompt, once it has an address from DHCP."""
    to_shell(machine, name)
    for _ in range(40):
        if "inet 10.0.2." in linux(machine, name, "ip addr show eth0"):
            return
        linux(machine, name, "sleep 1")
    machine.fail(f"{name} has no address")


def assert_download(machine, name, server):
    port, digest = server
    text = linux(machine, name, f"wget -qO- 10.0.2.2:{port}/file | md5sum", 600)
    assert digest in text, text


@pytest.mark.parametrize("model,iommu", CARDS)
def test_download(one, server, model, iommu):
    """DHCP and 16 MiB by HTTP; the card is pulled, plugged in, and its service restarted meanwhile."""
    machine = one.start(f"nic-{model}-{iommu}", conf(trusted=not iommu), LINUX, nics=[emulators.Nic(model)],
                        iommu=iommu, monitor=True)
    machine.expect("^" + PROMPT, 120)
    with_address(machine, "alpha")
    assert_download(machine, "alpha", server)
    linux(machine, "alpha", f"wget -qO- 10.0.2.2:{server[0]}/file | md5sum >/d &")
    detach(machine)

    machine.emulator_command("set_link n0 off")
    machine.progress(2)
    assert "link down" in machine.command("net")
    machine.emulator_command("set_link n0 on")
    machine.progress(2)
    assert "link up" in machine.command("net lan.nic")
    machine.command("restart net")
    wait_state(machine, "net", "running")

    again_in(machine, "alpha")
    for _ in range(60):
        text = linux(machine, "alpha", "sleep 2; cat /d")
        if re.search(r"[0-9a-f]{32}", text):
            break
    assert server[1] in text, text
    detach(machine)
    with_address(machine, "beta")
    assert "3 packets received" in linux(machine, "beta", "ping -c 3 10.0.2.2")
    detach(machine)
    if iommu:
        assert "net" in machine.command("iommu")
    else:
        assert "WARNING: no IOMMU" in machine.command("log 200")
    audit_clean(machine)


def test_card_is_refused_without_trust(one):
    """No IOMMU, and nobody said that the net service may have the card: said with the cure, and guests still talk."""
    machine = one.start("nic-refused", conf(trusted=False), LINUX, nics=[emulators.Nic()])
    machine.expect("^" + PROMPT, 120)
    assert "trusted-for-dma" in machine.command("log 200")
    for name in ("alpha", "beta"):
        to_shell(machine, name)
        detach(machine)
    again_in(machine, "alpha")
    linux(machine, "alpha", "killall udhcpc; ip addr add 10.9.0.1/24 dev eth0")
    detach(machine)
    again_in(machine, "beta")
    linux(machine, "beta", "killall udhcpc; ip addr add 10.9.0.2/24 dev eth0")
    assert "3 packets received" in linux(machine, "beta", "ping -c 3 10.9.0.1")
    detach(machine)
