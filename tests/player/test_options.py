from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.car_racing import CarRacing
from player.opponents import make_opponent, parse_opponents
from player.options import parse
from player.policy import NetworkKind

NEEDED = ["--model-uri", "models:/x/1", "--game", "car_racing"]


def test_the_defaults_drive_five_tracks_that_nobody_has_seen():
    options, as_json = parse(NEEDED)
    assert options.seeds == (2_000_000, 2_000_001, 2_000_002, 2_000_003, 2_000_004)
    assert not any((as_json, options.record, options.video, options.compare, options.trust_remote))


def test_every_wish_arrives():
    wishes = "4,9 --record --video a/b.mp4 --video-drives 2 --speed 3 --json --max-steps 10 --trust-remote"
    options, as_json = parse([*NEEDED, "--compare", "expert,untrained", "--seeds", *wishes.split()])
    assert options.seeds == (4, 9)
    assert options.video == Path("a/b.mp4")
    assert (options.video_drives, options.speed, options.max_steps) == (2, 3.0, 10)
    assert options.compare == ("expert", "untrained")
    assert as_json
    assert options.record
    assert options.trust_remote


@pytest.mark.parametrize(
    "wish",
    [
        ["--workers", "0"],
        ["--workers", "2", "--record"],
        ["--workers", "2", "--video", "x.mp4"],
        ["--max-steps", "0"],
        ["--video-drives", "0"],
        ["--seeds", "many"],
        ["--compare", "champion"],
        ["--compare", "expert,expert"],
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(wish):
    with pytest.raises(KartError):
        parse(NEEDED + wish)


@pytest.mark.parametrize("missing", ["--model-uri", "--game"])
def test_model_and_game_have_to_be_named(missing, capsys):
    at = NEEDED.index(missing)
    with pytest.raises(SystemExit) as left:
        parse(NEEDED[:at] + NEEDED[at + 2 :])
    assert left.value.code == 2
    assert missing in capsys.readouterr().err


def test_no_name_compares_with_nobody():
    assert parse_opponents("") == ()
    assert parse_opponents("straight, expert") == ("straight", "expert")


def test_expert_and_straight_are_drivers_of_the_game():
    from kart_pipeline.games.registry import default_contract

    with CarRacing() as game:
        frame = game.reset(1)
        for name in ("expert", "straight"):
            driver = make_opponent(name, default_contract("car_racing"), NetworkKind(), game)
            driver.reset()
            assert driver.act(frame).action.spec == game.spec
