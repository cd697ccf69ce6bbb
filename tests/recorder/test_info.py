"""What `list` and `info` tell of a store and of a session."""

import json

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.store import Store
from recorder.figures import BINS, describe
from recorder.glance import glance, sparkline

SPEC = ActionSpec(axes=("steer", "throttle"), buttons=("A",), mirrored_axes=("steer",))


def record(
    store: Store, steer: list[float], *, taught: bool = True, ticks: list[int] | None = None, **header: object
) -> None:
    fields = {"id": "s1", "game": "road", "rate_hz": 10, "spec": SPEC} | header
    with store.create(SessionHeader(**fields)) as writer:  # type: ignore[arg-type]
        for tick, value in zip(ticks or range(len(steer)), steer, strict=True):
            label = SPEC.action(steer=value, throttle=0.5, A=value > 0)
            choice = Choice(label if taught else SPEC.neutral(), "expert", label if taught else None)
            writer.append(Step(tick, Frame(np.zeros((4, 6, 3), np.uint8), tick * 100_000_000), choice))
        writer.finish("finished", 3.5)


def test_the_use_of_the_controls_is_summed_up(store: Store) -> None:
    record(store, [0.0, -1.0, -1.0, 0.5, 0.04])
    figures = describe(store.open("s1"))
    steer = figures["axes"]["steer"]
    assert steer["mean"] == pytest.approx((-2 + 0.54) / 5)
    assert (steer["straight"], steer["negative"], steer["positive"]) == pytest.approx((0.4, 0.4, 0.2))
    assert steer["extreme"] == pytest.approx(0.4)
    assert steer["mean_change"] == pytest.approx((1 + 0 + 1.5 + 0.46) / 4)
    assert steer["jumps"] == pytest.approx(0.5)
    assert figures["buttons"] == {"A": pytest.approx(0.4)}
    histogram = figures["steering"]["histogram"]
    assert (len(histogram), sum(histogram)) == (BINS, 5)
    assert (histogram[0], histogram[BINS // 2]) == (2, 2)


def test_missing_steps_and_the_measured_rate_are_told(store: Store) -> None:
    record(store, [0.0] * 4, ticks=[0, 1, 5, 6])
    figures = describe(store.open("s1"))
    assert figures["missing_steps"] == 3
    assert figures["longest_gap_ms"] == 400
    assert figures["measured_hz"] == pytest.approx(5)


def test_a_session_nobody_taught_is_described_by_what_was_done(store: Store) -> None:
    record(store, [0.5] * 3, taught=False)
    figures = describe(store.open("s1"))
    assert figures["described"] == "actions"
    assert figures["axes"]["steer"]["mean"] == 0.0


def test_a_game_of_buttons_alone_is_steered_by_two_of_them(store: Store, run) -> None:
    keys = ActionSpec(axes=(), buttons=("left", "right", "gas"), mirrored_buttons=(("left", "right"),))
    with store.create(SessionHeader(id="s1", game="road", rate_hz=10, spec=keys)) as writer:
        for tick, pressed in enumerate(["left", "left", "gas", "right"]):
            action = keys.action(**{pressed: True})
            frame = Frame(np.zeros((4, 6, 3), np.uint8), tick * 100_000_000)
            writer.append(Step(tick, frame, Choice(action, "human", action)))
        writer.finish("finished", 1.0)
    steering = describe(store.open("s1"))["steering"]
    assert steering["axis"] == "right - left"
    assert (steering["histogram"][0], steering["histogram"][BINS // 2], steering["histogram"][-1]) == (2, 1, 1)
    status, out, _ = run("info", "s1")
    assert status == 0
    assert "left 50.0%, right 25.0%, gas 25.0%" in out


def test_a_session_of_one_step_has_no_rate(store: Store, run) -> None:
    record(store, [0.5])
    assert describe(store.open("s1"))["measured_hz"] is None
    assert run("info", "s1")[0] == 0


def test_info_shows_manifest_figures_and_histogram(store: Store, run) -> None:
    record(store, [0.0, 0.0, -0.5], track="seed-7", driver={"kind": "expert"}, notes={"weather": "[rain] :cloud:"})
    status, out, _ = run("info", "s1")
    assert status == 0
    for told in ("road seed-7", "kind=expert", "finished, score 3.5", "3, 3 labelled", "10.00 Hz measured", "6x4 png"):
        assert told in out
    assert "[rain] :cloud:" in out  # as written: not taken for markup
    bars = {line.split()[0]: line.count("█") for line in out.splitlines() if "█" in line}
    assert bars == {"+0.00": 50, "-0.48": 25}
    told = json.loads(run("info", "s1", "--json")[1])
    assert told["manifest"]["track"] == "seed-7"
    assert told["figures"]["axes"]["steer"]["mean"] == pytest.approx(-1 / 6)


def test_list_shows_every_session_whole_even_in_a_pipe(store: Store, run) -> None:
    ids = [f"20261123-0317{i:02}-a_game_with_quite_a_long_name-9f3a1c" for i in range(3)]
    for session_id in ids:
        record(store, [0.1, 0.2], id=session_id, track="a-rather-long-name-of-a-track")
    status, out, _ = run("list")
    assert status == 0
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ids
    assert lines[-1] == f"3 sessions, 6 steps, 0.0 min in {store.url}"
    told = json.loads(run("list", "--json")[1])
    assert [item["id"] for item in told["sessions"]] == ids
    assert told["unfinished"] == told["recording"] == told["undelivered"] == []


def test_a_damaged_manifest_is_told_by_name(store: Store, run) -> None:
    record(store, [0.1])
    manifest = f"{store.url}/s1/manifest.json"
    with open(manifest, "w") as file:  # noqa: PTH123
        file.write("{")
    status, _, err = run("list")
    assert status == 2
    assert "The manifest of session s1 is damaged" in err


def test_a_list_tells_at_a_glance_how_a_session_steers_whether_it_is_fit_and_what_was_made_of_it(
    store: Store, home, run
) -> None:
    record(store, [-1.0] * 40 + [0.0] * 100 + [1.0] * 20)
    runs = home / "mlartifacts"
    for run_id, version in (("aaaabbbbcccc", 12), ("ddddeeeeffff", 3), ("0123456789ab", None)):
        folder = runs / run_id / "artifacts"
        folder.mkdir(parents=True)
        (folder / "training_set.json").write_text(json.dumps({"sessions": [{"id": "s1"}]}))
        if version:
            (folder / "registered.json").write_text(json.dumps({"name": "kart-road", "version": version}))
    out = run("list")[1]
    assert "▄    █    ▂" in out
    assert "fit, 1 to look at" in out
    assert "kart-road v3, kart-road v12, run 01234567" in " ".join(out.split())
    told = json.loads(run("list", "--json")[1])["sessions"][0]
    assert (told["health"], told["used_by"][0]) == ("fit, 1 to look at", "kart-road v3")
    assert "used by   kart-road v3, kart-road v12, run 01234567" in run("info", "s1")[1]


def test_a_glance_is_kept_until_the_session_or_its_edits_change(store: Store, home, run, monkeypatch) -> None:
    record(store, [-1.0] * 40 + [0.0] * 100)
    first = run("list")[1]
    looked = []
    monkeypatch.setattr("recorder.glance.glance", lambda session: looked.append(session.id) or glance(session))
    assert run("list")[1] == first
    assert looked == []
    run("trim", "s1", "--leave-out", "0-39", "--steps")
    assert "▄    █" in first
    assert "▄    █" not in run("list")[1]
    assert looked == ["s1"]
    (home / "glances.json").write_text("{")
    run("list")
    assert looked == ["s1", "s1"]


def test_a_terminal_without_blocks_gets_ascii() -> None:
    assert sparkline([0, 1, 8], "utf-8") == " ▁█"
    assert sparkline([0, 1, 8], "ascii") == " .@"
    assert sparkline([], None) == ""
