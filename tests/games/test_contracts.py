"""Contracts of games: defaults, and what a person may change in a file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import WHOLE, Inset, Region
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest, SessionHeader
from kart_pipeline.core.prepare import prepare
from kart_pipeline.games.contracts import Contracts, prevailing
from kart_pipeline.games.registry import default_contract

SPEC = ActionSpec(("steer",), ("A",))


def header(game: str, **changes: object) -> SessionHeader:
    return SessionHeader(**{"id": "s", "game": game, "rate_hz": 15, "spec": SPEC} | changes)  # type: ignore[arg-type]


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Contracts]:
    """Contracts from the text of a file."""

    def make(text: str) -> Contracts:
        (tmp_path / "contracts.toml").write_text(text, encoding="utf-8")
        return Contracts.load(tmp_path)

    return make


def test_without_a_file_a_game_has_its_default(tmp_path: Path) -> None:
    assert Contracts.load(tmp_path).contract(header("car_racing")) == default_contract("car_racing")


def test_an_unknown_game_is_seen_whole_with_the_sessions_channels_and_rate(tmp_path: Path) -> None:
    contract = Contracts.load(tmp_path).contract(header("some_game"))
    assert (contract.spec, contract.rate_hz, contract.crop) == (SPEC, 15, WHOLE)
    assert contract.input_shape == (66, 200, 3)


def test_mario_kart_64_hides_title_bar_and_instruments(tmp_path: Path) -> None:
    contract = Contracts.load(tmp_path).contract(header("mario_kart_64"))
    assert contract.crop.pixels(640, 480) == (0, 130, 640, 430)
    seen = prepare(contract, np.full((480, 640, 3), 255, np.uint8))
    luma = seen[..., 0]
    assert luma[50, 170] == 0  # the minimap, on the right
    assert luma[40, 100] == 255  # the road ahead
    assert 0.05 < (luma == 0).mean() < 0.2


def test_a_file_changes_what_it_names_and_nothing_else(load: Callable[[str], Contracts]) -> None:
    text = """
        [car_racing]
        width = 64
        crop = { left = 0, top = 0, right = 1, bottom = 0.875 }
        masks = [{ left = 1, top = 2, right = 3, bottom = 4, unit = "pixel" }]
    """
    contract = load(text).contract(header("car_racing"))
    default = default_contract("car_racing")
    assert (contract.width, contract.height, contract.colour) == (64, default.height, default.colour)
    assert contract.crop == Region(0, 0, 1, 0.875)
    assert contract.masks == (Region(1, 2, 3, 4, "pixel"),)


def test_a_file_can_add_an_inset(load: Callable[[str], Contracts]) -> None:
    line = 'inset = { left = 1, top = 2, right = 3, bottom = 4, unit = "pixel", width = 32, height = 16 }'
    contract = load(f"[car_racing]\n{line}\n").contract(header("car_racing"))
    assert contract.inset == Inset(Region(1, 2, 3, 4, "pixel"), 32, 16)
    assert contract.input_shape == (96 + 16, 96, 3)


def test_a_file_can_say_how_long_an_action_takes_to_show_in_play(load: Callable[[str], Contracts]) -> None:
    contract = load("[some_game]\ndelay_ms = 15\nplay_delay_ms = 60\n").contract(header("some_game"))
    assert (contract.delay_ms, contract.play_delay_ms) == (15, 60)
    assert contract.hash != load("[some_game]\ndelay_ms = 15\n").contract(header("some_game")).hash


def test_a_games_rule_changes_with_its_own_section_only(load: Callable[[str], Contracts]) -> None:
    before = load("")
    after = load("[car_racing]\nheight = 80\n")
    assert before.rule("car_racing") != after.rule("car_racing")
    assert before.rule("some_game") == after.rule("some_game")
    assert load("").rule("car_racing") == before.rule("car_racing")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[car_racing", "is no TOML"),
        ("car_racing = 3", r"must be a section of settings, written \[car_racing\]"),
        ("['a b']\nwidth = 3", "cannot be a game name"),
        ("[car_racing]\nwidht = 3", "a contract has no widht; it has rate_hz"),
        ("[car_racing]\nspec = {}", "a contract has no spec"),
        ("[car_racing]\ncrop = 3", "crop is a region, { left"),
        ("[car_racing]\ncrop = { left = 0.5, top = 0, right = 0.5, bottom = 1 }", "is empty or outside"),
        ("[car_racing]\nmasks = { left = 0 }", "masks is a list of regions"),
        ("[car_racing]\ninset = 3", "inset is a region with the size of its tile"),
        ("[car_racing]\ninset = { left = 0, top = 0, right = 1, bottom = 1 }", "inset is a region with the size"),
        ("[car_racing]\ninset = { left = 0, width = 8, height = 8 }", "inset is a region, { left"),
        ("[car_racing]\nrate_hz = 'fast'", "rate_hz is a number"),
        ("[car_racing]\nplay_delay_ms = 'measured'", "play_delay_ms is a number"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(load: Callable[[str], Contracts], text: str, said: str) -> None:
    with pytest.raises(KartError, match=said) as caught:
        load(text)
    assert "contracts.toml" in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "width = 0",
        "width = 'wide'",
        "colour = 'sepia'",
        "filter = ['box']",
        "stack = 1.5",
        "play_delay_ms = -1",
        "inset = { left = 0, top = 0, right = 1, bottom = 1, width = 97, height = 8 }",
    ],
)
def test_a_value_that_makes_no_contract_is_told_with_its_place(load: Callable[[str], Contracts], line: str) -> None:
    with pytest.raises(KartError, match=r"contracts.toml, section \[car_racing\]: A contract's"):
        load(f"[car_racing]\n{line}\n").contract(header("car_racing"))


def test_most_labelled_steps_decide_where_sessions_of_a_game_differ(tmp_path: Path) -> None:
    contracts = Contracts.load(tmp_path)

    def manifest(session_id: str, labelled: int, rate: float) -> Manifest:
        known = {"steps": 100, "interventions": 0, "width": 8, "height": 8, "duration_s": 1.0, "digest": "0"}
        fields = {"id": session_id, "game": "g", "rate_hz": rate, "spec": SPEC, "labelled": labelled}
        return Manifest(**known | fields)  # type: ignore[arg-type]

    sessions = [manifest("a", 30, 10), manifest("b", 50, 20), manifest("c", 30, 10)]
    assert prevailing((item, contracts.contract(item)) for item in sessions).rate_hz == 10
