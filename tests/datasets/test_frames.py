"""Frames are built once, whole or not at all, as `prepare` makes them; what cannot be used is named."""

import json
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract, Inset, Region
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.core.prepare import prepare
from kart_pipeline.core.session import Session
from kart_pipeline.core.store import Store
from kart_pipeline.datasets import frames_info, preparing
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.frames_info import frames_folder, read_frames_info

Record = Callable[..., Session]
Picture = Callable[..., RGB]

BROKEN = b"\x89PNG no picture at all"


def visible(root: Path) -> list[str]:
    return sorted(path.name for path in root.glob("frames/*/*") if not path.name.startswith("."))


@pytest.mark.parametrize("count", [1, 31, 32, 33, 200])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_frames_are_those_of_prepare_in_the_sessions_order(
    record: Record, picture: Picture, contract: Contract, root: Path, count: int, threads: int
) -> None:
    info = build_frames(record(steer=[0.0] * count), contract, root, threads=threads)
    frames = info.open()
    assert frames.shape == (count, *contract.frame_shape)
    assert frames.dtype == np.uint8
    for number in range(count):
        np.testing.assert_array_equal(frames[number], prepare(contract, picture(number)))


@pytest.mark.parametrize("codec", ["png", "jpeg"])
def test_crop_mask_inset_colour_and_codec_give_the_same_pixels_as_in_the_player(
    record: Record, contract: Contract, root: Path, codec: str
) -> None:
    inset = Inset(Region(5, 5, 9, 9, "pixel"), contract.width - 2, 5)
    contract = replace(contract, crop=Region(0.1, 0.5, 1, 1), masks=(inset.region,), colour="yuv", inset=inset)
    session = record(codec=codec)
    frames = build_frames(session, contract, root).open()
    for frame, step in zip(frames, session.steps(), strict=True):
        np.testing.assert_array_equal(frame, prepare(contract, step.frame.rgb))


def test_labels_stand_beside_the_frames_with_all_that_the_session_knows(
    record: Record, contract: Contract, root: Path
) -> None:
    info = build_frames(record(steer=[0.0, 0.5, 1.0], unlabelled=[1]), contract, root)
    table = info.labels()
    assert table.column_names == [
        *("row", "step", "t_ns", "steer", "throttle", "A", "executed_steer", "executed_throttle", "executed_A"),
        *("actor", "intervention", "state_speed"),
    ]
    np.testing.assert_array_equal(table.column("steer"), [0.0, np.nan, 1.0])
    np.testing.assert_array_equal(table.column("executed_steer"), [0.0, 0.5, 1.0])
    assert (info.frames, info.labelled, info.left_out) == (3, 2, ())


def test_undecodable_and_odd_sized_frames_are_named_by_step_and_leave_no_hole(
    record: Record, picture: Picture, picture_file: Callable[..., bytes], contract: Contract, root: Path
) -> None:
    session = record(
        steer=np.linspace(-1, 1, 40),
        indices=range(100, 140),
        encoded={3: BROKEN, 20: picture_file(0, (24, 60)), 39: b""},
    )
    info = build_frames(session, contract, root)
    assert [item.step for item in info.left_out] == [103, 120, 139]
    assert "cannot be decoded" in info.left_out[0].reason
    assert "60x24" in info.left_out[1].reason
    assert "30x12" in info.left_out[1].reason
    kept = [step for step in range(100, 140) if step not in (103, 120, 139)]
    table = info.labels()
    assert table.column("step").to_pylist() == kept
    assert table.column("row").to_pylist() == list(range(37))
    for frame, step in zip(info.open(), kept, strict=True):
        np.testing.assert_array_equal(frame, prepare(contract, picture(step)))
    assert read_frames_info(root, contract.hash, "s1") == info


def test_more_than_a_tenth_of_unusable_frames_is_an_error_and_leaves_nothing(
    record: Record, contract: Contract, root: Path
) -> None:
    bad = dict.fromkeys(range(5, 10), BROKEN)
    with pytest.raises(KartError, match=r"5 of 40 frames of session s1 .* first at step 5"):
        build_frames(record(steer=[0.0] * 40, encoded=bad), contract, root)
    assert visible(root) == []
    assert build_frames(record("s2", steer=[0.0] * 50, encoded=bad), contract, root).frames == 45


def test_building_again_does_nothing_and_a_changed_session_is_built_anew(
    record: Record, store: Store, contract: Contract, root: Path
) -> None:
    first = build_frames(record(), contract, root)
    written = (first.folder / "frames.npy").stat().st_mtime_ns
    assert build_frames(store.open("s1"), contract, root) == first
    assert (first.folder / "frames.npy").stat().st_mtime_ns == written
    store.remove("s1")
    second = build_frames(record(steer=[0.0, 0.0], seed=1), contract, root)
    assert second.digest != first.digest
    assert len(second.open()) == second.labels().num_rows == 2


@pytest.mark.parametrize("lost", ["frames.npy", "labels.parquet", "frames.json"])
def test_a_folder_that_lost_a_file_is_built_anew(record: Record, contract: Contract, root: Path, lost: str) -> None:
    session = record()
    first = build_frames(session, contract, root)
    (first.folder / lost).unlink()
    assert read_frames_info(root, contract.hash, "s1") is None
    assert len(build_frames(session, contract, root).open()) == 5


def test_frames_of_another_release_are_built_anew(
    record: Record, contract: Contract, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = record()
    build_frames(session, contract, root)
    monkeypatch.setattr(frames_info, "VERSION", frames_info.VERSION + 1)
    assert read_frames_info(root, contract.hash, "s1") is None
    build_frames(session, contract, root)
    assert read_frames_info(root, contract.hash, "s1") is not None


def test_a_damaged_info_is_refused_with_what_to_do(record: Record, contract: Contract, root: Path) -> None:
    info = build_frames(record(), contract, root)
    (info.folder / "frames.json").write_text('{"version": 1}')
    with pytest.raises(KartError, match="delete the folder"):
        read_frames_info(root, contract.hash, "s1")


def test_two_contracts_never_share_a_folder(record: Record, contract: Contract, root: Path) -> None:
    session = record()
    wide = build_frames(session, replace(contract, width=30), root)
    narrow = build_frames(session, contract, root)
    assert wide.open().shape != narrow.open().shape
    assert wide.content == narrow.content


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rate_hz": 8.3}, r"10 Hz.*8\.3 Hz"),
        ({"rate_hz": 13.0}, "10 Hz.*13 Hz"),
        ({"spec": ActionSpec(("steer",))}, "throttle.*steer"),
        ({"crop": Region(0, 0, 31, 12, "pixel")}, "30x12"),
        ({"masks": (Region(0, 0, 1, 13, "pixel"),)}, "30x12"),
        ({"inset": Inset(Region(0, 0, 1, 13, "pixel"), 2, 2)}, "30x12"),
    ],
)
def test_a_contract_that_does_not_fit_the_session_is_refused_before_anything_is_written(
    record: Record, contract: Contract, root: Path, change: dict[str, object], said: str
) -> None:
    with pytest.raises(KartError, match=said):
        build_frames(record(), replace(contract, **change), root)  # type: ignore[arg-type]
    assert not root.exists()


@pytest.mark.parametrize("rate_hz", [8.4, 12.4])
def test_a_rate_within_a_fifth_of_the_contracts_is_close_enough(
    record: Record, contract: Contract, root: Path, rate_hz: float
) -> None:
    assert build_frames(record(), replace(contract, rate_hz=rate_hz), root).frames == 5


def test_the_delay_of_the_contract_shifts_the_labels(record: Record, contract: Contract, root: Path) -> None:
    info = build_frames(record(steer=[0.0, 0.5, 1.0]), replace(contract, delay_ms=100), root)
    np.testing.assert_array_equal(info.labels().column("steer"), [0.5, 1.0, np.nan])
    np.testing.assert_array_equal(info.labels().column("executed_steer"), [0.0, 0.5, 1.0])
    assert info.labelled == 2


def test_sessions_of_several_delays_are_brought_to_the_one_in_play(
    record: Record, contract: Contract, root: Path
) -> None:
    contract = replace(contract, play_delay_ms=100)
    steer = [0.0, 0.5, 1.0]
    slow, quick = (build_frames(record(f"s{delay}", steer, delay_ms=delay), contract, root) for delay in (200, 0))
    np.testing.assert_array_equal(slow.labels().column("steer"), [np.nan, 0.0, 0.5])
    np.testing.assert_array_equal(quick.labels().column("steer"), [0.5, 1.0, np.nan])
    assert (slow.shift_ms, quick.shift_ms) == (-100, 100)
    with pytest.raises(KartError, match="the delay of session s1 was not measured"):
        build_frames(record(), contract, root)


def test_frames_from_before_labels_could_be_shifted_by_a_session_need_not_be_built_again(
    record: Record, contract: Contract, root: Path
) -> None:
    session = record()
    info = build_frames(session, contract, root)
    data = json.loads((info.folder / "frames.json").read_text())
    del data["shift_ms"]
    (info.folder / "frames.json").write_text(json.dumps(data))
    assert build_frames(session, contract, root).seconds == info.seconds
    (info.folder / "frames.json").write_text(json.dumps(data | {"shift_ms": 50.0}))
    assert build_frames(session, contract, root).shift_ms == 0


def test_the_same_recording_has_the_same_content_under_any_id_and_another_one_has_not(
    record: Record, contract: Contract, root: Path
) -> None:
    one, same, other, taught = (
        build_frames(session, contract, root)
        for session in (record("a"), record("b"), record("c", seed=1), record("d", unlabelled=[0]))
    )
    assert one.digest != same.digest
    assert one.content == same.content
    assert len({one.content, other.content, taught.content}) == 3


def test_progress_rises_to_the_number_of_steps(record: Record, contract: Contract, root: Path) -> None:
    seen: list[int] = []
    build_frames(record(steer=[0.0] * 100, encoded={7: BROKEN}), contract, root, progress=seen.append)
    assert all(a < b for a, b in pairwise(seen))
    assert seen[-1] == 100


def test_an_interrupted_build_leaves_nothing_visible_and_the_next_one_succeeds(
    record: Record, contract: Contract, root: Path
) -> None:
    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    session = record(steer=[0.0] * 300)
    with pytest.raises(KeyboardInterrupt):
        build_frames(session, contract, root, progress=interrupt)
    assert visible(root) == []
    assert not list(root.rglob("*.npy"))
    assert build_frames(session, contract, root).frames == 300


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_build_leaves_nothing_visible_and_the_next_one_starts_anew(
    record: Record, store: Store, contract: Contract, root: Path
) -> None:
    session = record(steer=[0.0] * 100)
    program = (
        "import json, os, pathlib, signal, sys\n"
        "from kart_pipeline.core.contract import Contract\n"
        "from kart_pipeline.core.store import Store\n"
        "from kart_pipeline.datasets.frames import build_frames\n"
        "url, contract, root = sys.argv[1:]\n"
        "build_frames(Store(url).open('s1'), Contract.from_dict(json.loads(contract)), pathlib.Path(root),\n"
        "    progress=lambda done: os.kill(os.getpid(), signal.SIGKILL))\n"
    )
    arguments = [store.url, json.dumps(contract.to_dict()), str(root)]
    killed = subprocess.run([sys.executable, "-c", program, *arguments], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list(root.rglob("*.npy")), "the process was killed before it wrote anything"
    assert visible(root) == []
    assert build_frames(session, contract, root).frames == 100
    assert visible(root) == ["s1"]
    assert len(list(root.rglob("*.npy"))) == 1


def test_memory_does_not_grow_with_the_session(record: Record, contract: Contract, root: Path) -> None:
    def peak(session_id: str, count: int) -> int:
        session = record(session_id, steer=[0.0] * count)
        tracemalloc.start()
        build_frames(session, replace(contract, width=200, height=66), root, threads=2)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak("warm-up", 10)
    # 1600 more frames of 40 kB would be 63 MB
    assert peak("long", 2000) < peak("short", 400) + 5_000_000


def test_a_task_that_fails_is_not_swallowed(
    record: Record, contract: Contract, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(preparing, "prepare", fail)
    with pytest.raises(MemoryError):
        build_frames(record(), contract, root)
    assert visible(root) == []


def test_frames_are_found_where_the_interface_says(record: Record, contract: Contract, root: Path) -> None:
    info = build_frames(record(), contract, root)
    assert info.folder == root / "frames" / contract.hash / "s1" == frames_folder(root, contract.hash, "s1")
    assert {path.name for path in info.folder.iterdir()} == {"frames.npy", "labels.parquet", "frames.json"}
    with pytest.raises(KartError):
        frames_folder(root, contract.hash, "../s1")
