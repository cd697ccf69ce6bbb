"""A trained model as a driver."""

import json
import time
import zipfile
from dataclasses import dataclass

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.frame import RGB, Choice, Frame
from kart_pipeline.core.prepare import FrameStack
from kart_pipeline.core.settings import Settings
from kart_pipeline.driving.drivers import Corrected, Driver, has_expert, make_driver
from kart_pipeline.games.base import Game
from kart_pipeline.learning.inference import Predict, predictor
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.package import DriverPackage, load_network, read_package, verify_golden
from kart_pipeline.learning.sheets import visible
from player.hush import start_tensorflow
from player.locate import locate
from player.runtimes import Chosen
from player.stages import INFER, PREPARE, Stages


class Policy:
    """Drives by what a network says of the pictures alone.

    Args:
        name: for scorecards.
        contract: how a frame becomes the network's input, and its output an action.
        predict: from one input, uint8 `contract.input_shape`, to float32 `(len(contract.spec),)`: axes as they are,
            buttons as probabilities.
        stages: gets the time of each preparation and inference.
    """

    def __init__(self, name: str, contract: Contract, predict: Predict, stages: Stages | None = None) -> None:
        self.name = name
        self.contract = contract
        self._predict = predict
        self._stages = Stages() if stages is None else stages
        self._stack = FrameStack(contract)
        self._input: RGB | None = None

    def reset(self) -> None:
        """A new drive begins: no frame of the last one is left in the stack."""
        self._stack.reset()
        self._input = None

    def act(self, frame: Frame) -> Choice:
        """What the network says; never a label, since nobody taught.

        Raises:
            KartError: the frame does not suit the contract's regions, or the network's answer is not finite.
        """
        begin = time.perf_counter_ns()
        self._input = self._stack.push(frame.rgb)
        prepared = time.perf_counter_ns()
        vector = self._predict(self._input)
        self._stages.add(PREPARE, prepared - begin)
        self._stages.add(INFER, time.perf_counter_ns() - prepared)
        return Choice(self.contract.spec.clipped(vector), "policy")

    @property
    def newest(self) -> RGB | None:
        """The network's newest input, uint8 `contract.input_shape`; None before the first."""
        return self._input

    @property
    def seen(self) -> RGB | None:
        """The newest frame as the network saw it, in colours for people, uint8 `(h, w, 3)`; None before the first."""
        newest = self._input  # once, for other threads may ask
        return None if newest is None else visible(newest[..., -self.contract.channels :], self.contract)


def load_policy(uri: str, settings: Settings, *, trust_remote: bool = False, stages: Stages | None = None) -> Policy:
    """Find a model, check it, load it and let its golden frames go the whole way on this machine.

    Args:
        uri: as for `locate`.
        settings: name the tracking store.
        trust_remote: also from other machines.
        stages: gets the times of the policy's drives.

    Raises:
        KartError: there is no such model; or it is refused: without contract or golden frames, with parts that could
            run code, or with golden frames that do not reproduce here.
    """
    located = locate(uri, settings, trust_remote=trust_remote)
    return open_policy(located.name, read_package(located.folder), stages=stages)


def open_policy(
    name: str, package: DriverPackage, *, stages: Stages | None = None, chosen: Chosen | None = None
) -> Policy:
    """The policy of a model whose folder has been looked through; importing TensorFlow takes most of the time.

    Args:
        name: for scorecards.
        package: its files.
        stages: gets the times of the policy's drives.
        chosen: what runs the network; None takes the traced graph, with which the pipeline judges everywhere alike.

    Raises:
        KartError: Keras or the runtime refuses the network, or a golden frame does not reproduce here.
    """
    if chosen is None:
        start_tensorflow()
        predict = predictor(load_network(package), package.contract)
        verify_golden(package, predict)
    else:
        predict = chosen.open(package)
    return Policy(name, package.contract, predict, stages)


def watched_policy(name: str, package: DriverPackage, game: Game) -> Driver:
    """The policy, which drives as it always does; where the game has an expert, its word is the label of each step.

    Raises:
        KartError: as for `open_policy`.
    """
    policy = open_policy(name, package)
    return Corrected(policy, make_driver("expert", game)) if has_expert(game) else policy


@dataclass(frozen=True, slots=True)
class NetworkKind:
    """What `learning.networks.build_network` is told beside the contract.

    Attributes:
        name: of the network.
        bins: of each axis's head; None where an axis is one number.
    """

    name: str = "pilotnet"
    bins: int | None = None


def untrained_policy(contract: Contract, network: NetworkKind | None = None, *, seed: int = 0) -> Policy:
    """The baseline that shows what training is worth: the same network with the random weights that it begins with.

    Raises:
        KartError: there is no such network.
    """
    start_tensorflow()
    import keras

    network = network or NetworkKind()
    keras.utils.set_random_seed(seed)
    built = build_network(network.name, contract, bins=network.bins)
    return Policy("untrained", contract, predictor(built, contract))


def network_kind(package: DriverPackage) -> NetworkKind:
    """The kind of a packaged network, read without loading it: `build_network` names the model and each head."""
    with zipfile.ZipFile(package.network) as archive:
        config = json.loads(archive.read("config.json"))["config"]
    units = {layer["config"]["name"]: layer["config"].get("units", 1) for layer in config["layers"]}
    bins = max((units.get(axis, 1) for axis in package.contract.spec.axes), default=1)
    return NetworkKind(config["name"], bins if bins > 1 else None)
