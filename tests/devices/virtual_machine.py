"""A small virtual machine whose kernel has the devices that this one may lack: Debian's, in QEMU without KVM.

The guest sees the host's files read-only, under a layer of its own that is gone with it, and runs one command in them.
"""

import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import join, quote

HERE = Path(__file__).resolve().parent
QEMU = "qemu-system-x86_64"
KERNEL = "linux-image-amd64"  # an empty package that needs the newest kernel; the one for clouds has no uinput
TOOLS = ("busybox-static", "udev")
MEMORY_MB = 1536
LONGEST_S = 1800.0
# Of the kernel's 4000 modules: files of the host, and what is plugged in.
MODULES = ("drivers/hid", "drivers/input", "drivers/leds", "drivers/virtio", "fs/9p", "fs/fscache", "fs/netfs")
MODULES += ("drivers/usb/common", "drivers/usb/core", "fs/overlayfs", "net/9p")


class CannotRunError(Exception):
    """Why there can be no virtual machine here, as a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Packages:
    """Debian packages that the guest is made of.

    Attributes:
        kernel: name of the package with the kernel.
        sizes: bytes to download, by file name; the name holds the version.
    """

    kernel: str
    sizes: Mapping[str, int]

    @property
    def folder(self) -> str:
        """What their unpacked files are kept under: another version, or other files of it, is another folder."""
        kernel = next(name for name in self.sizes if name.startswith(self.kernel))
        return f"{kernel.removesuffix('.deb')}-{zlib.crc32(repr(MODULES).encode()):08x}"

    @classmethod
    def current(cls) -> "Packages":
        """Those that apt would install now; asks no server.

        Raises:
            CannotRunError: this is no Debian for PCs, or apt does not know them.
        """
        if not shutil.which("apt-get") or platform.machine() != "x86_64":
            raise CannotRunError("The virtual machine is made of Debian's packages for amd64: this is no such system.")
        shown = _output("apt-cache", "show", "--no-all-versions", KERNEL)
        depends = re.search(r"^Depends:.*?(linux-image-\S+)", shown, re.MULTILINE)
        if not depends:
            raise CannotRunError(f"apt knows no package {KERNEL}: run apt-get update as root, and try again.")
        # Lines of the form 'URI' FILE SIZE HASH.
        lines = _output("apt-get", "download", "--print-uris", depends[1], *TOOLS).splitlines()
        sizes = {fields[-3]: int(fields[-2]) for line in lines if len(fields := line.split()) >= 4}
        if len(sizes) != 1 + len(TOOLS):
            names = ", ".join([depends[1], *TOOLS])
            raise CannotRunError(f"apt does not know all of {names}: run apt-get update as root, and try again.")
        return cls(depends[1], sizes)

    def download(self, folder: Path) -> None:
        """Fetch them into `folder`.

        Raises:
            CannotRunError: the servers do not have them.
        """
        names = [self.kernel, *TOOLS]
        # Without its user of its own, apt can write to any folder that we can write to.
        command = ["apt-get", "download", "--quiet", "-o", "APT::Sandbox::User=root", *names]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotRunError(
                f"apt-get could not download {', '.join(names)}: {done.stderr.strip().splitlines()[-1]} "
                "If its lists are old, run apt-get update as root."
            )


@dataclass(frozen=True, slots=True)
class Parts:
    """What QEMU starts: the kernel, and its first files."""

    kernel: Path
    initrd: Path

    @classmethod
    def prepare(cls, cache: Path) -> "Parts":
        """From the cache, or downloaded and unpacked, with a word of how much that is.

        Raises:
            CannotRunError: something is missing, and how to get it.
        """
        if not shutil.which(QEMU):
            raise CannotRunError(
                f"There is no {QEMU}: apt-get install --no-install-recommends qemu-system-x86 (as root)."
            )
        packages = Packages.current()
        folder = cache / packages.folder
        if not folder.is_dir():
            size = sum(packages.sizes.values()) / 1e6
            say(f"Downloading {packages.kernel}, {', '.join(TOOLS)}: {size:.0f} MB, kept unpacked in {folder}.")
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache) as temporary:
                packages.download(Path(temporary))
                unpacked = Path(temporary) / "unpacked"
                _unpack(Path(temporary), unpacked)
                unpacked.rename(folder)
        initrd = folder / "initrd"
        _build_initrd(folder, initrd)
        return cls(next(folder.glob("kernel/boot/vmlinuz-*")), initrd)


def run(
    parts: Parts, command: Sequence[str], folder: Path, environment: Mapping[str, str], longest_s: float = LONGEST_S
) -> int:
    """Start the guest, show what it prints, and wait for its end.

    Args:
        parts: from `Parts.prepare`.
        command: what it runs, as root, on the host's files.
        folder: where.
        environment: set for it.
        longest_s: after which it is ended.

    Returns:
        The command's exit code.

    Raises:
        CannotRunError: the guest did not come so far as to end the command.
    """
    with tempfile.TemporaryDirectory() as temporary:
        exchange = Path(temporary)
        lines = [f"export {name}={quote(value)}" for name, value in environment.items()]
        lines += [f"cd {quote(str(folder))}", f"exec {join(command)}"]
        (exchange / "command").write_text("\n".join(lines) + "\n", encoding="utf-8")
        _show_until_it_ends(_qemu(parts, exchange), longest_s)
        ended = exchange / "exit"
        if not ended.is_file():
            raise CannotRunError("The virtual machine ended before its command did; its last words are above.")
        return int(ended.read_text(encoding="utf-8"))


def _qemu(parts: Parts, exchange: Path) -> list[str]:
    return [
        *(QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", str(MEMORY_MB)),
        *("-display", "none", "-monitor", "none", "-serial", "stdio", "-nic", "none", "-no-reboot"),
        *("-kernel", str(parts.kernel), "-initrd", str(parts.initrd)),
        *("-append", "console=ttyS0 panic=-1 quiet loglevel=0"),
        *("-virtfs", "local,path=/,mount_tag=host,security_model=none,multidevs=remap,readonly=on"),
        *("-virtfs", f"local,path={exchange},mount_tag=exchange,security_model=none"),
    ]


def _show_until_it_ends(command: Sequence[str], longest_s: float) -> None:
    """Run a command, and show every line that it prints.

    Raises:
        CannotRunError: it took too long, and was ended.
    """
    begun = time.monotonic()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        timer = threading.Timer(longest_s, process.kill)
        timer.start()
        try:
            for line in process.stdout or ():
                say(line.rstrip())
        finally:
            timer.cancel()
            process.kill()
    if time.monotonic() - begun >= longest_s:
        raise CannotRunError(f"The virtual machine was not done within {longest_s:.0f} s and was ended.")


def _unpack(packages: Path, folder: Path) -> None:
    """What is needed of the packages: `kernel` and `layer`, whose files lie as on a system with a merged /usr."""
    for package in sorted(packages.glob("*.deb")):
        kernel = package.name.startswith("linux-image")
        command = ["dpkg-deb", "--fsys-tarfile", str(package)]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE) as process,
            tarfile.open(fileobj=process.stdout, mode="r|") as archive,
        ):
            for member in archive:
                if kernel and _wanted(member.name):
                    archive.extract(member, folder / "kernel", filter="tar")
                elif not kernel and not member.isdir():
                    member.name = re.sub(r"^\./(bin|sbin|lib)/", r"./usr/\1/", member.name)
                    archive.extract(member, folder / "layer", filter="tar")


def _wanted(name: str) -> bool:
    """Whether a file of the kernel's package is needed."""
    if re.search(r"/boot/vmlinuz-|/modules\.(builtin|order)", name):
        return True
    return any(f"/kernel/{part}/" in name for part in MODULES) and name.endswith(".ko")


def _build_initrd(folder: Path, initrd: Path) -> None:
    """The kernel's modules, busybox, our `init`, and the layer over the host's files, as one archive."""
    busybox = folder / "layer/usr/bin/busybox"
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        shutil.copytree(folder / "kernel/lib", root / "lib")
        shutil.copytree(folder / "layer", root / "layer", symlinks=True)
        (root / "bin").mkdir()
        shutil.copy(busybox, root / "bin/busybox")
        shutil.copy(HERE / "init.sh", root / "init")
        (root / "init").chmod(0o755)
        version = next((root / "lib/modules").iterdir()).name
        subprocess.run([busybox, "depmod", "-b", root, version], check=True)
        names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
        with initrd.open("wb") as file:
            subprocess.run(
                [busybox, "cpio", "-o", "-H", "newc"], cwd=root, input=names.encode(), stdout=file, check=True
            )


def say(text: str) -> None:
    """Show a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _output(*command: str) -> str:
    """What a command prints; "" where it fails."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
