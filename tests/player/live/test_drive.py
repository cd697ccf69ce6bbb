"""A model drives a real window by real keys; a person takes over, and what they do becomes data."""

import dataclasses
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from desktop_fixtures import KeyWatch

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.training_set import build_training_set
from kart_pipeline.desktop.controllers.choose import ControllerChoice
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.desktop.source import Where
from kart_pipeline.driving.watchdog import BLACK, FROZEN
from kart_pipeline.games.desktop import UNFOCUSED
from player.live.drive import check_model, drive_screen
from player.live.outcome import Outcome, show
from player.live.wishes import Wishes
from recorder.devices.choose import PadChoice
from recorder.display import console

WISHES = Wishes(
    where=Where(window="Toy road"), controller=ControllerChoice("keyboard"), pad=PadChoice("keyboard"), hold_s=2.0
)
SECOND = 20  # steps


@pytest.fixture
def settings(racer, tmp_path) -> Settings:
    """The racer's model, and a store of its own."""
    return dataclasses.replace(racer.settings, store_url=str(tmp_path / "sessions"))


@pytest.fixture
def store(settings) -> Store:
    return Store(settings.store_url)


@pytest.fixture
def drive(racer, settings, capfd):
    """Drive so many steps while something else is done; what was told is in `told`."""

    def go(steps: int, meanwhile: Callable[[], object] = lambda: None, **wishes) -> Outcome:
        outcome, trouble = Outcome(), []

        def do() -> None:
            try:
                meanwhile()
            except BaseException as error:  # noqa: BLE001 - it is raised below, where the test sees it
                trouble.append(error)

        other = threading.Thread(target=do)
        other.start()
        try:
            drive_screen(
                racer.driver.uri, "toy_road", dataclasses.replace(WISHES, **wishes), settings, outcome, max_steps=steps
            )
        finally:
            other.join()
            go.told = capfd.readouterr().err  # type: ignore[attr-defined]
        if trouble:
            raise trouble[0]
        return outcome

    return go


def patiently(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)


def driven(toy) -> np.ndarray:
    """How far the road was from the car while it was driven."""
    return np.array([off for off, held in zip(toy.off, toy.held, strict=False) if "U" in held])


def test_the_model_keeps_the_car_on_the_road_and_lets_go_at_the_end(toy, drive, soon, store):
    outcome = drive(10 * SECOND)
    assert np.mean(np.abs(driven(toy)[60:]) < 50) > 0.9
    soon(lambda: toy.held[-1] == "")
    assert (outcome.drive.ended, outcome.drive.autonomy, outcome.drive.interventions) == ("step limit", 1.0, 0)
    assert outcome.stages.summary()["capture to command"]["count"] == 10 * SECOND
    assert (outcome.session, store.ids(), store.unfinished()) == (None, [], [])
    assert "takes the keyboard through xtest" in drive.told
    out = console()
    with out.capture() as captured:
        show(outcome, out)
    assert "by the model alone" in captured.get()
    assert "capture to command" in captured.get()


def test_a_person_takes_over_and_what_they_do_is_the_next_lesson(toy, drive, hands, store, soon, contract, tmp_path):
    pressed: list[int] = []

    def correct() -> None:
        patiently(lambda: "U" in toy.held[-1:])
        time.sleep(2.5)
        toy.begin_anew()
        pressed.append(hands.own_key("Right", True))
        soon(lambda: "R" in toy.held[-1:])
        time.sleep(0.8)
        assert "R" in toy.held[-1]  # the model's own presses do not tear at it
        hands.own_key("Right", False)
        soon(lambda: "R" not in toy.held[-1:])
        patiently(lambda: "U" in toy.held[-1:], 10)  # after the calm it drives again

    outcome = drive(10 * SECOND, correct, calm_s=0.5)
    assert outcome.drive.interventions == 1
    session = store.open(outcome.session.id)
    session.verify()
    steps = list(session.steps())
    after = [step for step in steps if step.frame.t_ns > pressed[0]]
    assert "human" in {step.choice.actor for step in after[:2]}, "not within one step"
    mine = [step for step in steps if step.choice.intervention]
    assert {step.choice.actor for step in mine} == {"human"}
    assert all(step.choice.label is None or step.choice.label["steer"] > 0 for step in mine[1:])
    assert all(step.choice.label is None for step in steps if not step.choice.intervention)
    marks = session.manifest.notes["marks"]["failures"]
    before = [step.index for step in steps if step.index < mine[0].index]
    # The last step before it; a tick may be left out where the machine is busy.
    assert [before[-1] <= last < mine[0].index for _, last in marks] == [True]
    assert session.manifest.driver["person"]["device"] == "keyboard"
    assert session.manifest.driver["controller"]["device"] == "keyboard"
    _weighed(session, store, contract, tmp_path / "data")


def _weighed(session, store: Store, contract: Contract, folder: Path) -> None:
    """Beside a drive of a person, in which nothing was corrected, each correction counts three times."""
    manifest = session.manifest
    header = SessionHeader(id="plain", game=manifest.game, rate_hz=manifest.rate_hz, spec=manifest.spec)
    with store.create(header) as writer:
        for index in range(40):
            action = manifest.spec.action(steer=index / 40)
            rgb = np.full((manifest.height, manifest.width, 3), index, np.uint8)
            writer.append(Step(index, Frame(rgb, index * 50_000_000), Choice(action, "human", action)))
    for name in store.ids():
        build_frames(store.open(name), contract, folder)
    made = build_training_set(
        folder,
        contract,
        manifest.game,
        sessions=[store.manifest(name) for name in store.ids()],
        balance="none",
        hold_out="frame",
    )
    train = made.rows("train")
    corrected = np.array([made.sessions[index].id == session.manifest.id for index in train.session_index])
    assert corrected.any()
    np.testing.assert_allclose(train.weight[corrected], 3 * train.weight[~corrected][0], rtol=1e-5)
    assert made.left_out.unlabelled == manifest.steps - manifest.labelled


def test_a_shadow_sends_nothing_and_says_how_far_it_is_from_the_person(toy, drive, hands, store, soon):
    def go_straight() -> None:
        patiently(lambda: len(toy.off) > 0)
        hands.own_key("Up", True)
        soon(lambda: toy.held[-1] == "U")

    outcome = drive(3 * SECOND, go_straight, shadow=True, record="all", controller=ControllerChoice())
    hands.own_key("Up", False)
    assert not {"L", "R"} & set("".join(toy.held))
    assert set(outcome.agreement) == {"steer", "throttle"}
    assert outcome.agreement["steer"] > 0
    manifest = store.manifest(outcome.session.id)
    assert (manifest.steps, manifest.labelled, manifest.interventions) == (3 * SECOND, 3 * SECOND, 0)
    assert manifest.driver["kind"] == "shadow"


def test_it_lets_go_of_a_picture_that_stands_still_or_is_black_and_goes_on_after_it(toy, drive, soon):
    def disturb() -> None:
        patiently(lambda: "U" in toy.held[-1:])
        time.sleep(1.0)
        for mode in ("frozen", "black"):
            toy.tell(mode)
            patiently(lambda: toy.held[-1] == "", 15)
            toy.tell("go on")
            patiently(lambda: "U" in toy.held[-1], 15)

    outcome = drive(15 * SECOND, disturb)
    assert outcome.let_go == {FROZEN: 1, BLACK: 1}
    assert "Let go: the picture stands still. It drives on when that is over." in drive.told
    assert drive.told.count("It drives on.") == 2


def test_nothing_is_typed_into_another_window(toy, drive, desktop, hands):
    def cover() -> None:
        patiently(lambda: "U" in toy.held[-1:])
        other = KeyWatch(desktop)  # takes the focus
        patiently(lambda: not other.down(), 10)
        other.events()
        time.sleep(0.5)
        assert other.events() == []
        other.close()
        hands.focus("Toy road")  # as a person does with the mouse
        patiently(lambda: "U" in toy.held[-1:], 10)

    outcome = drive(15 * SECOND, cover)
    assert outcome.let_go == {UNFOCUSED: 1}


def test_a_game_that_is_closed_ends_the_drive(toy, drive):
    def close() -> None:
        patiently(lambda: "U" in toy.held[-1:])
        toy.close()

    outcome = drive(60 * SECOND, close)
    assert outcome.drive.ended == "the window is closed"


def test_a_region_can_be_driven_without_anybody_and_without_a_controller(toy, drive):
    outcome = drive(
        SECOND, where=Where(region=Rect(0, 0, 320, 240)), pad=None, controller=ControllerChoice("none"), record="all"
    )
    assert outcome.session.steps == SECOND
    assert outcome.session.driver["controller"] == {"device": "none"}
    assert "Nobody can take over" in drive.told
    assert set(toy.held) == {""}


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"where": Where(window="Mario")}, "No window has 'Mario' in its title; there are 'Toy road'"),
        ({"where": Where(monitor=9)}, "There is no monitor 9; there is 1"),
        ({"where": Where(region=Rect(5000, 0, 320, 240))}, "reaches beyond the screen"),
        ({"controller": ControllerChoice("vjoy")}, "--controller vjoy cannot be had here"),
        ({"pad": PadChoice("sdl")}, "To drive without anybody to take over, pass --pad none"),
        ({"back": "escape"}, "no button to give the controls back"),
    ],
)
def test_what_is_not_there_is_told_before_a_model_is_loaded(toy, drive, wishes, sentence):
    with pytest.raises(KartError, match=sentence):
        drive(1, **wishes)
    assert "Runs in" not in drive.told
    assert set(toy.held) == {""}


def test_without_a_screen_it_says_so(racer, settings, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    with pytest.raises(KartError, match="DISPLAY is not set"):
        drive_screen(racer.driver.uri, "toy_road", WISHES, settings, Outcome())


def test_a_model_of_another_game_or_with_other_controls_is_refused(contract):
    check_model("m", "toy_road", contract, "toy_road", any_game=False)
    check_model("m", "", contract, "toy_road", any_game=False)
    check_model("m", "other", contract, "toy_road", any_game=True)
    with pytest.raises(KartError, match=r"m was trained to drive other, not toy_road.*--any-game"):
        check_model("m", "other", contract, "toy_road", any_game=False)
    with pytest.raises(KartError, match="mario_kart_64 takes steer, pitch, A, B, RB"):
        check_model("m", "", contract, "mario_kart_64", any_game=False)
    own = dataclasses.replace(contract, spec=ActionSpec(("steer",), ("A",)))
    check_model("m", "mario_kart_64", own, "mario_kart_64", any_game=False)
