"""One drive becomes one session, however it ends."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame
from kart_pipeline.core.session_writer import repair
from kart_pipeline.core.store import Store
from kart_pipeline.driving.clock import Clock
from kart_pipeline.driving.drivers import Expert
from recorder.episode import Dropped, Plan, Progress, Taken, record_episode


@pytest.fixture
def record(store: Store, road, tmp_path: Path) -> Callable[..., Taken | Dropped]:
    def call(driver=None, *, max_steps: int | None = None, **options: object) -> Taken | Dropped:
        plan = Plan("road", "expert", Path(store.url), max_steps=max_steps)
        options = {"about_driver": {"kind": "expert"}} | options
        return record_episode(store, road, driver or Expert(road.expert()), plan, 7, **options)

    return call


class Breaks:
    """Full throttle until its cable is pulled."""

    name = "breaks"

    def __init__(self, road, after: int) -> None:
        self._road, self._left = road, after

    def reset(self) -> None:
        pass

    def act(self, _: Frame) -> Choice:
        self._left -= 1
        if self._left < 0:
            raise KartError("The gamepad was unplugged.")
        action = self._road.spec.action(throttle=1.0)
        return Choice(action, "human", label=action)


def test_a_recovery_begins_beside_the_line_where_its_seed_says_and_the_manifest_tells(
    store: Store, road, monkeypatch: pytest.MonkeyPatch
) -> None:
    def displace(random: np.random.Generator) -> Frame:
        road.at = int(random.integers(20, 90))
        return road.frame()

    monkeypatch.setattr(road, "displace", displace, raising=False)
    plan = Plan("road", "expert", Path(store.url), recovery=True)
    begun = []
    for seed in (7, 7, 8):
        taken = record_episode(store, road, Expert(road.expert()), plan, seed, about_driver={"kind": "expert"})
        assert isinstance(taken, Taken)
        assert taken.manifest.source == {"kind": "simulated", "seed": seed, "displaced": True}
        begun.append(taken.manifest.steps)
    assert begun[0] == begun[1] != begun[2]


def test_a_drive_to_the_end_is_kept_with_all_that_is_known_of_it(record, store: Store) -> None:
    taken = record()
    assert isinstance(taken, Taken)
    assert taken.trouble is None
    manifest = store.manifest(taken.manifest.id)
    assert manifest == taken.manifest
    assert (manifest.steps, manifest.labelled, manifest.ended, manifest.score) == (100, 100, "finished", 100.0)
    assert (manifest.track, manifest.group, manifest.rate_hz) == ("seed-7", "seed-7", 50.0)
    assert manifest.source == {"kind": "simulated", "seed": 7}
    assert manifest.driver == {"kind": "expert"}
    assert manifest.state == ("progress",)
    session = store.open(manifest.id)
    session.verify()
    assert [step.index for step in session.steps()] == list(range(100))
    assert taken.megabytes == pytest.approx((Path(store.url) / manifest.id / "steps.parquet").stat().st_size / 1e6)


def test_the_step_limit_ends_a_drive_and_even_a_short_one_is_kept(record) -> None:
    assert record(max_steps=10).manifest.ended == "step limit"


def test_an_interrupted_drive_is_kept_from_one_second_on(record, road, store: Store) -> None:
    taken = record(interrupted=lambda: road.at == 60)
    assert isinstance(taken, Taken)
    assert (taken.manifest.ended, taken.manifest.steps) == ("interrupted", 60)
    assert record(interrupted=lambda: road.at == 40) == Dropped(7, pytest.approx(0.8))
    assert store.ids() == [taken.manifest.id]


def test_a_drive_that_is_stopped_before_its_first_step_leaves_nothing(record, store: Store) -> None:
    assert record(interrupted=lambda: True) == Dropped(7, 0.0)
    assert not Path(store.url).exists() or not list(Path(store.url).iterdir())


def test_the_drivers_own_wish_to_end_is_no_interruption(record, road) -> None:
    assert record(should_stop=lambda: road.at == 60).manifest.ended == "stopped"


def test_a_driver_that_breaks_off_leaves_its_session_and_neutral_controls(record, road, store: Store) -> None:
    taken = record(Breaks(road, after=70))
    assert isinstance(taken, Taken)
    assert (taken.trouble, taken.manifest.ended, taken.manifest.steps) == (
        "The gamepad was unplugged.",
        "interrupted",
        70,
    )
    assert road.sent[-1] == road.spec.neutral()
    assert store.unfinished() == []


@pytest.mark.parametrize("after", [0, 10])
def test_a_driver_that_breaks_off_at_once_is_an_error(record, road, store: Store, after: int) -> None:
    with pytest.raises(KartError, match="unplugged"):
        record(Breaks(road, after=after))
    assert (store.ids(), store.unfinished()) == ([], [])


def test_an_error_of_the_program_still_leaves_a_whole_session(record, store: Store) -> None:
    class Broken:
        def on_step(self, step) -> None:
            if step.index == 80:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record(observers=[Broken()])
    (session_id,) = store.ids()
    assert (store.manifest(session_id).ended, store.manifest(session_id).steps) == ("interrupted", 81)


def test_progress_is_told_with_the_share_of_the_race(record) -> None:
    told: list[Progress] = []
    record(report=told.append, clock=Clock(200))  # half a second
    assert len(told) >= 3
    assert all(item.seed == 7 for item in told)
    assert [item.steps for item in told] == sorted(item.steps for item in told)
    assert all(item.share == pytest.approx((item.steps - 1) / 100) for item in told)


def test_a_paced_drive_keeps_its_cadence_in_the_manifest(record) -> None:
    assert "cadence" not in record().manifest.notes
    cadence = record(clock=Clock(200)).manifest.notes["cadence"]
    assert cadence["target_hz"] == 200
    assert 0 < cadence["hz"] < 210


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no limit on the size of files to make a disk full with"
)
def test_a_full_disk_is_told_in_a_sentence_and_what_fits_is_saved(record, road, store: Store) -> None:
    import resource
    import signal

    road.length = 1000
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, before[1]))
    try:
        with pytest.raises(KartError, match=r"cannot be written \(.*File too large"):
            record()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert store.ids() == []
    (session_id,) = store.unfinished()
    assert 0 < repair(Path(store.url) / session_id).steps < 1000
    store.open(session_id).verify()
