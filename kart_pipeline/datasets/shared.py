"""Frames and training sets at the other end of a URL, for machines that have no folder in common.

`<url>/frames/<contract>/<session>/` and `<url>/training_sets/<game>/` hold each file under its SHA-256, and
`files.json`, which is written last and says which files are the present ones:

    {"format": 1, "files": {"labels.parquet": {"bytes": 4711, "sha256": "9f3a…"}, …}}

So whoever reads while another machine writes gets the files of one build. Here they are ordinary folders: frames are
mapped into memory from a disk, never over a network.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.fingerprint import Fingerprint, fingerprint
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.remote import Progress, Remote, RemoteError
from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.folders import folder_lock, replaced_folder
from kart_pipeline.datasets.frames_info import FRAMES, INFO, LABELS
from kart_pipeline.datasets.retention import why_dead
from kart_pipeline.datasets.training_set import INDEX, TrainingSet, load_training_set

FILES = "files.json"
FORMAT = 1
OF_FRAMES = (FRAMES, LABELS, INFO)
OF_TRAINING_SET = (INDEX,)
_SHA256 = re.compile(r"[0-9a-f]{64}")

Digests = Mapping[str, tuple[int, str]]  # by file: bytes and SHA-256 (hex)
Told = Callable[[str, int, int], None]  # what is on its way, how many bytes of it have passed, of how many


@dataclass(frozen=True, slots=True)
class DeadThere:
    """Frames at the other end that can go: their folder, why, their bytes, and the files for `Remote.remove`."""

    folder: str
    reason: str
    bytes: int
    paths: tuple[str, ...]


class Shared:
    """What machines share of a datasets folder.

    Args:
        url: any that fsspec knows.
        root: the datasets folder here.

    Raises:
        KartError: no filesystem for such a URL. All methods raise RemoteError where the other end fails.
    """

    def __init__(self, url: str, root: Path) -> None:
        self.remote = Remote(url)
        self._root = root

    def put(self, folder: str, names: Iterable[str], told: Told = lambda *_: None) -> int:
        """Bring the files of a folder there, unless they are; another machine's files are replaced as one.

        Args:
            folder: below the root, such as `frames/<contract>/<session>`.
            names: of its files.
            told: hears how far it is.

        Returns:
            How many bytes had to be sent.
        """
        wanted = {name: fingerprint(self._root / folder / name) for name in names}
        digests = {name: (found.size, found.sha256) for name, found in wanted.items()}
        if self._digests([folder], tuple(wanted)).get(folder) == digests:
            return 0
        stored = self.remote.files(folder).get(folder, {})
        missing = {
            name: found
            for name, found in wanted.items()
            if not self.remote.holds(f"{folder}/{found.sha256}", stored.get(found.sha256), found)
        }
        progress = _adding(f"To {self.remote.url}: {folder}", sum(item.size for item in missing.values()), told)
        for name, found in missing.items():
            self._send(self._root / folder / name, f"{folder}/{found.sha256}", found, progress)
        with tempfile.TemporaryDirectory() as made:
            listing = Path(made) / FILES
            files = {name: {"bytes": size, "sha256": sha256} for name, (size, sha256) in digests.items()}
            listing.write_text(json.dumps({"format": FORMAT, "files": files}, indent=2) + "\n", encoding="utf-8")
            self._send(listing, f"{folder}/{FILES}", fingerprint(listing), lambda _: None)
        return sum(item.size for item in missing.values())

    def fetch(self, folders: Iterable[str], names: tuple[str, ...], told: Told = lambda *_: None) -> int:
        """Make folders here what they are there; one that nobody has brought there is left as it is.

        Args:
            folders: below the root.
            names: the files that each of them has.
            told: hears how far it is.

        Returns:
            How many bytes had to be fetched.

        Raises:
            KartError: what is there is damaged.
        """
        fetched = 0
        for folder, digests in self._digests([*folders], names).items():
            here = self._root / folder
            here.parent.mkdir(parents=True, exist_ok=True)
            with folder_lock(here):
                if not _same(here, digests):
                    fetched += self._fetch(folder, here, digests, told)
        return fetched

    def games(self) -> list[str]:
        """Those that have a training set there, sorted."""
        found = self.remote.files("training_sets").items()
        return sorted(folder.rpartition("/")[2] for folder, files in found if FILES in files)

    def dead_frames(self, live: Mapping[str, str], sessions: Collection[str]) -> Iterator[DeadThere]:
        """Frames there that nobody needs; the arguments are those of `retention.dead_frames`."""
        for folder, files in sorted(self.remote.files("frames").items()):
            _, contract, session = f"{folder}//".split("/")[:3]
            if session and (reason := why_dead(contract, session, live, sessions)):
                # the listing first: without it nobody takes what is left when this is killed
                paths = sorted((f"{folder}/{name}" for name in files), key=lambda path: not path.endswith(FILES))
                yield DeadThere(folder, reason, sum(item.size for item in files.values()), tuple(paths))

    def _send(self, source: Path, path: str, wanted: Fingerprint, progress: Progress) -> None:
        self.remote.put(source, path, progress)
        folder, _, name = path.rpartition("/")
        if not self.remote.holds(path, self.remote.files(folder).get(folder, {}).get(name), wanted):
            raise RemoteError(f"{path} arrived at {self.remote.url} with another digest than it has here; try again.")

    def _fetch(self, folder: str, here: Path, digests: Digests, told: Told) -> int:
        have = {name for name, (_, sha256) in digests.items() if _digest(here / name) == sha256}
        missing = {name: size for name, (size, _) in digests.items() if name not in have}
        progress = _adding(f"From {self.remote.url}: {folder}", sum(missing.values()), told)
        with replaced_folder(here) as temporary:
            for name, (_, sha256) in digests.items():
                if name in have:
                    shutil.copyfile(here / name, temporary / name)
                    continue
                self.remote.fetch(f"{folder}/{sha256}", temporary / name, progress)
                if fingerprint(temporary / name).sha256 != sha256:
                    raise KartError(
                        f"{name} of {folder} at {self.remote.url} is not what was brought there: its digest differs, "
                        "and it was not taken. Delete that folder there and materialise it again."
                    )
        return sum(missing.values())

    def _digests(self, folders: list[str], names: tuple[str, ...]) -> dict[str, Digests]:
        """What is there of each folder; those that are not there are left out."""
        found = self.remote.read_all(f"{folder}/{FILES}" for folder in folders)
        return {path.removesuffix(f"/{FILES}"): _parsed(text, path, names) for path, text in found.items()}


def frames_path(contract_hash: str, session_id: str) -> str:
    """Where the frames of a session are, below the root of both ends."""
    return f"frames/{contract_hash}/{checked_id(session_id)}"


def training_set_path(game: str) -> str:
    """Where the training set of a game is, below the root of both ends."""
    return f"training_sets/{checked_id(game, 'game name')}"


def shared_datasets(settings: Settings) -> Shared | None:
    """What KART_DATASETS names; None where this machine keeps its datasets to itself."""
    return Shared(settings.datasets_url, settings.datasets) if settings.datasets_url else None


def open_training_set(
    settings: Settings, game: str, *, frames: bool = True, told: Told = lambda *_: None
) -> TrainingSet:
    """The training set of a game, from wherever it was built.

    Args:
        settings: the folders.
        game: whose.
        frames: fetch the frames of its sessions too, where they are not here.
        told: hears how far it is.

    Raises:
        KartError: there is none, it is damaged, or the other end fails.
    """
    folder, shared = training_set_path(game), shared_datasets(settings)
    if shared is not None:
        shared.fetch([folder], OF_TRAINING_SET, told)
    examples = load_training_set(settings.datasets / folder / INDEX)
    if shared is not None and frames:
        used = [entry.id for entry in examples.sessions]
        shared.fetch([frames_path(examples.contract.hash, name) for name in used], OF_FRAMES, told)
    return examples


def _parsed(text: bytes, path: str, names: tuple[str, ...]) -> Digests:
    try:
        data = json.loads(text)
        if data["format"] > FORMAT:
            raise KartError(f"{path} in KART_DATASETS is of a newer release; upgrade kart-pipeline.")
        files = {str(name): (item["bytes"], item["sha256"]) for name, item in data["files"].items()}
        if files.keys() != set(names):  # a name from elsewhere must not become a path here
            raise ValueError(f"it names {', '.join(sorted(files))}")
        for size, sha256 in files.values():
            if type(size) is not int or size < 0 or not _SHA256.fullmatch(sha256):
                raise ValueError(f"{size} and {sha256!r} are no size and SHA-256")
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise KartError(
            f"{path} in KART_DATASETS is damaged ({error}); delete that file there and materialise it again."
        ) from error
    return files


def _same(here: Path, digests: Digests) -> bool:
    """Whether a folder holds what it should.

    Frames go by their size, for reading them would cost as much as using them: what they were made from is in the
    small file beside them, and a folder appears as a whole.
    """
    sizes = {name: (here / name).stat().st_size if (here / name).is_file() else -1 for name in digests}
    return all(
        sizes[name] == size and (name == FRAMES or _digest(here / name) == sha256)
        for name, (size, sha256) in digests.items()
    )


def _digest(path: Path) -> str:
    return fingerprint(path).sha256 if path.is_file() else ""


def _adding(what: str, total: int, told: Told) -> Progress:
    """A progress that is told of pieces and tells of their sum."""
    done = 0

    def passed(count: int) -> None:
        nonlocal done
        done += count
        told(what, done, total)

    return passed
