"""A game in BizHawk, driven through `lua/kart.lua` in a real Lua over a real socket."""

import threading

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice
from kart_pipeline.driving.drivers import make_driver
from kart_pipeline.driving.loop import drive
from kart_pipeline.games.registry import make_game
from tests.bizhawk.worlds import Car, Counter


def number(frame):
    """Of the emulated frame that a picture shows."""
    return int(frame.rgb[0, 0, 0])


def test_in_lockstep_an_action_is_held_from_the_frame_that_it_was_chosen_on(beside, port, counted):
    beside(Counter)
    with make_game("bizhawk", game=counted, port=port, disturbed=False) as game:
        frame = game.reset(0)
        for steer in (0.5, -1.0, 0.0):
            before = number(frame)
            frame = game.step(game.spec.action(steer=steer, A=True))
            assert number(frame) == before + 2
            assert frame.rgb[0, 0].tolist()[1:] == [128 + round(80 * steer), 255]
            assert frame.t_ns == round(game._count * 1e9 / 60)


def test_in_real_time_an_action_takes_effect_exactly_one_step_later(beside, port, counted):
    beside(Counter)
    with make_game("bizhawk", game=counted, port=port, disturbed=False, realtime=True, frames=3) as game:
        game.reset(0)
        shown = []
        for steer in (0.25, 0.5, 0.75, 1.0, 0.0):
            frame = game.step(game.spec.action(steer=steer))
            shown.append((number(frame), int(frame.rgb[0, 0, 1]) - 128))
        first = shown[0][0]
        assert shown == [(first, 0), (first + 3, 20), (first + 6, 40), (first + 9, 60), (first + 12, 80)]


def test_each_drive_begins_where_the_game_stood_in_the_way_of_its_seed(beside, port, counted):
    beside(Counter)
    with make_game("bizhawk", game=counted, port=port) as game:
        begun = {}
        for seed in (1, 2, 1):
            frame = game.reset(seed)
            state = (number(frame), dict(frame.state))
            assert begun.setdefault(seed, state) == state
            for _ in range(5):
                game.step(game.cruise())
        assert begun[1] != begun[2]


def test_a_save_state_of_a_file_is_where_a_drive_begins(beside, port, counted, tmp_path):
    beside(Counter)
    with make_game("bizhawk", game=counted, port=port, disturbed=False) as game:
        game.reset(0)
        for _ in range(20):
            frame = game.step(game.cruise())
        game.keep(tmp_path / "Luigi Raceway.State")
        kept = frame.state["way"]
    with make_game(
        "bizhawk", game=counted, port=port, disturbed=False, states=str(tmp_path / "Luigi Raceway.State")
    ) as game:
        frame = game.reset(7)
        assert frame.state["way"] == pytest.approx(kept)
        assert game.track == "Luigi-Raceway"


def test_a_race_is_scored_and_ends(beside, port, counted):
    beside(Counter)
    with make_game("bizhawk", game=counted, port=port, disturbed=False) as game:
        straight = drive(game, make_driver("straight-ahead", game), seed=0)
        assert (straight.ended, straight.progress) == ("finished", 1.0)
        assert straight.score == pytest.approx(1000 - straight.finish_s, abs=0.2)
        resting = drive(game, make_driver("straight-ahead", game), seed=0, max_steps=4)
        assert resting.ended == "step limit"
        game.reset(0)
        while game.ended is None:
            game.step(game.spec.neutral())
        assert game.ended == "stuck"


def test_another_game_is_refused_on_both_sides(beside, port, home):
    emulated = beside(Counter, system="SNES")
    with make_game("bizhawk", port=port) as game, pytest.raises(KartError, match=r"Mario Kart 64.* is for N64"):
        game.ready(lambda _: None)
    assert any("is for N64" in told.get("console", "") for told in emulated.said)


def test_a_rom_that_is_not_known_is_driven_without_laps(beside, port, home):
    beside(Counter)
    said = []
    with make_game("bizhawk", port=port, disturbed=False) as game:
        game.ready(said.append)
        frame = game.reset(0)
        assert not frame.state
        assert any("hash 00" in line for line in said)
        assert game.step(game.cruise()).rgb.any()


def test_what_a_person_holds_is_left_to_their_own_stick(beside, port, counted):
    emulated = beside(Counter)
    with make_game("bizhawk", game=counted, port=port, disturbed=False) as game:
        game.reset(0)
        emulated.emulator.joypad.person["P1 X Axis"] = 40
        frame = game.step(game.spec.action(steer=-0.5))
        assert game.held["steer"] == pytest.approx(0.5)
        assert int(frame.rgb[0, 0, 1]) == 128  # two sticks at once are none
        game.obey(Choice(game.held, "human", by_hand=frozenset({"steer"})))
        assert int(game.next_frame().rgb[0, 0, 1]) == 168


def test_when_bizhawk_is_gone_the_drive_has_ended_and_the_next_one_waits_for_it(beside, port, counted):
    first = beside(Counter)
    said = []
    with make_game("bizhawk", game=counted, port=port, disturbed=False) as game:
        game.ready(said.append)

        def go(step):
            if step.index == 3:
                first.close()

        class Closing:
            on_step = staticmethod(go)

        done = drive(game, make_driver("straight-ahead", game), seed=0, observers=[Closing()])
        assert (done.ended, done.finish_s) == ("link lost", None)
        beside(Counter)
        assert drive(game, make_driver("straight-ahead", game), seed=0, max_steps=5).ended == "step limit"
        assert any("come back" in line for line in said)


def test_the_search_beats_straight_ahead(beside, port, kart):
    emulated = beside(Car)
    with make_game("bizhawk", game=kart, port=port, disturbed=False) as game:
        straight, searched = (
            drive(game, make_driver(name, game), seed=0, max_steps=120) for name in ("straight-ahead", "expert")
        )
        assert emulated.emulator._states.keys() == {"state-0"}  # all that were tried are forgotten
    assert searched.progress > 1.5 * straight.progress
    assert searched.off_track < straight.off_track


def test_a_paused_bizhawk_is_waited_for(beside, port, counted, monkeypatch):
    monkeypatch.setattr("kart_pipeline.games.bizhawk.meeting._TELL_S", 0.4)
    emulated, said = beside(Counter), []
    with make_game("bizhawk", game=counted, port=port, disturbed=False) as game:
        game.ready(said.append)
        before = game.reset(0)
        emulated.paused = True
        threading.Timer(0.9, lambda: setattr(emulated, "paused", False)).start()
        assert number(game.step(game.cruise())) == number(before) + 2
        assert game.ended is None
    assert [line for line in said if "paused" in line]


def test_whoever_stops_while_it_is_paused_has_stopped(beside, port, counted):
    emulated, stopping = beside(Counter), threading.Event()
    with make_game("bizhawk", game=counted, port=port, disturbed=False) as game:
        game.ready(lambda _: None, stopping.is_set)
        game.reset(0)
        emulated.paused = True
        threading.Timer(0.3, stopping.set).start()
        game.step(game.cruise())
        assert game.ended == "link lost"
        emulated.paused = False


def test_no_search_stops_the_real_time(beside, port, counted):
    with make_game("bizhawk", game=counted, port=port, realtime=True) as game, pytest.raises(KartError, match="leave"):
        game.expert()


def test_who_scores_unwatched_hurries_until_the_end(beside, port, counted, soon):
    emulated = beside(Counter)
    with make_game("bizhawk", game=counted, port=port, disturbed=False, fast=True) as game:
        frame = game.reset(0)
        assert not emulated.emulator.limited
        game.expert().action(frame)
        assert (emulated.emulator.limited, emulated.emulator.invisible) == (False, False)
        shown = game.step(game.cruise())
        assert number(shown) == number(frame) + 2
    soon(lambda: emulated.emulator.limited)
