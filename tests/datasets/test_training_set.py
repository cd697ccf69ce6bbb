"""One index over one game and one contract: nothing twice, nothing from elsewhere, nothing left out in silence."""

import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.durable import write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.core.prepare import prepare, stack_steps
from kart_pipeline.core.session import Session
from kart_pipeline.core.store import Store
from kart_pipeline.datasets import training_set as module
from kart_pipeline.datasets.balance import TAKEOVER_WEIGHT
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.training_set import TrainingSet, build_training_set, load_training_set

Record = Callable[..., Session]


@pytest.fixture
def built(record: Record, contract: Contract, root: Path) -> Callable[..., Session]:
    """Record a session and build its frames."""

    def make(*args: object, **options: object) -> Session:
        session = record(*args, **options)
        build_frames(session, contract, root)
        return session

    return make


def ids(training_set: TrainingSet) -> list[str]:
    return [entry.id for entry in training_set.sessions]


def test_every_labelled_row_is_on_one_side_with_the_label_and_the_frame_of_its_step(
    built: Record, picture: Callable[..., RGB], contract: Contract, root: Path
) -> None:
    steer = {f"s{n}": np.linspace(-1, 1, 20 + n).astype(np.float32) for n in range(6)}
    for n, (name, values) in enumerate(steer.items()):
        built(name, values, seed=n, unlabelled=[2, 3])
    training_set = build_training_set(root, contract, "kart")
    assert ids(training_set) == sorted(steer)
    seen: dict[tuple[str, int], str] = {}
    for split in ("train", "val"):
        rows = training_set.rows(split)
        assert len(rows) > 0
        assert (rows.session_index.dtype, rows.row.dtype) == (np.int32, np.int64)
        assert (rows.labels.dtype, rows.weight.dtype) == (np.float32, np.float32)
        for index, row, label in zip(rows.session_index, rows.row, rows.labels, strict=True):
            name = training_set.sessions[index].id
            assert seen.setdefault((name, int(row)), split) == split
            assert label[0] == steer[name][row]
            assert training_set.sessions[index].split == split
        shown = training_set.frames(int(rows.session_index[0]))[rows.row[0]]
        number = int(training_set.sessions[rows.session_index[0]].id[1:]) * 100_000 + int(rows.row[0])
        np.testing.assert_array_equal(shown, prepare(contract, picture(number)))
    assert len(seen) == sum(len(values) - 2 for values in steer.values())
    assert training_set.left_out.unlabelled == 12
    assert training_set.left_out.sessions == {}


def test_what_is_read_back_is_what_was_built(built: Record, contract: Contract, root: Path) -> None:
    for n in range(3):
        built(f"s{n}", seed=n)
    training_set = build_training_set(root, contract, "kart", val_fraction=0.3)
    again = load_training_set(root / "training_sets" / "kart" / "training_set.parquet")
    for name in ("path", "game", "contract", "sessions", "version", "split_kind", "options", "left_out", "steering"):
        assert getattr(again, name) == getattr(training_set, name)
    np.testing.assert_array_equal(again.rows("train").labels, training_set.rows("train").labels)
    assert again.options == {
        "val_fraction": 0.3,
        "balance": "histogram",
        "hold_out": "group",
        "correction_weight": 1.0,
        "takeover_weight": TAKEOVER_WEIGHT,
    }


def test_executed_actions_are_there_for_every_frame(built: Record, contract: Contract, root: Path) -> None:
    built("s1", [0.0, 0.5, 1.0], unlabelled=[1])
    built("s2", seed=1)
    executed = build_training_set(root, contract, "kart").executed(0)
    np.testing.assert_array_equal(executed, [[0.0, 0.5, 1], [0.5, 0.5, 0], [1.0, 0.5, 1]])


def test_two_contracts_are_never_mixed(built: Record, contract: Contract, root: Path) -> None:
    one, two = built("s1"), built("s2", seed=1)
    other = replace(contract, width=24)
    build_frames(one, other, root)
    training_set = build_training_set(root, other, "kart", sessions=[one.manifest, two.manifest])
    assert ids(training_set) == ["s1"]
    assert training_set.left_out.sessions == {"s2": "its frames are not built"}
    assert training_set.frames(0).shape[2] == 24
    assert training_set.contract == other


def test_other_games_are_passed_over(built: Record, record: Record, contract: Contract, root: Path) -> None:
    mine, theirs = built("s1"), built("s2", seed=1, game="other_game")
    for sessions in (None, [mine.manifest, theirs.manifest]):
        training_set = build_training_set(root, contract, "kart", sessions=sessions)
        assert ids(training_set) == ["s1"]
        assert training_set.left_out.sessions == {}


def test_a_recording_under_two_ids_counts_once(built: Record, contract: Contract, root: Path) -> None:
    built("a"), built("b"), built("c", seed=1)
    training_set = build_training_set(root, contract, "kart")
    assert ids(training_set) == ["a", "c"]
    assert training_set.left_out.sessions == {"b": "it is the same recording as a"}


def test_sessions_that_cannot_be_used_are_named_with_the_reason_and_stop_no_other(
    built: Record, store: Store, record: Record, contract: Contract, root: Path
) -> None:
    built("good"), built("silent", seed=1, unlabelled=range(5)), record("unbuilt", seed=2), built("changed", seed=3)
    store.remove("changed")
    record("changed", seed=4)
    training_set = build_training_set(root, contract, "kart", sessions=[store.manifest(name) for name in store.ids()])
    assert ids(training_set) == ["good"]
    assert training_set.left_out.sessions == {
        "changed": "it has changed since its frames were built; build them again",
        "silent": "none of its rows has a label",
        "unbuilt": "its frames are not built",
    }


def test_a_label_out_of_range_keeps_its_session_out(built: Record, contract: Contract, root: Path) -> None:
    built("good")
    built("bad", seed=1)
    path = root / "frames" / contract.hash / "bad" / "labels.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(3, "steer", pa.array([0.0, 1.5, 0, 0, 0], pa.float32())), path)
    training_set = build_training_set(root, contract, "kart")
    assert training_set.left_out.sessions == {"bad": "a label of it is outside [-1, 1]"}


def test_frames_that_were_left_out_are_counted(built: Record, contract: Contract, root: Path) -> None:
    built("s1", [0.0] * 40, encoded={4: b"no picture", 5: b"no picture"})
    assert build_training_set(root, contract, "kart").left_out.frames == 2


def test_sessions_of_one_group_stay_together(built: Record, contract: Contract, root: Path) -> None:
    for n in range(12):
        built(f"s{n:02}", seed=n, group=f"seed-{n % 4}")
    training_set = build_training_set(root, contract, "kart", val_fraction=0.5)
    sides = {(entry.group, entry.split) for entry in training_set.sessions}
    assert len(sides) == 4
    assert training_set.split_kind.startswith("by session: ")


def test_another_session_moves_none_of_the_earlier_ones(built: Record, contract: Contract, root: Path) -> None:
    for n in range(8):
        built(f"s{n}", seed=n)
    before = {entry.id: entry.split for entry in build_training_set(root, contract, "kart").sessions}
    built("s8", seed=8)
    after = {entry.id: entry.split for entry in build_training_set(root, contract, "kart").sessions}
    assert after.items() >= before.items()


def test_a_single_group_is_split_by_time_so_that_no_stack_reaches_over(
    record: Record, contract: Contract, root: Path
) -> None:
    contract = replace(contract, stack=3, stride=2)
    build_frames(record(steer=[0.1] * 100), contract, root)
    training_set = build_training_set(root, contract, "kart", val_fraction=0.2)
    assert training_set.rows("train").row.tolist() == list(range(76))
    assert training_set.rows("val").row.tolist() == list(range(80, 100))
    learned, held_out = (set(stack_steps(contract, training_set.rows(side).row).ravel()) for side in ("train", "val"))
    assert not learned & held_out
    assert training_set.left_out.embargo == 4
    assert training_set.sessions[0].split == "both"
    assert training_set.sessions[0].rows == 96
    assert "by time" in training_set.split_kind


def test_weights_balance_the_training_rows_and_leave_the_held_out_ones_alone(
    built: Record, contract: Contract, root: Path
) -> None:
    for n in range(5):
        built(f"s{n}", [0.0] * 30 + [0.9] * 5, seed=n)
    training_set = build_training_set(root, contract, "kart")
    train, val = training_set.rows("train"), training_set.rows("val")
    assert (val.weight == 1).all()
    assert train.weight.mean(dtype=np.float64) == pytest.approx(1)
    assert train.weight[train.labels[:, 0] > 0.5].min() > 3 > 1 > train.weight[train.labels[:, 0] == 0].max()
    assert training_set.steering is not None
    assert sum(training_set.steering.before) == len(train)
    plain = build_training_set(root, contract, "kart", balance="none")
    assert (plain.rows("train").weight == 1).all()


def test_places_that_are_passed_quickly_count_more(built: Record, contract: Contract, root: Path) -> None:
    slow = [*np.linspace(0, 0.1, 90), *np.linspace(0.1, 1, 90)]
    for n in range(4):
        built(f"s{n}", [0.0] * 180, seed=n, progress=slow, track="oval")
    train = build_training_set(root, contract, "kart", balance="places").rows("train")
    at = np.array(slow)[train.row]
    assert train.weight.mean(dtype=np.float64) == pytest.approx(1)
    assert train.weight[at > 0.12].min() > 3 * train.weight[at < 0.08].max()


def test_corrections_count_as_much_more_as_is_asked_for(built: Record, contract: Contract, root: Path) -> None:
    for n in range(4):
        built(f"taught{n}", [0.1] * 20, seed=n)
        built(f"corrected{n}", [0.1] * 20, seed=10 + n, actor="policy")
        built(f"taken{n}", [0.1] * 20, seed=20 + n, interventions=range(5))
    made = build_training_set(root, contract, "kart", correction_weight=4.0, takeover_weight=6.0)
    train, val = made.rows("train"), made.rows("val")
    kinds = [entry.id.rstrip("0123") for entry in made.sessions]
    kind = np.array([kinds[index] for index in train.session_index])
    corrected, taken = kind == "corrected", (kind == "taken") & (train.row < 5)
    plain = train.weight[~corrected & ~taken]
    assert train.weight.mean(dtype=np.float64) == pytest.approx(1)
    np.testing.assert_allclose(train.weight[corrected], 4 * plain[0], rtol=1e-5)
    np.testing.assert_allclose(train.weight[taken], 6 * plain[0], rtol=1e-5)
    assert np.ptp(plain) == 0
    assert (val.weight == 1).all()
    assert {entry.id.rstrip("0123"): entry.corrections for entry in made.sessions} == {
        "taught": 0,
        "corrected": 20,
        "taken": 5,
    }
    even = build_training_set(root, contract, "kart", takeover_weight=1.0)
    assert (even.rows("train").weight == 1).all()


def test_what_a_policy_did_without_a_teacher_is_never_learned_from(
    built: Record, contract: Contract, root: Path
) -> None:
    built("taught", [0.1] * 30, seed=1)
    built("alone", [0.9] * 30, seed=2, actor="policy", unlabelled=range(30))
    built("half", [0.9] * 30, seed=3, actor="policy", unlabelled=range(25))
    made = build_training_set(root, contract, "kart", correction_weight=4.0)
    assert made.left_out.sessions == {"alone": "none of its rows has a label"}
    assert {entry.id: (entry.rows, entry.corrections) for entry in made.sessions} == {"taught": (30, 0), "half": (5, 5)}


@pytest.mark.parametrize(("hold_out", "kept_together"), [("group", "group"), ("session", "id"), ("track", "track")])
def test_what_is_held_out_whole_can_be_chosen(
    built: Record, contract: Contract, root: Path, hold_out: str, kept_together: str
) -> None:
    sessions = [built(f"s{n:02}", seed=n, group=f"seed-{n % 6}", track=f"track-{n % 3}") for n in range(12)]
    made = build_training_set(
        root, contract, "kart", sessions=[item.manifest for item in sessions], val_fraction=0.5, hold_out=hold_out
    )
    sides: dict[str, set[str]] = {}
    for entry in made.sessions:
        sides.setdefault(getattr(entry, kept_together), set()).add(entry.split)
    assert len(sides) == {"group": 6, "session": 12, "track": 3}[hold_out]
    assert {"train", "val"} == set.union(*sides.values())
    assert all(len(found) == 1 for found in sides.values())
    assert f"of {len(sides)} {hold_out}s" in made.split_kind
    assert made.options["hold_out"] == hold_out


def test_frames_held_out_one_by_one_are_of_sessions_that_are_learned_from(
    built: Record, contract: Contract, root: Path
) -> None:
    for n in range(2):
        built(f"s{n}", [0.1] * 50, seed=n)
    made = build_training_set(root, contract, "kart", hold_out="frame")
    assert [entry.split for entry in made.sessions] == ["both", "both"]
    assert (len(made.rows("train")), len(made.rows("val"))) == (80, 20)
    assert "it leaks" in made.split_kind


def test_a_way_to_hold_out_that_cannot_work_is_refused(built: Record, contract: Contract, root: Path) -> None:
    one = built("s1", track="oval")
    with pytest.raises(KartError, match="group, session, track, frame, not 'colour'"):
        build_training_set(root, contract, "kart", hold_out="colour")
    for hold_out, name in (("session", "s1"), ("track", "oval")):
        with pytest.raises(KartError, match=f"of one {hold_out}, {name}, .* by group"):
            build_training_set(root, contract, "kart", sessions=[one.manifest], hold_out=hold_out)
    with pytest.raises(KartError, match="manifest"):
        build_training_set(root, contract, "kart", hold_out="track")


@pytest.fixture
def drawn(root: Path) -> Callable[..., Contract]:
    """Frames of a spec of buttons alone: a session of 50 rows whose buttons are those of `pressed(row)`."""

    def make(spec: ActionSpec, pressed: Callable[[int], tuple[str, ...]]) -> Contract:
        contract = Contract(spec, rate_hz=10, width=4, height=4)
        folder = root / "frames" / contract.hash / "s1"
        folder.mkdir(parents=True)
        np.save(folder / "frames.npy", np.zeros((50, *contract.frame_shape), np.uint8))
        rows = range(50)
        labels = {name: pa.array([float(name in pressed(row)) for row in rows], pa.float32()) for name in spec.names}
        about = {"actor": ["human"] * 50, "intervention": [False] * 50}
        pq.write_table(pa.table({"row": rows, **labels, **about}), folder / "labels.parquet")
        write_json(
            folder / "frames.json",
            {"version": 1, "session": "s1", "game": "kart", "group": "s1", "digest": "d", "content": "c", "frames": 50}
            | {"contract": contract.hash, "labelled": 50, "left_out": [], "seconds": 0},
        )
        return contract

    return make


def test_a_spec_that_does_not_steer_has_nothing_to_balance_and_says_so(
    drawn: Callable[..., Contract], root: Path
) -> None:
    contract = drawn(ActionSpec((), ("A",)), lambda _: ("A",))
    with pytest.raises(KartError, match="'places' or 'none'"):
        build_training_set(root, contract, "kart")
    training_set = build_training_set(root, contract, "kart", balance="none")
    assert training_set.steering is None
    assert training_set.rows("train").labels.shape == (40, 1)


def test_of_buttons_the_mirrored_ones_are_balanced(drawn: Callable[..., Contract], root: Path) -> None:
    def pressed(row: int) -> tuple[str, ...]:
        return (("left", "A"), ("right",), ("left", "right"), ("A",))[min(row % 10, 3)]

    contract = drawn(ActionSpec((), ("A", "left", "right"), mirrored_buttons=(("left", "right"),)), pressed)
    made = build_training_set(root, contract, "kart", balance="histogram")
    train = made.rows("train")
    direction = train.labels[:, 2] - train.labels[:, 1]
    sums = [train.weight[direction == way].sum() for way in (-1, 0, 1)]
    np.testing.assert_allclose(sums, 40 / 3, rtol=1e-5)
    assert made.steering is not None
    assert [made.steering.before[place] for place in (0, 12, 24)] == [4, 32, 4]


def test_the_version_follows_content_and_options_and_nothing_else(
    built: Record, contract: Contract, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built("s1"), built("s2", seed=1)
    first = build_training_set(root, contract, "kart").version
    assert build_training_set(root, contract, "kart").version == first
    assert len(first) == 64
    versions = {
        first,
        build_training_set(root, contract, "kart", val_fraction=0.3).version,
        build_training_set(root, contract, "kart", balance="none").version,
        build_training_set(root, contract, "kart", hold_out="session").version,
        build_training_set(root, contract, "kart", correction_weight=2.0).version,
    }
    built("s3", seed=2)
    versions.add(build_training_set(root, contract, "kart").version)
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    versions.add(build_training_set(root, contract, "kart").version)
    assert len(versions) == 7


@pytest.mark.parametrize("sessions", ["none", "unbuilt", "unlabelled"])
def test_nothing_to_learn_from_is_an_error_that_names_the_next_command(
    built: Record, record: Record, contract: Contract, root: Path, sessions: str
) -> None:
    given: Iterable[Session] = []
    if sessions == "unbuilt":
        given = [record()]
    elif sessions == "unlabelled":
        given = [built(unlabelled=range(5))]
    with pytest.raises(KartError, match="python -m recorder capture --game kart"):
        build_training_set(root, contract, "kart", sessions=[session.manifest for session in given])
    assert not (root / "training_sets").exists()


def test_a_failed_build_leaves_the_earlier_index_as_it_was(
    built: Record, contract: Contract, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built("s1"), built("s2", seed=1)
    first = build_training_set(root, contract, "kart")
    write = pq.write_table

    def torn(table: pa.Table, where: Path, **options: object) -> None:
        write(table, where, **options)
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", torn)
    with pytest.raises(OSError, match="disk full"):
        build_training_set(root, contract, "kart", val_fraction=0.5)
    assert load_training_set(first.path).version == first.version
    assert [path.name for path in first.path.parent.iterdir()] == [first.path.name]


def test_rows_in_memory_stay_one_version_while_the_file_is_replaced(
    built: Record, contract: Contract, root: Path
) -> None:
    built("s1"), built("s2", seed=1)
    held = build_training_set(root, contract, "kart")
    count = len(held.rows("train")) + len(held.rows("val"))
    built("s3", seed=2)
    build_training_set(root, contract, "kart")
    assert len(held.rows("train")) + len(held.rows("val")) == count


def test_frames_that_were_rebuilt_from_another_session_are_refused(
    built: Record, store: Store, contract: Contract, root: Path
) -> None:
    built("s1"), built("s2", seed=1)
    training_set = build_training_set(root, contract, "kart")
    store.remove("s2")
    built("s2", seed=9)
    training_set.frames(0)
    with pytest.raises(KartError, match="frames of session s2"):
        training_set.frames(1)


def test_a_missing_or_foreign_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(KartError, match="There is no training set"):
        load_training_set(tmp_path / "training_set.parquet")
    (tmp_path / "text").write_text("no parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "foreign")
    for name in ("text", "foreign"):
        with pytest.raises(KartError, match="is no training set"):
            load_training_set(tmp_path / name)


def test_500_sessions_are_indexed_in_seconds(built: Record, contract: Contract, root: Path) -> None:
    info = built("s000")
    source = root / "frames" / contract.hash / info.id
    told = json.loads((source / "frames.json").read_text())
    for n in range(1, 500):
        folder = source.with_name(f"s{n:03}")
        folder.mkdir()
        for name in ("frames.npy", "labels.parquet"):
            os.link(source / name, folder / name)
        fields = {"session": folder.name, "group": folder.name, "digest": f"d{n}", "content": f"c{n}"}
        write_json(folder / "frames.json", told | fields)
    began = time.process_time()
    training_set = build_training_set(root, contract, "kart")
    # about one second; the bound is wide because test machines are busy
    assert time.process_time() - began < 5
    assert len(training_set.sessions) == 500
    assert len(training_set.rows("train")) + len(training_set.rows("val")) == 2500
