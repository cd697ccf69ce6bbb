"""Who becomes champion, and why not."""

from dataclasses import replace

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.clock import Cadence
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.tally import Drive
from kart_pipeline.orchestration.promotion import comparable, decide
from kart_pipeline.orchestration.report import HeldOut, Report

CADENCE = Cadence(50.0, 50.0, 0.0, 0, 0.5, {"driver": 1.0}, {"driver": 2.0})


def drives(*scores: float, first_seed: int = 0) -> Scorecard:
    made = [
        Drive(first_seed + place, f"seed-{place}", 10, score, 0.5, "finished", 0.0, 0.1, 1.0, 1.0, 0, CADENCE)
        for place, score in enumerate(scores)
    ]
    return Scorecard("game", "policy", tuple(made))


def report(version: int, *scores: float, error: float = 0.2, constant: float = 0.4, rows: str = "set") -> Report:
    return Report(version, HeldOut(rows, 100, error, constant), None, drives(*scores) if scores else None)


def test_the_first_version_is_champion():
    assert decide(report(1), None).promote


@pytest.mark.parametrize(("error", "warned"), [(0.39, False), (0.4, True)])
def test_a_first_champion_that_has_learned_nothing_is_told_so(error, warned):
    decision = decide(report(1, error=error, constant=0.4), None)
    assert decision.promote
    assert ("errs more than a driver who always does the same" in decision.reason) is warned


def test_the_champion_does_not_compete_with_itself():
    decision = decide(report(3, 5.0), report(3, 5.0))
    assert not decision.promote
    assert decision.reason == "Version 3 is the champion already."


def test_a_better_mean_score_wins_and_both_figures_are_told():
    decision = decide(report(2, 10.0, 20.0), report(1, 5.0, 20.0))
    assert decision.promote
    assert decision.reason.startswith("Version 2 scores 15.0, the champion, version 1, 12.5 on the same 2 seeds")
    assert "+2.5" in decision.reason


@pytest.mark.parametrize("scores", [(10.0, 10.0), (9.0, 11.0), (1.0, 2.0)])
def test_an_equal_or_worse_score_is_refused_with_a_reason(scores):
    decision = decide(report(2, *scores), report(1, 10.0, 10.0))
    assert not decision.promote
    assert decision.reason.endswith("not better, so the champion stays.")


def test_a_single_seed_is_compared_without_an_interval():
    decision = decide(report(2, 3.0), report(1, 2.0))
    assert decision.promote
    assert decision.reason == "Version 2 scores 3.0, the champion, version 1, 2.0."


def test_the_game_decides_even_against_the_held_out_error():
    assert decide(report(2, 10.0, error=0.9), report(1, 5.0, error=0.1)).promote


def test_without_a_game_the_smaller_error_on_the_same_rows_wins():
    assert decide(report(2, error=0.19, constant=9), report(1, error=0.2, constant=1)).promote is True
    decision = decide(report(2, error=0.2), report(1, error=0.2))
    assert decision.promote is False
    assert "0.2000" in decision.reason


def test_errors_on_other_rows_are_compared_as_shares_of_the_best_constants():
    candidate = report(2, error=0.3, constant=1.0, rows="new")
    assert decide(candidate, report(1, error=0.2, constant=0.4, rows="old")).promote
    assert not decide(candidate, report(1, error=0.2, constant=0.8, rows="old")).promote


def test_other_seeds_or_limits_are_not_comparable():
    ours = report(2, 1.0, 2.0)
    assert comparable(ours, report(1, 5.0, 6.0))
    assert not comparable(ours, report(1, 5.0))
    assert not comparable(ours, replace(report(1, 5.0, 6.0), max_steps=10))
    assert not comparable(ours, report(1))
    assert not comparable(ours, None)
    with pytest.raises(KartError, match="did not drive the same seeds"):
        decide(ours, report(1, 5.0))


def test_without_any_figures_there_is_no_decision():
    with pytest.raises(KartError, match="were not judged on held-out sessions"):
        decide(Report(2, None), report(1))


def test_a_report_survives_json():
    import json

    for item in (Report(4, None), replace(report(2, 1.0, 2.0), others=(drives(3.0),), max_steps=7)):
        assert Report.from_dict(json.loads(json.dumps(item.to_dict()))) == item


@pytest.mark.parametrize("data", [{}, {"version": 1}, {**Report(1, None).to_dict(), "held_out": {"x": 1}}])
def test_what_is_no_report_is_refused(data):
    with pytest.raises(KartError, match="materialise `scorecard` again"):
        Report.from_dict(data)
