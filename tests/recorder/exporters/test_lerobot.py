"""A LeRobot dataset v3.0: its files say what LeRobot's reader asks of them, and the reader agrees where it is."""

import io
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from kart_pipeline.core.action import ActionSpec
from recorder.exporters import lerobot_files

SCREEN = "observation.images.screen"
PYTHON = os.environ.get("KART_LEROBOT_PYTHON")


def export(run, folder: Path, *ids: str) -> str:
    status, out, err = run("export", *ids, "--to", "lerobot", folder)
    assert (status, err) == (0, "")
    return out


def rows_of(folder: Path) -> list[dict]:
    return [row for path in sorted(folder.glob("data/*/*.parquet")) for row in pq.read_table(path).to_pylist()]


def episodes_of(folder: Path) -> list[dict]:
    return pq.read_table(folder / "meta/episodes/chunk-000/file-000.parquet").to_pylist()


def test_a_session_is_an_episode_with_its_pictures_as_stored(run, make_session, tmp_path: Path) -> None:
    session = make_session(state=True)
    out = export(run, tmp_path / "d", "s1")
    assert "frames: 6, episodes: 1, sessions: 1" in out
    rows, steps = rows_of(tmp_path / "d"), list(session.steps())
    assert [row[SCREEN]["bytes"] for row in rows] == list(session.encoded())
    assert [row["timestamp"] for row in rows] == pytest.approx([i / 20 for i in range(6)])
    assert [row["observation.state"] for row in rows] == [i / 2 for i in range(6)]
    for row, step in zip(rows, steps, strict=True):
        np.testing.assert_array_equal(row["action"], step.choice.label.vector())
        assert (row["taught"], row["intervention"]) == (True, False)
    info = json.loads((tmp_path / "d/meta/info.json").read_text())
    assert (info["codebase_version"], info["fps"], info["total_frames"]) == ("v3.0", 20, 6)
    assert info["features"]["action"] == {"dtype": "float32", "shape": [5], "names": ["steer", "pitch", "A", "B", "RB"]}
    assert info["features"][SCREEN]["shape"] == [12, 16, 3]
    assert info["splits"] == {"train": "0:1"}


def test_a_gap_in_a_session_begins_another_episode(run, make_session, tmp_path: Path) -> None:
    make_session("s1", steps=[0, 1, 2, 5, 6])
    make_session("s2", steps=range(3), track="choco-mountain")
    out = export(run, tmp_path / "d", "s1", "s2")
    assert "frames: 8, episodes: 3, sessions: 2" in out
    assert "LeRobot's rows have no gaps" in out
    episodes = episodes_of(tmp_path / "d")
    assert [(e["dataset_from_index"], e["dataset_to_index"], e["length"]) for e in episodes] == [
        (0, 3, 3),
        (3, 5, 2),
        (5, 8, 3),
    ]
    rows = rows_of(tmp_path / "d")
    assert [row["index"] for row in rows] == list(range(8))
    assert [row["episode_index"] for row in rows] == [0, 0, 0, 1, 1, 2, 2, 2]
    assert [row["frame_index"] for row in rows] == [0, 1, 2, 0, 1, 0, 1, 2]
    assert [row["task_index"] for row in rows] == [0] * 5 + [1] * 3
    tasks = pd.read_parquet(tmp_path / "d/meta/tasks.parquet")
    assert int(tasks.loc["drive mario_kart_64 choco-mountain"].task_index) == 1
    assert tasks.iloc[0].name == "drive mario_kart_64 luigi-raceway" == episodes[0]["tasks"][0]


def test_an_episode_lies_in_one_file_and_a_full_file_is_followed_by_another(
    run, make_session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lerobot_files, "DATA_MB", 0.0005)
    monkeypatch.setattr(lerobot_files, "CHUNK_FILES", 2)
    make_session(steps=[0, 1, 3, 4, 6, 7])
    export(run, tmp_path / "d", "s1")
    episodes = episodes_of(tmp_path / "d")
    assert [(e["data/chunk_index"], e["data/file_index"]) for e in episodes] == [(0, 0), (0, 1), (1, 0)]
    for episode in episodes:
        path = f"data/chunk-{episode['data/chunk_index']:03d}/file-{episode['data/file_index']:03d}.parquet"
        assert (
            pq.read_table(tmp_path / "d" / path).column("episode_index").to_pylist() == [episode["episode_index"]] * 2
        )


def test_the_statistics_are_those_of_the_numbers_and_pictures(run, make_session, tmp_path: Path) -> None:
    session = make_session(steps=[0, 1, 2, 20, 21])
    export(run, tmp_path / "d", "s1")
    stats = json.loads((tmp_path / "d/meta/stats.json").read_text())
    steps = list(session.steps())
    actions = np.stack([step.choice.action.vector() for step in steps]).astype(float)
    assert stats["action"]["mean"] == pytest.approx(actions.mean(0))
    assert stats["action"]["std"] == pytest.approx(actions.std(0))
    assert stats["action"]["q90"] == pytest.approx(np.quantile(actions, 0.9, axis=0))
    assert stats["action"]["count"] == [5]
    looked_at = np.stack([steps[0].frame.rgb, steps[3].frame.rgb]) / 255  # the first of each episode
    for which, value in (("min", looked_at.min((0, 1, 2))), ("max", looked_at.max((0, 1, 2)))):
        np.testing.assert_allclose(np.array(stats[SCREEN][which]), value.reshape(3, 1, 1))
    np.testing.assert_allclose(np.array(stats[SCREEN]["mean"]).ravel(), looked_at.mean((0, 1, 2)))
    np.testing.assert_allclose(np.array(stats[SCREEN]["std"]).ravel(), looked_at.std((0, 1, 2)))
    inverted = np.quantile(looked_at.reshape(-1, 3), 0.9, axis=0, method="inverted_cdf")
    np.testing.assert_allclose(np.array(stats[SCREEN]["q90"]).ravel(), inverted)
    assert stats[SCREEN]["count"] == [2]
    first = episodes_of(tmp_path / "d")[0]
    assert first["stats/action/mean"] == pytest.approx(actions[:3].mean(0))
    assert np.array(first[f"stats/{SCREEN}/std"]).shape == (3, 1, 1)


def test_what_nobody_taught_is_marked_and_not_left_out(run, make_session, tmp_path: Path) -> None:
    session = make_session(alone=[1])
    export(run, tmp_path / "d", "s1")
    rows = rows_of(tmp_path / "d")
    assert [row["taught"] for row in rows] == [True, False, True, True, True, True]
    executed = [step.choice.action.vector().tolist() for step in session.steps()]
    assert [row["executed"] for row in rows] == [row["action"] for row in rows] == executed


def test_sessions_that_differ_in_kind_are_not_mixed(run, make_session, tmp_path: Path) -> None:
    make_session("s1")
    make_session("wide", size=(20, 12))
    make_session("fast", rate_hz=30.0)
    make_session("car", spec=ActionSpec(("steer",)))
    for other, cause in (
        ("wide", "session wide has pictures 20x12, s1 has 16x12"),
        ("fast", "session fast has a rate of 30 Hz, s1 has 20 Hz"),
        ("car", "session car has controls steer, s1 has steer, pitch, A, B, RB"),
    ):
        status, _, err = run("export", "s1", other, "--to", "lerobot", tmp_path / "d")
        assert (status, err.count("\n")) == (2, 1)
        assert cause in err
    assert list(tmp_path.glob("*d*")) == []


def test_hugging_face_loads_the_rows_with_pictures(run, make_session, tmp_path: Path, hugging_face) -> None:
    session = make_session()
    export(run, tmp_path / "d", "s1")
    files = [str(path) for path in tmp_path.glob("d/data/*/*.parquet")]
    loaded = hugging_face.Dataset.from_parquet(files, cache_dir=str(tmp_path / "cache"))
    for row, step in zip(loaded, session.steps(), strict=True):
        np.testing.assert_array_equal(np.asarray(row[SCREEN]), step.frame.rgb)
        np.testing.assert_array_equal(np.float32(row["action"]), step.choice.action.vector())


@pytest.mark.skipif(not PYTHON, reason="KART_LEROBOT_PYTHON names no Python that has LeRobot installed")
@pytest.mark.parametrize("spec", [None, ActionSpec(("steer",))])
def test_lerobots_own_reader_gives_every_frame_back(run, make_session, tmp_path: Path, spec) -> None:
    more = {} if spec is None else {"spec": spec}
    made = [make_session("s1", steps=[0, 1, 2, 5, 6], state=True, **more), make_session("s2", state=True, **more)]
    export(run, tmp_path / "d", "s1", "s2")
    script = Path(__file__).with_name("read_lerobot.py")
    env = os.environ | {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
    done = subprocess.run(
        [str(PYTHON), str(script), tmp_path / "d", tmp_path / "read.npz"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read = np.load(tmp_path / "read.npz")
    steps = [step for session in made for step in session.steps()]
    assert read["episodes"].tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 2]
    np.testing.assert_array_equal(read["pictures"], [step.frame.rgb for step in steps])
    actions = np.stack([step.choice.action.vector() for step in steps])
    np.testing.assert_array_equal(read["actions"].reshape(actions.shape), actions)
    # an action and the one after it, of the same episode: the last of an episode is repeated
    following = read["windows"].reshape(len(steps), 2, -1)[:, 1]
    np.testing.assert_array_equal(following, actions[[1, 2, 2, 4, 4, 6, 7, 8, 9, 10, 10]])
    assert set(read["tasks"].tolist()) == {"drive mario_kart_64 luigi-raceway"}


def test_a_damaged_picture_is_named_by_session_and_step(run, make_session, store, tmp_path: Path) -> None:
    make_session()
    path = Path(store.url) / "s1" / "steps.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[0]["frame"]["bytes"] = rows[0]["frame"]["bytes"][:60]
    pq.write_table(type(table).from_pylist(rows, table.schema), path)
    status, _, err = run("export", "s1", "--to", "lerobot", tmp_path / "d")
    assert (status, err.count("\n")) == (2, 1)
    assert "Step 0 of session s1: A frame cannot be decoded" in err
    assert list(tmp_path.glob("*d*")) == []
    with pytest.raises(OSError, match="truncated"):
        Image.open(io.BytesIO(rows[0]["frame"]["bytes"])).load()
