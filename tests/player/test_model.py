"""Real models from a real MLflow store: found, checked, loaded, and refused where somebody changed them."""

import json
import os
import pickle
import shutil
import zipfile
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.loop import drive
from kart_pipeline.driving.scoring import score
from kart_pipeline.games.car_racing import CarRacing
from kart_pipeline.games.registry import default_contract
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.package import read_package
from player.policy import NetworkKind, Policy, load_policy, network_kind, open_policy, untrained_policy, watched_policy


@pytest.fixture
def copy(shelf, tmp_path):
    """The model's folder, to be tampered with."""
    return shutil.copytree(shelf.folder, tmp_path / "model")


@pytest.mark.parametrize(
    "uri",
    ["{d.uri}", "models:/{d.model_id}", "models:/{d.name}/{d.version}", "models:/{d.name}@champion"],
)
def test_the_model_drives_the_real_game_by_any_of_its_uris(shelf, uri):
    policy = load_policy(uri.format(d=shelf.driver), shelf.settings)
    with CarRacing() as game:
        result = drive(game, policy, seed=5, max_steps=5)
    assert result.steps == 5


def test_the_same_frames_give_the_same_actions_as_the_trained_network(shelf):
    import keras

    policy = load_policy(shelf.driver.uri, shelf.settings)
    network = keras.saving.load_model(shelf.folder / "data" / "model.keras", compile=False)
    with CarRacing() as game:
        frame = game.reset(9)
        policy.reset()
        action = policy.act(frame).action
        heads = network(policy._input[None], training=False)
    expected = [float(np.clip(heads[name][0, 0], -1, 1)) for name in game.spec.names]
    assert [action[name] for name in game.spec.names] == pytest.approx(expected, abs=1e-5)


def test_a_watched_policy_drives_as_it_does_alone_and_tells_what_the_expert_would_do(shelf):
    package = read_package(shelf.folder)
    watched = partial(watched_policy, "m", package)
    watched = pickle.loads(pickle.dumps(watched))  # noqa: S301 - as another process gets it
    traces = []

    def alone(game):
        return open_policy("m", package)

    cards = [score(CarRacing, make, [5], max_steps=25, traced=traces.append, workers=1) for make in (alone, watched)]
    assert cards[0].drives[0].score == cards[1].drives[0].score
    for name in ("x", "y", "steer"):
        np.testing.assert_array_equal(getattr(traces[0], name), getattr(traces[1], name))
    assert np.isnan(traces[0].label).all()
    assert not np.isnan(traces[1].label).any()


def test_where_nobody_knows_the_way_a_policy_drives_unwatched(shelf):
    class Unknown(CarRacing):
        def expert(self):
            raise KartError("nobody")

    with Unknown() as game:
        assert isinstance(watched_policy("m", read_package(shelf.folder), game), Policy)


def test_opening_a_model_changes_nothing_in_the_store(shelf):
    def files():
        return {path: path.stat().st_mtime_ns for path in shelf.folder.rglob("*")}

    before = files()
    load_policy(f"models:/{shelf.driver.name}@champion", shelf.settings)
    assert files() == before


def remove(name):
    return lambda folder: (folder / name).unlink()


def add(name, content=b"cbuiltins\nprint\n(S'run'\ntR."):
    def tamper(folder):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return tamper


def change_golden(array, change):
    def tamper(folder):
        path = folder / "driver" / "golden.npz"
        with np.load(path) as arrays:
            changed = dict(arrays)
        changed[array] = change(changed[array])
        np.savez_compressed(path, **changed)

    return tamper


def change_weights(folder):
    import keras

    path = folder / "data" / "model.keras"
    model = keras.saving.load_model(path, compile=False)
    kernel = model.get_layer("steer").kernel
    kernel.assign(kernel + 0.3)
    model.save(path)


def change_contract(**changes):
    def tamper(folder):
        path = folder / "driver" / "contract.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return tamper


def replace_in_mlmodel(old, new):
    def tamper(folder):
        path = folder / "MLmodel"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return tamper


def lambda_layer(folder):
    path = folder / "data" / "model.keras"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    config["config"]["layers"][1]["class_name"] = "Lambda"
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        pytest.param(remove("driver/contract.json"), "has no contract", id="without contract"),
        pytest.param(add("driver/contract.json", b"{"), "contract .* cannot be read", id="half a contract"),
        pytest.param(add("extra.pkl"), r"pickled part \(extra\.pkl\)", id="with a pickle"),
        pytest.param(add("data/global_custom_objects.cloudpickle"), "pickled part", id="with MLflow's own pickle"),
        pytest.param(add("code/layers.py"), "code of its own", id="with a code folder"),
        pytest.param(add("code/data.txt"), "code of its own", id="with a code folder of data"),
        pytest.param(remove("driver/golden.npz"), "has no golden frames", id="without golden frames"),
        pytest.param(
            change_golden("inputs", lambda x: x ^ 1), "prepared differently", id="golden input off by one bit"
        ),
        pytest.param(
            change_golden("outputs", lambda x: x + 0.1), "gives another output", id="golden output off by 0.1"
        ),
        pytest.param(change_golden("raw", lambda x: x[..., ::-1]), "prepared differently", id="blue for red"),
        pytest.param(change_weights, "gives another output", id="other weights"),
        pytest.param(change_contract(filter="box", width=95), "do not fit its contract", id="another size"),
        pytest.param(change_contract(masks=[]), "prepared differently", id="without the masks"),
        pytest.param(lambda_layer, "not plain Keras", id="with a Lambda layer"),
        pytest.param(
            replace_in_mlmodel("save_exported_model: false", "save_exported_model: true"),
            "exported graph",
            id="as an exported graph",
        ),
        pytest.param(
            replace_in_mlmodel("loader_module: mlflow.keras", "loader_module: os"),
            "loaded by code of its own",
            id="with a loader of its own",
        ),
        pytest.param(remove("MLmodel"), "has no MLmodel", id="without MLmodel"),
        pytest.param(remove("data/model.keras"), "has no data/model.keras", id="without network"),
        pytest.param(add("data/model.keras", b"junk"), "is no Keras model", id="with junk for a network"),
    ],
)
def test_a_changed_model_is_refused_with_its_own_sentence(shelf, copy, tamper, sentence):
    tamper(copy)
    with pytest.raises(KartError, match=sentence):
        load_policy(str(copy), shelf.settings)


def test_a_pickle_is_not_run_while_it_is_refused(shelf, copy, tmp_path):
    proof = tmp_path / "ran"
    code = f"cposix\nsystem\n(S'echo > {proof}'\ntR." if os.name == "posix" else f"cnt\nsystem\n(S'echo > {proof}'\ntR."
    (copy / "data" / "global_custom_objects.cloudpickle").write_text(code)
    with pytest.raises(KartError):
        load_policy(str(copy), shelf.settings)
    assert not proof.exists()


def test_an_untampered_copy_is_accepted(shelf, copy):
    assert load_policy(str(copy), shelf.settings).contract == default_contract("car_racing")


def test_the_untrained_network_is_the_same_every_time_and_not_the_trained_one(shelf):
    contract = default_contract("car_racing")
    with CarRacing() as game:
        frame = game.reset(9)
    answers = []
    for policy in (
        untrained_policy(contract),
        untrained_policy(contract),
        load_policy(shelf.driver.uri, shelf.settings),
    ):
        policy.reset()
        answers.append(policy.act(frame).action)
    assert answers[0] == answers[1] != answers[2]


def test_the_kind_of_a_network_is_read_without_loading_it(shelf):
    assert network_kind(read_package(shelf.folder)) == NetworkKind("pilotnet")


def test_an_untrained_network_has_the_heads_of_the_trained_one(shelf, tmp_path):
    package = read_package(shelf.folder)
    of_bins = replace(package, network=tmp_path / "bins.keras")
    build_network("residual", package.contract, bins=11).save(of_bins.network)
    assert network_kind(of_bins) == NetworkKind("residual", 11)
    with CarRacing() as game:
        frame = game.reset(9)
    policies = [untrained_policy(package.contract, kind) for kind in (network_kind(of_bins), NetworkKind("residual"))]
    for policy in policies:
        policy.reset()
    bins, numbers = (policy.act(frame).action.vector() for policy in policies)
    assert not np.array_equal(bins, numbers)
