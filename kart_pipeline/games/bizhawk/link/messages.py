"""What player and `lua/kart.lua` say to each other: protocol 1.

BizHawk connects to us. Its first message is `HELLO {json}`; we answer `OK` or `BYE why`. Then we command, and each
command is answered by exactly one message, sent in one piece: JSON, a PNG file, or `ERR {json}`, after which the next
command may come.

    STEP n=2;at=end;shot=1;down=P1 A;up=P1 B,P1 R;axes=P1 X Axis:-37     hold the pad so for n frames
    STEP n=2;own=1                              leave the pad to the person
    INFO                                        the present frame: {"frame", "lag", "numbers", "held"}
    READ lap@RDRAM:1443280:f32:big;…            these numbers come with every INFO from now on
    SAVE [path]   LOAD state   FORGET state     save states, in memory ("memory:…") or in files
    HURRY 2       RELEASE      TEXT words       speed, the pad, the screen
    BYE words                                   is answered by BYE; BizHawk runs on by itself

HELLO names protocol and script, the versions of BizHawk and Lua, system, ROM and its hash, size of the picture, frame,
what this BizHawk can do, and an `id` of this run of the script: BizHawk does not close a socket that it gave up, so the
same one may come again while its old one still seems open. BYE in answer to HELLO is answered by BYE, too.

`at=end` is lockstep: the frames go by, then comes the answer. With `at=start` the answer is of before the frames, which
go by while we think. `shot=1` is answered by the core's own picture as PNG, `shot=0` by what INFO tells. Commands are
ASCII, since other bytes do not pass BizHawk's Lua unharmed on their way in.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.bizhawk.consoles import Pad
from kart_pipeline.games.bizhawk.memory import Read

PROTOCOL = 1
LEAST_BIZHAWK = (2, 9)  # before, a picture came without its length
PNG = b"\x89PNG\r\n\x1a\n"
_HELLO = b"HELLO "
_ERROR = b"ERR "


class BadMessageError(Exception):
    """What came is not what the protocol has there; the sentence says what it was."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What BizHawk tells of itself.

    Attributes:
        protocol: that its script speaks.
        bizhawk: its version.
        system: as BizHawk calls it, as N64.
        rom, rom_hash: name and hash of the ROM.
        run: tells this run of the script from others; the same one that says hello again has left its old socket.
        about: everything, for the manifest.
    """

    protocol: int
    bizhawk: str
    system: str
    rom: str
    rom_hash: str
    run: str
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Info:
    """One emulated frame without its picture: see `remote.Seen`."""

    count: int
    numbers: Mapping[str, float]
    held: Pad


def parse_hello(payload: bytes) -> Hello:
    """The first message.

    Raises:
        BadMessageError: it is something else.
    """
    if not payload.startswith(_HELLO):
        raise BadMessageError(f"it began with {payload[:20]!r} instead of HELLO")
    data = _json(payload.removeprefix(_HELLO))
    try:
        return Hello(
            protocol=int(data["protocol"]),
            bizhawk=str(data["bizhawk"]),
            system=str(data["system"]),
            rom=str(data.get("rom", "")),
            rom_hash=str(data.get("hash", "")),
            run=str(data.get("id", "")),
            about=data,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadMessageError(f"its HELLO lacks {error}") from error


def refusal(hello: Hello) -> str:
    """Why we cannot work with this BizHawk, as a sentence; "" where we can."""
    if hello.protocol != PROTOCOL:
        return (
            f"kart.lua in BizHawk speaks protocol {hello.protocol}, this player {PROTOCOL}; take both from the same "
            "release of kart-pipeline."
        )
    version = tuple(int(part) for part in re.findall(r"\d+", hello.bizhawk)[:2])
    if version < LEAST_BIZHAWK:
        return f"BizHawk {hello.bizhawk} is too old; kart.lua needs {'.'.join(map(str, LEAST_BIZHAWK))} or newer."
    if hello.system in ("", "NULL"):
        return "No ROM is open in BizHawk; open one, then run kart.lua again in its Lua Console."
    return ""


def step(pad: Pad | None, frames: int, *, picture: bool, first: bool) -> bytes:
    """The command STEP."""
    fields = [f"n={frames}", f"at={'start' if first else 'end'}", f"shot={picture:d}"]
    if pad is None:
        fields.append("own=1")
    else:
        buttons = {name: held for name, held in pad.items() if isinstance(held, bool)}
        down, up = ([name for name, held in buttons.items() if held is state] for state in (True, False))
        axes = [f"{name}:{value:d}" for name, value in pad.items() if name not in buttons]
        fields += [f"{key}={','.join(items)}" for key, items in (("down", down), ("up", up), ("axes", axes)) if items]
    return _ascii(f"STEP {';'.join(fields)}")


def read(reads: Sequence[Read]) -> bytes:
    """The command READ."""
    return _ascii("READ " + ";".join(f"{one.key}@{one.domain}:{one.address}:{one.type}:{one.order}" for one in reads))


def parse_info(payload: bytes) -> Info:
    """The answer to INFO and its like.

    Raises:
        KartError: BizHawk says that the command failed, and why.
        BadMessageError: it is something else.
    """
    data = parse_json(payload)
    try:
        numbers = {str(key): math.nan if value is None else float(value) for key, value in data["numbers"].items()}
        held = {str(name): value for name, value in data["held"].items()}
        if strange := [value for value in held.values() if not isinstance(value, int)]:
            raise ValueError(f"{strange[0]!r} is neither an axis nor a button")
        return Info(int(data["frame"]), numbers, held)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise BadMessageError(f"{payload[:80]!r} tells of no frame ({error!r})") from error


def parse_json(payload: bytes) -> dict[str, Any]:
    """Any answer that is no picture.

    Raises:
        KartError: BizHawk says that the command failed, and why.
        BadMessageError: it is something else.
    """
    if payload.startswith(_ERROR):
        raise KartError(f"BizHawk: {_json(payload.removeprefix(_ERROR)).get('message')}.".replace("..", "."))
    return _json(payload)


def _json(text: bytes) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessageError(f"{text[:80]!r} is no JSON") from error
    if not isinstance(data, dict):
        raise BadMessageError(f"{text[:80]!r} is no JSON object")
    return data


def words(text: str) -> str:
    """A text as BizHawk can be told it: in one line, of ASCII."""
    return " ".join(text.split()).encode("ascii", "replace").decode()


def _ascii(text: str) -> bytes:
    return text.encode("ascii")
