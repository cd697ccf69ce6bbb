"""The ways to run a trained network, by name: TensorFlow's graph, XLA, LiteRT, ONNX Runtime. All answer alike."""

from collections.abc import Mapping

from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.runtimes.graph import CompiledGraph, Graph
from kart_pipeline.learning.runtimes.onnx import Onnx
from kart_pipeline.learning.runtimes.runtime import Runtime
from kart_pipeline.learning.runtimes.tflite import LiteRT

DEFAULT = Graph.name  # needs nothing but what trained the network

RUNTIMES: Mapping[str, Runtime] = {runtime.name: runtime for runtime in (Graph(), CompiledGraph(), LiteRT(), Onnx())}


def runtime_named(name: str) -> Runtime:
    """The runtime of that name.

    Raises:
        KartError: there is none.
    """
    if name not in RUNTIMES:
        raise KartError(f"There is no runtime {name!r}; choose one of {', '.join(RUNTIMES)}.")
    return RUNTIMES[name]
