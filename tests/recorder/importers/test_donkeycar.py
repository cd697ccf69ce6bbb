"""donkeycar's tubs: deleted records stay deleted, a pilot's records teach nothing, half a file is no riddle."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.store import Store
from recorder.importers.donkeycar import SPEC, Donkeycar

INPUTS = ["cam/image_array", "user/angle", "user/throttle", "user/mode"]
TYPES = ["image_array", "float", "float", "str"]
BEGAN = 1_600_000_000_000


def record(index: int, **values: Any) -> dict[str, Any]:
    return {
        "_index": index,
        "_session_id": "20-09-13_1",
        "_timestamp_ms": BEGAN + 50 * index,
        "cam/image_array": f"{index}_cam_image_array_.jpg",
        "user/angle": index / 10,
        "user/mode": "user",
        "user/throttle": 0.5,
    } | values


def write_tub(folder: Path, records: list[dict[str, Any]], deleted: list[int], per_catalog: int, end: str) -> None:
    """As datastore_v2 does: every line ends with CRLF, which its text mode makes CRCRLF of on Windows."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for start in range(0, len(records), per_catalog):
        names.append(f"catalog_{len(names)}.catalog")
        lines = [json.dumps(item, sort_keys=True) + end for item in records[start : start + per_catalog]]
        (folder / names[-1]).write_bytes("".join(lines).encode())
    last = {"paths": names, "current_index": len(records), "max_len": per_catalog, "deleted_indexes": deleted}
    manifest = [INPUTS, TYPES, {}, {"created_at": 1.6e9, "sessions": {"all_full_ids": []}}, last]
    (folder / "manifest.json").write_bytes("".join(json.dumps(line) + end for line in manifest).encode())


@pytest.fixture
def make_tub(tmp_path: Path, paint):
    def make(records=None, *, count: int = 6, deleted=(), per_catalog: int = 4, end: str = "\r\n") -> Path:
        folder = tmp_path / "data" / "tub_1"
        records = [record(i) for i in range(count)] if records is None else records
        for item in records:
            paint(folder / "images" / f"{item['_index']}_cam_image_array_.jpg", item["_index"])
        write_tub(folder, records, list(deleted), per_catalog, end)
        return folder

    return make


@pytest.mark.parametrize("end", ["\r\n", "\r\r\n", "\n"])
def test_a_tub_becomes_a_session_without_what_was_deleted(run, make_tub, store: Store, end: str) -> None:
    folder = make_tub(deleted=[2, 3], end=end)
    status, out, err = run("import", "donkeycar", folder.parent)
    assert (status, err) == (0, "")
    assert "2 records that were deleted in the tub were left out." in out
    (session_id,) = store.ids()
    session = store.open(session_id)
    manifest = session.manifest
    assert (manifest.game, manifest.spec, manifest.rate_hz) == ("donkeycar", SPEC, 20.0)
    steps = list(session.steps())
    assert [step.index for step in steps] == [0, 1, 4, 5]
    assert [step.frame.t_ns // 1_000_000 for step in steps] == [0, 50, 200, 250]
    assert [step.choice.action["steer"] for step in steps] == pytest.approx([0, 0.1, 0.4, 0.5])
    assert all(step.choice.label == step.choice.action and step.choice.actor == "human" for step in steps)
    assert manifest.notes["marks"]["pauses"] == [[2, 3]]
    assert next(session.encoded()) == (folder / "images" / "0_cam_image_array_.jpg").read_bytes()


def test_what_the_pilot_did_is_executed_and_no_label(run, make_tub, store: Store) -> None:
    pilot = {"pilot/angle": -0.7, "pilot/throttle": 0.9}
    records = [
        record(0),
        record(1, **pilot, **{"user/mode": "local"}),
        record(2, **pilot, **{"user/mode": "local_angle"}),
        record(3, **{"user/mode": "local"}),
        record(4, **{"user/mode": "autopilot"}),
    ]
    status, out, _ = run("import", "donkeycar", make_tub(records))
    assert status == 0
    assert "record 3: the pilot drove, and what it did (pilot/angle) was not recorded" in out
    assert "record 4: user/mode is 'autopilot'" in out
    assert "imported without a label" in out
    (session_id,) = store.ids()
    choices = [step.choice for step in store.open(session_id).steps()]
    assert [choice.actor for choice in choices] == ["human", "policy", "policy"]
    assert [choice.label is None for choice in choices] == [False, True, True]
    assert choices[1].action.axes == pytest.approx((-0.7, 0.9))
    assert choices[2].action.axes == pytest.approx((-0.7, 0.5))


def test_records_that_cannot_be_used_are_named(run, make_tub, store: Store) -> None:
    records = [
        record(0),
        record(1, **{"user/angle": 1.5}),
        record(2, **{"user/throttle": None}),
        record(3, **{"cam/image_array": None}),
        record(4),
    ]
    folder = make_tub(records, per_catalog=1000)
    (folder / "images" / "4_cam_image_array_.jpg").unlink()
    with (folder / "catalog_0.catalog").open("a") as file:
        file.write('{"_index": 5, "_sess')
    status, out, _ = run("import", "donkeycar", folder)
    assert status == 0
    for line in (
        "record 1: user/angle is 1.5, outside [-1, 1]",
        "record 2: user/throttle is no number: None",
        "record 3: it names no picture (cam/image_array)",
        "record 4: there is no picture 4_cam_image_array_.jpg",
        "record 5: line 6 of catalog_0.catalog is no whole record",
    ):
        assert line in out
    assert [store.manifest(session_id).steps for session_id in store.ids()] == [1]


@pytest.mark.parametrize("cut", [0, 20])
def test_a_manifest_that_lost_its_last_line_is_said_to_have(run, make_tub, store: Store, cut: int) -> None:
    folder = make_tub(deleted=[1])
    manifest = folder / "manifest.json"
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join(lines[:4]) + lines[4][:cut])
    status, out, _ = run("import", "donkeycar", folder)
    assert status == 0
    assert "breaks off before line 5: what was deleted is not known, so nothing is left out." in out
    assert [store.manifest(session_id).steps for session_id in store.ids()] == [6]


@pytest.mark.parametrize(
    ("manifest", "cause"),
    [
        ("{}\n", "it has not the 5 lines of a tub's"),
        ("[]\n[\n{}\n{}\n{}\n", "line 2 of 5 is no JSON: '['"),
        ("[]\n[]\n{}\n{}\n{}\n", "line 5 does not say its catalogs and deleted records"),
        (
            '["cam/image_array"]\n["image_array"]\n{}\n{}\n{"paths": [], "deleted_indexes": []}\n',
            "has no user/angle, user/throttle; it has cam/image_array",
        ),
        ('[]\n[]\n{}\n{}\n{"paths": ["../x"], "deleted_indexes": []}\n', "a catalog lies outside the tub"),
        (
            json.dumps(INPUTS) + "\n" + json.dumps(TYPES) + '\n{}\n{}\n{"paths": [], "deleted_indexes": []}\n',
            "is a tub without records",
        ),
        (
            json.dumps(INPUTS) + "\n" + json.dumps(TYPES) + '\n{}\n{}\n{"paths": ["c"], "deleted_indexes": []}\n',
            "c cannot be read",
        ),
    ],
)
def test_what_is_no_tub_is_refused(run, tmp_path: Path, store: Store, manifest: str, cause: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    status, _, err = run("import", "donkeycar", tmp_path)
    assert (status, err.count("\n"), store.ids()) == (2, 1, [])
    assert cause in err


def test_a_session_of_ours_is_not_taken_for_a_tub(run, make_tub, store: Store) -> None:
    assert run("import", "donkeycar", make_tub(), "--id", "s1")[0] == 0
    status, _, err = run("import", "donkeycar", Path(store.url) / "s1")
    assert status == 2
    assert "is not donkeycar's" in err


def test_a_clock_that_was_set_back_does_not_turn_time_around(run, make_tub, store: Store) -> None:
    records = [record(i, _timestamp_ms=BEGAN + 50 * i - (3_600_000 if i > 2 else 0)) for i in range(6)]
    assert run("import", "donkeycar", make_tub(records))[0] == 0
    (session_id,) = store.ids()
    steps = list(store.open(session_id).steps())
    assert [step.index for step in steps] == list(range(6))
    assert [step.frame.t_ns // 1_000_000 for step in steps] == [0, 50, 100, 150, 200, 250]


def test_the_times_of_a_conversion_are_not_taken_for_those_of_the_drive(run, make_tub, store: Store) -> None:
    status, out, _ = run("import", "donkeycar", make_tub([record(i, _timestamp_ms=BEGAN + 3 * i) for i in range(6)]))
    assert status == 0
    assert "Its times are those of a conversion, not of the drive; 20 Hz is assumed (or --rate)." in out
    (session_id,) = store.ids()
    steps = list(store.open(session_id).steps())
    assert [step.frame.t_ns // 1_000_000 for step in steps] == [0, 50, 100, 150, 200, 250]


axis = st.floats(-1, 1)
json_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())


@given(
    st.lists(st.tuples(axis, axis), min_size=1, max_size=12),
    st.sets(st.integers(0, 11)),
    st.integers(1, 5),
    st.sampled_from(["\r\n", "\r\r\n", "\n"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_donkeycar_wrote_is_read_again(tmp_path: Path, driven, deleted, per_catalog: int, end: str) -> None:
    records = [record(i, **{"user/angle": a, "user/throttle": t}) for i, (a, t) in enumerate(driven)]
    write_tub(tmp_path, records, sorted(deleted), per_catalog, end)
    kept = [item for item in range(len(driven)) if item not in deleted]
    if not kept:
        with pytest.raises(KartError, match="without records that are not deleted"):
            Donkeycar().read(tmp_path)
        return
    (recording,) = Donkeycar().read(tmp_path)
    assert recording.left_out == []
    assert [row.line for row in recording.rows] == kept
    assert [row.action.axes for row in recording.rows] == [driven[i] for i in kept]


@given(st.dictionaries(st.sampled_from([*INPUTS, "_index", "_timestamp_ms", "pilot/angle"]), json_values))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_record_of_anything_is_read_or_left_out(tmp_path: Path, values: dict[str, Any]) -> None:
    write_tub(tmp_path, [record(0), record(1) | values, record(2)], [], 1000, "\r\n")
    (recording,) = Donkeycar().read(tmp_path)
    assert len(recording.rows) + len(recording.left_out) == 3
    assert len({row.line for row in recording.rows} | {item.line for item in recording.left_out}) == 3
    assert recording.rows[0].action == SPEC.action(steer=0.0, throttle=0.5)
