"""All figures of a training run, by name, in full size; `drawing.shrunk` makes one fit where there is little room."""

import numpy as np

from kart_pipeline.datasets.labels import direction_name, directions
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning import analysis, figures
from kart_pipeline.learning.pipeline import BatchReader
from kart_pipeline.learning.saliency import influence
from kart_pipeline.learning.sheets import contact_sheet
from kart_pipeline.learning.training import TrainingResult

_SHEET_FRAMES = 12
_LOOKED_AT = 6  # inputs: each costs 145 answers of the network
_USUAL = 64  # inputs whose mean is what a place usually shows


def result_figures(result: TrainingResult, training_set: TrainingSet) -> dict[str, bytes]:
    """All figures of a run as PNG by name."""
    contract = training_set.contract
    rows = training_set.rows("val")
    made = {
        "loss": figures.loss_curves(result.history, result.best_epoch),
        "predicted_against_true": figures.predicted_against_true(
            rows.labels, result.predicted, contract.spec, contract.rate_hz
        ),
        "where_it_looks": looks(result, training_set),
        "training_inputs": sample_inputs(training_set),
    }
    if contract.spec.buttons:
        made["button_confusion"] = analysis.button_confusion(rows.labels, result.predicted, contract.spec)
    if training_set.steering is not None:
        made["error_by_direction"] = analysis.error_by_direction(rows.labels, result.predicted, contract.spec)
        made["steering"] = figures.steering_histogram(training_set.steering, direction_name(contract.spec))
    return made


def sample_inputs(training_set: TrainingSet) -> bytes:
    """A contact sheet of training rows from the first to the last, as the network sees them."""
    rows = training_set.rows("train")
    pick = _spread(0, len(rows) - 1, _SHEET_FRAMES)
    frames = BatchReader(training_set).read(rows.session_index[pick], rows.row[pick])
    columns = max(1, 4 // training_set.contract.stack)
    return contact_sheet(frames, training_set.contract, rows.labels[pick], columns)


def looks(result: TrainingResult, training_set: TrainingSet) -> bytes:
    """What the network's answers depend on, in held-out inputs from the hardest left turn to the hardest right one."""
    contract, rows = training_set.contract, training_set.rows("val")
    way = directions(rows.labels, contract.spec)
    order = np.arange(len(rows)) if way is None else np.argsort(way, kind="stable")
    margin = len(rows) // 50  # the very hardest turns are mostly mistakes
    pick = order[_spread(margin, len(rows) - 1 - margin, _LOOKED_AT)]
    usual = _spread(0, len(rows) - 1, _USUAL)
    reader = BatchReader(training_set)
    images = reader.read(rows.session_index[pick], rows.row[pick])
    mean_of = reader.read(rows.session_index[usual], rows.row[usual])
    return analysis.where_it_looks(
        images,
        influence(result.model, images, mean_of, contract),
        rows.labels[pick],
        result.predicted[pick],
        contract,
    )


def _spread(first: int, last: int, most: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.linspace(first, last, min(most, last - first + 1)).round().astype(np.int64)
