"""From power-on to the kernel's first words: firmware, loader, CPUs, clock. G0."""
import os
import re
import shutil
import subprocess

import pytest

from machine import BUILD, IPS, PROMPT, image_of, stage
from natives import attach, audit_clean, detach, state_of

CONF = """\
[native hello]
program = hello.elf
"""


def cpus_of(machine):
    found = machine.expect(r"smp: (\d+) CPUs run, named by (.*); APIC ids(.*)\n", 60)
    return int(found.group(1)), found.group(2), found.group(3).split()


@pytest.mark.parametrize("cpus", (1, 2, 4))
def test_power_on(one, kind, cpus):
    """Every CPU runs and the clock is measured; Bochs has x2APIC and no ACPI tables, QEMU xAPIC and a MADT."""
    machine = one.start(f"power-on-{cpus}", CONF, ["hello.elf"], cpus=cpus, memory=512)
    machine.expect(r"Bulkhead.*\(ABI 1\)", 120)
    acpi = machine.expect(r"acpi: (.*)\n", 30).group(1)
    apic = machine.expect(r"apic: (x2APIC|xAPIC)", 30).group(1)
    megahertz = float(machine.expect(r"clock: TSC at (\d+\.\d+) MHz, measured against", 30).group(1))
    count, named_by, ids = cpus_of(machine)

    assert count == cpus and len(set(ids)) == cpus
    if kind == "bochs":
        assert "no usable tables" in acpi and apic == "x2APIC" and "MADT" not in named_by
        assert megahertz == pytest.approx(IPS / 1e6, rel=0.01)
    else:
        assert f"{cpus} CPUs" in acpi and apic == "xAPIC"
        assert megahertz > 100
    assert "exception" not in machine.text


@pytest.mark.parametrize("cpus", (1, 4))
def test_native_service(one, cpus):
    """The console, a service in non-root mode, prints and answers; so does a native on every CPU."""
    conf = "".join(f"[native hello{n}]\nprogram = hello.elf\ncpus = shared {n}\n" for n in range(cpus))
    machine = one.start(f"native-{cpus}", conf, ["hello.elf"], cpus=cpus, memory=512)
    machine.expect("^" + PROMPT, 150)
    for n in range(cpus):
        assert "running" in state_of(machine, f"hello{n}")
        attach(machine, f"hello{n}")
        machine.expect(r"BH_NULL returned 0 after")
        detach(machine)
    audit_clean(machine)
    machine.command_end("poweroff -f")


def halted_for(machine, what):
    found = machine.expect(r"missing: (.*)\. Cure: (.*)\n", 150)
    assert re.search(what, found.group(1), re.I), found.group(0)
    assert len(found.group(2)) > 10
    machine.progress(2)
    assert machine.process.poll() is None, "it halts and stays readable"
    assert "exception" not in machine.text


@pytest.mark.machines("qemu")
@pytest.mark.parametrize("name,cpu,what", [
    ("svm", "max,-svm", r"SVM.*CPUID\.80000001h:ECX.*bit 2\b"),
    ("npt", "max,-npt", r"nested paging.*CPUID\.8000000Ah:EDX.*bit 0\b"),
    ("vmx", "max,-svm,vendor=GenuineIntel", r"VT-x.*CPUID\.1:ECX.*bit 5\b"),
], ids=["svm", "npt", "vmx"])
def test_missing_bit(one, name, cpu, what):
    """No SVM, SVM without nested paging, no VT-x: the bit by its plain name and its place."""
    machine = one.start("missing-" + name, CONF, ["hello.elf"], cpus=2, memory=512, cpu=cpu)
    halted_for(machine, what)


@pytest.mark.machines("bochs")
@pytest.mark.parametrize("model,what", [("core2_penryn_t9600", r"EPT"),
                                        ("corei5_lynnfield_750", r"unrestricted guest")])
def test_missing_control(one, model, what):
    """VT-x without EPT, and with EPT but without unrestricted guest."""
    machine = one.start("missing-" + model, CONF, ["hello.elf"], cpus=1, memory=512, model=model)
    halted_for(machine, what)


def with_locking_firmware(name):
    """An image whose first program locks VT-x off, as some firmware does, and then starts the loader."""
    image = os.path.join(BUILD, "tests", "system", name + ".img")
    loader = os.path.join(BUILD, "boot", "BOOTX64.EFI")
    shutil.copyfile(image_of(stage(name, CONF, ["hello.elf"])), image)
    for source, target in ((loader, "LOADER.EFI"), (os.path.join(BUILD, "tests", "lock_vmx.efi"), "BOOTX64.EFI")):
        subprocess.run(["mcopy", "-o", "-i", image + "@@1M", source, "::/EFI/BOOT/" + target], check=True)
    return image


# Not for SVM: no emulator has a VM_CR that keeps what is written to it.
@pytest.mark.machines("bochs")
def test_locked_off(one):
    """VT-x is there, but the firmware has locked it off."""
    image = with_locking_firmware("locked-off")
    machine = one.start("locked-off", CONF, ["hello.elf"], cpus=1, memory=512, image=image)
    machine.expect(r"VT-x is locked off now", 120)
    halted_for(machine, r"IA32_FEATURE_CONTROL bit 0")
