"""A session's rows without pictures, as a training set wants them: what a teacher says belongs to each frame."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.edits import UNEDITED, Edits
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import SessionHeader

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PROGRESS = "state_progress"  # the column of what games call `PROGRESS`: share of the whole race that is done


def steering(spec: ActionSpec) -> str | None:
    """The axis that steers: the first that changes sign in a mirrored picture, else the first; None without axes."""
    return next(iter(spec.mirrored_axes + spec.axes), None)


def directions(labels: Floats, spec: ActionSpec) -> Floats | None:
    """Where each row steers: float32 `(rows,)` from -1, left, to 1, right; None where the spec does not tell.

    Args:
        labels: float32 `(rows, len(spec))`.
        spec: the steering axis is taken; where no axis is mirrored, the first pair of mirrored buttons, the right one
            less the left one.
    """
    if spec.mirrored_buttons and not spec.mirrored_axes:
        left, right = (labels[:, spec.names.index(name)] for name in spec.mirrored_buttons[0])
        return right - left
    axis = steering(spec)
    return labels[:, spec.names.index(axis)] if axis else None


def direction_name(spec: ActionSpec) -> str:
    """What `directions` tells of, for captions; empty where it tells nothing."""
    if spec.mirrored_buttons and not spec.mirrored_axes:
        return " / ".join(spec.mirrored_buttons[0])
    return steering(spec) or ""


def corrections(table: pa.Table) -> Bools:
    """Rows that a teacher corrected: bool `(rows,)`.

    A policy acted and a teacher said what would have been right, or a teacher took the controls.

    Args:
        table: with the columns actor and intervention of a session.
    """
    of_policy = pc.equal(table.column("actor"), "policy")
    told: Bools = pc.or_(of_policy, table.column("intervention")).to_numpy()
    return told


def takeovers(table: pa.Table) -> Bools:
    """Those of the corrections in which a teacher had taken the controls: bool `(rows,)`.

    Args:
        table: with the column intervention of a session.
    """
    taken: Bools = table.column("intervention").to_numpy()
    return taken


def vectors(table: pa.Table, names: Sequence[str]) -> Floats:
    """Columns side by side as float32 `(rows, len(names))`: buttons 0 or 1, NaN where the table has a null."""
    columns = [pc.fill_null(table.column(name).cast(pa.float32()), float("nan")).to_numpy() for name in names]
    return np.stack(columns, axis=1).astype(np.float32, copy=False)


def labelled(labels: Floats) -> Bools:
    """Which rows of `labels` `(rows, channels)` are labels: bool `(rows,)`. NaN in any channel: nobody taught."""
    return np.logical_not(np.isnan(labels).any(axis=1))


def label_shift_ms(contract: Contract, session: SessionHeader) -> float:
    """How much later than a frame of `session` the action was made that is its label; negative: earlier.

    The contract's own delay, and where it says how long an action takes to show in play, as much as that differs from
    how long it took in the session: what was done d before it showed is to be done p before it shows.

    Raises:
        KartError: the contract wants the session's delay, and nobody has measured it.
    """
    if contract.play_delay_ms is None:
        return contract.delay_ms
    return contract.delay_ms + contract.play_delay_ms - _session_delay_ms(session)


def _session_delay_ms(session: SessionHeader) -> float:
    if session.delay_ms is not None:
        return session.delay_ms
    if session.source.get("kind") == "simulated":
        return 1e3 / session.rate_hz  # the game stood still until it was told what to do, and the next frame showed it
    raise KartError(
        f"The contract of {session.game} has a play_delay_ms, but the delay of session {session.id} was not measured. "
        "Run `python -m recorder calibrate` before recording; for this session set delay_ms alone, or leave it out."
    )


def delayed_rows(t_ns: Ints, delay_ms: float, rate_hz: float) -> Ints:
    """For each row the row whose action belongs to its frame: the one nearest to `t_ns + delay`.

    Args:
        t_ns: int64 `(rows,)`, when the frames were made, in ns; must not decrease.
        delay_ms: how much later; negative: earlier.
        rate_hz: the session's steps per second.

    Returns:
        int64 `(rows,)`; -1 where there is no such row: none is less than a period away from that moment, or it lies
        before the recording's beginning or after its end (by more than half a period, which the nearest step may be
        away anyway).
    """
    if not delay_ms:
        return np.arange(len(t_ns))
    period = 1e9 / rate_hz
    wanted = t_ns + round(delay_ms * 1e6)
    after = np.searchsorted(t_ns, wanted).clip(0, len(t_ns) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(wanted - t_ns[before] <= t_ns[after] - wanted, before, after)
    within = (wanted >= t_ns[0] - period / 2) & (wanted <= t_ns[-1] + period / 2)
    exists = (np.abs(t_ns[nearest] - wanted) < period) & within
    return np.where(exists, nearest, -1)


def label_table(
    table: pa.Table, spec: ActionSpec, shift_ms: float, rate_hz: float, kept: Ints, edits: Edits = UNEDITED
) -> pa.Table:
    """What `labels.parquet` holds: one row for each frame of `frames.npy`.

    Args:
        table: all columns of a session but the frames.
        spec: gives the channels.
        shift_ms: how much later than a frame its label was made, see `label_shift_ms`.
        rate_hz: the session's steps per second.
        kept: int64 `(frames,)`, the session's rows that have a frame, ascending.
        edits: what a person has left out: those frames get no label.

    Returns:
        Columns row (0, 1, 2 … as in `frames.npy`), step, t_ns, `<channel>` (the label, float32, NaN where nobody
        taught), `executed_<channel>` (float32), actor, intervention and the game's `state_<name>`.

    Raises:
        KartError: labels are to be shifted and the session's clock runs backwards.
    """
    names = spec.names
    t_ns = table.column("t_ns").to_numpy()
    if shift_ms and len(back := np.flatnonzero(np.diff(t_ns) < 0)):
        step = table.column("step")[int(back[0]) + 1].as_py()
        raise KartError(
            f"The clock runs backwards at step {step}, so no label can be found {shift_ms:g} ms later; "
            "leave the session out or use a contract without delay."
        )
    source = delayed_rows(t_ns, shift_ms, rate_hz)
    labels = vectors(table, [f"label_{name}" for name in names])[source]
    labels[source < 0] = np.nan
    labels[~edits.kept(table.column("step").to_numpy())] = np.nan
    executed = vectors(table, names)
    state = [name for name in table.column_names if name.startswith("state_")]
    rest = table.select(["step", "t_ns", "actor", "intervention", *state]).take(pa.array(kept))
    columns = {
        "row": np.arange(len(kept)),
        "step": rest.column("step"),
        "t_ns": rest.column("t_ns"),
        **{name: labels[kept, i] for i, name in enumerate(names)},
        **{f"executed_{name}": executed[kept, i] for i, name in enumerate(names)},
        **{name: rest.column(name) for name in ("actor", "intervention", *state)},
    }
    return pa.table(columns)
