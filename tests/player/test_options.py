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


SCREEN = ["--model-uri", "models:/x/1", "--game", "mario_kart_64", "--window", "Project64"]


def test_a_place_on_the_screen_makes_it_a_drive_there():
    screen = parse(SCREEN)[0].screen
    assert screen is not None
    assert (screen.where.window, screen.record, screen.assist, screen.shadow) == (
        "Project64",
        "corrections",
        False,
        False,
    )
    assert parse(NEEDED)[0].screen is None


def test_every_wish_for_the_screen_arrives():
    wishes = "--track rainbow-road --controller retroarch:10.0.0.2:55400 --pad sdl:xbox --assist steer --record all"
    wishes += " --allow start --unstick --hold 0.5 --calm 2 --dead-zone 0.3 --hand-back guide --background --any-game"
    screen = parse([*SCREEN, *wishes.split()])[0].screen
    assert screen is not None
    assert (screen.track, screen.controller.host, screen.pad.name) == ("rainbow-road", "10.0.0.2", "xbox")
    assert (screen.assist, screen.record, screen.allow, screen.unstick) == (True, "all", {"start"}, 3.0)
    assert (screen.hold_s, screen.calm_s, screen.dead_zone, screen.back) == (0.5, 2.0, 0.3, "guide")
    assert (screen.background, screen.any_game) == (True, True)
    nobody = parse([*SCREEN, "--pad", "none", "--hand-back", "none", "--unstick", "8"])[0].screen
    assert nobody is not None
    assert (nobody.pad, nobody.back, nobody.unstick) == (None, "", 8.0)


def test_saliency_brings_the_preview_in_which_it_is_shown():
    screen = parse([*SCREEN, "--saliency"])[0].screen
    assert screen is not None
    assert (screen.preview, screen.saliency) == (True, True)


def test_a_shadow_records_nothing_unless_asked():
    assert parse([*SCREEN, "--shadow"])[0].screen.record == "none"
    assert parse([*SCREEN, "--shadow", "--record"])[0].screen.record == "all"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([*NEEDED, "--shadow"], "--shadow is for the screen: say what of it, with --window"),
        ([*NEEDED, "--record", "corrections"], "write --record: it keeps the drives whole"),
        ([*NEEDED[:2], "--game", "doom"], "There is no game 'doom' that opens here.*--window TITLE"),
        ([*SCREEN, "--seeds", "3"], "--seeds chooses courses"),
        ([*SCREEN, "--compare", "expert"], "--compare drives the same course again"),
        ([*SCREEN, "--option", "laps=3"], "--option is for games that are opened here"),
        ([*SCREEN, "--pad", "none", "--shadow"], "--shadow needs a person"),
        ([*SCREEN, "--assist", "steer", "--shadow"], "choose one of them"),
        ([*SCREEN, "--allow", "a"], "--allow takes start"),
        ([*SCREEN, "--hold", "0"], "--hold is a time"),
        ([*SCREEN, "--calm", "0"], "--calm is a time above 0"),
        ([*SCREEN, "--unstick", "0"], "--unstick is a time above 0"),
        ([*SCREEN, "--controller", "keyboard", "--background"], "--background is for pads"),
        ([*SCREEN, "--controller", "wheel"], "'wheel' is no controller"),
        ([*NEEDED, "--window", " "], "--window needs a part of the window's title"),
    ],
)
def test_wishes_that_do_not_go_together_are_told(arguments, sentence):
    with pytest.raises(KartError, match=sentence):
        parse(arguments)


def test_a_model_has_to_be_named(capsys):
    with pytest.raises(SystemExit) as left:
        parse(NEEDED[2:])
    assert left.value.code == 2
    assert "--model-uri" in capsys.readouterr().err


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
