"""One session on the terminal: its manifest, its rate and how the controls were used."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from kart_pipeline.core.edits import Edits
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.settings import Settings
from recorder.delay.kept import NOTE, delay_line
from recorder.display import cadence_line, console, print_json
from recorder.figures import BINS, EXTREME, JUMP, STRAIGHT, describe
from recorder.glance import glance
from recorder.stores import Stores
from recorder.usage import used_by


def session_info(stores: Stores, settings: Settings, session_id: str, *, as_json: bool) -> None:
    """Print one session's manifest and figures.

    Raises:
        KartError: there is no such finished session, or it cannot be read.
    """
    session = stores.target.open(session_id)
    manifest, figures, edits = session.manifest, describe(session), session.edits
    seen, used = glance(session), used_by(settings).get(session_id, [])
    if as_json:
        told = {"manifest": manifest.to_dict(), "figures": figures, "edits": edits.to_dict()}
        print_json({**told, "health": seen.health, "used_by": used})
    else:
        facts = _facts(stores, manifest, figures, edits)
        facts.add_row("health", f"{seen.health}; `python -m recorder doctor {session_id}` says more")
        facts.add_row("used by", ", ".join(used) or "nothing yet")
        console().print(Group(facts, "", *_controls(figures)))


def _facts(stores: Stores, manifest: Manifest, figures: dict[str, Any], edits: Edits) -> Table:
    measured = figures["measured_hz"]
    megabytes = stores.megabytes(manifest.id)
    lines = {
        "session": manifest.id,
        "game": f"{manifest.game} {manifest.track}".strip(),
        "driver": _mapping(manifest.driver),
        "source": _mapping(manifest.source),
        "recorded": f"{manifest.started_at} with kart-pipeline {manifest.recorder_version}",
        "ended": manifest.ended if manifest.score is None else f"{manifest.ended}, score {manifest.score:.1f}",
        "steps": f"{manifest.steps}, {manifest.labelled} labelled, {manifest.interventions} in interventions",
        "length": f"{manifest.duration_s:.1f} s",
        "rate": f"{manifest.rate_hz:g} Hz aimed at"
        + (f", {measured:.2f} Hz measured" if measured else "")
        + f"; longest gap {figures['longest_gap_ms']:.0f} ms, {figures['missing_steps']} steps missing"
        + (f", {figures['left_out_steps']} paused or cut" if figures["left_out_steps"] else ""),
        "delay": delay_line(manifest),
        "cadence": cadence_line(manifest.notes.get("cadence")),
        "frames": f"{manifest.width}x{manifest.height} {manifest.codec}"
        + (f", CRF {manifest.crf}" if manifest.is_video else "")
        + (f", {megabytes:.1f} MB, {megabytes * 1e6 / manifest.steps:.0f} bytes a step" if megabytes else ""),
        "state": ", ".join(manifest.state),
        "host": _mapping(manifest.host),
        "digest": manifest.digest,
        "notes": _mapping({k: v for k, v in manifest.notes.items() if k not in ("cadence", "left_out", NOTE) and v}),
        "by hand": ", ".join(f"steps {first} to {last} left out" for first, last in edits.left_out),
        "left out": ", ".join(f"line {item['line']} ({item['reason']})" for item in manifest.notes.get("left_out", [])),
    }
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in lines.items():
        if text:
            table.add_row(name, text)
    return table


def _mapping(data: Any) -> str:
    return ", ".join(f"{key}={_mapping(value) if isinstance(value, dict) else value}" for key, value in data.items())


def _controls(figures: dict[str, Any]) -> list[RenderableType]:
    axes = Table(box=None, pad_edge=False)
    axes.add_column(figures["described"], no_wrap=True)
    heads = ["mean", "std", f"|x|<{STRAIGHT}", "left/down", "right/up", f"|x|>{EXTREME}", "mean |Δ|", f"|Δ|>{JUMP}"]
    for head in heads:
        axes.add_column(head, justify="right", no_wrap=True)
    for name, axis in figures["axes"].items():
        shares = {"straight", "negative", "positive", "extreme", "jumps"}
        cells = [f"{value:.1%}" if key in shares else f"{value:.3f}" for key, value in axis.items()]
        axes.add_row(name, *cells)
    parts: list[RenderableType] = [axes]
    if figures["buttons"]:
        parts.append("pressed  " + ", ".join(f"{name} {share:.1%}" for name, share in figures["buttons"].items()))
    return [*parts, "", *_histogram(figures["steering"])]


def _histogram(steering: dict[str, Any]) -> list[str]:
    """One line a bin, the longest 50 characters long."""
    counts = steering["histogram"]
    most = max(counts) or 1
    lines = [f"{steering['axis']} (left -1, right +1)"]
    for i, count in enumerate(counts):
        centre = (2 * i + 1) / BINS - 1
        lines.append(f"{centre:+.2f} {'█' * round(50 * count / most)} {count or ''}")
    return lines
