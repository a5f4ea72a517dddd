"""Which machine `make run` takes, by what the host has; needs no machine."""
import os
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
