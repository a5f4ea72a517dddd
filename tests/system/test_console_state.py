"""What outlives the console: a crash of it, and a reboot of the machine."""
import hashlib
import json
import re
import subprocess
import threading

import pytest

import emulators
from https import ADDRESS, Console, fingerprint, first_token, new_token, said
from machine import PROMPT
from natives import LINUX, attach, audit_clean, detach, guest, linux, to_shell, wait_state

pytestmark = [pytest.mark.machines("qemu"), pytest.mark.steps]

NET = "[network lan]\nnic = ethernet\n"
MACHINE = "[machine]\ntrusted-for-dma = net\nconsole = lan hostname rack\n"
NO_RANDOM = "max,-rdrand,-rdseed"
WEAK = "neither RDSEED, RDRAND nor EFI_RNG"
KEPT = {}                               # from one test to the next


@pytest.fixture(scope="module")
def console():
    return Console(emulators.free_port())


def start(group, console, name, conf, files=(), **options):
    """A machine whose console is behind a port of this host."""
    machine = group.start(name, conf, files, nics=[emulators.Nic("e1000e", forward=[console.forward])], **options)
    machine.expect("^" + PROMPT, 120)
    return machine


def comes_up(machine):
    machine.expect(rf"\[console: https://{ADDRESS}/ on lan\]", 60)


# ---- a crash of the console ----


@pytest.fixture(scope="module")
def lan(group, console):
    return start(group, console, "console-crash", MACHINE + NET + guest("alpha", "dedicated 1", more="networks = lan"),
                 LINUX)


def test_first_start(lan, console):
    """Without any token one is made and shown; the serial line says that all is for this boot only."""
    comes_up(lan)
    said(lan, r"\[console: its certificate is new, and ends with this boot")
    KEPT["first"] = first_token(lan)
    assert "alpha" in console.names(KEPT["first"])
    assert re.fullmatch(r"\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT", console.headers["date"])
    KEPT["digest"] = fingerprint(lan)
    assert console.digest == KEPT["digest"]
    assert "bh_" not in lan.command("log 200")


def test_state_before(lan, console):
    KEPT["kept"] = new_token(lan, "kept", "operator", "alpha")
    gone = new_token(lan, "gone", "viewer")
    lan.command("token revoke gone")
    KEPT["gone"] = gone
    KEPT["audit"] = console.api("GET", "audit", KEPT["first"])[1]["entries"]
    assert [entry["what"] for entry in KEPT["audit"]] == ["started", "token first made", "token kept made",
                                                          "token gone made", "token gone revoked"]


def seconds_of(log, pattern):
    """When the last line of the log that matches was written, by the machine's clock."""
    return [float(line.split("]")[0].strip("[ ")) for line in log.splitlines() if re.search(pattern, line)][-1]


def crash(machine):
    """Seconds of the machine's clock from the crash to when the console has its address again: then it answers."""
    machine.send("debug crash console\r")
    machine.expect(r"The console crashes\.")
    machine.expect(r"Type help for a list of commands\.", 60)
    comes_up(machine)
    log = machine.command("log 200")
    return seconds_of(log, rf"https://{ADDRESS}/ on lan") - seconds_of(log, "crashes on purpose")


def test_crash(lan, console):
    """The guest runs on; the console is back as it was."""
    to_shell(lan, "alpha")
    linux(lan, "alpha", "echo was-here > /tmp/mark")
    detach(lan)
    mark = len(lan.text)
    KEPT["away"] = [crash(lan)]
    assert "alpha" in console.names(KEPT["first"]) and console.digest == KEPT["digest"] == fingerprint(lan)
    assert "bh_" not in lan.text[mark:], "there are tokens: none is made"
    wait_state(lan, "alpha", "running")
    attach(lan, "alpha")
    assert "was-here" in linux(lan, "alpha", "cat /tmp/mark")
    detach(lan)


def test_state_after(lan, console):
    assert console.names(KEPT["kept"]) == ["alpha", "alpha.monitor"]
    assert console.api("GET", "partitions", KEPT["gone"])[0] == 401
    entries = console.api("GET", "audit", KEPT["first"])[1]["entries"]
    assert entries[:len(KEPT["audit"])] == KEPT["audit"]
    assert entries[len(KEPT["audit"])]["what"] == "started again"
    audit_clean(lan)


def test_crashes_in_a_row(lan, console):
    """In QEMU the machine's clock is the host's, whose CPUs others have, too: the best of four counts."""
    for _ in range(3):
        KEPT["away"].append(crash(lan))
        assert "alpha" in console.names(KEPT["first"]) and console.digest == KEPT["digest"]
    assert 0 < min(KEPT["away"]) < 2, KEPT["away"]
    audit_clean(lan)


def test_export(lan):
    text = lan.command("token export")
    KEPT["tokens"] = text
    for token in ("first", "kept", "gone"):
        assert KEPT[token].split("_")[2] not in text
    assert re.search(r"^kept operator alpha [0-9a-f]{8} [0-9a-f]{32} [0-9a-f]{64}$", text, re.M)


# ---- a reboot of the machine ----


EC256 = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def certificate(folder, *kind):
    """A key and its certificate, as PEM."""
    openssl(folder, "req", "-x509", "-newkey", *(kind or EC256), "-nodes", "-days", "3650",
            "-subj", "/CN=rack.example", "-keyout", "key", "-out", "certificate")
    return (folder / "key").read_bytes(), (folder / "certificate").read_bytes()


GIVEN = "tokens = tokens.txt\ncertificate = console.pem\nkey = console.key\n"


def test_files_of_an_administrator(one, tmp_path):
    """What `token export` printed and a certificate open another boot. The firmware's random numbers are enough."""
    key, pem = certificate(tmp_path)
    files = [("tokens.txt", KEPT["tokens"].encode()), ("console.key", key), ("console.pem", pem)]
    console = Console(emulators.free_port())
    machine = start(one, console, "console-files", MACHINE + GIVEN + NET, files, cpu=NO_RANDOM,
                    options=["-device", "virtio-rng-pci"])
    comes_up(machine)
    assert "net" in console.names(KEPT["first"])
    assert console.digest == fingerprint(machine)
    der = subprocess.run(["openssl", "x509", "-outform", "DER"], input=pem, capture_output=True, check=True).stdout
    assert console.digest == hashlib.sha256(der).hexdigest()
    assert "[console: token" not in machine.text and "is new" not in machine.text and WEAK not in machine.text
    machine.command("token revoke first")
    crash(machine)
    assert console.api("GET", "partitions", KEPT["first"])[0] == 401
    assert "first" not in machine.command("token")
    audit_clean(machine)


@pytest.mark.parametrize("form", [("rsa:4096",), ("rsa:2048", "-sha512"), ("ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-sha384")],
                         ids=["rsa4096", "rsa2048", "p384"])
def test_other_keys(one, tmp_path, form):
    """The console proves that it has the key with each handshake, of which it bears forty at once."""
    key, pem = certificate(tmp_path, *form)
    console = Console(emulators.free_port())
    machine = start(one, console, "console-keys", MACHINE + "certificate = console.pem\nkey = console.key\n" + NET,
                    [("console.key", key), ("console.pem", pem)])
    comes_up(machine)
    token = first_token(machine)
    assert "net" in console.names(token) and console.digest == fingerprint(machine)
    der = subprocess.run(["openssl", "x509", "-outform", "DER"], input=pem, capture_output=True, check=True).stdout
    assert console.digest == hashlib.sha256(der).hexdigest() and "is new" not in machine.text
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(Console(console.port, 300).names(token))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20 and "exit code" not in machine.command("log 100")


@pytest.mark.parametrize("form, words", [(("rsa:1024",), "of RSA with 1024 bits"), (("ed25519",), "of Ed25519"),
                                         (("ec", "-pkeyopt", "ec_paramgen_curve:P-521"), "of ECDSA on P-521")],
                         ids=["rsa1024", "ed25519", "p521"])
def test_keys_that_are_refused(one, tmp_path, form, words):
    """In words that say what the key is; the console comes up with one of its own."""
    key, pem = certificate(tmp_path, *form)
    console = Console(emulators.free_port())
    machine = start(one, console, "console-bad-keys", MACHINE + "certificate = console.pem\nkey = console.key\n" + NET,
                    [("console.key", key), ("console.pem", pem)])
    comes_up(machine)
    said(machine, rf"\[console: console.key:1: this key is {words}; ECDSA on P-256 or P-384")
    assert "net" in console.names(first_token(machine))


def test_chain_that_is_too_long(one, tmp_path):
    """All certificates have to go into one record."""
    key, pem = certificate(tmp_path, "rsa:4096")
    machine = start(one, Console(emulators.free_port()), "console-chain",
                    MACHINE + "certificate = console.pem\nkey = console.key\n" + NET,
                    [("console.key", key), ("console.pem", 4 * pem)])
    comes_up(machine)
    said(machine, r"\[console: console.pem:\d\d+: the certificates up to this one are longer than the 4 KiB")
    assert "its certificate is new" in machine.text


def test_bad_files(one, tmp_path):
    """Each is told with its line; the console comes up as if there were none. It has no random numbers, and says so."""
    key, _ = certificate(tmp_path)
    _, pem = certificate(tmp_path)
    files = [("tokens.txt", b"# mine\n\nroot administrator -\n\xff\x00\n"), ("console.key", b"\n" + key),
             ("console.pem", pem)]
    console = Console(emulators.free_port())
    machine = start(one, console, "console-bad-files", MACHINE + GIVEN + NET, files, cpu=NO_RANDOM)
    comes_up(machine)
    token = first_token(machine)
    for words in (r"tokens.txt:3: this is no line", r"tokens.txt:4: this is no line",
                  r"console.pem:1: this certificate is of another key", WEAK, "its certificate is new"):
        said(machine, rf"\[console: (there is )?{words}")
    assert "net" in console.names(token) and console.digest == fingerprint(machine)
    assert "perhaps be guessed" in json.dumps(machine.command("address"))


def test_files_that_are_not_there(one):
    console = Console(emulators.free_port())
    machine = start(one, console, "console-no-files", MACHINE + GIVEN + NET)
    comes_up(machine)
    for line, name in ((4, "tokens.txt"), (5, "console.pem"), (6, "console.key")):
        assert re.search(rf"bulkhead\.conf:{line}: .*{name}: there is no such file", machine.text), name
    assert "net" in console.names(first_token(machine))
