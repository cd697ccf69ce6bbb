"""Which code made a model: the commit, and the versions of what decides a network's outputs."""

import platform
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import kart_pipeline

# Their versions are kept with each run and demanded by each model.
LIBRARIES = ("tensorflow", "keras", "numpy", "pillow", "mlflow")

_COMMIT = "mlflow.source.git.commit"  # MLflow's own name: its UI shows it as the run's version


def origin_tags() -> dict[str, str]:
    """Tags of a run: `version.<library>`, and the commit where this code is a git checkout."""
    tags = {f"version.{name}": version for name, version in installed(("kart-pipeline", *LIBRARIES)).items()}
    tags["version.python"] = platform.python_version()
    if commit := git_commit(Path(kart_pipeline.__file__)):
        tags[_COMMIT] = commit
    return tags


def installed(names: Iterable[str]) -> dict[str, str]:
    """Versions of those of `names` that are installed under that name."""
    found = {}
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def git_commit(file: Path) -> str:
    """The commit of the checkout that tracks `file`, with `-dirty` where files differ from it; else an empty text.

    A checkout that does not track it, because it merely has the environment inside in which `file` is installed, does
    not count.
    """
    git = shutil.which("git")
    if git is None:
        return ""

    def ask(*question: str) -> str | None:
        command = [git, "-C", str(file.parent), *question]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
        return asked.stdout.strip() if asked.returncode == 0 else None

    if ask("ls-files", "--error-unmatch", file.name) is None:
        return ""
    return ask("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*") or ""
