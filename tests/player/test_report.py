import json

import pytest
from rich.console import Console

from player.drive import Extras, drive_seeds
from player.report import Result, show
from player.stages import StageClock


def driven(line, driver, seeds, *, timed=True) -> Result:
    result = Result(seeds=[1, 2, 3], paced=not line.simulated)
    drives = []
    clock = StageClock(line.rate_hz, result.stages, paced=not line.simulated) if timed else None
    drive_seeds(line, driver, seeds, extras=Extras(clock=clock), done=drives.append)
    result.add("line", driver.name, drives)
    return result


def shown(result: Result, capsys) -> str:
    show(result, Console(width=200))
    return capsys.readouterr().out


def test_nothing_driven_shows_nothing(capsys):
    result = Result()
    result.add("line", "policy", [])
    assert shown(result, capsys) == ""
    assert json.loads(json.dumps(result.to_dict()))["scorecards"] == []


def test_drives_are_shown_in_the_order_of_the_seeds_whoever_finished_first(line, straight, capsys):
    result = driven(line, straight(), [3, 1])
    assert [drive.seed for drive in result.cards[0].drives] == [1, 3]
    assert "finished" in shown(result, capsys)


def test_a_real_time_game_is_reported_with_its_cadence(line, straight, capsys):
    assert "headroom" not in shown(driven(line, straight(1.0), [1]), capsys)
    line.simulated = False
    assert "headroom" in shown(driven(line, straight(1.0), [1]), capsys)


@pytest.mark.parametrize(("timed", "heading"), [(True, "p99"), (False, "mean")])
def test_stages_are_told_as_finely_as_they_were_measured(line, straight, capsys, timed, heading):
    out = shown(driven(line, straight(), [1], timed=timed), capsys)
    assert heading in out
    assert "next frame" in out


def test_a_lead_is_told_only_over_two_tracks_or_more(line, straight, capsys):
    result = driven(line, straight(), [1, 2])
    result.add("line", "other", driven(line, straight(0.25), [2]).cards[0].drives)
    assert "against" not in shown(result, capsys)
    result.add("line", "third", driven(line, straight(0.25), [1, 2]).cards[0].drives)
    assert "straight against third on 2 seeds: +0 points" in shown(result, capsys)
