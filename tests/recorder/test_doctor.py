"""What the checks say of sessions, on the command line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kart_pipeline.core.contract import Region
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.health_pictures import SAMPLES, border
from kart_pipeline.games.registry import default_contract

CAPTURE = ("capture", "--game", "car_racing", "--max-steps", "130")


def test_a_good_session_is_fit_and_says_so(run, store: Store) -> None:
    run(*CAPTURE)
    (session_id,) = store.ids()
    status, out, err = run("doctor", session_id)
    assert (status, err) == (0, "")
    assert out.startswith(f"{session_id} is fit to learn from")


def test_all_are_looked_at_and_a_damaged_one_stops_no_other(run, store: Store) -> None:
    run(*CAPTURE, "--episodes", "2")
    good, damaged = store.ids()
    file = Path(store.url) / damaged / "steps.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    status, out, _ = run("doctor")
    assert status == 1
    assert f"{good} is fit to learn from" in out
    assert f"{damaged} cannot be learned from:\n  BROKEN   contents:" in out
    told = json.loads(run("doctor", "--json")[1])
    assert [item["name"] for item in told[damaged]] == ["contents"]
    assert {"frozen", "blank", "border", "sides"} <= {item["name"] for item in told[good]}


def test_taps_are_told_with_what_to_do(run, make_lap) -> None:
    run("import", "tensorkart", make_lap(labels=[(1.0 - 2 * (n % 2), 0.0, 1, 0, 0) for n in range(120)]), "--id", "s1")
    status, out, _ = run("doctor", "s1")
    assert status == 0
    assert "look at  aliasing:" in out
    assert "steer smoothly or record faster" in out


def test_what_is_not_there_is_said(run, store: Store) -> None:
    status, _, err = run("doctor")
    assert (status, "There are no sessions in" in err) == (2, True)
    status, out, _ = run("doctor", "nope")
    assert (status, "There is no finished session nope" in out) == (1, True)


def pictures(bar: int) -> list[np.ndarray]:
    """A game in a window with a title bar of so many rows, and a thin frame."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(SAMPLES):
        rgb = rng.integers(0, 255, (60, 80, 3), np.uint8)
        rgb[:bar] = (200, 200, 210)
        rgb[2 : bar - 2, 10:30] = 20  # the title
        found.append(np.asarray(Image.fromarray(rgb)))
    return found


@pytest.mark.parametrize(("top", "passed"), [(0, False), (12, True)])
def test_a_title_bar_within_the_crop_is_seen(top: int, passed: bool) -> None:
    plain = replace(default_contract("car_racing"), masks=(), crop=Region(0, top / 60, 1, 1))
    verdict = border(pictures(12), plain)
    assert verdict.passed is passed
    assert verdict.figures["top"] == 12
    assert ("the crop leaves them out" if passed else "The crop shows 12 px at the top") in verdict.cause
    assert border(pictures(0), plain).cause == "The game fills the picture."
