"""What is learned from one real lap of Mario Kart 64, beside constants, split as TensorKart splits it.

    python -m benchmarks.lap FOLDER      a folder of img_N.png and data.csv; about two minutes on 2 cores

The last tenth of the rows is judged and never looked at before; the epoch is chosen on the last fifth of the others.
The figure is TensorKart's loss: the mean over rows of the Euclidean distance over x, y, A, B and RB. It is given for
all rows, and for those until the person lets go for good: after the finish the game drives and turns the camera round,
and who repeats the last action is right for ever.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.machine import machine
from kart_pipeline.core.manifest import Manifest, SessionHeader
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.split import Side
from kart_pipeline.datasets.training_set import TrainingSet, build_training_set
from kart_pipeline.driving.scorecard import bootstrap
from kart_pipeline.games.contracts import Contracts
from kart_pipeline.learning import baselines
from kart_pipeline.learning.evaluation import NETWORK
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.inference import predict_batches
from kart_pipeline.learning.pipeline import ordered_batches
from kart_pipeline.learning.training import train

HELD_OUT, CHOOSING = 0.1, 0.2
AT_REST = 0.05  # of the stick's half range
BLOCK_S = 3.0  # neighbouring rows are much alike: they are resampled in blocks as long as a corner takes
# A median has no use for rare taps of the stick, nor has this loss. Buttons are pressed or not all lap long: their
# cross-entropy would drown the steering.
HYPER = HyperParameters(axis_loss="mae", batch_size=32, epochs=50, patience=50, button_loss_weight=0.1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train on the first nine tenths, judge all predictors on the last."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lap", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with tempfile.TemporaryDirectory() as home:
            _measure(folder, Path(home))
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _measure(folder: Path, home: Path) -> None:
    """Import, split, train, and print the table."""
    from recorder.importers.tensorkart import TensorKart
    from recorder.importing import Options, import_folder
    from recorder.stores import Stores

    stores = Stores.open(str(home / "sessions"))
    options = Options(game="mario_kart_64", track="", rate_hz=3.6, codec=None, session_id="lap")
    [lap] = [imported.manifest for imported in import_folder(TensorKart(), folder, stores, options)]
    contract = Contracts(home / "contracts.toml").contract(lap)
    whole = _set(stores.target, lap, contract, home / "whole", HELD_OUT)
    first = _first_part(stores.target, lap, len(whole.rows("train")))
    chosen = train(_set(stores.target, first, contract, home / "first", CHOOSING), HYPER)

    console = Console()
    console.print(f"{machine()}; epoch {chosen.best_epoch} of {HYPER.epochs}, {chosen.seconds:.0f} s.", soft_wrap=True)
    learned, judged = (_guesses(whole, side, chosen.model) for side in ("train", "val"))
    truth = whole.rows("val").labels
    racing = slice(0, _last_touch(truth) + 1)
    heading = ["", "first 90 %", "last 10 %", "of it while racing", "steering alone while racing (MAE)"]
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)]]
    for name, guess in judged.items():
        first = _distances(learned[name], whole.rows("train").labels).mean()
        far = _distances(guess, truth)
        steer = np.abs(guess[racing, 0] - truth[racing, 0]).mean()
        lines.append([name, *(f"{value:.3f}" for value in (first, far.mean(), far[racing].mean(), steer))])
    for line in lines:
        console.print(f"| {' | '.join(line)} |", highlight=False, soft_wrap=True)
    ours = _distances(judged[NETWORK], truth)
    for name, guess in judged.items():
        if name == NETWORK:
            continue
        for what, rows in (("all", slice(None)), ("racing", racing)):
            gain = (_distances(guess, truth) - ours)[rows]
            low, high = bootstrap(gain, round(BLOCK_S * contract.rate_hz))
            text = f"{NETWORK} against {name} on {len(gain)} rows ({what}): {gain.mean():+.3f}"
            console.print(
                f"{text} (95 % bootstrap interval {low:+.3f} to {high:+.3f}).", highlight=False, soft_wrap=True
            )


def _guesses(whole: TrainingSet, side: Side, model: Any) -> dict[str, npt.NDArray[np.float32]]:
    """What each predictor says to the rows of a side: float32 `(rows, channels)` each."""
    spec = whole.contract.spec
    rows = whole.rows(side)
    learned = whole.rows("train").labels
    constants = {
        "straight": baselines.straight(learned, spec),
        "median": baselines.median(learned, spec),
        "mean": baselines.mean(learned),
    }
    return {
        NETWORK: predict_batches(model, ordered_batches(whole, side, 64), spec),
        **{name: np.broadcast_to(value, rows.labels.shape) for name, value in constants.items()},
        "repeat last": baselines.repeat_last(whole, rows),
    }


def _last_touch(labels: npt.NDArray[np.float32]) -> int:
    """The last row on which a button is down or an axis is out of its rest."""
    return int(np.flatnonzero((np.abs(labels) > AT_REST).any(axis=1))[-1])


def _set(store: Store, manifest: Manifest, contract: Contract, root: Path, val_fraction: float) -> TrainingSet:
    build_frames(store.open(manifest.id), contract, root)
    return build_training_set(root, contract, manifest.game, val_fraction=val_fraction, balance="none")


def _first_part(store: Store, lap: Manifest, rows: int) -> Manifest:
    """A session of its own of the first rows: whatever chooses the epoch cannot see the others."""
    header = SessionHeader(id="first", game=lap.game, rate_hz=lap.rate_hz, spec=lap.spec, codec=lap.codec)
    session = store.open(lap.id)
    with store.create(header) as writer:
        for step, encoded in zip(islice(session.steps(), rows), session.encoded(), strict=False):
            writer.append(step, encoded)
    return store.manifest(header.id)


def _distances(predicted: npt.NDArray[np.floating], true: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    return np.asarray(np.linalg.norm(np.asarray(predicted, np.float64) - true, axis=1))


if __name__ == "__main__":
    sys.exit(main())
