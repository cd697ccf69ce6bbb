"""The command that tidies up: shows first, removes when told to, and never guesses what is needed."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.frames_info import read_frames_info
from kart_pipeline.datasets.shared import OF_FRAMES, OF_TRAINING_SET, Shared, frames_path, training_set_path
from kart_pipeline.datasets.training_set import build_training_set
from kart_pipeline.games.contracts import Contracts
from kart_pipeline.gc import main

SPEC = ActionSpec(("steer",), mirrored_axes=("steer",))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one session, its frames under the contract in force and under another one."""
    monkeypatch.setenv("KART_HOME", str(tmp_path))
    monkeypatch.delenv("KART_STORE", raising=False)
    settings = Settings.from_env()
    store = Store(settings.store_url)
    with store.create(SessionHeader(id="s1", game="drawn", rate_hz=10, spec=SPEC)) as writer:
        for step in range(5):
            action = SPEC.action(steer=0.1)
            rgb = np.full((66, 200, 3), step, np.uint8)
            writer.append(Step(step, Frame(rgb, step * 100_000_000), Choice(action, "expert", action)))
        writer.finish("finished")
    session = store.open("s1")
    for contract in (Contracts.load(tmp_path).contract(session.manifest), Contract(SPEC, 10, width=64, height=64)):
        build_frames(session, contract, settings.datasets)
    return tmp_path


def hashes(home: Path) -> set[str]:
    return {folder.name for folder in (home / "datasets" / "frames").iterdir()}


def test_what_can_go_is_shown_and_nothing_is_changed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashes(home)
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "its contract is in force nowhere" in out
    assert "in 1 folders can go; `python -m kart_pipeline.gc --remove` removes them." in out
    assert hashes(home) == before
    assert len(before) == 2


def test_what_is_told_to_go_goes_and_the_rest_stays(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--remove"]) == 0
    assert "MB removed." in capsys.readouterr().out
    (kept,) = hashes(home)
    assert read_frames_info(home / "datasets", kept, "s1") is not None
    Store(home / "sessions").open("s1").verify()
    assert main([]) == 0
    assert "There are no frames" in capsys.readouterr().out


def test_where_it_is_not_known_what_is_needed_nothing_goes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashes(home)
    (home / "contracts.toml").write_text("[drawn]\nwidth = 'wide'\n")
    assert main(["--remove"]) == 2
    assert "contracts.toml" in capsys.readouterr().err
    assert hashes(home) == before


def test_what_machines_share_is_tidied_up_with_what_is_here(
    home: Path, bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"s3://{bucket.name}/datasets"
    monkeypatch.setenv("KART_DATASETS", url)
    shared = Shared(url, home / "datasets")
    for contract in hashes(home):
        shared.put(frames_path(contract, "s1"), OF_FRAMES)
    assert main([]) == 0
    out = capsys.readouterr().out
    assert out.count("its contract is in force nowhere") == 2
    assert "KART_DATASETS" in out
    assert main(["--remove"]) == 0
    (kept,) = hashes(home)
    assert shared.remote.files("frames").keys() == {frames_path(kept, "s1")}


def test_what_another_machine_learns_from_is_needed(home: Path, bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its contract is in force nowhere here, but a training set there was made under it."""
    url = f"s3://{bucket.name}/datasets"
    monkeypatch.setenv("KART_DATASETS", url)
    contract = Contract(SPEC, 10, width=64, height=64)
    build_training_set(home / "datasets", contract, "drawn", val_fraction=0.4)
    shared = Shared(url, home / "datasets")
    shared.put(frames_path(contract.hash, "s1"), OF_FRAMES)
    shared.put(training_set_path("drawn"), OF_TRAINING_SET)
    shutil.rmtree(home / "datasets" / "training_sets")
    assert main(["--remove"]) == 0
    assert frames_path(contract.hash, "s1") in shared.remote.files("frames")
