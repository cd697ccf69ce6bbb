"""Sessions to hand on."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.session import Session
from kart_pipeline.core.store import Store
from kart_pipeline.games.controls import N64_SPEC

MakeSession = Callable[..., Session]


@pytest.fixture
def make_session(store: Store) -> MakeSession:
    """A session of noise, with an action for each step that is named; the steps in `alone` are a policy's."""

    def make(
        session_id: str = "s1",
        steps: Sequence[int] = range(6),
        *,
        spec: ActionSpec = N64_SPEC,
        size: tuple[int, int] = (16, 12),
        alone: Sequence[int] = (),
        state: bool = False,
        **header,
    ) -> Session:
        told = {"game": "mario_kart_64", "track": "luigi-raceway", "rate_hz": 20.0, "codec": "png"} | header
        with store.create(SessionHeader(id=session_id, spec=spec, **told)) as writer:
            for i in steps:
                rng = np.random.default_rng(i)
                rgb = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
                axes = tuple(float(np.float32(value)) for value in rng.uniform(-1, 1, len(spec.axes)))
                buttons = tuple(bool(value) for value in rng.integers(0, 2, len(spec.buttons)))
                action = Action(spec, axes, buttons)
                choice = Choice(action, "policy") if i in alone else Choice(action, "human", label=action)
                frame = Frame(rgb, round(i * 1e9 / told["rate_hz"]), {"speed": i / 2} if state else {})
                writer.append(Step(i, frame, choice))
        return store.open(session_id)

    return make
