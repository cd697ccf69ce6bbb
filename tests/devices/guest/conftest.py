"""Gamepads of the guest's kernel, and the two ways in which the recorder reads them."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kernel_pads import DualShock4, KernelPad, UinputPad, sony_by_uinput

from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.pad import PadState
from recorder.devices.choose import PadChoice, choose
from recorder.devices.device import Device
from recorder.devices.settings import PadSettings

BACKENDS = ("sdl", "inputs")
MODELS: dict[str, Callable[[], KernelPad]] = {
    "xbox 360": UinputPad,
    "dualshock 4": DualShock4,
    "sony without its driver": sony_by_uinput,
}


@pytest.fixture(params=MODELS)
def pad(request: pytest.FixtureRequest) -> Iterator[KernelPad]:
    """Each kind of gamepad, plugged in."""
    made = MODELS[request.param]()
    made.plug_in()
    yield made
    made.unplug()


@pytest.fixture
def xbox() -> Iterator[UinputPad]:
    """An X-Box 360 pad, plugged in."""
    made = UinputPad()
    made.plug_in()
    yield made
    made.unplug()


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The ways to read a gamepad."""
    return str(request.param)


@pytest.fixture
def soon() -> Callable[[Callable[[], object]], None]:
    """Waits until something has come about; the guest is slow."""

    def wait(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, "it did not come about within 60 s"
            time.sleep(0.005)

    return wait


class Reader:
    """The recorder's own device."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def now(self) -> PadState:
        """How it stands."""
        return self.device.at(now_ns())


@pytest.fixture
def read(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Reader]]:
    """Opens a device as `--pad` does, with time for a guest that is slow."""
    monkeypatch.setattr("recorder.devices.device._OPEN_S", 120.0)
    opened: list[Device] = []

    def open_device(backend: str, name: str = "") -> Reader:
        opened.append(choose(PadChoice(backend, name), PadSettings.load(home)).device)
        return Reader(opened[-1])

    yield open_device
    for device in opened:
        device.close()
