"""TensorFlow itself: the traced graph as it is, or compiled by XLA. Both come with TensorFlow."""

from pathlib import Path

from kart_pipeline.learning.inference import Predict, predictor
from kart_pipeline.learning.package import DriverPackage, load_network
from kart_pipeline.learning.runtimes.runtime import TENSORFLOW, Runtime


class Graph(Runtime):
    """`inference.predictor`: the network as it was trained, in a `tf.function`."""

    name = "keras"
    title = "Keras tf.function"
    extra = "player"
    needs = TENSORFLOW
    xla = False

    def _open(self, package: DriverPackage, folder: Path) -> Predict:  # noqa: ARG002 - nothing is converted
        return predictor(load_network(package), package.contract, xla=self.xla)


class CompiledGraph(Graph):
    """The same, compiled at each start: TensorFlow does not keep what XLA made of a `tf.function`."""

    name = "xla"
    title = "XLA"
    xla = True
