"""Dagster's own page over HTTP, from a process of its own: what it asks when a person opens an asset."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._serdes import serialize_value

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings

_PATIENCE_S = 120.0

# As the page of dagster-webserver 1.13 asks it (PartitionHealthQuery), for what our assets can have.
_PARTITIONS = """
query PartitionHealthQuery($assetKey: AssetKeyInput!) {
  assetNodeOrError(assetKey: $assetKey) {
    ... on AssetNode {
      id
      partitionKeysByDimension { name type partitionKeys }
      assetPartitionStatuses {
        ... on DefaultPartitionStatuses { materializedPartitions materializingPartitions failedPartitions }
      }
    }
  }
}
"""

# The counts beside an asset, asked again and again while the page or the graph is open (AssetGraphLiveQuery).
_COUNTS = """
query AssetGraphLiveQuery($assetKeys: [AssetKeyInput!]!) {
  assetNodes(assetKeys: $assetKeys, loadMaterializations: true) {
    id
    assetMaterializations(limit: 1) { timestamp runId }
    partitionStats { numMaterialized numMaterializing numPartitions numFailed }
  }
  assetsLatestInfo(assetKeys: $assetKeys) {
    id
    unstartedRunIds
    inProgressRunIds
    latestRun { id status }
  }
}
"""


class Page:
    """A running `dagster-webserver`.

    Attributes:
        process: its id.
    """

    def __init__(self, port: int, process: int) -> None:
        self.process = process
        self._url = f"http://127.0.0.1:{port}"

    def up(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"{self._url}/server_info", timeout=5):  # noqa: S310 - our own process
                return True
        except (urllib.error.URLError, OSError):
            return False

    def partitions(self, asset: str) -> tuple[int, int]:
        """All partitions of an asset one by one, as its page shows them; how many there are, and are materialised."""
        node = self._ask(_PARTITIONS, {"assetKey": {"path": [asset]}})["assetNodeOrError"]
        (dimension,) = node["partitionKeysByDimension"]
        return len(dimension["partitionKeys"]), len(node["assetPartitionStatuses"]["materializedPartitions"])

    def counts(self, asset: str) -> tuple[int, int]:
        """The same as two numbers, as the graph shows them."""
        (node,) = self._ask(_COUNTS, {"assetKeys": [{"path": [asset]}]})["assetNodes"]
        return node["partitionStats"]["numPartitions"], node["partitionStats"]["numMaterialized"]

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(  # noqa: S310 - our own process
            f"{self._url}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as reply:  # noqa: S310
            answer = json.load(reply)
        if answer.get("errors"):
            raise KartError(f"Dagster's page got no answer: {answer['errors'][0]['message']}")
        data: dict[str, Any] = answer["data"]
        return data


@contextmanager
def page(settings: Settings, instance: dg.DagsterInstance) -> Iterator[Page]:
    """Serve our definitions over this memory, as `dagster dev` starts it.

    Raises:
        KartError: it ended, with its last words, or does not answer.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = Path(settings.home) / "webserver.txt"
    command = [sys.executable, "-m", "dagster_webserver", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--module-name", "kart_pipeline.orchestration.definitions"]
    command += ["--instance-ref", serialize_value(instance.get_ref())]
    environ = os.environ | {"KART_HOME": str(settings.home)}
    with said.open("w") as file:
        process = subprocess.Popen(command, env=environ, stdout=file, stderr=file)
    try:
        found = Page(port, process.pid)
        end = time.monotonic() + _PATIENCE_S
        while not found.up():
            if process.poll() is not None or time.monotonic() > end:
                last = said.read_text(errors="replace").strip().splitlines()[-1:]
                raise KartError(f"Dagster's page did not open: {''.join(last)}")
            time.sleep(0.2)
        yield found
    finally:
        process.terminate()
        process.wait()
