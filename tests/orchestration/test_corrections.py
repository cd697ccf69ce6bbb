"""Corrections in the real game, by a network that nobody has trained: who acts, who teaches, what is learned from."""

import numpy as np
import pytest

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.gather import gather
from kart_pipeline.datasets.labels import vectors
from kart_pipeline.driving.hopeless import STUCK
from kart_pipeline.games import car_racing
from kart_pipeline.games.base import Game
from kart_pipeline.games.registry import make_game
from kart_pipeline.learning import tracking
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.package import make_golden
from kart_pipeline.orchestration import correcting, report
from kart_pipeline.orchestration.correcting import Terms, correct
from kart_pipeline.orchestration.materialise import correct as correct_in_dagster
from kart_pipeline.orchestration.materialise import materialise_sessions
from player.policy import load_policy
from player.record import Recording

GAME = "car_racing"
TERMS = Terms(drives=2, max_steps=12)


def silent(*_: object) -> None:
    """No progress."""


def assert_same(one: Action, other: Action) -> None:
    """But for the 32 bits that a session keeps of an axis."""
    np.testing.assert_allclose(one.vector(), other.vector(), atol=1e-4)


def register(settings: Settings, contract=car_racing.CONTRACT, *, champion: bool = True) -> int:
    """A network with random weights as the newest version."""
    import keras

    keras.utils.set_random_seed(0)
    model = build_network("pilotnet", contract)
    raw = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), np.uint8)
    with tracking.training_run(settings, GAME):
        golden = make_golden(contract, list(raw), predictor(model, contract))
        made = tracking.log_driver(model, contract, golden, GAME)
    if champion:
        tracking.use_store(settings).set_registered_model_alias(made.name, report.CHAMPION, str(made.version))
    return made.version


@pytest.fixture
def home(tracked: Settings) -> Settings:
    pytest.importorskip("Box2D")
    register(tracked)
    return tracked


def test_the_label_is_what_the_expert_would_have_done_and_never_what_the_model_did(home: Settings):
    """The drive is repeated action by action: at each frame the expert is asked anew, and the policy too."""
    first, _ = correct(home, GAME, 1, TERMS, silent)
    session = Store(home.store_url).open(first.session)
    manifest = session.manifest
    policy = load_policy(f"models:/kart-{GAME}/1", home)
    with make_game(GAME) as game:
        frame = game.reset(first.seed)
        expert = game.expert()
        expert.reset()
        policy.reset()
        for step in session.steps():
            np.testing.assert_array_equal(step.frame.rgb, frame.rgb)
            assert step.choice.actor == "policy"
            assert_same(step.choice.label, expert.action(frame))
            assert_same(step.choice.action, policy.act(frame).action)
            assert step.choice.action != step.choice.label
            frame = game.step(step.choice.action)
    assert manifest.labelled == manifest.steps == 12
    assert manifest.driver == {
        "kind": "corrected",
        "model": f"models:/kart-{GAME}/1",
        "id": manifest.driver["id"],
        "version": 1,
        "teacher": "expert",
    }
    assert manifest.driver["id"].startswith("m-")

    build_frames(session, car_racing.CONTRACT, home.datasets)
    ((learned,), _) = gather(home.datasets, car_racing.CONTRACT, GAME, [manifest])
    table = session.table()
    names = manifest.spec.names
    np.testing.assert_array_equal(learned.labels, vectors(table, [f"label_{name}" for name in names]))
    assert not np.isclose(learned.labels, vectors(table, names)).all(axis=1).any()
    assert first.drift == pytest.approx(np.abs(learned.labels - vectors(table, names)).mean(), abs=1e-6)


def test_a_drive_that_nobody_corrected_teaches_nothing(home: Settings):
    from kart_pipeline.driving.loop import drive

    policy = load_policy(f"models:/kart-{GAME}/1", home)
    store = Store(home.recordings)
    with make_game(GAME) as game, Recording(store, game, 7, {"kind": "policy"}) as recording:
        recording.finish(drive(game, policy, observers=[recording], seed=7, max_steps=5))
    build_frames(store.open(recording.manifest.id), car_racing.CONTRACT, home.datasets)
    with pytest.raises(KartError, match="none of its rows has a label"):
        gather(home.datasets, car_racing.CONTRACT, GAME, [recording.manifest])


def test_a_round_that_was_killed_drives_only_what_is_missing(home: Settings):
    whole, half = correct(home, GAME, 1, TERMS, silent)
    folder = home.recordings / half.session
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    (folder / "manifest.json").write_text(text.replace('"step limit"', '"interrupted"'), encoding="utf-8")
    torn = home.recordings / "20990101-000000-car_racing-torn"
    torn.mkdir()
    (torn / "recording.arrows").write_bytes(b"")  # its process was killed before the first frame was on the disk

    told: list[tuple[object, ...]] = []
    again = correct(home, GAME, 1, TERMS, lambda *what: told.append(what))
    assert told[0][:3] == ("Corrections", 1, 2)
    assert [drive.seed for drive in again] == [500_000, 500_001]
    assert again[0] == whole
    assert again[1].session != half.session
    assert (again[1].ended, again[1].score, again[1].drift) == (half.ended, half.score, half.drift)
    assert Store(home.store_url).ids() == sorted(drive.session for drive in again)
    assert not torn.exists()

    more = correct(home, GAME, 1, Terms(drives=1, first=2, max_steps=12), silent)
    assert [drive.seed for drive in more] == [500_002]
    assert correct(home, GAME, 1, TERMS, silent) == again


def test_a_recording_that_is_being_written_is_left_alone(home: Settings):
    from kart_pipeline.core.manifest import SessionHeader

    header = SessionHeader(id="live", game=GAME, rate_hz=50, spec=car_racing.SPEC)
    writer = Store(home.recordings).create(header)
    (home.recordings / "live" / "recording.arrows").touch()
    try:
        correct(home, GAME, 1, Terms(drives=1, max_steps=2), silent)
        assert (home.recordings / "live").exists()
    finally:
        writer._release()


@pytest.mark.parametrize("damaged", [b"what another release wrote", b"\xff\xff\xff\xff"])
def test_a_recording_that_cannot_be_read_is_left_alone(home: Settings, damaged: bytes):
    """Nobody knows whose it is: it may be what is left of a person's drive."""
    theirs = home.recordings / "theirs"
    theirs.mkdir(parents=True)
    (theirs / "recording.arrows").write_bytes(damaged)
    correct(home, GAME, 1, Terms(drives=1, max_steps=2), silent)
    assert (theirs / "recording.arrows").read_bytes() == damaged


def test_a_hopeless_drive_ends_early(home: Settings):
    """The first frame of all is on the road, and the car never moves: it is stuck at once."""
    terms = Terms(drives=1, max_steps=100, off_track_s=None, stuck_s=0.2)
    (drive,) = correct(home, GAME, 1, terms, silent)
    assert drive.ended == STUCK
    assert drive.steps < 100


def test_noise_is_on_the_hands_of_the_model_alone(home: Settings):
    terms = Terms(drives=1, max_steps=100, noise=1.0, off_track_s=None, stuck_s=None)
    (drive,) = correct(home, GAME, 1, terms, silent)
    session = Store(home.store_url).open(drive.session)
    assert session.manifest.driver["noise"] == {"steer": 1.0, "throttle": 0.5}
    with make_game(GAME) as game:
        frame = game.reset(drive.seed)
        expert = game.expert()
        expert.reset()
        for step in session.steps():
            assert_same(step.choice.label, expert.action(frame))
            frame = game.step(step.choice.action)


def test_a_model_of_another_action_spec_is_refused(home: Settings):
    from dataclasses import replace

    other = ActionSpec(("steer",), ("gas",), mirrored_axes=("steer",))
    version = register(home, replace(car_racing.CONTRACT, spec=other), champion=False)
    with pytest.raises(KartError, match="was trained for the actions steer, gas; car_racing takes steer, throttle"):
        correct(home, GAME, version, TERMS, silent)
    assert Store(home.store_url).ids() == []


def test_a_game_that_cannot_be_opened_is_corrected_by_a_person(tracked: Settings):
    with pytest.raises(KartError, match=r"drawn cannot be opened from here.*there a person corrects"):
        correct(tracked, "drawn", 1, TERMS, silent)


def test_a_game_without_an_expert_is_corrected_by_a_person():
    class Alone(Game):
        name = "alone"

    Alone.__abstractmethods__ = frozenset()
    with pytest.raises(KartError, match=r"alone has no expert who could correct .*--game alone"):
        correcting._expert(Alone())


def test_the_job_shows_what_was_driven_and_the_sensor_finds_it(home: Settings, instance):
    shown = correct_in_dagster(home, GAME, TERMS, instance=instance)
    assert shown["driver"] == "kart-car_racing version 1"
    assert "500001" in shown["drives"]
    assert shown["dagster/row_count"] == 24
    assert shown["given up"] == 0
    assert len(materialise_sessions(home, instance=instance).done) == 2
    assert instance.get_dynamic_partitions("games") == [GAME]


def test_without_a_champion_there_is_nobody_to_correct(tracked: Settings, instance):
    with pytest.raises(KartError, match="no champion of car_racing to correct"):
        correct_in_dagster(tracked, GAME, TERMS, instance=instance)
