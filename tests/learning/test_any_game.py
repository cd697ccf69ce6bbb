"""The recipe knows nothing of a game: another view and other controls go the whole road, by what is data."""

from pathlib import Path

import pytest

from kart_pipeline.core.store import Store
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.training_set import build_training_set
from kart_pipeline.driving.drivers import make_driver
from kart_pipeline.driving.loop import drive
from kart_pipeline.driving.seeds import PLAYER
from kart_pipeline.games.contracts import Contracts
from kart_pipeline.games.registry import make_game
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.training import train
from player.policy import Policy
from recorder.episode import Plan, record_episode

pytest.importorskip("Box2D")

HYPER = HyperParameters(epochs=1, steps_per_epoch=2, batch_size=8, mirror=0.5, shift=0.05)

# Size, colour and stack of the first network that learned games from pixels (Mnih et al., 2015,
# doi:10.1038/nature14236); the speed bar, which is three pixels wide in the source, becomes a tile of its own.
ANOTHER_VIEW = """
[car_racing]
width = 84
height = 84
colour = "grey"
stack = 4
stride = 2
crop = { left = 0, top = 0, right = 1, bottom = 0.875 }
masks = []
inset = { left = 0.125, top = 0.875, right = 0.16, bottom = 1, width = 12, height = 24 }
"""


@pytest.mark.parametrize(
    ("game", "contracts", "seen", "chosen"),
    [
        ("car_racing", ANOTHER_VIEW, (84 + 24, 84, 4), ("steer", "throttle")),
        ("car_racing_keys", "", (96, 96, 3), ("left", "right", "gas", "brake")),
    ],
    ids=["another view", "other controls"],
)
def test_it_is_recorded_learned_and_driven(
    tmp_path: Path, game: str, contracts: str, seen: tuple[int, ...], chosen: tuple[str, ...]
) -> None:
    (tmp_path / "contracts.toml").write_text(contracts, encoding="utf-8")
    store, datasets = Store(tmp_path / "sessions"), tmp_path / "datasets"
    with make_game(game) as world:
        for seed in (0, 1):
            teacher = make_driver("noisy-expert", world, seed=seed)
            plan = Plan(game, "expert", Path(store.url), max_steps=30)
            record_episode(store, world, teacher, plan, seed, about_driver={"kind": "expert"})

        sessions = [store.open(session_id) for session_id in store.ids()]
        contract = Contracts.load(tmp_path).contract(sessions[0].manifest)
        assert contract.input_shape == seen
        for session in sessions:
            build_frames(session, contract, datasets, threads=1)
        training_set = build_training_set(datasets, contract, game)
        assert len(training_set.rows("train")) == len(training_set.rows("val")) == 30

        result = train(training_set, HYPER)
        assert set(result.model.output) == set(chosen)
        policy = Policy("learned", contract, predictor(result.model, contract))
        assert drive(world, policy, seed=PLAYER[0], max_steps=5).steps == 5
