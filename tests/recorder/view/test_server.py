"""What the page's server gives, to whom, and what it refuses."""

import http.client
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kart_pipeline.core.edits import read_edits
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.store import Store
from recorder.view.server import ViewServer


def ask(server: ViewServer, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    data = None if body is None else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    where = path.removeprefix("..") if path.startswith("../a") else f"/{server.token}/{path}"
    connection.request("GET" if body is None else "POST", where, data, named)
    reply = connection.getresponse()
    found = reply.status, reply.read()
    connection.close()
    return found


def save(server: ViewServer, name: str, left_out: Any, based_on: int, **headers: str) -> tuple[int, Any]:
    sent = {"Content_Type": "application/json", "Origin": f"http://127.0.0.1:{server.server_port}"} | headers
    status, text = ask(server, f"api/edits/{name}", {"left_out": left_out, "based_on": based_on}, **sent)
    return status, json.loads(text) if text.startswith(b"{") else text.decode()


def test_facts_chart_and_values_are_the_sessions(record, serve) -> None:
    record("a", 200, gap=30)
    server = serve("a")
    about = json.loads(ask(server, "api/about/a")[1])
    assert (about["rows"], about["axes"], about["buttons"]) == (200, ["steer", "throttle"], ["A"])
    assert about["steps"] == [[0, 0, 0.0], [100, 130, 6.5]]
    assert [(spot["kind"], spot["first"], spot["last"]) for spot in about["spots"]] == [("gap", 99, 130)]
    chart = json.loads(ask(server, "api/chart/a?columns=10")[1])
    steer = np.sin(np.arange(200) / 15).astype(np.float32)
    assert chart["starts"] == list(range(0, 200, 20))
    assert chart["high"]["steer"] == pytest.approx(steer.reshape(10, 20).max(axis=1), abs=1e-3)
    assert chart["low"]["steer"] == pytest.approx(steer.reshape(10, 20).min(axis=1), abs=1e-3)
    assert chart["done_high"] == [0] * 10
    values = json.loads(ask(server, "api/values/a?first=100&count=2")[1])
    assert (values["step"], values["seconds"]) == ([130, 131], [6.5, 6.55])
    assert values["label"][0] == pytest.approx([steer[100], 0.5, 0], abs=1e-3)
    assert len(json.loads(ask(server, "api/chart/a?columns=100000")[1])["starts"]) == 200


@pytest.mark.parametrize(("codec", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("h264", "JPEG")])
def test_pictures_come_one_by_one_in_any_order(record, serve, codec: str, kind: str) -> None:
    record("a", 90, codec)
    server = serve("a")
    for row in (80, 3, 4, 89):
        status, data = ask(server, f"picture/a/{row}")
        image = Image.open(io.BytesIO(data))
        assert (status, image.format) == (200, kind)
        assert int(np.asarray(image.convert("RGB"))[20, 30, 0]) == pytest.approx(row, abs=8)
    assert ask(server, "picture/a/90") == (400, b'{"error": "Session a has no row 90."}')


def test_edits_are_saved_and_a_second_page_is_told_of_the_first(record, serve) -> None:
    session = record("a")
    server = serve("a")
    assert save(server, "a", [[10, 20], [15, 30]], 0)[1]["left_out"] == [[10, 30]]
    status, told = save(server, "a", [[50, 60]], 0)
    assert (status, told["theirs"]["left_out"]) == (409, [[10, 30]])
    assert "changed elsewhere meanwhile" in told["error"]
    assert save(server, "a", [[10, 30], [50, 60]], told["theirs"]["revision"])[0] == 200
    assert read_edits(session.local_path).left_out == ((10, 30), (50, 60))
    assert save(server, "a", [[900, 950]], 2) == (
        400,
        {"error": "The session has no step from 900 to 950; its steps go from 0 to 199."},
    )
    session.verify()


def test_other_sites_other_hosts_and_who_does_not_know_the_address_get_nothing(record, serve) -> None:
    session = record("a")
    server = serve("a")
    port = server.server_port
    assert ask(server, "api/about/a", Host=f"localhost:{port}")[0] == 200
    for host in ("kart.example", f"kart.example:{port}", "127.0.0.1", ""):
        assert ask(server, "api/about/a", Host=host)[0] == 403
    for origin in ("http://kart.example", f"https://127.0.0.1:{port}", "null", f"http://127.0.0.1:{port + 1}"):
        assert ask(server, "api/about/a", Origin=origin)[0] == 403
        assert save(server, "a", [[1, 2]], 0, Origin=origin)[0] == 403
    assert ask(server, "api/edits/a", {"left_out": [], "based_on": 0}, Content_Type="application/json")[0] == 403
    assert save(server, "a", [[1, 2]], 0, Content_Type="text/plain")[0] == 400  # what a form of any site may send
    assert ask(server, "../another/") == (404, b"The address of the page is in the terminal where it was started.")
    assert read_edits(session.local_path).revision == 0


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "..%2f..%2fsessions/a/manifest.json", "static/view.js", "api/about/b", "api", "picture/a/x"],
)
def test_nothing_else_is_served(record, serve, path: str) -> None:
    record("a")
    record("b")
    status, text = ask(serve("a"), path)
    assert status in (400, 404)
    assert b"root:" not in text
    assert b"digest" not in text


@pytest.mark.parametrize("body", [{}, {"left_out": "all", "based_on": 0}, {"left_out": [[1]], "based_on": 0}, []])
def test_edits_that_are_none_change_nothing(record, serve, body: Any) -> None:
    session = record("a")
    server = serve("a")
    headers = {"Content_Type": "application/json", "Origin": f"http://127.0.0.1:{server.server_port}"}
    assert ask(server, "api/edits/a", body, **headers)[0] == 400
    assert read_edits(session.local_path).revision == 0


def test_few_sessions_are_in_memory_at_a_time(record, serve) -> None:
    names = [f"s{number}" for number in range(6)]
    for name in names:
        record(name, 5)
    server = serve(*names)
    for name in names * 2:
        assert ask(server, f"picture/{name}/0")[0] == 200
    assert len(server._open) == 4


def test_a_port_that_is_taken_is_said(record, serve, tmp_path) -> None:
    record("a", 5)
    port = serve("a").server_port
    with pytest.raises(KartError, match=f"Port {port} of this machine cannot be served on"):
        ViewServer(Store(tmp_path / "sessions"), ["a"], port)
