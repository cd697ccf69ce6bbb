"""What of a drive is kept: corrections with what led there, marked as the model's failure."""

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import Manifest, SessionHeader
from kart_pipeline.core.store import Store
from player.live.recording import FAILURE_S, DriveRecording

SPEC = ActionSpec(("steer",), mirrored_axes=("steer",))
HZ = 10
LEAD = round(FAILURE_S * HZ)


def step(index: int, who: str) -> Step:
    """p: the policy drives; h: the person; r: the person's hands rest; ?: the game is hidden."""
    rgb = np.full((8, 8, 3), index % 256, np.uint8)
    if who in "hr":
        action = SPEC.action(steer=0.5)
        choice = Choice(
            action, "human", action if who == "h" else None, intervention=True, by_hand=frozenset({"steer"})
        )
    else:
        choice = Choice(SPEC.action(steer=-0.5), "policy")
    return Step(index, Frame(rgb, index * 10**9 // HZ), choice)


@pytest.fixture
def drive(tmp_path):
    """Drive a script of one letter a step; the session, and the steps in it."""
    store = Store(tmp_path)

    def go(script: str, keep: str = "corrections") -> tuple[Manifest | None, str]:
        hidden = [False]

        def header() -> SessionHeader:
            return SessionHeader(id="s1", game="karts", rate_hz=HZ, spec=SPEC)

        with DriveRecording(store, header, HZ, keep, lambda: hidden[0]) as recording:
            for index, who in enumerate(script):
                hidden[0] = who == "?"
                recording.on_step(step(index, who))
        if recording.manifest is None:
            assert store.ids() == store.unfinished() == []
            return None, "." * len(script)
        kept = store.open("s1").table(["step"])["step"].to_pylist()
        return recording.manifest, "".join(who if index in kept else "." for index, who in enumerate(script))

    return go


def pauses(manifest: Manifest) -> list[list[int]]:
    return manifest.notes["marks"].get("pauses", [])


def test_a_correction_is_kept_with_what_led_there(drive):
    script = "p" * 50 + "h" * 10 + "p" * 30
    manifest, kept = drive(script)
    assert kept == "." * (50 - LEAD) + "p" * LEAD + "h" * 10 + "." * 30
    assert (manifest.labelled, manifest.interventions) == (10, 10)
    assert manifest.notes["marks"]["failures"] == [[50 - LEAD, 49]]


def test_between_two_corrections_is_a_pause(drive):
    manifest, kept = drive("p" * 30 + "hhh" + "p" * 60 + "hh")
    assert kept == "." * (30 - LEAD) + "p" * LEAD + "hhh" + "." * (60 - LEAD) + "p" * LEAD + "hh"
    assert pauses(manifest) == [[33, 33 + 60 - LEAD - 1]]
    assert manifest.notes["marks"]["failures"] == [[30 - LEAD, 29], [93 - LEAD, 92]]


def test_two_corrections_in_short_order_are_one_stretch(drive):
    manifest, kept = drive("p" * 25 + "hhh" + "p" * 5 + "hh")
    assert kept == "." * 5 + "p" * LEAD + "hhh" + "p" * 5 + "hh"
    assert pauses(manifest) == []
    assert manifest.notes["marks"]["failures"] == [[5, 24], [28, 32]]


def test_hands_that_rest_belong_to_the_correction_and_have_no_label(drive):
    manifest, kept = drive("p" * 3 + "hhrr" + "p")
    assert kept == "ppphhrr."
    assert (manifest.labelled, manifest.interventions) == (2, 4)


def test_a_drive_that_nobody_corrected_leaves_no_session(drive):
    assert drive("p" * 40) == (None, "." * 40)


def test_all_is_all_but_what_was_hidden(drive):
    manifest, kept = drive("pp??pphhpp", keep="all")
    assert kept == "pp..pphhpp"
    assert pauses(manifest) == [[2, 3]]
    assert manifest.notes["marks"]["failures"] == [[0, 5]]


def test_what_was_seen_before_the_game_was_hidden_leads_to_no_correction(drive):
    _, kept = drive("p" * 10 + "??" + "pp" + "hh")
    assert kept == "." * 12 + "pp" + "hh"


def test_a_store_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "store").mkdir()
    store = Store(tmp_path / "store")
    (tmp_path / "store").rmdir()
    (tmp_path / "store").write_text("a file")

    def header() -> SessionHeader:
        return SessionHeader(id="s1", game="karts", rate_hz=HZ, spec=SPEC)

    with (
        pytest.raises(KartError, match="Nothing can be recorded in"),
        DriveRecording(store, header, HZ, "all", lambda: None) as recording,
    ):
        recording.on_step(step(0, "h"))


def test_a_person_who_drives_from_the_beginning_corrects_no_failure(drive):
    manifest, kept = drive("hhh" + "p")
    assert kept == "hhh."
    assert "marks" not in manifest.notes
