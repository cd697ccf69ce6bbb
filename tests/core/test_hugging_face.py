"""A session's rows are a table of Hugging Face `datasets` as they stand, with pictures."""

from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.store import Store

SPEC = ActionSpec(axes=("steer",), buttons=("A",))


@pytest.mark.parametrize("codec", ["png", "jpeg"])
def test_datasets_shows_a_sessions_frames_as_pictures(tmp_path: Path, hugging_face, codec) -> None:
    store = Store(tmp_path / "sessions")
    with store.create(SessionHeader(id="s1", game="road", spec=SPEC, rate_hz=20.0, codec=codec)) as writer:
        for i in range(4):
            rgb = np.random.default_rng(i).integers(0, 256, (12, 16, 3), np.uint8)
            action = SPEC.action(steer=i / 10, A=i > 1)
            label = action if i else None
            writer.append(Step(i, Frame(rgb, i * 50_000_000, {"speed": 1.5}), Choice(action, "human", label=label)))
    session = store.open("s1")
    loaded = hugging_face.load_dataset(
        "parquet",
        data_files=str(session.local_path / "steps.parquet"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    assert isinstance(loaded.features["frame"], hugging_face.Image)
    assert loaded.column_names == [
        *("step", "t_ns", "frame", "steer", "A", "label_steer", "label_A", "actor", "intervention", "state_speed")
    ]
    for row, step in zip(loaded, session.steps(), strict=True):
        np.testing.assert_array_equal(np.asarray(row["frame"]), step.frame.rgb)
        assert (row["step"], row["t_ns"], row["A"]) == (step.index, step.frame.t_ns, step.choice.action["A"])
        assert (row["label_steer"] is None) == (step.choice.label is None)
