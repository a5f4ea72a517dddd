"""`make check`: what it prints of the example with networks; needs no machine."""
import os
import shutil
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def check(folder, text):
    """Runs the checker on a configuration whose files are all there."""
    for name in ("vmlinuz", "initramfs.img"):
        (folder / name).write_text("something")
    for name in ("hello.elf", "measure.elf"):
        shutil.copyfile(os.path.join(TOP, "tests/fuzz/seeds/elf/native.elf"), folder / name)
    (folder / "bulkhead.conf").write_text(text)
    return subprocess.run([os.path.join(TOP, "build/boot/check"), str(folder / "bulkhead.conf")], capture_output=True,
                          text=True, check=False)


def test_the_example_is_right_and_its_networks_are_shown(tmp_path):
    with open(os.path.join(TOP, "boot/networks.conf"), encoding="ascii") as file:
        done = check(tmp_path, file.read())
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    for expected in ("net native shared 0 8M always yes", "lan class 02:00 1500 500 a second",
                     "web.0 52:54:00:12:34:56, 10485760 bytes a second and 262144 at once",
                     "console.0 02:0c:4d:6d:2f:79, address by DHCP, host name rack-5", "inside none 9000 unlimited", "data.0 02:ee:29:b0:2a:d3, VLAN 5, 2 queues",
                     "router.0 02:1a:56:07:64:90, all VLANs, may send from any address"):
        assert expected in words, done.stdout


def test_an_address_of_a_card(tmp_path):
    done = check(tmp_path, "[network lan]\nnic = 0001:02:1f.6\n")
    assert done.returncode == 0 and "lan 0001:02:1f.6" in " ".join(done.stdout.split())


def test_an_error_names_its_line(tmp_path):
    done = check(tmp_path, "[network lan]\n[guest g]\nkernel = vmlinuz\nmemory = 64M\nnetworks = lam\n")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path}/bulkhead.conf:5: there is no network lam: did you mean lan?\n")
