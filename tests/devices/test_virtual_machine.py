"""What `make test-devices` says where it cannot run, and how it ends; the virtual machine itself only starts there."""

import subprocess
import sys
from pathlib import Path

import pytest
import virtual_machine
from virtual_machine import CannotRunError, Packages, Parts, run

ROOT = Path(__file__).parents[2]
SHOWN = "Package: linux-image-amd64\nVersion: 6.1.9-2\nDepends: linux-image-6.1.0-9-amd64 (= 6.1.9-2)\n"
URIS = """\
'http://debian/l.deb' linux-image-6.1.0-9-amd64_6.1.9-2_amd64.deb 70000000 SHA256:aa
'http://debian/b.deb' busybox-static_1%3a1.35_amd64.deb 900000 SHA256:bb
'http://debian/u.deb' udev_252_amd64.deb 1700000 SHA256:cc
"""
PARTS = Parts(Path("vmlinuz"), Path("initrd"))


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, with an apt that knows the kernel; no QEMU."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    program(tmp_path / "apt-cache", f"echo '{SHOWN}'")
    program(tmp_path / "apt-get", 'cat <<"END"\n' + URIS + "END")
    return tmp_path


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_kernel_is_the_one_that_apt_would_install_now(apt: Path) -> None:
    packages = Packages.current()
    assert packages.kernel == "linux-image-6.1.0-9-amd64"
    assert sum(packages.sizes.values()) == 72_600_000
    assert packages.folder.startswith("linux-image-6.1.0-9-amd64_6.1.9-2_amd64-")


def test_without_qemu_it_says_how_to_get_it(apt: Path) -> None:
    with pytest.raises(CannotRunError, match=r"There is no qemu-system-x86_64: apt-get install .*qemu-system-x86"):
        Parts.prepare(apt / "cache")


def test_on_another_system_it_says_what_it_needs(apt: Path) -> None:
    (apt / "apt-get").unlink()
    with pytest.raises(CannotRunError, match="Debian's packages for amd64: this is no such system"):
        Packages.current()


@pytest.mark.parametrize("name", ["apt-cache", "apt-get"])
def test_old_lists_of_apt_are_to_be_renewed(apt: Path, name: str) -> None:
    program(apt / name, "exit 100")
    with pytest.raises(CannotRunError, match="run apt-get update as root"):
        Packages.current()


def test_a_download_that_fails_says_why_and_leaves_nothing(apt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program(apt / "qemu-system-x86_64", "")
    program(
        apt / "apt-get", f'case "$*" in *--print-uris*) cat <<"END"\n{URIS}END\n;; *) echo "E: 404" >&2; exit 1; esac'
    )
    with pytest.raises(CannotRunError, match=r"could not download linux-image-6.1.0-9-amd64, .*: E: 404"):
        Parts.prepare(apt / "cache")
    assert "73 MB" in capsys.readouterr().out
    assert list((apt / "cache").iterdir()) == []


def test_the_exit_code_is_that_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = 'for word in "$@"; do case "$word" in local,path=/?*) folder=${word#local,path=}; esac; done\n'
    guest += 'folder=${folder%%,*}; sh "$folder/command"; echo $? > "$folder/exit"'
    monkeypatch.setattr(virtual_machine, "QEMU", program(tmp_path / "qemu", guest))
    assert run(PARTS, ["sh", "-c", "exit $CODE"], tmp_path, {"CODE": "5"}) == 5


@pytest.mark.parametrize(
    ("script", "said"), [("exit 0", "before its command did"), ("exec sleep 60", "not done within")]
)
def test_a_guest_that_dies_or_hangs_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    monkeypatch.setattr(virtual_machine, "QEMU", program(tmp_path / "qemu", script))
    with pytest.raises(CannotRunError, match=said):
        run(PARTS, ["true"], tmp_path, {}, longest_s=0.3 if "sleep" in script else 60)


def test_the_tests_in_the_guest_are_not_collected_elsewhere() -> None:
    command = [sys.executable, "-m", "pytest", "-n", "0", "--collect-only", "-q", "tests/devices"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert "test_the_tests_in_the_guest_are_not_collected_elsewhere" in shown
    assert "guest/" not in shown
