"""`python -m tests.bizhawk.fake --port 43880 --world car`: BizHawk as `lua/kart.lua` sees it, in a real Lua.

Prints a line of JSON whenever what the core gets of the pad changes, what the Lua console is told, and how it ended.
"""

import argparse
import importlib
import itertools
import json
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kart_pipeline.core.frame import RGB
from tests.bizhawk.comm import Comm, HangError
from tests.bizhawk.joypad import Joypad
from tests.bizhawk.worlds import WORLDS, World, png

SCRIPT = Path(__file__).resolve().parents[2] / "lua" / "kart.lua"
_FORMATS = {"u8": ">B", "s8": ">b", "u16": ">H", "s16": ">h", "u32": ">I", "s32": ">i"}
_PRELUDE = "emu.frameadvance = function() coroutine.yield() end"
Say = Callable[[dict[str, Any]], None]


class FakeBizHawk:
    """An emulator with a script in it.

    Args:
        port: where the player listens; 0 is a BizHawk that was started without its flags.
        world: the game.
        lua: 5.3 or 5.4.
        analog: it has `joypad.set_analog`.
        version: of BizHawk.
        system: as BizHawk calls it.
        patience: how long a second of its socket's timeout lasts, in seconds.
        say: gets what is to be known outside.
    """

    def __init__(
        self,
        port: int,
        world: World,
        *,
        lua: str = "5.4",
        analog: bool = False,
        version: str = "2.10",
        system: str = "N64",
        patience: float = 1.0,
        say: Say = lambda _: None,
    ) -> None:
        self.world, self.say = world, say
        self.joypad = Joypad(analog=analog)
        self.frame, self.frameskip, self.limited, self.sound = 0, 1, True, True
        self.invisible = False
        self._picture, self._old = world.picture(), False
        self._states: dict[str, Any] = {}
        self._names = (f"state-{number}" for number in itertools.count())
        self._exit: list[Any] = []
        self._held: dict[str, int | bool] = {}
        self.comm = Comm(port, lambda: png(self._drawn), patience) if port else None
        runtime = importlib.import_module(f"lupa.lua{lua.replace('.', '')}")
        self._lua = runtime.LuaRuntime(encoding="latin-1", unpack_returned_tuples=True)
        self._error = runtime.LuaError
        self._libraries(version, system)
        self._lua.execute(_PRELUDE)
        chunk = self._lua.eval("function(text) return assert(load(text, '=kart.lua')) end")
        self._script: Any = chunk(SCRIPT.read_text(encoding="utf-8")).coroutine()
        self._running = True

    def run(self, frames: float = float("inf"), *, until: Callable[[], bool] = lambda: False, fps: float = 0) -> None:
        """Emulate so many frames, the script with them as long as it runs."""
        end = self.frame + frames
        while self.frame < end and not until():
            self.one_frame()
            if fps and self.limited:
                time.sleep(1 / fps)

    def one_frame(self) -> None:
        """Resume the script until it yields, then emulate a frame."""
        if self._running:
            try:
                self._script.send(None)
            except StopIteration:
                self._ended("ended")
            except self._error as error:
                self._ended(str(error))
        held = self.joypad.effective()
        if held != self._held:
            self._held = held
            self.say({"frame": self.frame, "pad": {name: value for name, value in held.items() if value}})
        self.world.step(held)
        self.frame += 1
        self._old = not self.invisible and (self._old or not self.frameskip or self.frame % 4 == 0)

    @property
    def _drawn(self) -> RGB:
        """The core's picture, which is drawn when it is asked for."""
        if self._old:
            self._picture, self._old = self.world.picture(), False
        return self._picture

    def close(self) -> None:
        """As when its window is closed."""
        if self.comm is not None:
            self.comm.close()

    def _ended(self, how: str) -> None:
        self._running = False
        for function in self._exit:
            function()
        self.say({"script": how})

    def _libraries(self, version: str, system: str) -> None:
        table = self._lua.table_from
        memory = {f"read_{kind}": self._reader(code) for kind, code in _FORMATS.items() if kind in ("u8", "s8")}
        memory |= {f"read_{kind}_be": self._reader(code) for kind, code in _FORMATS.items()}
        memory |= {"readfloat": lambda at, big, domain=None: self._number(">f" if big else "<f", at, domain)}
        libraries: dict[str, dict[str, Any]] = {
            "comm": self.comm.library() if self.comm else _without_socket(),
            "joypad": self.joypad.library(table),
            "emu": {
                "framecount": lambda: self.frame,
                "islagged": lambda: False,
                "getsystemid": lambda: system,
                "limitframerate": lambda on: setattr(self, "limited", on),
            },
            "client": {
                "getversion": lambda: version,
                "bufferwidth": lambda: self._drawn.shape[1],
                "bufferheight": lambda: self._drawn.shape[0],
                "invisibleemulation": lambda on: setattr(self, "invisible", on),
                "SetSoundOn": lambda on: setattr(self, "sound", on),
                "frameskip": lambda number: setattr(self, "frameskip", number),
            },
            "gameinfo": {"getromname": lambda: "A game", "getromhash": lambda: "00"},
            "console": {"log": lambda text: self.say({"console": text})},
            "gui": {"addmessage": lambda _: None},
            "event": {"onexit": self._exit.append},
            "memory": memory,
            "mainmemory": memory,
            "memorysavestate": {
                "savecorestate": lambda: self._save(next(self._names)),
                "loadcorestate": self._load_core,
                "removestate": self._states.pop,
            },
            "savestate": {"save": self._save_file, "load": self._load},
        }
        for name, library in libraries.items():
            self._lua.globals()[name] = table(library)

    def _reader(self, code: str) -> Callable[..., float]:
        return lambda at, domain=None: self._number(code, at, domain)

    def _number(self, code: str, at: int, domain: str | None) -> float:
        if domain not in (None, "RDRAM"):
            raise ValueError(f"unknown memory domain {domain}")
        (value,) = struct.unpack_from(code, self.world.memory(), at)
        return float(value) if code.endswith("f") else int(value)

    def _save(self, name: str) -> str:
        self._states[name] = (self.world.save(), self.frame)
        return name

    def _save_file(self, path: str) -> None:
        Path(path).write_text("a state", encoding="utf-8")
        self._save(path)

    def _load_core(self, name: str) -> None:
        if not self._load(name):  # which is no error
            self.say({"console": "Unable to find the given savestate in memory"})

    def _load(self, name: str) -> bool:
        if name not in self._states:
            return False
        state, self.frame = self._states[name]
        self.world.load(state)
        # Nothing is drawn by that: what a screenshot shows is of some other moment until the next frame.
        self._picture, self._old = np.zeros_like(self._picture), False
        return True


def _without_socket() -> dict[str, Callable[..., Any]]:
    def throws() -> None:
        raise AttributeError("Object reference not set to an instance of an object")

    return {"socketServerIsConnected": throws, "socketServerSend": lambda _: -1, "socketServerResponse": lambda: None}


def main() -> int:
    """Run until killed; 3 where BizHawk would hang."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--world", choices=WORLDS, default="counter")
    parser.add_argument("--lua", default="5.4")
    parser.add_argument("--person", type=json.loads, default={}, help="what the person's own pad does, as JSON")
    parser.add_argument("--analog", action="store_true")
    parser.add_argument("--fps", type=float, default=1000.0)
    given = parser.parse_args()

    def say(what: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()

    emulator = FakeBizHawk(given.port, WORLDS[given.world](), lua=given.lua, analog=given.analog, say=say)
    emulator.joypad.person |= given.person
    try:
        emulator.run(fps=given.fps)
    except HangError:
        say({"hung": True})
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
