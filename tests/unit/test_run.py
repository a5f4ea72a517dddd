"""Which machine `make run` takes, by what the host has, and its network cards; needs no machine."""
import os
import socket
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "boot"))
import emulators  # noqa: E402
import run  # noqa: E402


@pytest.mark.parametrize("nested,has", [({"kvm_intel": "Y"}, "VT-x"), ({"kvm_intel": "1"}, "VT-x"),
                                        ({"kvm_amd": "1"}, "SVM"), ({"kvm_intel": "N", "kvm_amd": "Y"}, "SVM")])
def test_kvm_that_nests_is_the_best(nested, has):
    host = run.Host(True, nested)
    machine, why = run.choose(host)
    assert machine == "kvm" and has in why
    assert run.no_kvm(host) is None


@pytest.mark.parametrize("host,why,cure", [
    (run.Host(None, {}), "no /dev/kvm", "kvm_intel or kvm_amd"),
    (run.Host(None, {"kvm_intel": "Y"}), "no /dev/kvm", "kvm_intel or kvm_amd"),
    (run.Host(False, {"kvm_intel": "Y"}), "not this user's", "usermod"),
    (run.Host(True, {"kvm_amd": "0"}), "does not nest", "kvm_amd with the parameter nested=1"),
    (run.Host(True, {"kvm_intel": "N"}), "does not nest", "kvm_intel with the parameter nested=1"),
    (run.Host(True, {}), "does not nest", "kvm_intel or kvm_amd"),
])
def test_without_kvm_qemu_and_the_reason(host, why, cure):
    machine, said = run.choose(host)
    assert machine == "qemu" and why in said and "MACHINE=bochs" in said
    missing = run.no_kvm(host)
    assert why in missing[0] and cure in missing[1]


def test_look_at_host(tmp_path):
    device, modules = tmp_path / "kvm", tmp_path / "module"
    assert run.look_at_host(str(device), str(modules)) == run.Host(None, {})
    device.touch()
    (modules / "kvm_amd" / "parameters").mkdir(parents=True)
    (modules / "kvm_amd" / "parameters" / "nested").write_text("1\n")
    assert run.look_at_host(str(device), str(modules)) == run.Host(True, {"kvm_amd": "1"})


def test_every_machine_has_words_of_patience():
    assert set(run.PATIENCE) == set(emulators.KINDS)


def test_a_kind_of_bochs_is_one_of_its_models():
    assert emulators.KINDS["bochs-ryzen"].keywords == {"model": "ryzen"}
    assert emulators.KINDS["bochs-sandy_bridge"].keywords["model"] == "corei7_sandy_bridge_2600k"


def test_network_cards_of_qemu():
    assert emulators.qemu_nics([]) == []
    words = emulators.qemu_nics([emulators.Nic(forward=[(8080, "10.0.2.15", 80)]),
                                 emulators.Nic("virtio-net-pci", "hubport,hubid=1", "52:54:00:00:00:01")])
    assert words == ["-netdev", "user,id=n0,hostfwd=tcp:127.0.0.1:8080-10.0.2.15:80",
                     "-device", "e1000e,netdev=n0,mac=52:54:00:b8:00:00,romfile=",
                     "-netdev", "hubport,hubid=1,id=n1",
                     "-device", "virtio-net-pci,netdev=n1,mac=52:54:00:00:00:01,romfile="]


def test_a_virtio_card_does_not_go_around_the_iommu():
    assert "iommu_platform=on" in emulators.qemu_nics([emulators.Nic("virtio-net-pci")], "intel")[-1]
    assert "iommu_platform" not in emulators.qemu_nics([emulators.Nic()], "intel")[-1]


def test_network_cards_of_bochs(tmp_path):
    assert emulators.bochs_nics([], str(tmp_path)) == ("", "")
    slots, lines = emulators.bochs_nics([emulators.Nic(forward=[(8080, "10.0.2.15", 80)])], str(tmp_path))
    assert slots == ", slot1=e1000" and "mac=52:54:00:b8:00:00, ethmod=slirp, script=slirp0.conf" in lines
    assert (tmp_path / "slirp0.conf").read_text() == "# slirp config\nhostfwd = tcp:127.0.0.1:8080-10.0.2.15:80\n"
    for other in (emulators.Nic("e1000e"), emulators.Nic(backend="hubport,hubid=1")):
        with pytest.raises(ValueError):
            emulators.bochs_nics([other], str(tmp_path))


def test_the_console_has_a_port_of_this_host():
    assert run.nics_of("", "", 8443)[0].forward == ((8443, run.CONSOLE, 443),)
    assert run.nics_of("", "", None)[0].forward == () and run.nics_of("none", "", 8443) == []
    assert run.https_port(0) is None
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run.https_port(port) not in (None, port)


def test_the_notice_stands_behind_the_line_that_it_follows_from():
    lines = (b"bulkhead> \r\x1b[K\r\x1b[K[console: token bh_0123_45 of administrator first, for this boot]\r\n"
             b"[console: https://10.0.2.15/ on lan]\r\nbulkhead> ")
    whole = lines.replace(b"lan]\r\n", b"lan]\r\n[run] https://localhost:8443/ token bh_0123_45\r\n")
    for size in (1, 7, 1000):
        notice = run.Notice(8443)
        assert b"".join(notice.feed(lines[i:i + size]) for i in range(0, len(lines), size)) == whole
    assert run.Notice(None).feed(lines) == lines
    assert b"is not at 10.0.2.15" in run.Notice(8443).feed(b"[console: https://10.0.2.16/ on lan]\n")
    assert b"[run]" not in run.Notice(8443).feed(b"alpha# echo [console: https://10.0.2.15/ on lan]\n")


def test_the_card_of_make_run():
    assert run.nics_of("none", "") == []
    assert run.nics_of("", "") == [emulators.Nic()]
    nic = run.nics_of("e1000", "8080:10.0.2.15:80,2222:10.0.2.16:22")[0]
    assert nic.model == "e1000" and nic.forward == ((8080, "10.0.2.15", 80), (2222, "10.0.2.16", 22))
    for wrong in ("8080", "8080:10.0.2.15", "0:10.0.2.15:80", "a:10.0.2.15:80"):
        with pytest.raises(run.argparse.ArgumentTypeError):
            run.nics_of("", wrong)
