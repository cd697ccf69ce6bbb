"""What is asked of the page's server by mistake or out of malice, and what happens to its sessions meanwhile."""

import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kart_pipeline.core.edits import read_edits
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.store import Store
from recorder.view.server import ViewServer


def raw(server: ViewServer, text: str) -> bytes:
    """All that the server says to so many bytes, until it closes."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode())
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("target", ["x", "*", "/", "//", "http://127.0.0.1/", "/%00/", "/\xe9/"])
def test_a_strange_address_is_answered_and_nothing_is_printed(record, serve, capsys, target: str) -> None:
    record("a", 5)
    server = serve("a")
    reply = raw(server, f"GET {target} HTTP/1.1\nHost: 127.0.0.1:{server.server_port}\nConnection: close\n\n")
    assert reply.split()[1] in (b"404", b"400")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("length", ["-1", "many", "99999999999"])
def test_a_body_of_an_impossible_length_is_refused_at_once(record, serve, length: str) -> None:
    record("a", 5)
    server = serve("a")
    here = f"127.0.0.1:{server.server_port}"
    head = f"POST /{server.token}/api/edits/a HTTP/1.1\nHost: {here}\nOrigin: http://{here}\n"
    reply = raw(server, f"{head}Content-Type: application/json\nContent-Length: {length}\n\n{{}}")
    assert reply.split()[1] == b"400"


def test_the_body_of_a_refused_request_is_not_taken_for_the_next(record, serve) -> None:
    session = record("a")
    server = serve("a")
    here = f"127.0.0.1:{server.server_port}"
    body = json.dumps({"left_out": [[1, 2]], "based_on": 0})
    inner = (
        f"POST /{server.token}/api/edits/a HTTP/1.1\nHost: {here}\nOrigin: http://{here}\n"
        f"Content-Type: application/json\nContent-Length: {len(body)}\n\n{body}"
    ).replace("\n", "\r\n")
    reply = raw(server, f"POST /other/ HTTP/1.1\nHost: {here}\nContent-Length: {len(inner)}\n\n{inner}")
    assert reply.count(b"HTTP/1.1 ") == 1
    assert read_edits(session.local_path).revision == 0


def test_a_page_that_is_closed_halfway_prints_nothing(record, serve, capsys) -> None:
    record("a", 5)
    server = serve("a")
    with socket.create_connection(("127.0.0.1", server.server_port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # closing resets
        connection.sendall(b"GET /")
    raw(server, "GET / HTTP/1.0\n\n")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_said(record, tmp_path: Path, port: int) -> None:
    record("a", 5)
    with pytest.raises(KartError, match=f"Port {port} of this machine cannot be served on"):
        ViewServer(Store(tmp_path / "sessions"), ["a"], port)


def test_a_session_that_is_deleted_meanwhile_hides_no_other(record, serve, tmp_path: Path) -> None:
    for name in ("a", "b"):
        record(name, 5)
    server = serve("a", "b")
    shutil.rmtree(tmp_path / "sessions" / "a")
    assert [item["id"] for item in server.sessions()] == ["b"]
    status, text = get(server, "api/about/a")
    assert (status, b"There is no finished session a" in text) == (400, True)


@pytest.mark.parametrize("codec", ["png", "h264"])
def test_frames_that_are_damaged_are_said(record, serve, codec: str, capsys) -> None:
    session = record("a", 400, codec)
    file = session.local_path / ("video.mkv" if codec == "h264" else "steps.parquet")
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(range(64))
    file.write_bytes(data)
    server = serve("a")
    replies = [get(server, f"picture/a/{row}") for row in range(0, 400, 5)]
    assert {status for status, _ in replies} <= {200, 400}
    told = [json.loads(text)["error"] for status, text in replies if status == 400]
    assert told
    assert all("of session a " in text for text in told)
    assert codec == "png" or replies[0][0] == 200  # so few pictures share what Parquet reads at a time
    assert capsys.readouterr().err == ""


def test_a_session_that_gave_way_to_others_is_still_read_by_whoever_has_it(record, serve) -> None:
    record("a", 5)
    shown = serve("a").shown("a")
    shown.close()
    assert shown.picture(3)[1] == "image/png"
    shown.close()


def test_ctrl_c_ends_it_and_its_port_is_free_again(record, tmp_path: Path) -> None:
    record("a", 5)
    command = [sys.executable, "-m", "recorder", "view", "--store", str(tmp_path / "sessions"), "--no-browser"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        port = int(address.split("/")[2].split(":")[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/" + address.split("/", 3)[3])
        assert b"<!doctype html>" in connection.getresponse().read()
        process.send_signal(signal.SIGINT)
        assert process.stdout.read().endswith("Closed.\n")
        assert process.wait(10) == 0
    ViewServer(Store(tmp_path / "sessions"), ["a"], port).server_close()


def get(server: ViewServer, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request("GET", f"/{server.token}/{path}")
    reply = connection.getresponse()
    found = reply.status, reply.read()
    connection.close()
    return found
