"""`lua/kart.lua` in a real Lua, over a real socket: turns, and all ways in which they end."""

import json
import math
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.bizhawk.link.connection import _linger
from kart_pipeline.games.bizhawk.link.door import listen
from kart_pipeline.games.bizhawk.link.wire import framed
from kart_pipeline.games.bizhawk.memory import Read
from kart_pipeline.games.bizhawk.remote import LostError
from tests.bizhawk.fake import SCRIPT

READS = [Read("frames", "", 0, "u32", "big"), Read("way", "RDRAM", 4, "f32", "big"), Read("x", "", 8, "s16", "big")]
PAD = {"P1 A": True, "P1 B": False, "P1 X Axis": -37, "P1 Y Axis": 0}


def soon(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come about within 20 s"
        time.sleep(0.002)


def test_bizhawk_tells_what_it_is(start, bridge, lua: str) -> None:
    start(lua)
    link = bridge()
    assert (link.system, link.rom, link.rom_hash) == ("N64", "A game", "00")
    assert (link.about["lua"], link.about["bizhawk"]) == (f"Lua {lua}", "2.10")


@pytest.mark.parametrize("analog", [False, True])
def test_lockstep_picture_numbers_and_pad_are_of_the_same_frame(start, bridge, lua: str, analog: bool) -> None:
    running = start(lua, analog=analog)
    running.fake.joypad.person["P1 Z"] = True
    link = bridge()
    link.read(READS)
    for turn in range(1, 6):
        seen = link.hold(PAD, 2)
        assert seen.count == seen.numbers["frames"] == 2 * turn
        assert tuple(seen.rgb[0, 0]) == (2 * turn, -37 + 128, 255)
        assert seen.numbers["x"] == -37
        assert seen.numbers["way"] == pytest.approx(2 * turn * (1 - 37 / 256), rel=1e-6)
        assert {name for name, held in seen.held.items() if held} == {"P1 Z"}  # the person's own, not ours
    assert link.hold(PAD, 3, picture=False).count == 13
    assert running.fake.comm.sends == 1  # in one turn; two sends would wait for each other


def test_in_real_time_an_action_follows_its_picture_by_exactly_the_frames_of_a_step(start, bridge, lua: str) -> None:
    start(lua)
    link = bridge()
    link.read(READS)
    link.hold(dict(PAD, **{"P1 X Axis": 5}), 4, first=True)
    for x in (10, 20, 30):
        seen = link.hold(dict(PAD, **{"P1 X Axis": x}), 4, first=True)
        assert seen.numbers["x"] == x - 10 or (x, seen.numbers["x"]) == (10, 5)
        assert int(seen.rgb[0, 0, 0]) == seen.count  # before these frames, which go by now
    assert link.hold(None, 1, picture=False).count == 17


def test_what_is_not_held_is_the_persons(start, bridge) -> None:
    running = start()
    link = bridge()
    link.read(READS)
    running.fake.joypad.person.update({"P1 A": True, "P1 X Axis": 50})
    assert link.hold({"P1 A": False}, 1).numbers["x"] == 50
    assert running.fake.world.a is False
    assert link.hold(PAD, 1).numbers["x"] == 0  # BizHawk takes two sticks at once for none
    seen = link.hold(None, 1)
    assert (seen.numbers["x"], seen.held["P1 X Axis"], seen.held["P1 A"]) == (50, 50, True)


def test_an_axis_beyond_its_end_does_not_turn_round(start, bridge, lua: str) -> None:
    start(lua)
    link = bridge()
    link.read(READS)
    assert link.hold({"P1 X Axis": 400}, 1).numbers["x"] == 127
    assert link.hold({"P1 X Axis": -400}, 1).numbers["x"] == -128


def test_states_are_kept_in_memory_and_in_files_and_forgotten(start, bridge, tmp_path: Path) -> None:
    running = start()
    link = bridge()
    link.hold(PAD, 3)
    kept, file = link.save(), link.save(tmp_path / "start.State")
    assert file == str(tmp_path / "start.State")
    for name in (kept, file):
        assert link.hold(PAD, 4).count == 7
        link.load(name)
    assert link.hold(PAD, 1).count == 4
    link.forget(kept)
    with pytest.raises(KartError, match=r"BizHawk: the save state .*nowhere could not be loaded"):
        link.load(str(tmp_path / "nowhere"))
    assert link.hold(PAD, 1).count == 5  # a mistake ends nothing
    with pytest.raises(KartError, match="only ASCII letters reach it"):
        link.load("Straße.State")
    assert len(running.fake._states) == 1


def test_the_picture_after_a_state_was_loaded_is_of_that_moment(start, bridge, tmp_path: Path) -> None:
    start()
    link = bridge()
    link.read(READS)
    link.hold(PAD, 3)
    for name in (link.save(), link.save(tmp_path / "start.State")):
        link.hold(PAD, 20)
        link.load(name)
        seen = link.hold(PAD, 1)  # BizHawk draws nothing when it loads: only from here on is there a picture
        for first in (False, True):
            assert int(seen.rgb[0, 0, 0]) == seen.count == seen.numbers["frames"]
            seen = link.hold(PAD, 2, first=first)
        assert int(seen.rgb[0, 0, 0]) == seen.count == 6


def test_a_state_that_is_not_kept_any_more_is_a_mistake(start, bridge) -> None:
    start()
    link = bridge()
    link.hold(PAD, 3)
    kept = link.save()
    link.forget(kept)
    for deed in (link.load, link.forget):
        with pytest.raises(KartError, match="is not kept in memory"):
            deed(kept)
    assert link.hold(PAD, 1).count == 4


def test_states_of_a_player_that_is_gone_are_forgotten(start, bridge, tmp_path: Path) -> None:
    running = start()
    link = bridge()
    link.save()
    file = link.save(tmp_path / "start.State")
    link.close()
    soon(lambda: running.fake._states.keys() == {file})  # each has all of the console's memory


def test_a_search_hurries_and_whatever_ends_the_link_ends_the_hurry(start, bridge) -> None:
    running = start()
    link = bridge()
    link.hurry(True)
    assert (running.fake.limited, running.fake.sound) == (False, False)
    link.close()
    soon(lambda: running.fake.limited and running.fake.sound)


def test_a_number_that_is_none_is_told_as_none(start, bridge) -> None:
    running = start()
    link = bridge()
    link.read(READS)
    running.fake.world.way = math.inf
    assert math.isnan(link.hold(None, 1).numbers["way"])


def test_a_mistake_in_the_memory_is_a_sentence(start, bridge) -> None:
    start()
    link = bridge()
    with pytest.raises(KartError, match="unknown memory domain ROM"):
        link.read([Read("x", "ROM", 0, "u8", "big")])


def test_goodbye_lets_go_of_the_pad_and_the_next_player_is_found(start, bridge, lua: str) -> None:
    running = start(lua)
    link = bridge()
    link.hold(PAD, 1)
    link.close("Driven enough.")
    link.close()
    soon(lambda: "kart: Driven enough." in running.words())
    assert not any(running.fake._held.values())
    again = bridge()
    assert again.hold(PAD, 1).held["P1 A"] is False


def test_a_second_bizhawk_is_sent_away_with_a_sentence(start, bridge) -> None:
    start()
    link = bridge()
    link.hold(PAD, 1)
    second = start()
    soon(lambda: "kart: Another BizHawk is connected to this player already." in second.words())
    assert link.hold(PAD, 1).count == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"version": "2.8"}, "BizHawk 2.8 is too old; kart.lua needs 2.9 or newer."),
        ({"system": "NULL"}, "No ROM is open in BizHawk"),
    ],
)
def test_what_cannot_work_is_said_on_both_sides(start, door, options: dict[str, str], sentence: str) -> None:
    running = start(**options)
    with pytest.raises(KartError, match=re.escape(sentence)):
        door.accept(20)
    soon(lambda: any(sentence in words for words in running.words()))


def test_a_script_of_another_release_is_refused_on_both_sides(door, start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kart_pipeline.games.bizhawk.link.messages.PROTOCOL", 2)
    running = start()
    with pytest.raises(KartError, match="speaks protocol 1, this player 2; take both from the same release"):
        door.accept(20)
    soon(lambda: any("speaks protocol 1, this player 2" in words for words in running.words()))


def test_whoever_gave_up_waiting_does_not_stand_in_the_way(door, start, bridge) -> None:
    hello = {"protocol": 1, "bizhawk": "2.10", "system": "N64"}
    with socket.create_connection(("127.0.0.1", door.port)) as peer:
        peer.sendall(framed(b"HELLO " + json.dumps(hello).encode()))
        soon(lambda: door._waiting)
    soon(lambda: not door._somebody())
    assert door.accept(0.01) is None
    start()
    assert bridge().hold(PAD, 1).count == 1


def test_without_its_flags_bizhawk_says_which_it_needs(start) -> None:
    running = start(port=0)
    soon(lambda: {"script": "ended"} in running.told)
    assert "--socket_ip=127.0.0.1 --socket_port=43880, both" in running.words()[0]


def test_a_taken_port_is_said(door) -> None:
    with pytest.raises(KartError, match=f"Port {door.port} of this machine cannot be listened on"):
        listen(door.port)


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", framed(b"\x89PNG"), framed(b"HELLO {}"), b""])
def test_a_visitor_that_is_no_bizhawk_keeps_nobody_from_coming(door, start, bridge, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", door.port)) as visitor:
        visitor.sendall(said)
        if not said:
            visitor.close()
        start()
        assert bridge().hold(PAD, 1).count == 1


def test_a_player_that_hangs_is_given_up_and_finds_bizhawk_again(start, bridge, lua: str, monkeypatch) -> None:
    monkeypatch.setattr("kart_pipeline.games.bizhawk.link.door._FRESH_S", 0.05)
    running = start(lua, patience=0.02)  # ten seconds in a fifth of one
    link = bridge()
    link.hold(PAD, 1)
    assert any(running.fake._held.values())
    soon(lambda: not any(running.fake._held.values()))
    count = running.fake.frame
    soon(lambda: running.fake.frame > count + 700)  # the game goes on; it has looked for us twice and given up
    again = bridge()
    assert again.hold(PAD, 1).held["P1 A"] is False
    with pytest.raises(LostError, match="connected anew"):
        link.hold(PAD, 1)  # not after ten seconds, though its socket is still open
    assert again.hold(PAD, 1).rgb is not None


def test_who_listens_and_never_answers_does_not_stop_the_game(start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        running = start(port=deaf.getsockname()[1], patience=0.02)
        peer, _ = deaf.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _linger())
        peer.sendall(framed(b"OK") + framed(b"STEP n=600;shot=1;down=P1 A"))
        soon(lambda: running.fake._held.get("P1 A"))
        peer.close()  # the picture fails; BizHawk connects anew by itself, and its timeout is lost
        soon(lambda: any("no player now" in words for words in running.words()))
        assert not any(running.fake._held.values())
        count = running.fake.frame
        soon(lambda: running.fake.frame > count + 700)


def test_a_script_that_is_started_again_is_met_again(start, bridge) -> None:
    running = start()
    link = bridge()
    link.hold(PAD, 1)
    restarted = start()  # its socket is another one here, which makes no difference
    soon(lambda: "kart: Another BizHawk is connected to this player already." in restarted.words())
    running.stop()
    with pytest.raises(LostError):
        link.hold(PAD, 1)
    link.close()
    assert bridge().hold(PAD, 1).count > 0


def test_a_bizhawk_that_talks_nonsense_or_not_at_all_is_given_up(door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kart_pipeline.games.bizhawk.link.bridge.ANSWER_S", 0.2)
    hello = {"protocol": 1, "bizhawk": "2.10", "system": "N64"}
    for answer, sentence in (
        (framed(b"what?"), "cannot be understood"),
        (b"what?", "is no message"),
        (b"", "has not answered for 0.25 s; is it paused"),
        (framed(b'{"frame":Infinity,"held":{},"numbers":{}}'), "cannot be understood"),
        (framed(b"[" * 100_000), "cannot be understood"),
        (framed(b"x") * 40, "cannot be understood|without being asked"),
    ):
        with socket.create_connection(("127.0.0.1", door.port)) as peer:
            peer.sendall(framed(b"HELLO " + json.dumps(hello).encode()))
            link = door.accept(20)
            peer.sendall(answer)
            with pytest.raises(LostError, match=sentence):
                link.hold(PAD, 1)
            with pytest.raises(LostError):
                link.neutral()
            link.close()


PLAYER = """
import sys, time
from kart_pipeline.games.bizhawk.link.door import listen
door = listen(int(sys.argv[1]))
print(door.port, flush=True)
link = door.accept(60)
while True:
    link.hold({"P1 A": True, "P1 X Axis": 60}, 2, first=sys.argv[2] == "first")
    if sys.argv[2] == "thinking":
        print("thinking", flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize("when", ["first", "last", "thinking"])
def test_a_killed_player_leaves_nothing_pressed_and_the_next_is_found(when: str, lua: str, start, door) -> None:
    def player(port: int) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", PLAYER, str(port), when], stdout=subprocess.PIPE, text=True)

    first = player(0)
    port = int(first.stdout.readline())
    running = start(lua, port=port)
    soon(lambda: running.fake._held.get("P1 A"))
    if when == "thinking":
        first.stdout.readline()
    first.kill()
    first.wait()
    soon(lambda: not any(running.fake._held.values()) or running.hung)
    second = player(port)
    assert second.stdout.readline()
    soon(lambda: running.fake._held.get("P1 A"))
    second.kill()
    second.wait()
    soon(lambda: not any(running.fake._held.values()) or running.hung)


@pytest.mark.skipif(sys.platform == "win32", reason="no signal can be sent to one process of a console")
def test_ctrl_c_leaves_nothing_pressed(start) -> None:
    words = [sys.executable, "-c", PLAYER, "0", "last"]
    player = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    running = start(port=int(player.stdout.readline()))
    soon(lambda: running.fake._held.get("P1 A"))
    player.send_signal(signal.SIGINT)
    player.wait(20)
    soon(lambda: not any(running.fake._held.values()) or running.hung)


def test_a_player_that_is_killed_at_any_moment_leaves_nothing_pressed(start) -> None:
    moments = random.Random(8)
    running: list[Any] = []
    port = 0
    for _ in range(6):
        words = [sys.executable, "-c", PLAYER, str(port), moments.choice(("first", "last"))]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as player:
            port = int(player.stdout.readline())
            if not running:
                running.append(start(port=port))
            soon(lambda: running[0].fake._held.get("P1 A"))
            time.sleep(moments.uniform(0, 0.02))
            player.kill()
        soon(lambda: not any(running[0].fake._held.values()) or running[0].hung)


def test_a_killed_bizhawk_is_noticed_and_the_next_one_comes(door) -> None:
    def emulator() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.bizhawk.fake", "--port", str(door.port)]
        return subprocess.Popen(command, cwd=SCRIPT.parents[1], stdout=subprocess.DEVNULL)

    first = emulator()
    link = door.accept(60)
    link.hold(PAD, 2)
    first.kill()
    first.wait()
    with pytest.raises(LostError, match="BizHawk"):
        for _ in range(100):
            link.hold(PAD, 2)
    link.close()
    second = emulator()
    try:
        again = door.accept(60)
        assert again.hold(PAD, 2).count == 2
        again.close()
    finally:
        second.kill()
        second.wait()


def test_the_conversation_is_this_to_the_byte(start, bridge) -> None:
    running = start()
    link = bridge()
    link.read(READS[:1])
    link.hold(PAD, 2, picture=False)
    link.hold(None, 1, picture=False, first=True)
    link.say("Grüße")
    link.neutral()
    link.close("ended")
    info = '{"frame":%d,"held":{"P1 A":false,"P1 B":false,"P1 L":false,"P1 R":false,"P1 Start":false,"P1 X Axis":0,'
    info += '"P1 Y Axis":0,"P1 Z":false},"lag":false,"numbers":{%s}}'
    soon(lambda: running.fake.comm.transcript[-1] == ("out", b"BYE"))
    assert [(way, text.decode()) for way, text in running.fake.comm.transcript[1:]] == [
        ("in", "OK"),
        ("in", "READ frames@:0:u32:big"),
        ("out", info % (0, '"frames":0')),
        ("in", "STEP n=2;at=end;shot=0;down=P1 A;up=P1 B;axes=P1 X Axis:-37,P1 Y Axis:0"),
        ("out", info % (2, '"frames":2')),
        ("in", "STEP n=1;at=start;shot=0;own=1"),
        ("out", info % (2, '"frames":2')),
        ("in", "TEXT Gr??e"),
        ("out", '{"done":true}'),
        ("in", "RELEASE"),
        ("out", '{"done":true}'),
        ("in", "BYE ended"),
        ("out", "BYE"),
    ]


def test_the_script_is_one_file_that_calls_nothing_but_bizhawk() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    code = re.sub(r"--.*", "", text)
    assert not re.findall(r"(?<![.:\w])(require|dofile|loadfile|load|io|os|socket|package)\b\s*[.(]", code)
    assert text.isascii()
