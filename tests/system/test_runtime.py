"""Images and partitions made at run time: over the network from this host, and on the serial line."""
import http.client
import json
import os
import re
import socket
import time

import pytest

import emulators
from console_client import context
from https import ADDRESS, new_token
from machine import PROMPT, built
from natives import (LINUX, LINUX_LINE, attach, audit_clean, create as create_by_hand, detach, guest, linux, state_of,
                     to_shell, wait_state)

pytestmark = [pytest.mark.machines("qemu"), pytest.mark.steps]

PIECE = 1 << 20
PORTS = {}                              # of this host, by the console's
SECRETS = ("tokens.txt", "console.pem", "console.key")
OWN = "tokens = tokens.txt\ncertificate = console.pem\nkey = console.key\n"
OCTETS = {"Content-Type": "application/octet-stream"}
KEYS = {"kernel": "vmlinuz-x", "initrd": "initramfs-x", "command-line": f"{LINUX_LINE} hostname=gamma",
        "memory": "128M", "cpus": "shared 2", "networks": "lan"}


@pytest.fixture(scope="module")
def rack(group):
    PORTS[443] = emulators.free_port()
    forward = ((PORTS[443], ADDRESS, 443),)
    conf = ("[machine]\ntrusted-for-dma = net\nconsole = lan\n" + OWN + "[network lan]\nnic = ethernet\n"
            + guest("alpha", "dedicated 1", more="networks = lan"))
    files = [*LINUX, *((name, b"# nothing\n") for name in SECRETS)]
    return group.start("runtime", conf, files, nics=[emulators.Nic("e1000e", forward=forward)])


class Client(http.client.HTTPSConnection):
    """The API on one connection that stays."""

    def __init__(self, token):
        super().__init__("127.0.0.1", PORTS[443], context=context(), timeout=120)
        self.token = token

    def ask(self, method, path, body=None, headers=()):
        headers = {"Authorization": f"Bearer {self.token}", **dict(headers)}
        if isinstance(body, dict):
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        self.request(method, "/api/v1/" + path, body, headers)
        answer = self.getresponse()
        data = answer.read()
        if answer.getheader("Content-Type", "").endswith("json"):
            data = json.loads(data)
        return answer.status, data


@pytest.fixture(scope="module")
def client(rack):
    rack.expect("^" + PROMPT, 120)
    rack.expect(rf"\[console: https://{ADDRESS}/ on lan\]", 60)
    return Client(new_token(rack, "root", "administrator"))


def upload(client, name, path):
    with open(path, "rb") as file:
        content = file.read()
    status, image = client.ask("POST", "images", {"name": name, "bytes": len(content)})
    assert status == 201, image
    while image["received"] < len(content):
        piece = content[image["received"]:image["received"] + PIECE]
        status, image = client.ask("PUT", f"images/{name}/content?offset={image['received']}", piece, OCTETS)
        assert status == 200, image
    assert image["complete"]
    return len(content)


def free(client):
    return client.ask("GET", "images")[1]["free"]


def create(client, name="gamma", **keys):
    wanted = {**KEYS, **{key.replace("_", "-"): value for key, value in keys.items()}}
    return client.ask("POST", "partitions", {"name": name, "kind": "guest", "keys": wanted})


def remove(client, name):
    """Stops and removes it."""
    client.ask("POST", f"partitions/{name}/stop")
    for _ in range(200):
        status, answer = client.ask("DELETE", f"partitions/{name}")
        if status == 204:
            return
        assert status == 409, answer
        time.sleep(0.2)
    raise AssertionError(f"{name} does not go: {answer}")


def test_upload(rack, client):
    before = free(client)
    sizes = [upload(client, "vmlinuz-x", built("vmlinuz")), upload(client, "initramfs-x", built("initramfs.img"))]
    frames = sum((size + (2 << 20) - 1) >> 21 for size in sizes)
    assert before - free(client) == frames << 21
    images = {image["name"]: image for image in client.ask("GET", "images")[1]["images"]}
    assert images["vmlinuz-x"] == {"name": "vmlinuz-x", "bytes": sizes[0], "received": sizes[0], "complete": True,
                                   "origin": "upload", "users": []}
    assert images["vmlinuz"]["origin"] == "boot" and images["vmlinuz"]["users"] == ["alpha"]
    audit_clean(rack)


def test_create_use_and_remove(rack, client):
    """A third Linux of the uploaded images, with a network; and again in its place."""
    for _ in range(2):
        status, answer = create(client)
        assert status == 201 and answer["runtime"] and answer["name"] == "gamma", answer
        to_shell(rack, "gamma")
        text = linux(rack, "gamma", "udhcpc -n -q -i eth0 -t 10; echo got-$?", 200)
        assert "got-0" in text and "lease of" in text, text
        detach(rack)
        assert "gamma.0" in rack.command("net lan")
        audit_clean(rack)
        status, answer = client.ask("DELETE", "partitions/gamma")
        assert status == 409 and "only one that is stopped" in answer["detail"], answer
        assert client.ask("DELETE", "images/vmlinuz-x")[0] == 409
        assert client.ask("DELETE", "partitions/alpha")[0] == 409
        assert "[guest gamma]\nkernel = vmlinuz-x\n" in client.ask("GET", "configuration")[1].decode()
        remove(client, "gamma")
        assert client.ask("GET", "partitions/gamma")[0] == 404
        assert "gamma" not in rack.command("list") + rack.command("net lan") + rack.command("config")
        audit_clean(rack)
        if _ == 0:
            left = free(client)
    assert free(client) == left


def test_what_cannot_be_made(rack, client):
    """Each is refused in words, and leaves nothing behind."""
    before = free(client)
    for status, key, words, keys in (
            (422, "memroy", "unknown key `memroy`: did you mean `memory`?", {"memroy": "1M"}),
            (422, "memory", "a size is a number and K, M or G", {"memory": "lots"}),
            (422, "kernel", "There is no image vmlinuz-y.", {"kernel": "vmlinuz-y"}),
            (422, "cpus", "since alpha has it dedicated", {"cpus": "shared 1"}),
            (422, "networks", "there is no network", {"networks": "wan"}),
            (422, "grants", "Grants are given at boot only", {"grants": "inspect alpha"}),
            (507, "cpus", "CPU 77 is not there", {"cpus": "shared 77"}),
            (507, "memory", "MiB are free", {"memory": "64G"})):
        found, answer = create(client, **keys)
        assert found == status and words in answer["detail"], answer
        assert answer["key"] == key, answer
    for status, name in ((409, "alpha"), (409, "net"), (422, "console"), (422, "a b"), (422, "x" * 40)):
        assert create(client, name)[0] == status, name
    status, answer = client.ask("POST", "partitions", {"name": "gamma", "kind": "guest", "keys": {"memory": "128M"}})
    assert status == 422 and answer["key"] == "kernel" and "needs `kernel`" in answer["detail"], answer
    status, answer = client.ask("POST", "images", {"name": "half", "bytes": 5 << 20})
    assert status == 201
    status, answer = create(client, kernel="half")
    assert status == 422 and "not complete" in answer["detail"], answer
    assert client.ask("PUT", "images/half/content?offset=7", b"x", OCTETS)[0] == 409
    assert client.ask("DELETE", "images/half")[0] == 204
    assert client.ask("POST", "images", {"name": "vmlinuz-x", "bytes": 1})[0] == 409
    assert client.ask("POST", "images", {"name": "large", "bytes": 1 << 40})[0] in (422, 507)
    assert client.ask("DELETE", "images/vmlinuz")[0] == 409
    assert free(client) == before and "gamma" not in rack.command("config")
    audit_clean(rack)


def test_what_is_the_console_s_own(rack, client):
    """Its tokens, certificate, key and configuration are no images, and nobody is made of them."""
    listed = [image["name"] for image in client.ask("GET", "images")[1]["images"]]
    assert "vmlinuz" in listed
    shown = rack.command("image")
    for name in (*SECRETS, "bulkhead.conf"):
        assert name not in listed and name not in shown
        for key in ("kernel", "initrd"):
            status, answer = create(client, **{key: name})
            assert status == 422 and f"There is no image {name}." in answer["detail"], answer
        assert client.ask("DELETE", f"images/{name}")[0] == 404
        assert client.ask("POST", "images", {"name": name, "bytes": 1})[0] == 422
    audit_clean(rack)


def test_console_restarts(rack, client):
    """The partition goes on; the console finds it again, with its section, and can remove it."""
    assert create(client)[0] == 201
    to_shell(rack, "gamma")
    linux(rack, "gamma", "echo was-here > /tmp/mark")
    detach(rack)
    before = client.ask("GET", "configuration")[1]
    assert client.ask("POST", "images", {"name": "half", "bytes": 5 << 20})[0] == 201
    assert client.ask("PUT", "images/half/content?offset=0", b"half", OCTETS)[0] == 200
    client.close()
    rack.send("debug crash console\r")
    rack.expect(r"The console crashes\.")
    rack.expect(r"Type help for a list of commands\.", 60)
    rack.expect(rf"\[console: https://{ADDRESS}/ on lan\]", 60)
    wait_state(rack, "gamma", "running")
    assert "[guest gamma]\nkernel = vmlinuz-x\n" in rack.command("config")
    assert client.ask("GET", "configuration")[1] == before
    images = {image["name"]: image for image in client.ask("GET", "images")[1]["images"]}
    assert images["half"]["received"] == 4 and images["vmlinuz-x"]["users"] == ["gamma"]
    assert client.ask("DELETE", "images/half")[0] == 204
    attach(rack, "gamma")
    assert "was-here" in linux(rack, "gamma", "cat /tmp/mark")
    assert "0% packet loss" in linux(rack, "gamma", "udhcpc -n -q -i eth0 -t 10 > /dev/null 2>&1; ping -c 2 10.0.2.2")
    detach(rack)
    audit_clean(rack)
    remove(client, "gamma")
    assert "gamma" not in rack.command("list") + rack.command("config")
    audit_clean(rack)


def test_on_the_serial_line(rack, client):
    """From the boot's images; one that does not start by itself is removed as it is."""
    create_by_hand(rack, "guest", "delta", "kernel = vmlinuz", "initrd = initramfs.img", "memory = 128M",
                   "autostart = no", "cap = 50%")
    assert "never started" in state_of(rack, "delta")
    assert "[guest delta]\nkernel = vmlinuz\n" in rack.command("config")
    assert re.search(r"^vmlinuz .*boot +alpha delta$", rack.command("image"), re.M)
    rack.command("start delta")
    wait_state(rack, "delta", "running")
    assert "only one that is stopped" in rack.command("remove delta")
    rack.command("stop delta")
    assert "Removed" in rack.command("remove delta")
    assert "delta" not in rack.command("list")
    what = [entry["what"] for entry in client.ask("GET", "audit")[1]["entries"]]
    assert "create guest delta" in what and "remove delta" in what and "create image vmlinuz-x" in what
    audit_clean(rack)


def test_too_little_memory(rack, client):
    """What the monitor says of it, which alone looks into a kernel."""
    assert create(client, memory="64M")[0] == 201
    wait_state(rack, "gamma", "failed")
    assert "64 MiB of memory are too little" in rack.command("report gamma")
    remove(client, "gamma")


def test_images_go(rack, client):
    for name in ("vmlinuz-x", "initramfs-x"):
        assert client.ask("DELETE", f"images/{name}")[0] == 204
    assert "upload" not in rack.command("image")
    audit_clean(rack)
