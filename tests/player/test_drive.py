import numpy as np
import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.driving.loop import STOPPED
from kart_pipeline.games.car_racing import CarRacing
from player.drive import Extras, drive_seeds
from player.picture.video import Film
from player.stages import StageClock, Stages
from recorder.capture import choose_seeds
from recorder.stores import Stores


@pytest.fixture
def stores(tmp_path) -> Stores:
    return Stores.open(settings=Settings.from_env({"KART_HOME": str(tmp_path / "home")}))


def test_every_seed_is_driven_once_in_order_and_told_at_once(line, straight):
    done, told = [], []
    drive_seeds(line, straight(), [7, 8], done=done.append, running=lambda *values: told.append(values))
    assert [drive.seed for drive in done] == [7, 8]
    assert [drive.ended for drive in done] == ["finished", "finished"]
    assert told[:2] == [(7, 0, 0.0, 0.0), (7, 10, 50.0, 0.5)]


def test_each_drive_is_recorded_as_a_session_of_the_policy_without_labels(line, straight, stores):
    manifests = []
    extras = Extras(stores=stores, about_driver={"kind": "policy", "uri": "models:/racer/1"})
    drive_seeds(line, straight(), [7, 8], extras=extras, recorded=manifests.append)
    assert stores.target.ids() == sorted(manifest.id for manifest in manifests)
    assert [(item.track, item.ended, item.score, item.labelled) for item in manifests] == [
        ("seed-7", "finished", 100.0, 0),
        ("seed-8", "finished", 100.0, 0),
    ]
    assert manifests[0].driver["uri"] == "models:/racer/1"
    assert manifests[0].source["seed"] == 7
    session = stores.target.open(manifests[0].id)
    session.verify()
    steps = list(session.steps())
    assert len(steps) == 20
    assert {step.choice.actor for step in steps} == {"policy"}
    assert all(step.choice.label is None for step in steps)
    assert np.array_equal(steps[3].frame.rgb, np.full((48, 64, 3), 15, np.uint8))  # lossless where the game waits


@pytest.mark.parametrize("error", [KeyboardInterrupt, KartError, ZeroDivisionError])
def test_whatever_breaks_a_drive_off_the_controls_are_neutral_and_all_is_kept(line, straight, stores, tmp_path, error):
    done, manifests = [], []
    with pytest.raises(error), Film(tmp_path / "x.mp4") as film:
        drive_seeds(
            line,
            straight(fail_at=12, error=error),
            [7],
            extras=Extras(stores=stores, film=film),
            done=done.append,
            recorded=manifests.append,
        )
    assert line.sent[-1] == line.spec.neutral()
    assert line.neutral_calls == 1
    assert done == []
    assert [(item.steps, item.ended) for item in manifests] == [(12, "interrupted")]
    assert stores.target.ids() == [manifests[0].id]
    assert film.frames == 12
    assert film.path.exists()


def test_a_stop_on_request_ends_the_drive_and_the_series_but_keeps_the_session(line, straight, stores):
    asked = iter([False] * 25 + [True] * 100)
    done, manifests = [], []
    drive_seeds(
        line,
        straight(),
        [7, 8, 9],
        extras=Extras(stores=stores),
        done=done.append,
        recorded=manifests.append,
        should_stop=lambda: next(asked),
    )
    assert [drive.seed for drive in done] == [7]
    assert [(item.track, item.ended) for item in manifests] == [("seed-7", "finished"), ("seed-8", STOPPED)]
    assert line.sent[-1] == line.spec.neutral()


def test_only_the_first_drives_are_filmed(line, straight, tmp_path):
    with Film(tmp_path / "x.mp4") as film:
        drive_seeds(line, straight(), [1, 2, 3], extras=Extras(film=film, filmed=2))
    assert film.frames == 2 * 22


def test_a_recorded_drive_on_a_reserved_seed_does_not_mislead_the_recorder(line, straight, stores):
    drive_seeds(line, straight(), [4, 2_000_000], extras=Extras(stores=stores))
    assert choose_seeds(stores, "line", 2) == range(5, 7)


def test_a_remote_store_gets_each_session_when_its_drive_is_over(line, straight, tmp_path):
    environment = {"KART_HOME": str(tmp_path), "KART_STORE": "memory://player-test"}
    stores = Stores.open(settings=Settings.from_env(environment))
    drive_seeds(line, straight(), [1], extras=Extras(stores=stores))
    assert stores.target.ids() == stores.local.ids() != []


def test_a_real_time_game_is_driven_at_its_rate_and_every_stage_is_timed(line, straight):
    line.simulated = False
    stages, done = Stages(), []
    clock = StageClock(line.rate_hz, stages, paced=True)
    drive_seeds(line, straight(), [1], extras=Extras(clock=clock), done=done.append)
    assert done[0].wall_seconds == pytest.approx(1.0, abs=0.15)
    assert done[0].cadence.hz == pytest.approx(20, rel=0.1)
    assert {stage: figures["count"] for stage, figures in stages.summary().items()} == {
        "apply": 20,
        "record and film": 20,
        "next frame": 20,
    }


def test_the_real_game_is_driven_recorded_and_filmed(stores, tmp_path):
    from kart_pipeline.driving.drivers import make_driver

    done, manifests = [], []
    with CarRacing() as game, Film(tmp_path / "x.mp4") as film:
        extras = Extras(stores=stores, film=film)
        driver = make_driver("expert", game)
        drive_seeds(game, driver, [3], extras=extras, max_steps=30, done=done.append, recorded=manifests.append)
    assert done[0].steps == manifests[0].steps == 30
    assert film.frames == 15 + 2  # 50 steps a second become 25 frames
