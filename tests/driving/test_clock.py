import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.clock import Cadence, Clock


class Time:
    """A clock that moves only when somebody works or sleeps."""

    def __init__(self):
        self.ns = 0
        self.slept = []

    def work(self, seconds):
        self.ns += round(seconds * 1e9)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.work(seconds)

    def clock(self, rate_hz, paced=True):
        return Clock(rate_hz, paced=paced, now_ns=lambda: self.ns, sleep=self.sleep)


def test_ticks_begin_on_an_absolute_schedule_so_that_delays_do_not_add_up():
    time = Time()
    clock = time.clock(50.0)
    begins = []
    for k in range(100):
        time.work(0.005 + 0.01 * (k % 2))
        clock.lap("driver")
        assert clock.wait() == 1
        begins.append(time.ns)
    assert begins == pytest.approx([(k + 1) * 20_000_000 for k in range(100)], abs=2)


def test_a_slightly_late_tick_is_followed_by_a_shorter_wait():
    time = Time()
    clock = time.clock(10.0)
    time.work(0.13)
    assert clock.wait() == 1
    time.work(0.02)
    assert clock.wait() == 1
    assert time.ns == pytest.approx(200_000_000, abs=2)


def test_a_tick_that_overruns_periods_skips_them_instead_of_catching_up():
    time = Time()
    clock = time.clock(10.0)
    time.work(0.35)
    assert clock.wait() == 3
    assert time.slept == []
    time.work(0.01)
    assert clock.wait() == 1
    assert time.ns == pytest.approx(400_000_000, abs=2)
    assert clock.cadence().skipped == 2


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=50))
def test_after_every_wait_the_time_lies_in_the_tick_that_was_counted(work):
    time = Time()
    clock = time.clock(10.0)
    slot = 0
    for seconds in work:
        time.work(seconds)
        slot += clock.wait()
        assert slot * 100_000_000 - 2 <= time.ns <= (slot + 1) * 100_000_000 + 2


def test_an_unpaced_clock_never_waits_and_never_skips():
    time = Time()
    clock = time.clock(10.0, paced=False)
    for _ in range(5):
        time.work(0.35)
        assert clock.wait() == 1
    assert time.slept == []
    assert clock.cadence().skipped == 0
    assert clock.cadence().hz == pytest.approx(1 / 0.35)


def test_the_cadence_report_tells_rate_lateness_headroom_and_sections():
    time = Time()
    clock = time.clock(10.0)
    for driver, frame in ((0.02, 0.01), (0.06, 0.01), (0.1, 0.02), (0.02, 0.0)):
        time.work(driver)
        clock.lap("driver")
        time.work(frame)
        clock.lap("frame")
        clock.wait()
    report = clock.cadence()
    assert report.target_hz == 10.0
    assert report.hz == pytest.approx(10.0)
    assert report.late == pytest.approx(1 / 4)
    assert report.headroom == pytest.approx(1 - 0.24 / 4 / 0.1)
    assert report.mean_ms == pytest.approx({"driver": 50.0, "frame": 10.0})
    assert report.worst_ms == pytest.approx({"driver": 100.0, "frame": 20.0})
    assert Cadence(**report.to_dict()) == report


def test_waiting_is_not_booked_as_work():
    time = Time()
    clock = time.clock(10.0)
    clock.wait()
    time.work(0.01)
    clock.lap("frame")
    assert clock.cadence().worst_ms == pytest.approx({"frame": 10.0})


def test_a_game_that_keeps_time_itself_makes_no_tick_late():
    time = Time()
    clock = Clock(30.0, paced=False, waiting="frame", now_ns=lambda: time.ns)
    for _ in range(30):
        time.work(0.002)
        clock.lap("driver")
        clock.wait()
        time.work(0.038)
        clock.lap("frame")
    cadence = clock.cadence()
    assert cadence.hz == pytest.approx(25.0)
    assert (cadence.late, cadence.headroom) == (0.0, pytest.approx(1 - 0.002 * 30))
    assert cadence.mean_ms["frame"] == pytest.approx(38.0)


def test_start_forgets_what_was_measured():
    time = Time()
    clock = time.clock(10.0)
    time.work(1.0)
    clock.lap("driver")
    clock.wait()
    clock.start()
    assert clock.cadence().mean_ms == {}
    assert clock.seconds == 0


@pytest.mark.parametrize("rate_hz", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_is_no_rate_is_refused(rate_hz):
    with pytest.raises(KartError, match="rate"):
        Clock(rate_hz)


def test_the_real_clock_keeps_the_rate():
    clock = Clock(100.0)
    for _ in range(20):
        clock.wait()
    assert clock.seconds >= 0.199
