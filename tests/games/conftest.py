"""The games that are not installed with us."""

import shutil

import pytest


@pytest.fixture
def supertuxkart() -> None:
    """For tests that start the real game."""
    if not (shutil.which("supertuxkart") or shutil.which("supertuxkart", path="/usr/games")):
        pytest.skip("SuperTuxKart is not installed: apt-get install supertuxkart (660 MB)")
    if not shutil.which("Xvfb"):
        pytest.skip("there is no Xvfb to show the game on: apt-get install xvfb")
    pytest.importorskip("Xlib", reason="python-xlib is for Linux only")
