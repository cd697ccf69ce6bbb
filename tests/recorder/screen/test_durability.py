"""Recording the screen while the worst happens: killed, no room left, the terminal closed."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.recording import STREAM, recorded_batches
from kart_pipeline.core.session_writer import repair
from kart_pipeline.core.store import Store

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="needs signals and terminals of POSIX"),
]

SCREEN = ("capture", "--window", "racing", "--game", "mario_kart_64", "--pad", "keyboard", "--rate", "20")
SIMULATED = ("capture", "--game", "car_racing", "--episodes", "2")


def until(condition: Callable[[], object], what: str, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.02)


def steps_on_disk(store: Store) -> list[int]:
    """Of the one session that is being recorded."""
    for name in store.unfinished():
        with contextlib.suppress(FileNotFoundError, KartError):
            stream = Path(store.url) / name / STREAM
            return [step for batch in recorded_batches(stream) for step in batch.column("step").to_pylist()]
    return []


@pytest.mark.parametrize("codec", ["jpeg", "h264"])
def test_whatever_reached_the_disk_before_a_kill_is_repaired(make_window, start, store: Store, codec: str) -> None:
    make_window()
    process = start(*SCREEN, "--codec", codec)
    until(lambda: len(steps_on_disk(store)) > 20, "the recording to begin", process)
    time.sleep(random.uniform(0, 1))
    before = steps_on_disk(store)
    process.kill()
    process.wait(30)
    (name,) = store.unfinished()
    manifest = repair(Path(store.url) / name)
    session = store.open(name)
    session.verify()
    kept = [step.index for step in session.steps()]
    # The picture of a video's last row may not have been written yet; it is on the disk with the next one.
    assert set(before[:-1] if codec == "h264" else before) <= set(kept)
    assert (manifest.ended, manifest.steps) == ("repaired", len(kept))


def test_a_disk_that_gets_full_ends_the_recording_with_a_sentence_and_spares_it(
    make_window, start, small_disk: Path, run
) -> None:
    make_window()
    store = Store(small_disk)
    filler = small_disk / "filler"
    filler.write_bytes(b"." * (shutil.disk_usage(small_disk).free - 250_000))
    process = start(*SCREEN, "--store", small_disk)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    assert "Traceback" not in err
    assert "cannot be written" in err
    assert "make room there" in err
    (name,) = store.unfinished()
    recorded = steps_on_disk(store)
    assert len(recorded) > 20
    filler.unlink()
    assert run("repair", "--all", "--store", small_disk)[0] == 0
    session = store.open(name)
    session.verify()
    assert [step.index for step in session.steps()] == recorded


class Terminal:
    """A terminal window with one command in it."""

    def __init__(self, *argv: str) -> None:
        import pty

        self._master, slave = pty.openpty()
        program = (
            "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
            "os.execv(sys.executable, [sys.executable, '-m', 'recorder', *sys.argv[1:]])"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=dict(os.environ),
            text=True,
        )
        os.close(slave)

    def drain(self) -> None:
        """Read what is there, or a full pipe would hold the recorder up."""
        import select

        with contextlib.suppress(OSError):  # nobody holds the other end any more
            while select.select([self._master], [], [], 0)[0] and os.read(self._master, 65536):
                pass

    def type(self, text: bytes) -> None:
        os.write(self._master, text)

    def close(self) -> None:
        """As the X of its window does."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def make(*argv: str) -> Terminal:
        opened.append(Terminal(*argv))
        return opened[-1]

    yield make
    for window in opened:
        window.close()
        window.process.kill()
        window.process.wait(30)


@pytest.mark.parametrize("argv", [SCREEN, SIMULATED], ids=["screen", "simulated"])
@pytest.mark.parametrize("ending", ["closed", "Ctrl-C"])
def test_a_terminal_that_is_closed_or_interrupted_leaves_a_whole_session(
    make_window, terminal: Callable[..., Terminal], store: Store, argv: tuple[str, ...], ending: str
) -> None:
    make_window()
    window = terminal(*argv)

    def begun() -> bool:
        window.drain()
        return len(steps_on_disk(store)) > 100  # what is interrupted in its first second is no drive

    until(begun, "the recording to begin", window.process)
    if ending == "closed":
        window.close()
    else:
        window.type(b"\x03")
    end = time.monotonic() + 60
    while window.process.poll() is None:
        assert time.monotonic() < end, "it did not end"
        if ending == "Ctrl-C":
            window.drain()
        time.sleep(0.02)
    assert store.unfinished() == []
    (name,) = store.ids()
    session = store.open(name)
    session.verify()
    assert session.manifest.steps > 100
    if ending == "closed":
        assert session.manifest.ended == "interrupted"
        assert window.process.returncode == 128 + signal.SIGHUP
