"""Series of episodes from the command line: one session each, on seeds of their own, in one process or several."""

from pathlib import Path

import numpy as np
import pytest
from fsspec import register_implementation
from fsspec.implementations.memory import MemoryFileSystem

from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.store import Store
from recorder.capture import choose_seeds
from recorder.stores import Stores

CAPTURE = ("capture", "--game", "car_racing", "--max-steps", "20")


def seeds(store: Store) -> list[int]:
    return sorted(store.manifest(session_id).source["seed"] for session_id in store.ids())


def test_each_episode_is_a_session_and_a_second_run_adds_new_courses(run, store: Store) -> None:
    status, out, err = run(*CAPTURE, "--episodes", "2")
    assert (status, err) == (0, "")
    assert seeds(store) == [0, 1]
    for session_id in store.ids():
        assert session_id in out
        store.open(session_id).verify()
        manifest = store.manifest(session_id)
        assert (manifest.game, manifest.steps, manifest.ended) == ("car_racing", 20, "step limit")
        assert (manifest.width, manifest.height, manifest.codec) == (96, 96, "png")
        assert manifest.track == f"seed-{manifest.source['seed']}"
    assert "2 sessions in" in out
    assert run(*CAPTURE)[0] == 0
    assert seeds(store) == [0, 1, 2]


def test_workers_record_side_by_side_what_one_process_would(run, store: Store, tmp_path: Path) -> None:
    options = ("--episodes", "3", "--seed", "40", "--noise", "0.6")
    assert run(*CAPTURE, *options, "--workers", "2")[0] == 0
    assert run(*CAPTURE, *options, "--store", tmp_path / "alone")[0] == 0
    alone = Store(tmp_path / "alone")
    assert seeds(store) == seeds(alone) == [40, 41, 42]

    def by_seed(where: Store) -> list[tuple[int, list[bytes], list[float]]]:
        found = []
        for session_id in where.ids():
            session = where.open(session_id)
            steer = session.table(["steer"]).column("steer").to_pylist()
            found.append((session.manifest.source["seed"], list(session.encoded()), steer))
        return sorted(found)

    assert by_seed(store) == by_seed(alone)


def test_noise_moves_wheel_and_pedal_and_not_the_label(run, store: Store) -> None:
    run("capture", "--game", "car_racing", "--noise", "0.8", "--max-steps", "200")
    session = store.open(store.ids()[0])
    assert session.manifest.driver == {"kind": "expert", "noise": {"steer": 0.8, "throttle": 0.4}}
    table = session.table(["steer", "label_steer", "throttle", "label_throttle"])
    knocked = np.abs(table.column("steer").to_numpy() - table.column("label_steer").to_numpy())
    assert 0.3 < knocked.max() <= 0.8
    assert 0.05 < (knocked > 0).mean() < 0.9
    braked = np.abs(table.column("throttle").to_numpy() - table.column("label_throttle").to_numpy())
    assert 0 < braked.max() <= 0.4 + 1e-6


def test_frames_may_be_jpeg(run, store: Store) -> None:
    run(*CAPTURE, "--codec", "jpeg")
    session = store.open(store.ids()[0])
    assert session.manifest.codec == "jpeg"
    assert all(data.startswith(b"\xff\xd8") for data in session.encoded())


def test_frames_may_be_a_video(run, store: Store) -> None:
    status, out, _ = run(*CAPTURE, "--codec", "h264")
    assert status == 0
    (session_id,) = store.ids()
    session = store.open(session_id)
    session.verify()
    frames = [step.frame.rgb for step in session.steps()]
    assert len(frames) == session.manifest.steps
    assert frames[0].shape == (session.manifest.height, session.manifest.width, 3)
    status, out, _ = run("info", session_id)
    assert f"{session.manifest.width}x{session.manifest.height} h264, CRF 22" in out


def test_the_seed_that_a_running_or_dead_recorder_has_taken_is_not_taken_again(run, store: Store) -> None:
    run(*CAPTURE, "--seed", "5")
    (session_id,) = store.ids()
    steps = store.open(session_id).steps()
    spec = store.manifest(session_id).spec
    with store.create(SessionHeader(id="s9", game="car_racing", rate_hz=50, spec=spec, source={"seed": 9})) as writer:
        writer.append(next(steps))
        writer.flush()
        assert choose_seeds(Stores.open(store.url), "car_racing", 2) == range(10, 12)
    assert choose_seeds(Stores.open(store.url), "another_game", 2) == range(2)


def test_a_session_that_cannot_be_read_is_told_of_and_keeps_nobody_from_recording(run, store: Store) -> None:
    run(*CAPTURE, "--seed", "5")
    (damaged,) = store.ids()
    (Path(store.url) / damaged / "manifest.json").write_text("{", encoding="utf-8")
    status, out, err = run(*CAPTURE)
    assert status == 0
    assert "1 session in" in out
    assert damaged in err
    assert "Its seed may be driven once more." in err


def test_a_remote_store_gets_what_was_recorded_locally(run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KART_STORE", "memory://kart-recorder/sessions")
    remote, local = Store("memory://kart-recorder/sessions"), Store(home / "sessions")
    status, out, _ = run(*CAPTURE)
    assert status == 0
    assert remote.ids() == local.ids() != []
    assert f"memory://kart-recorder/sessions (copies in {home / 'sessions'})" in out
    remote.open(remote.ids()[0]).verify()
    run("delete", remote.ids()[0])
    assert remote.ids() == local.ids() == []


class Unplugged(MemoryFileSystem):
    """A network drive that can be pulled."""

    protocol = "unplugged"
    gone = False

    def put_file(self, *args, **options) -> None:
        if Unplugged.gone:
            raise OSError("no route to host")
        super().put_file(*args, **options)


def test_what_does_not_reach_its_store_is_safe_and_is_brought_there_later(
    run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_implementation("unplugged", Unplugged, clobber=True)
    monkeypatch.setenv("KART_STORE", "unplugged://kart-far/sessions")
    monkeypatch.setattr(Unplugged, "gone", True)
    status, out, err = run(*CAPTURE, "--episodes", "2")
    assert status == 2
    (session_id,) = Store(home / "sessions").ids()
    assert f"Session {session_id} is safe in" in err
    assert "no route to host" in err
    assert session_id in out
    assert f"{session_id} is only in" in run("list")[1]
    monkeypatch.setattr(Unplugged, "gone", False)
    status, out, _ = run("repair", "--all")
    assert (status, out) == (0, f"{session_id} brought to unplugged://kart-far/sessions.\n")
    Store("unplugged://kart-far/sessions").open(session_id).verify()
    assert seeds(Store("unplugged://kart-far/sessions")) == [0]
