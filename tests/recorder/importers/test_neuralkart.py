"""NeuralKart's recordings: a number a line, pictures by number, and a stick that is not what the file says."""

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.store import Store
from kart_pipeline.games.controls import N64_SPEC
from recorder.importers.base import LeftOut
from recorder.importers.neuralkart import NeuralKart, bent

ID = "search-6b1f2a9c-52c1-4d6e-8f0a-2b7c1d9e4f10"


@pytest.fixture
def make_search(tmp_path: Path, paint):
    """A folder as SearchAI.lua leaves it: a picture, then its number and a line end."""

    def make(text: str = "0\n-0.8\n1\n", pictures: int = 3, course: str = "LR") -> Path:
        folder = tmp_path / "recordings" / course / "TT" / ID
        for n in range(1, pictures + 1):
            paint(folder / f"{n}.png", n)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "steering.txt").write_bytes(text.encode())
        return folder

    return make


def test_a_search_becomes_a_session_of_its_expert_on_its_course(run, make_search, store: Store) -> None:
    folder = make_search()
    status, out, err = run("import", "neuralkart", folder.parents[3])
    assert (status, err) == (0, "")
    (session_id,) = store.ids()
    assert session_id.startswith("neuralkart-search-6b1f2a9c")
    assert "3 rows" in out
    session = store.open(session_id)
    manifest = session.manifest
    assert (manifest.game, manifest.track, manifest.spec, manifest.rate_hz) == (
        "mario_kart_64",
        "luigi-raceway",
        N64_SPEC,
        2.0,
    )
    steps = list(session.steps())
    assert [step.frame.t_ns for step in steps] == [0, 500_000_000, 1_000_000_000]
    assert [step.choice.action["steer"] for step in steps] == pytest.approx([0, -math.sqrt(0.202), 0.5])
    assert all(step.choice.action["A"] and step.choice.actor == "expert" for step in steps)
    assert all(step.choice.label == step.choice.action for step in steps)
    assert list(session.encoded()) == [(folder / f"{n}.png").read_bytes() for n in (1, 2, 3)]


def test_a_stick_that_was_not_bent_is_taken_as_it_is(run, make_search, store: Store) -> None:
    assert run("import", "neuralkart", make_search(), "--raw-stick")[0] == 0
    (session_id,) = store.ids()
    assert store.open(session_id).table(["steer"])["steer"].to_pylist() == pytest.approx([0, -0.8, 1.0])
    assert store.manifest(session_id).source["stick"] == "as written"


def test_what_is_missing_or_impossible_is_named(run, make_search, store: Store) -> None:
    folder = make_search("0.1\r\nnan\r\n0.3\r\nleft\r\n1.2\r\n0.4\r\n-0", pictures=9)
    (folder / "3.png").unlink()
    status, out, _ = run("import", "neuralkart", folder)
    assert status == 0
    (session_id,) = store.ids()
    assert [step.index for step in store.open(session_id).steps()] == [0, 5]
    for line in (
        "line 2: steering is nan, outside [-1, 1]",
        "line 3: there is no picture 3.png",
        "line 4: steering is no number: 'left'",
        "line 5: steering is 1.2, outside [-1, 1]",
        "line 7: the line breaks off: '-0'",
        "2 pictures have no line in steering.txt and were left out: 8.png, 9.png",
    ):
        assert line in out
    assert store.manifest(session_id).notes["notices"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "is empty"),
        ("1.png 0.5\n", "line 1 is '1.png 0.5', no number"),
        ("\x89PNG\x00", "line 1 holds bytes that are no text"),
    ],
)
def test_a_file_that_is_none_of_neuralkarts_is_refused(run, make_search, store: Store, text: str, cause: str) -> None:
    status, _, err = run("import", "neuralkart", make_search(text))
    assert (status, err.count("\n"), store.ids()) == (2, 1, [])
    assert cause in err


def test_a_folder_without_any_steering_is_refused(run, tmp_path: Path) -> None:
    status, _, err = run("import", "neuralkart", tmp_path)
    assert (status, err) == (
        2,
        f"{tmp_path} holds no steering.txt, nor do the folders in it; name a folder of neuralkart's recordings.\n",
    )


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.sampled_from(["\n", "\r\n", "\r\r\n"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_lua_wrote_is_read_again_in_order(tmp_path: Path, steering: list[float], end: str) -> None:
    path = tmp_path / "steering.txt"
    path.write_bytes("".join(f"{value:.14g}{end}" for value in steering).encode())
    rows, left_out = NeuralKart(raw=True).read_steering(path)
    assert left_out == []
    assert [row.action["steer"] for row in rows] == pytest.approx(steering)
    assert [row.picture for row in rows] == [f"{n}.png" for n in range(1, len(steering) + 1)]


@given(st.text(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_or_refused_and_every_line_accounted_for(tmp_path: Path, text: str) -> None:
    path = tmp_path / "steering.txt"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        rows, left_out = NeuralKart().read_steering(path)
    except KartError as error:
        assert str(error).startswith(str(path))
        return
    numbers = [row.line for row in rows] + [item.line for item in left_out]
    assert len(set(numbers)) == len(numbers) > 0
    assert all(isinstance(item, LeftOut) for item in left_out)


@given(st.floats(-1, 1))
def test_the_stick_grows_with_the_steering_and_keeps_to_its_half(steer: float) -> None:
    assert abs(bent(steer)) <= 0.5
    assert math.copysign(1, bent(steer)) == math.copysign(1, steer) or steer == 0
    assert bent(-steer) == -bent(steer)
