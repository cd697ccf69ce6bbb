"""Verdicts name the cause: each fault is made once, found by its check, and by no other that ought to pass."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.session import Session
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.health import check_session, check_table
from kart_pipeline.datasets.health_frames import blank, check_frames, frozen
from kart_pipeline.datasets.verdict import Verdict

Record = Callable[..., Session]

SMOOTH = np.sin(np.arange(200) / 15).round(3)  # 20 s of turns, at most 0.07 from step to step


def verdicts(session: Session) -> dict[str, Verdict]:
    found = check_session(session)
    assert len({item.name for item in found}) == len(found)
    return {item.name: item for item in found}


def failed(session: Session) -> dict[str, str]:
    return {item.name: item.severity for item in verdicts(session).values() if not item.passed}


def altered(session: Session, **columns: pa.Array) -> list[Verdict]:
    """The verdicts on a table as another program might have written it."""
    table = session.table()
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, values)
    return [item for item in check_table(session.manifest, table) if not item.passed]


def test_a_good_session_passes_everything(record: Record) -> None:
    session = record(steer=SMOOTH, throttle=0.5)
    assert failed(session) == {"controls": "warn"}, "throttle never moves in these sessions"
    assert all(item.cause.endswith(".") for item in check_session(session))


def test_figures_are_plain_numbers_that_json_takes(record: Record) -> None:
    for item in check_session(record(steer=SMOOTH)):
        assert all(type(value) in (int, float) for value in item.figures.values()), item
        json.dumps(dict(item.figures), allow_nan=False)


@pytest.mark.parametrize("count", [1, 2])
def test_the_shortest_sessions_get_a_verdict_too(record: Record, count: int) -> None:
    assert failed(record(steer=[0.5] * count)).keys() == {"length", "controls"}


def test_a_changed_file_is_an_error(record: Record, store: Store) -> None:
    record(steer=SMOOTH)
    assert store.local_path is not None
    path = store.local_path / "s1" / "steps.parquet"
    path.write_bytes(path.read_bytes() + b"\0")
    assert failed(store.open("s1")) == {"contents": "error"}


def test_counts_that_differ_from_the_manifest_are_an_error(record: Record) -> None:
    session = record(steer=SMOOTH, unlabelled=range(5))
    wrong = replace(session.manifest, labelled=200)
    (found,) = [item for item in check_table(wrong, session.table()) if item.name == "contents"]
    assert (found.passed, found.severity) == (False, "error")
    assert "195 labelled (manifest: 200)" in found.cause


@pytest.mark.parametrize(
    ("rate_hz", "severity"), [(9.5, None), (10.5, None), (8.9, "warn"), (11.9, "warn"), (7.9, "error"), (13.0, "error")]
)
def test_a_rate_other_than_the_manifests_is_judged_by_how_far_it_is_off(
    record: Record, rate_hz: float, severity: str | None
) -> None:
    session = record(steer=SMOOTH, t_ns=(np.arange(200) * 1e9 / rate_hz).astype(int))
    assert failed(session).get("rate") == severity
    assert verdicts(session)["rate"].figures["measured_hz"] == pytest.approx(rate_hz)


def test_dropped_and_late_steps_are_gaps_and_do_not_move_the_rate(record: Record) -> None:
    few = record("few", SMOOTH, indices=[*range(100), *range(102, 202)])
    assert failed(few).keys() == {"controls"}
    assert verdicts(few)["gaps"].figures["dropped"] == 2
    many = record("many", SMOOTH, indices=[n + n // 10 for n in range(200)])
    assert failed(many)["gaps"] == "warn"
    assert "rate" not in failed(many)
    assert verdicts(many)["gaps"].figures["dropped"] == 19
    late = np.cumsum(np.where(np.arange(200) % 10 == 9, 200, 100)) * 1_000_000
    assert failed(record("late", SMOOTH, t_ns=late))["gaps"] == "warn"


def test_what_a_person_paused_or_cut_is_not_held_against_the_session(record: Record) -> None:
    kept = [*range(50), *range(150, 200), *range(230, 331)]
    marks = {"pauses": [[50, 149]], "cuts": [[200, 210], [205, 229]]}
    wanted = record("wanted", SMOOTH, indices=kept[:200], notes={"marks": marks})
    assert failed(wanted).keys() == {"controls"}
    figures = verdicts(wanted)["gaps"].figures
    assert (figures["dropped"], figures["late"], figures["left_out"]) == (0, 0, 130)
    assert figures["longest_s"] == pytest.approx(0.1)
    assert "130 more were paused or cut" in verdicts(wanted)["gaps"].cause
    assert failed(record("unwanted", SMOOTH, indices=kept[:200]))["gaps"] == "warn"


def test_frames_that_are_missing_beside_a_pause_are_still_counted(record: Record) -> None:
    session = record("both", SMOOTH, indices=[*range(100), *range(140, 240)], notes={"marks": {"pauses": [[110, 139]]}})
    figures = verdicts(session)["gaps"].figures
    assert (figures["dropped"], figures["late"], figures["left_out"]) == (10, 1, 30)


def test_marks_that_are_damaged_are_an_error_that_says_so(record: Record) -> None:
    session = record(steer=SMOOTH, notes={"marks": {"pauses": [["early", "late"]]}})
    assert failed(session)["gaps"] == "error"


@pytest.mark.parametrize("column", ["t_ns", "step"])
def test_time_and_step_numbers_that_do_not_rise_are_an_error(record: Record, column: str) -> None:
    session = record(steer=SMOOTH)
    values = session.table().column(column).to_numpy().copy()
    values[50] = values[49]
    found = {item.name: item for item in altered(session, **{column: pa.array(values)})}
    assert found["clock"].severity == "error"
    assert "after step 49" in found["clock"].cause


@pytest.mark.parametrize("value", [1.5, -1.01, np.nan, np.inf])
def test_an_executed_value_out_of_range_is_an_error_that_names_the_channel(record: Record, value: float) -> None:
    session = record(steer=SMOOTH)
    (found,) = [
        item
        for item in altered(session, steer=pa.array(np.append(SMOOTH[:-1], value), pa.float32()))
        if item.name == "label_range"
    ]
    assert found.severity == "error"
    assert found.cause.startswith("steer has values")


def test_a_label_in_some_channels_only_is_an_error(record: Record) -> None:
    session = record(steer=SMOOTH)
    labels = pa.array([None, *SMOOTH[1:]], pa.float32())
    (found,) = [item for item in altered(session, label_steer=labels) if item.name == "label_range"]
    assert found.severity == "error"
    assert found.figures["partly_labelled"] == 1


def test_a_session_without_labels_or_with_few_is_a_warning(record: Record) -> None:
    assert "nobody taught" in verdicts(record("none", SMOOTH, unlabelled=range(200)))["length"].cause
    few = verdicts(record("few", SMOOTH, unlabelled=range(120)))["length"]
    assert (few.passed, few.severity, few.figures["labelled"]) == (False, "warn", 80)


def test_an_axis_that_never_moves_or_is_always_at_its_stop_is_named(record: Record) -> None:
    dead = verdicts(record("dead", [0.2] * 200))["controls"]
    assert not dead.passed
    assert "steer stays at 0.20" in dead.cause
    stuck = verdicts(record("stuck", [1.0, -1.0] * 100))["controls"]
    assert "steer is at its stop in 100% of the steps" in stuck.cause


def test_a_button_that_is_always_pressed_is_told_and_not_blamed(record: Record) -> None:
    session = record(steer=SMOOTH)
    table = session.table()
    moving = pa.array(SMOOTH, pa.float32())
    always = pa.array([True] * 200)
    table = table.set_column(table.column_names.index("throttle"), "throttle", moving)
    table = table.set_column(table.column_names.index("A"), "A", always)
    (found,) = [item for item in check_table(session.manifest, table) if item.name == "controls"]
    assert found.passed
    assert "A is always pressed" in found.cause


def test_jerky_steering_is_aliasing_and_a_dropped_step_is_not(record: Record) -> None:
    jerky = np.where(np.arange(200) % 7 < 1, 0.9, 0.0)
    found = verdicts(record("jerky", jerky))["aliasing"]
    assert (found.passed, found.severity) == (False, "warn")
    assert found.figures["share"] == pytest.approx(57 / 199)
    assert verdicts(record("smooth", SMOOTH))["aliasing"].passed
    # two levels, with a gap in the steps at each change
    levels = np.repeat([0.9, -0.9] * 5, 20)
    gapped = record("gapped", levels, indices=[n + n // 20 for n in range(200)])
    assert verdicts(gapped)["aliasing"].figures["share"] == 0


def test_mostly_straight_labels_are_a_warning_with_the_shares_of_each_side(record: Record) -> None:
    steer = [0.0] * 160 + [-0.5] * 30 + [0.5] * 10
    found = verdicts(record(steer=steer))["straight"]
    assert (found.passed, found.severity) == (False, "warn")
    assert found.figures == pytest.approx({"straight": 0.8, "left": 0.15, "right": 0.05})


@pytest.mark.parametrize(("count", "severity"), [(0, None), (3, "warn"), (30, "error")])
def test_rows_that_an_import_left_out_are_reported(record: Record, count: int, severity: str | None) -> None:
    notes = {"left_out": [{"line": n + 1, "reason": "no such picture"} for n in range(count)]}
    session = record(steer=SMOOTH, notes=notes)
    assert failed(session).get("unreadable") == severity
    if count:
        assert "line 1, reason no such picture" in verdicts(session)["unreadable"].cause


def test_frames_of_a_good_session_pass(record: Record, contract: Contract, root: Path) -> None:
    info = build_frames(record(steer=SMOOTH), contract, root)
    assert [(item.name, item.passed) for item in check_frames(info, contract)] == [
        ("left_out", True),
        ("frozen", True),
        ("blank", True),
    ]


def test_frames_that_were_left_out_are_a_warning_with_steps_and_reasons(
    record: Record, contract: Contract, root: Path
) -> None:
    session = record(steer=SMOOTH, encoded={7: b"no picture", 9: b"no picture"})
    found = check_frames(build_frames(session, contract, root), contract)[0]
    assert (found.name, found.passed, found.severity) == ("left_out", False, "warn")
    assert "steps 7, 9" in found.cause
    assert "2 x A frame cannot be decoded" in found.cause


def moving(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 20, 3), np.uint8)


@pytest.mark.parametrize(("still", "severity"), [(0, None), (10, None), (60, "warn"), (199, "error")])
def test_frames_that_stand_still_are_judged_by_their_share(still: int, severity: str | None) -> None:
    frames = moving(200)
    frames[1 : 1 + still] = frames[0]
    found = frozen(frames)
    assert (None if found.passed else found.severity) == severity
    assert found.figures["share"] == pytest.approx(still / 199)
    assert frozen(frames[:1]).passed


def test_a_driver_who_stands_still_in_a_simulated_game_is_learned_from_all_the_same():
    frames = np.zeros((10, 4, 4, 3), np.uint8)
    assert frozen(frames).severity == "error"
    found = frozen(frames, simulated=True)
    assert (found.passed, found.severity, found.figures["share"]) == (False, "warn", 1.0)


@pytest.mark.parametrize("colour", ["rgb", "yuv", "grey"])
@pytest.mark.parametrize(("dark", "severity"), [(0, None), (5, None), (40, "warn"), (200, "error")])
def test_frames_of_one_colour_are_judged_by_their_share(
    contract: Contract, colour: str, dark: int, severity: str | None
) -> None:
    frames = moving(200)[..., : 1 if colour == "grey" else 3]
    frames[:dark] = (0, 128, 128)[: frames.shape[-1]]
    found = blank(frames, replace(contract, colour=colour))  # type: ignore[arg-type]
    assert (None if found.passed else found.severity) == severity
    assert found.figures["share"] == dark / 200


def test_brightness_is_luminance_where_the_contract_has_one(contract: Contract) -> None:
    frames = np.zeros((4, 8, 20, 3), np.uint8)
    frames[..., 0], frames[..., 1] = 30, 150
    assert blank(frames, replace(contract, colour="yuv")).figures["brightness"] == 30
    assert blank(frames, replace(contract, colour="rgb")).figures["brightness"] == 60


def test_of_long_sessions_a_sample_of_both_ends_and_all_between_is_looked_at(contract: Contract) -> None:
    frames = np.zeros((5000, 2, 2, 3), np.uint8)
    frames[:, 0, 0, 0] = np.arange(5000) % 251
    assert blank(frames, contract).figures["looked_at"] == 256
    assert frozen(frames).figures == {"share": 0.0, "compared": 256}


def test_a_table_without_pictures_is_enough(record: Record, tmp_path: Path) -> None:
    session = record(steer=SMOOTH)
    pq.write_table(session.table(), tmp_path / "table.parquet")
    again = pq.read_table(tmp_path / "table.parquet")
    assert check_table(session.manifest, again) == check_table(session.manifest, session.table())
