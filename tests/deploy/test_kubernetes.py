"""The configuration for Kubernetes is valid, and its parts name one another rightly."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._config import process_config
from dagster._core.instance.config import dagster_instance_config
from dagster_k8s import K8sRunLauncher

from kart_pipeline.core.settings import ENGINES

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSIONS = ("1.31", "1.34")


def documents() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / "kart.yaml").read_text(encoding="utf-8")))


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in documents() if item["kind"] == kind}


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    told, _ = dagster_instance_config(str(FOLDER))
    config: dict[str, Any] = told["run_launcher"]["config"]
    return config


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", documents(), ids=lambda item: f"{item['kind']}-{item['metadata']['name']}")
def test_each_object_is_one_that_kubernetes_knows(document, version):
    import kubernetes_validate

    kubernetes_validate.validate(document, version, strict=True)


def test_dagster_takes_its_settings(launcher, monkeypatch):
    monkeypatch.setenv("KART_IMAGE", "registry.example/kart-pipeline:1")
    resolved = process_config(K8sRunLauncher.config_type(), launcher)
    assert resolved.success, resolved.errors
    assert resolved.value["job_image"] == "registry.example/kart-pipeline:1"


def test_a_pod_of_a_run_has_what_the_pages_have(launcher):
    """Its settings, secrets, folder and account, under the names that exist."""
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
    assert launcher["job_namespace"] == kustomization["namespace"]
    assert launcher["instance_config_map"] in {item["name"] for item in kustomization["configMapGenerator"]}
    assert set(launcher["env_config_maps"]) <= set(named("ConfigMap"))
    assert set(launcher["env_secrets"]) <= set(named("Secret"))
    assert launcher["service_account_name"] in named("ServiceAccount")
    (volume,), (mount,) = launcher["volumes"], launcher["volume_mounts"]
    assert volume["persistentVolumeClaim"]["claimName"] in named("PersistentVolumeClaim")
    assert mount["name"] == volume["name"]
    settings = named("ConfigMap")["kart-settings"]["data"]
    assert mount["mountPath"] == settings["KART_HOME"]
    assert settings["KART_ENGINE"] in ENGINES
    for container in named("Deployment")["dagster"]["spec"]["template"]["spec"]["containers"]:
        assert {"name": "DAGSTER_HOME", "value": launcher["dagster_home"]} in container["env"]
        assert {"name": "home", "mountPath": mount["mountPath"]} in container["volumeMounts"]


def test_each_setting_that_dagster_reads_from_the_environment_is_there(launcher):
    given = named("ConfigMap")["kart-settings"]["data"] | named("Secret")["kart-secrets"]["stringData"]
    told, _ = dagster_instance_config(str(FOLDER))
    assert told["storage"]["postgres"]["postgres_url"]["env"] in given
    assert launcher["job_image"]["env"] in given


def test_every_file_that_is_named_exists():
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
    files = [
        *kustomization["resources"],
        *(file for item in kustomization["configMapGenerator"] for file in item["files"]),
    ]
    assert all((FOLDER / name).is_file() for name in files)
