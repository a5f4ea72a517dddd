#!/usr/bin/env python3
"""Makes a bootable disk image from a configuration and the files that it names.

A GPT with one EFI system partition (FAT32), made with sgdisk and mtools: no root, no loop device. The image is as small
as its files allow, and a whole number of cylinders of 16 heads and 63 sectors, as emulators of old disks want.
"""
import argparse
import os
import subprocess
import sys
import tempfile

SECTOR = 512
CYLINDER = 16 * 63
START = 2048                    # first sector of the partition: aligned to 1 MiB
END = 34                        # sectors that the second GPT takes at the end
MIB = 1 << 20
FAT32_CLUSTERS = 65525          # fewer make it FAT16 to whoever reads it (Microsoft FAT specification 1.03)

# What is on the volume whatever the configuration says: (built file, place on the volume).
FIXED = (
    ("boot/BOOTX64.EFI", "EFI/BOOT/BOOTX64.EFI"),
    ("kernel/kernel.elf", "bulkhead/kernel.elf"),
    ("guests/monitor.elf", "bulkhead/monitor.elf"),
    ("guests/console.elf", "bulkhead/console.elf"),
)
# Only where it was built: no machine without networks loads it.
NET = ("guests/net.elf", "bulkhead/net.elf")
STRIPPED = ("bulkhead/kernel.elf", "bulkhead/monitor.elf", "bulkhead/console.elf", "bulkhead/net.elf")


class ImageError(Exception):
    """Something that the user can mend; its text says what."""


def run(*command):
    """Runs a tool that has to succeed."""
    environment = dict(os.environ, MTOOLS_SKIP_CHECK="1", PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    except FileNotFoundError:
        raise ImageError(f"{command[0]} is not installed: run make deps") from None
    if done.returncode:
        raise ImageError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()}")


def named_files(build, conf, force):
    """The files that the configuration names, by the loader's own parser."""
    done = subprocess.run([os.path.join(build, "boot/check"), "--files", conf], stdout=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode == 2 or done.returncode not in (0, 1):
        raise ImageError("no image was made")
    if done.returncode and not force:
        raise ImageError("no image was made of a configuration with errors (FORCE=1 makes it, to see what the machine "
                         "says of them)")
    return done.stdout.splitlines()


def collect(build, conf, force):
    """(file on the host, place on the volume) of everything, each place once."""
    folder = os.path.dirname(conf)
    fixed = FIXED + ((NET,) if os.path.isfile(os.path.join(build, NET[0])) else ())
    files = [(os.path.join(build, source), place) for source, place in fixed]
    files.append((conf, "bulkhead.conf"))
    files += [(os.path.join(folder, name), name) for name in named_files(build, conf, force)]
    places = {}
    for source, place in files:
        if not os.path.isfile(source):
            raise ImageError(f"{source} is not there: build it with make")
        # FAT does not tell upper from lower case.
        other = places.setdefault(os.path.normpath(place).lower(), source)
        if other != source:
            raise ImageError(f"{source} and {other} would be the same file on the volume: rename one")
    return files


def sectors_of(folder):
    """(sectors of the image, sectors of the partition): room for the tree in clusters of one sector each."""
    clusters = 64
    for path, _, names in os.walk(folder):
        # A folder's entries: 32 bytes each, and more for names that are not in capitals.
        clusters += 2 + len(names)
        clusters += sum((os.path.getsize(os.path.join(path, name)) + SECTOR - 1) // SECTOR for name in names)
    clusters = max(clusters, FAT32_CLUSTERS + 16)
    tables = 2 * (clusters * 4 // SECTOR + 2)
    partition = clusters + tables + 64
    image = START + partition + END
    image = (image + CYLINDER - 1) // CYLINDER * CYLINDER
    return image, image - START - END


def create(path, sectors):
    """A new sparse file in the place of the old one."""
    folder = os.path.dirname(path)
    try:
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(path, "wb") as file:
            file.truncate(sectors * SECTOR)
    except OSError as error:
        raise ImageError(f"{path} cannot be written: {error.strerror}") from None


def stage(files, folder):
    """The volume's tree: links to the files, and copies of our own programs without what only debuggers read."""
    for source, place in files:
        target = os.path.join(folder, os.path.normpath(place))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if place in STRIPPED:
            run("strip", "-o", target, source)
        elif not os.path.lexists(target):
            os.symlink(os.path.abspath(source), target)


def fill(path, folder):
    """Makes the image `path` with the tree in `folder` on it; returns its sectors."""
    image, partition = sectors_of(folder)
    create(path, image)
    run("sgdisk", "--clear", f"--new=1:{START}:{START + partition - 1}", "--typecode=1:EF00",
        "--change-name=1:Bulkhead", path)
    volume = f"{path}@@{START * SECTOR}"
    run("mformat", "-i", volume, "-F", "-c", "1", "-T", str(partition), "-h", "16", "-s", "63", "-H", str(START),
        "-v", "BULKHEAD", "::")
    tree = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    run("mcopy", "-i", volume, "-s", "-o", "-Q", *tree, "::/")
    return image


def make(arguments):
    files = collect(arguments.build, arguments.conf, arguments.force)
    with tempfile.TemporaryDirectory() as folder:
        stage(files, folder)
        try:
            sectors = fill(arguments.img, folder)
        except ImageError:
            # Nobody should start from half an image.
            if os.path.isfile(arguments.img):
                os.unlink(arguments.img)
            raise
    print(f"{arguments.img}: {sectors * SECTOR // MIB} MiB, {len(files)} files")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build", help="folder of what make has built")
    parser.add_argument("--force", action="store_true", help="also of a configuration with errors, without what is missing")
    parser.add_argument("conf")
    parser.add_argument("img")
    arguments = parser.parse_args()
    try:
        make(arguments)
    except ImageError as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
