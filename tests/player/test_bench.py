"""What `python -m player bench` measures, keeps and tells, and which runtime drives after it."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.package import read_package
from kart_pipeline.learning.runtimes import RUNTIMES
from kart_pipeline.learning.runtimes.kept import folder_of, save_bench
from kart_pipeline.learning.runtimes.measuring import Latency, Measured
from player.apart import apart
from player.bench import Bench
from player.cli import main
from player.commands.bench import show
from player.policy import open_policy
from player.runtimes import choose

PREPARE = Latency(100, 0.5, 0.8, 1.0, 2.0)


@pytest.fixture
def settings(shelf, tmp_path):
    """The shelf's models, in a home where nothing is known of their runtimes."""
    return replace(shelf.settings, home=tmp_path)


def bench_of(p99_ms: float, rate_hz: float = 50.0) -> Bench:
    measured = Measured("keras", Latency(100, 0.5, 0.8, p99_ms, 30.0), 5.0, 700.0, 0.0)
    return Bench("racer v1", rate_hz, PREPARE, {"keras": measured}, {}, {"onnx": "It needs onnxruntime."})


@pytest.mark.parametrize(
    ("p99_ms", "words"),
    [
        (2.0, "can be held"),
        (9.0, "can be held"),
        (9.5, "is hardly held"),
        (18.9, "is hardly held"),
        (19.0, "cannot be"),
    ],
)
def test_preparing_and_answering_within_half_a_period_holds_the_rate(p99_ms, words):
    found = bench_of(p99_ms)
    assert f"The rate {words}" in found.verdict(found.measured["keras"])


def test_a_person_sees_figures_problems_the_recommendation_and_the_verdict():
    out = io.StringIO()
    show(bench_of(2.0), Console(file=out, width=140))
    told = out.getvalue()
    for text in ("Keras tf.function (keras) *", "2.00", "It needs onnxruntime.", "Best here", "17.0 ms are left"):
        assert text in told


@pytest.mark.e2e
def test_a_bench_is_kept_and_its_best_runtime_drives_from_then_on(shelf, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("KART_HOME", str(tmp_path))
    wishes = ["bench", "--model-uri", str(shelf.folder), "--seconds", "0.1", "--runtimes", "tflite", "--json"]
    assert main(wishes) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["recommended"] == "tflite"
    figures = told["runtimes"]["tflite"]
    assert figures["latency"]["count"] >= 100
    assert figures["converted_s"] > 0 < figures["start_s"]
    assert figures["memory_mb"] > 10
    assert figures["difference"] < 1e-4
    package = read_package(shelf.folder)
    chosen = choose("auto", package, replace(shelf.settings, home=tmp_path))
    assert chosen.runtime.name == "tflite"
    assert open_policy("racer", package, chosen=chosen).contract == package.contract


def test_without_a_bench_the_traced_graph_drives_and_the_bench_is_named(shelf, settings):
    chosen = choose("auto", read_package(shelf.folder), settings)
    assert chosen.runtime.name == "keras"
    assert "python -m player bench" in chosen.why


def test_a_recommended_runtime_that_is_gone_is_told(shelf, settings, monkeypatch):
    package = read_package(shelf.folder)
    save_bench(folder_of(settings.home, package), {"recommended": "onnx"})
    monkeypatch.setattr(type(RUNTIMES["onnx"]), "absent", lambda _: "ONNX is gone.")
    chosen = choose("auto", package, settings)
    assert chosen.runtime.name == "keras"
    assert "not as the bench recommends. ONNX is gone." in chosen.why
    with pytest.raises(KartError, match="ONNX is gone"):
        choose("onnx", package, settings)


def test_a_runtime_that_is_asked_for_is_taken_whatever_the_bench_says(shelf, settings):
    package = read_package(shelf.folder)
    save_bench(folder_of(settings.home, package), {"recommended": "onnx"})
    assert choose("xla", package, settings).runtime.name == "xla"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--runtimes", "torch"], "no runtime 'torch'"),
        (["--seconds", "0"], "--seconds is above 0"),
        (["--model-uri", "models:/nobody@champion"], "these exist"),
    ],
)
def test_a_mistake_is_one_sentence(shelf, monkeypatch, capfd, words, sentence):
    monkeypatch.setenv("KART_HOME", str(shelf.settings.home))
    assert main(["bench", "--model-uri", str(shelf.folder), *words]) == 2
    out, err = capfd.readouterr()
    assert sentence in err.strip().splitlines()[-1]
    assert out == ""


def test_what_breaks_in_a_process_of_its_own_is_told_here():
    assert apart(max, 3, 4) == 4
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        apart(divmod, 1, 0)
    with pytest.raises(KartError, match="ended by itself"):
        import os

        apart(os._exit, 3)
    with pytest.raises(KartError, match="no runtime 'torch'"):
        from kart_pipeline.learning.runtimes import runtime_named

        apart(runtime_named, "torch")
