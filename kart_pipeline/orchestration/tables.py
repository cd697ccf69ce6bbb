"""Metadata for people: tables and links as Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from kart_pipeline.datasets.entries import SessionEntry

MOST_ROWS = 50  # a longer table would only fill Dagster's event log

_SIDES = {"train": "learned from", "val": "held out", "both": "its end is held out", "none": "-"}


def present(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that have a value, numbers to four places."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in metadata.items()}
    return {name: value for name, value in rounded.items() if value is not None}


def sessions(entries: Sequence[SessionEntry]) -> dg.MarkdownMetadataValue:
    """The sessions of a training set with their sides."""
    return table(
        ("session", "group", "side", "rows", "of them corrections"),
        [
            (entry.id, entry.group, _SIDES[entry.split], str(entry.rows), str(entry.corrections or "-"))
            for entry in entries
        ],
    )


def reasons(left_out: Mapping[str, str]) -> dg.MarkdownMetadataValue | None:
    """What was left out, and why; None where nothing was."""
    return table(("session", "reason"), sorted(left_out.items())) if left_out else None


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> dg.MarkdownMetadataValue:
    """A Markdown table of at most `MOST_ROWS` rows, and how many more there are."""
    rows = list(rows)
    shown = rows[:MOST_ROWS]
    lines = [heading, ["---"] * len(heading), *([cell.replace("|", r"\|") for cell in row] for row in shown)]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    more = f"\n\n… and {len(rows) - len(shown)} more" if len(rows) > len(shown) else ""
    return dg.MetadataValue.md(text + more)


def mlflow_link(tracking_uri: str, experiment: str, run: str, *files: str) -> dg.MarkdownMetadataValue:
    """A link to a run or its files: on the tracking server, or where `mlflow ui` serves a database on this machine.

    Args:
        tracking_uri: of the store.
        experiment: its id.
        run: its id.
        *files: paths of artifacts, each of which gets a link; without any the run itself does.
    """
    shown = _without_password(tracking_uri)
    served = urlsplit(tracking_uri).scheme in ("http", "https")
    page = f"{shown.rstrip('/') if served else 'http://127.0.0.1:5000'}/#/experiments/{experiment}/runs/{run}"
    links = [f"[{file}]({page}/artifacts/{file})" for file in files] or [f"[{run}]({page})"]
    how = "" if served else f" (while `mlflow ui --backend-store-uri {shown}` runs)"
    return dg.MetadataValue.md(", ".join(links) + how)


def _without_password(uri: str) -> str:
    parts = urlsplit(uri)
    return uri.replace(f":{parts.password}@", ":***@") if parts.password else uri
