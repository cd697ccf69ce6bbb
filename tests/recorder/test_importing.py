"""Imported laps: what comes in is what was recorded, and what does not come in is named."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kart_pipeline.core.store import Store
from kart_pipeline.games.controls import N64_SPEC

REAL = Path(os.environ.get("KART_REAL_LAP") or Path(__file__).parents[3] / "shared/data/mariokart64-luigi-raceway")


def lap(run, *argv: str | Path) -> tuple[int, str, str]:
    return run("import", "tensorkart", *argv)


def test_a_folder_becomes_a_session_with_the_very_bytes_of_its_pictures(run, make_lap, store: Store) -> None:
    folder = make_lap()
    status, out, err = lap(run, folder, "--track", "luigi-raceway", "--rate", "4")
    assert (status, err) == (0, "")
    (session_id,) = store.ids()
    assert session_id.startswith("tensorkart-2021-10-11-1-")
    assert f"{session_id}: 3 rows" in out
    session = store.open(session_id)
    session.verify()
    manifest = session.manifest
    assert (manifest.game, manifest.track, manifest.spec) == ("mario_kart_64", "luigi-raceway", N64_SPEC)
    assert (manifest.steps, manifest.labelled, manifest.ended, manifest.rate_hz) == (3, 3, "imported", 4.0)
    assert "synthesised" in manifest.source["time"]
    assert manifest.notes == {"left_out": []}
    assert list(session.encoded()) == [(folder / f"img_{i}.png").read_bytes() for i in range(3)]
    steps = list(session.steps())
    assert [step.frame.t_ns for step in steps] == [0, 250_000_000, 500_000_000]
    assert [step.choice.action for step in steps] == [
        N64_SPEC.action(A=True),
        N64_SPEC.action(steer=-0.5, pitch=0.25, A=True, RB=True),
        N64_SPEC.action(steer=1.0, pitch=-1.0, B=True),
    ]
    assert all(step.choice.label == step.choice.action and step.choice.actor == "human" for step in steps)


def test_jpegs_stay_jpegs_unless_something_else_is_asked_for(run, make_lap, store: Store) -> None:
    folder = make_lap(suffix="jpg")
    lap(run, folder, "--id", "as-it-is")
    lap(run, shutil.copytree(folder, folder.parent / "again"), "--id", "refused", "--codec", "png")
    assert store.ids() == ["as-it-is"]  # the same content
    assert store.manifest("as-it-is").codec == "jpeg"
    assert list(store.open("as-it-is").encoded()) == [(folder / f"img_{i}.jpg").read_bytes() for i in range(3)]
    before = [step.frame.rgb for step in store.open("as-it-is").steps()]
    run("delete", "as-it-is")
    lap(run, folder, "--codec", "png", "--id", "anew")
    assert all(data.startswith(b"\x89PNG") for data in store.open("anew").encoded())
    for was, step in zip(before, store.open("anew").steps(), strict=True):
        np.testing.assert_array_equal(was, step.frame.rgb)


def test_rows_without_a_usable_picture_or_label_are_left_out_and_named(run, make_lap, store: Store) -> None:
    folder = make_lap(labels=[(i / 10, 0, 1, 0, 0) for i in range(6)] + [(3, 0, 1, 0, 0), (0, 0, 1, 0, 0)])
    (folder / "img_1.png").unlink()
    (folder / "img_3.png").write_bytes((folder / "img_3.png").read_bytes()[:100])
    (folder / "img_4.png").write_text("not a picture")
    Image.new("RGB", (20, 12)).save(folder / "img_5.png")
    status, out, _ = lap(run, folder)
    assert status == 0
    (session_id,) = store.ids()
    session = store.open(session_id)
    left_out = session.manifest.notes["left_out"]
    assert [item["line"] for item in left_out] == [2, 4, 5, 6, 7]
    reasons = (
        "no picture samples",
        "cannot be decoded",
        "cannot be decoded",
        "is 20x12, the first one is 16x12",
        "outside",
    )
    for item, reason in zip(left_out, reasons, strict=True):
        assert reason in item["reason"]
        assert f"line {item['line']}: {item['reason']}" in out
    assert "5 rows of" in out
    # what is left keeps its time: a gap is a gap
    assert [step.index for step in session.steps()] == [0, 2, 7]
    assert "left out" in run("info", session_id)[1]


def test_a_lap_without_any_usable_row_leaves_nothing_behind(run, make_lap, store: Store) -> None:
    status, _, err = lap(run, make_lap(pictures=False))
    assert status == 2
    assert "No row of" in err
    assert "line 1: there is no picture samples/2021-10-11-1/img_0.png" in err
    assert (store.ids(), store.unfinished()) == ([], [])
    assert list(Path(store.url).iterdir()) == []


def test_a_file_that_is_no_such_csv_is_refused(run, make_lap, store: Store) -> None:
    folder = make_lap()
    (folder / "data.csv").write_text("path,x,y,A,B,RB\n")
    status, _, err = lap(run, folder)
    assert (status, err.count("\n")) == (2, 1)
    assert "begins with a header" in err
    assert store.ids() == []


def test_the_same_lap_is_not_imported_twice_and_a_changed_one_is(run, make_lap, store: Store) -> None:
    folder = make_lap()
    lap(run, folder)
    (session_id,) = store.ids()
    stamp = store.stamp(session_id)
    status, out, _ = lap(run, folder, "--id", "another", "--rate", "5")
    assert status == 0
    assert f"is in the store already, as {session_id}; nothing was done." in out
    assert (store.ids(), store.stamp(session_id)) == ([session_id], stamp)
    Image.new("RGB", (16, 12), "red").save(folder / "img_2.png")
    assert lap(run, folder)[0] == 0
    assert len(store.ids()) == 2


def test_an_id_that_another_session_has_is_refused(run, make_lap, store: Store) -> None:
    lap(run, make_lap("one"), "--id", "s1")
    status, _, err = lap(run, make_lap("two", labels=[(0, 0, 1, 0, 0)]), "--id", "s1")
    assert status == 2
    assert "Session s1 already exists" in err
    assert store.manifest("s1").steps == 3
    assert lap(run, make_lap("three"), "--id", "../x")[0] == 2


def test_a_folder_of_laps_is_imported_as_a_whole_under_ids_of_their_own(run, make_lap, store: Store) -> None:
    laps = make_lap("one"), make_lap("two", labels=[(0, 0, 1, 0, 0)])
    status, _, err = lap(run, laps[0].parent, "--id", "s1")
    assert (status, store.ids()) == (2, [])
    assert "One id cannot name 2 sessions" in err
    assert lap(run, laps[0].parent)[0] == 0
    assert sorted(store.manifest(session_id).steps for session_id in store.ids()) == [1, 3]


def test_what_a_killed_import_left_is_done_again(run, make_lap, store: Store) -> None:
    folder = make_lap()
    lap(run, folder, "--id", "s1")
    session = store.open("s1")
    header, step = session.manifest, next(session.steps())
    run("delete", "s1")
    writer = store.create(header)
    writer.append(step)
    writer.flush()
    writer._release()  # as the death of its process does
    assert store.unfinished() == ["s1"]
    assert lap(run, folder, "--id", "s1")[0] == 0
    assert store.manifest("s1").steps == 3
    assert store.unfinished() == []


def test_half_an_import_that_was_repaired_is_not_taken_for_the_whole(run, make_lap, store: Store) -> None:
    folder = make_lap()
    lap(run, folder, "--id", "s1")
    manifest = Path(store.url) / "s1" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"ended": "repaired"}))
    status, _, err = lap(run, folder)
    assert status == 2
    assert "broke off and was repaired; run `python -m recorder delete s1` and import again" in err


@pytest.mark.skipif(not REAL.exists(), reason=f"the real lap is not there: {REAL} (KART_REAL_LAP names its folder)")
def test_the_real_lap_has_its_known_figures(run, store: Store) -> None:
    status, _, err = lap(run, REAL, "--track", "luigi-raceway")
    assert (status, err) == (0, "")
    (session_id,) = store.ids()
    told = json.loads(run("info", session_id, "--json")[1])
    manifest, figures = told["manifest"], told["figures"]
    assert (manifest["steps"], manifest["labelled"], manifest["width"], manifest["height"]) == (475, 475, 640, 480)
    assert manifest["notes"] == {"left_out": []}
    steer = figures["axes"]["steer"]
    assert steer["mean"] == pytest.approx(-0.154, abs=5e-4)
    assert steer["straight"] == pytest.approx(0.44, abs=5e-3)
    assert steer["negative"] == pytest.approx(0.40, abs=5e-3)
    assert steer["positive"] == pytest.approx(0.16, abs=5e-3)
    assert steer["extreme"] == pytest.approx(0.17, abs=5e-3)
    assert steer["mean_change"] == pytest.approx(0.37, abs=5e-3)
    assert steer["jumps"] == pytest.approx(0.36, abs=5e-3)
    assert figures["buttons"] == {"A": pytest.approx(0.956, abs=5e-4), "B": 0.0, "RB": 0.0}
    assert figures["measured_hz"] == pytest.approx(3.6)
    first = next(iter(store.open(session_id).encoded()))
    assert first == next(REAL.glob("**/img_0.png")).read_bytes()
