"""To a LeRobot dataset, format v3.0, with the frames as pictures in its rows.

Layout: meta/info.json, meta/stats.json, meta/tasks.parquet, meta/episodes/ and data/ with chunk-NNN/file-NNN.parquet,
as huggingface/lerobot documents and its `LeRobotDataset` reads. A time there is a row's number in its episode over the
rate, so that each stretch of a session without a missing step is an episode. Rows without a teacher's label have the
executed action, and `taught` false.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kart_pipeline.core.durable import write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.session import Session
from recorder.exporters.base import Exported, Exporter, Told, decodable, rows
from recorder.exporters.lerobot_files import CHUNK_FILES, DATA_MB, DATA_PATH, DataFiles, write_episodes, write_tasks
from recorder.exporters.lerobot_stats import EpisodeStats, to_json

VERSION = "v3.0"
SCREEN = "observation.images.screen"
_INDICES = ("frame_index", "episode_index", "index", "task_index")


class LeRobot(Exporter):
    """One dataset of all sessions: of one game, one size of picture and one rate."""

    name = "lerobot"

    def check(self, sessions: Sequence[Session]) -> None:
        """See `Exporter.check`."""
        first = sessions[0].manifest
        for session in sessions[1:]:
            one = session.manifest
            for what, ours, theirs in (
                ("controls", one.spec.names, first.spec.names),
                ("pictures", f"{one.width}x{one.height}", f"{first.width}x{first.height}"),
                ("a rate of", f"{one.rate_hz:.4g} Hz", f"{first.rate_hz:.4g} Hz"),
            ):
                if ours != theirs:
                    raise KartError(
                        f"One LeRobot dataset cannot hold both: session {one.id} has {what} {_said(ours)}, "
                        f"{first.id} has {_said(theirs)}. Export them to a folder each."
                    )

    def write(self, sessions: Sequence[Session], folder: Path, told: Told) -> list[str]:
        """See `Exporter.write`."""
        features = _features(sessions)
        tasks: dict[str, int] = {}
        episodes: list[dict[str, Any]] = []
        everything = EpisodeStats()
        with DataFiles(folder, features) as files:
            for session in sessions:
                task = f"drive {session.manifest.game} {session.manifest.track}".strip()
                maker = _Episodes(session, features, files, tasks.setdefault(task, len(tasks)), len(episodes))
                for row in rows(session, told):
                    maker.add(row)
                maker.end()
                for episode, stats in maker.made:
                    everything.merge(stats)
                    episodes.append(episode | {"tasks": [task], "stats": stats.to_dict()})
        if not episodes:
            raise KartError("No session has a frame that could be exported.")
        write_episodes(folder, episodes)
        write_tasks(folder, tasks)
        write_json(folder / "meta/stats.json", to_json(everything.to_dict()))
        write_json(folder / "meta/info.json", _info(sessions, features, episodes, len(tasks)))
        frames = sum(episode["length"] for episode in episodes)
        told_lines = [f"frames: {frames}, episodes: {len(episodes)}, sessions: {len(sessions)}"]
        if len(episodes) > len(sessions):
            told_lines.append("A session with missing steps is several episodes: LeRobot's rows have no gaps.")
        return told_lines


def _said(value: Any) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _features(sessions: Sequence[Session]) -> dict[str, dict[str, Any]]:
    manifest = sessions[0].manifest
    names = list(manifest.spec.names)

    def of(dtype: str, shape: list[int], names: list[str] | None = None) -> dict[str, Any]:
        return {"dtype": dtype, "shape": shape, "names": names}

    state = _whole_state(sessions)
    return {
        SCREEN: of("image", [manifest.height, manifest.width, 3], ["height", "width", "channels"]),
        **({"observation.state": of("float32", [len(state)], state)} if state else {}),
        "action": of("float32", [len(names)], names),
        "executed": of("float32", [len(names)], names),
        "taught": of("bool", [1]),
        "intervention": of("bool", [1]),
        "timestamp": of("float32", [1]),
        **{name: of("int64", [1]) for name in _INDICES},
    }


def _whole_state(sessions: Sequence[Session]) -> list[str]:
    """Names of what the game told in every row of every session."""
    common = [name for name in sessions[0].manifest.state if all(name in one.manifest.state for one in sessions)]
    for session in sessions:
        table = session.table([f"state_{name}" for name in common])
        common = [name for name in common if not table[f"state_{name}"].null_count]
    return common


def _info(
    sessions: Sequence[Session], features: Mapping[str, Any], episodes: Sequence[Mapping[str, Any]], tasks: int
) -> dict[str, Any]:
    manifest = sessions[0].manifest
    return {
        "codebase_version": VERSION,
        "robot_type": manifest.game,
        "total_episodes": len(episodes),
        "total_frames": sum(episode["length"] for episode in episodes),
        "total_tasks": tasks,
        "chunks_size": CHUNK_FILES,
        "data_files_size_in_mb": DATA_MB,
        "video_files_size_in_mb": 200,  # of which there are none
        "fps": _fps(manifest.rate_hz),
        "splits": {"train": f"0:{len(episodes)}"},
        "data_path": DATA_PATH,
        "video_path": None,
        "features": features,
    }


def _fps(rate_hz: float) -> int | float:
    """A whole number where the rate is one, as LeRobot itself writes it."""
    return round(rate_hz) if abs(rate_hz - round(rate_hz)) < 1e-6 else rate_hz


class _Episodes:
    """Makes episodes of the rows of one session."""

    def __init__(self, session: Session, features: Mapping[str, Any], files: DataFiles, task: int, first: int) -> None:
        self.made: list[tuple[dict[str, Any], EpisodeStats]] = []
        self._session, self._features, self._files, self._task, self._first = session, features, files, task, first
        self._stats = EpisodeStats()
        self._length = 0
        self._before: int | None = None

    def add(self, row: Exported) -> None:
        """The next row; after a gap it begins an episode."""
        if self._before is not None and row.step != self._before + 1:
            self.end()
        if not self._length:
            self._files.begin_episode()
        self._before = row.step
        values = self._values(row)
        self._files.add(values | {SCREEN: {"bytes": row.picture, "path": None}})
        self._stats.add(values)
        if self._stats.wants_picture(self._length):
            rgb = decodable(row.picture, self._session, row.step)
            self._stats.add_picture(SCREEN, np.asarray(rgb))
        self._length += 1

    def _values(self, row: Exported) -> dict[str, Any]:
        state = (self._features.get("observation.state") or {}).get("names") or []
        values: dict[str, Any] = {
            "observation.state": [row.row[f"state_{name}"] for name in state],
            "action": row.executed if row.label is None else row.label,
            "executed": row.executed,
            "taught": row.label is not None,
            "intervention": row.row["intervention"],
            "timestamp": self._length / self._session.manifest.rate_hz,
            "frame_index": self._length,
            "episode_index": self._first + len(self.made),
            "index": self._files.rows,
            "task_index": self._task,
        }
        # what has one element is no list there
        return {name: _lone(values[name]) for name in self._features if name in values}

    def end(self) -> None:
        """The episode is over, where one was begun."""
        if not self._length:
            return
        chunk, file = self._files.at
        episode = {
            "episode_index": self._first + len(self.made),
            "length": self._length,
            "data/chunk_index": chunk,
            "data/file_index": file,
            "dataset_from_index": self._files.rows - self._length,
            "dataset_to_index": self._files.rows,
        }
        self._stats.seal()
        self.made.append((episode, self._stats))
        self._stats, self._length, self._before = EpisodeStats(), 0, None


def _lone(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value
