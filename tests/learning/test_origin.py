import shutil
import subprocess
from pathlib import Path

import pytest

from kart_pipeline.learning.origin import git_commit, installed, origin_tags

GIT = shutil.which("git") or ""
needs_git = pytest.mark.skipif(not GIT, reason="git is not installed")


def git(folder: Path, *command: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    done = subprocess.run([GIT, "-C", str(folder), *identity, *command], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "code.py").write_text("x = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-qm", "first")
    git(tmp_path, "tag", "v1")
    return tmp_path


@needs_git
def test_a_clean_checkout_is_named_by_its_whole_commit(checkout: Path) -> None:
    assert git_commit(checkout / "code.py") == git(checkout, "rev-parse", "HEAD")


@needs_git
def test_a_checkout_with_changed_files_is_marked(checkout: Path) -> None:
    (checkout / "code.py").write_text("x = 2\n")
    assert git_commit(checkout / "code.py") == git(checkout, "rev-parse", "HEAD") + "-dirty"


@needs_git
def test_a_checkout_that_merely_contains_the_file_does_not_count(checkout: Path) -> None:
    (checkout / "installed.py").write_text("")
    assert git_commit(checkout / "installed.py") == ""


def test_outside_of_any_checkout_there_is_no_commit(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("")
    assert git_commit(tmp_path / "code.py") == ""


def test_tags_name_the_versions_that_decide_a_networks_outputs() -> None:
    tags = origin_tags()
    assert {f"version.{name}" for name in ("tensorflow", "keras", "numpy", "pillow", "mlflow", "python")} <= set(tags)


def test_what_is_not_installed_has_no_version() -> None:
    assert set(installed(("numpy", "no-such-library"))) == {"numpy"}
