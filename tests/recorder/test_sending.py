"""Push and pull against a real S3 server: whole or not there, resumed, checked, and nothing overwritten."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.core import fingerprint as fingerprints
from kart_pipeline.core import remote as remotes
from kart_pipeline.core.edits import read_edits
from kart_pipeline.core.frame import Choice, Step
from kart_pipeline.core.manifest import Codec, SessionHeader
from kart_pipeline.core.pushed import INDEX
from kart_pipeline.core.remote import Remote
from kart_pipeline.core.store import Store
from kart_pipeline.core.transfer import look, pull, push

Record = Callable[..., Path]


@pytest.fixture
def record(store: Store, road) -> Record:
    """Record a session; its folder."""

    def make(session_id: str, steps: int = 5, *, size: int = 12, codec: Codec = "png", into: Store = store) -> Path:
        rng = np.random.default_rng(len(session_id))
        with into.create(SessionHeader(id=session_id, game="road", rate_hz=50, spec=road.spec, codec=codec)) as writer:
            frame = road.reset(1)
            for index in range(steps):
                noise = rng.integers(0, 256, (size, size + 4, 3), np.uint8)
                writer.append(Step(index, replace(frame, rgb=noise), Choice(road.spec.neutral(), "expert")))
                frame = road.next_frame()
        return writer.folder

    return make


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """The sessions of another machine."""
    return tmp_path / "lab"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_what_was_pushed_is_a_local_session_elsewhere(run, record, bucket, lab, monkeypatch) -> None:
    folder, film = record("one"), record("film", 30, size=32, codec="h264")
    run("trim", "one", "--leave-out", "1-2", "--steps")
    monkeypatch.setenv("KART_REMOTE", bucket.url)
    before = content(folder)
    status, out, _ = run("push")
    assert status == 0
    assert f"2 sessions pushed to {bucket.url}" in out
    assert "checked by the store's own digest (ETag)" in out
    assert run("pull", "--store", lab)[0] == 0
    assert Store(lab).ids() == ["film", "one"]
    assert content(lab / "one") == content(folder) == before
    assert content(lab / "film") == content(film)
    assert Store(lab).open("one").edits.left_out == ((1, 2),)
    assert Store(bucket.url).ids() == ["film", "one"]  # the pipeline may as well read them there
    Store(bucket.url).open("film").verify()
    assert "0 sessions pushed" in run("push")[1]
    assert "0 sessions pulled" in run("pull", "--store", lab)[1]
    assert {len(sizes) for sizes in bucket.uploads().values()} == {1}


def test_a_large_file_goes_up_in_parts_and_is_checked_like_others(run, record, bucket, monkeypatch) -> None:
    for module in (fingerprints, remotes):
        monkeypatch.setattr(module, "PART", 5 << 20)  # the least that S3 takes
    folder = record("large", 60, size=260)
    assert (folder / "steps.parquet").stat().st_size > 10 << 20
    assert "store's own digest (ETag)" in run("push", "--to", bucket.url)[1]
    listed = bucket.client.list_object_versions(Bucket=bucket.name)["Versions"]
    etags = {version["Key"].rsplit("/")[-1]: version["ETag"].strip('"') for version in listed}
    assert etags["steps.parquet"] == fingerprints.fingerprint(folder / "steps.parquet").etag
    assert etags["steps.parquet"].endswith("-3")


def _settled(bucket) -> dict[str, list[int]]:
    """The uploads when the server has done what was on its way to it."""
    before = None
    while (now := bucket.uploads()) != before:
        before = now
        time.sleep(0.5)
    return now


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_push_goes_on_with_what_is_missing(run, record, start, bucket, lab, soon) -> None:
    folders = [record(f"s{number}", 8, size=120) for number in range(12)]
    pushing = start("push", "--to", bucket.url)
    while not any(name.endswith(INDEX) for name in bucket.uploads()):
        assert pushing.poll() is None
        time.sleep(0.005)
    os.kill(pushing.pid, signal.SIGKILL)
    pushing.wait()
    before = _settled(bucket)
    whole = sum(name.endswith(INDEX) for name in before)
    for name in [name for name in before if name.endswith(INDEX)]:  # it goes up last
        assert {name.replace(INDEX, other) for other in ("steps.parquet", "manifest.json")} <= before.keys()
    assert 0 < whole < 12
    status, out, _ = run("push", "--to", bucket.url)
    assert status == 0
    assert f"{12 - whole} sessions pushed" in out
    after = bucket.uploads()
    assert all(len(sizes) == 1 for sizes in after.values())  # no file has gone up twice
    assert sum(sum(sizes) for name, sizes in after.items() if not name.endswith(INDEX)) == sum(
        len(data) for folder in folders for data in content(folder).values()
    )
    assert run("pull", "--from", bucket.url, "--store", lab)[0] == 0
    assert all(content(lab / folder.name) == content(folder) for folder in folders)


def test_a_half_pushed_session_is_taken_by_nobody(run, record, bucket, lab) -> None:
    folder = record("one")
    bucket.put("one/steps.parquet", (folder / "steps.parquet").read_bytes())
    status, out, _ = run("pull", "--from", bucket.url, "--store", lab)
    assert (status, Store(lab).ids(), Store(bucket.url).ids()) == (0, [], [])
    assert "one is not whole at" in out
    assert run("pull", "one", "--from", bucket.url, "--store", lab)[0] == 2
    assert run("push", "--to", bucket.url)[0] == 0
    assert len(bucket.uploads()["one/steps.parquet"]) == 1
    assert run("pull", "--from", bucket.url, "--store", lab)[0] == 0


@pytest.mark.parametrize("name", ["steps.parquet", "manifest.json"])
def test_a_flipped_bit_is_noticed_and_the_session_is_not_taken(run, record, bucket, lab, name: str) -> None:
    folder = record("one")
    record("other")
    run("push", "--to", bucket.url)
    data = bytearray(bucket.get(f"one/{name}"))
    data[len(data) // 2] ^= 1
    bucket.put(f"one/{name}", bytes(data))
    status, _, err = run("pull", "--from", bucket.url, "--store", lab)
    assert status == 2
    assert f"{name} of session one at {bucket.url} is not what was pushed" in err
    assert Store(lab).ids() == ["other"]
    bucket.put(f"one/{name}", (folder / name).read_bytes())
    assert run("pull", "--from", bucket.url, "--store", lab)[0] == 0  # and takes what it had fetched already
    assert content(lab / "one") == content(folder)


def test_another_session_of_the_same_name_is_refused_and_neither_is_touched(run, record, bucket, lab) -> None:
    record("one", 5)
    run("push", "--to", bucket.url)
    elsewhere = record("one", 9, into=Store(lab))
    before, there = content(elsewhere), bucket.uploads()
    for command, option in (("push", "--to"), ("pull", "--from")):
        status, _, err = run(command, option, bucket.url, "--store", lab)
        assert status == 2
        assert "already holds another session one (manifest.json differs); neither was touched." in err
    assert (content(elsewhere), bucket.uploads()) == (before, there)


def test_two_pushes_at_once_leave_one_whole_session(run, record, start, bucket, lab) -> None:
    folders = [record(f"s{number}", 8, size=60) for number in range(3)]
    both = [start("push", "--to", bucket.url) for _ in range(2)]
    for pushing in both:
        _, err = pushing.communicate(timeout=60)
        assert (pushing.returncode, err) == (0, "")
    assert run("pull", "--from", bucket.url, "--store", lab)[0] == 0
    assert all(content(lab / folder.name) == content(folder) for folder in folders)


def test_edits_go_both_ways_and_those_of_both_are_asked_about(run, record, bucket, lab) -> None:
    here, there = record("one", 20), lab / "one"
    to, back = ("push", "--to", bucket.url), ("pull", "--from", bucket.url, "--store", lab)
    run(*to), run(*back)
    run("trim", "one", "--leave-out", "1-2", "--steps")
    run(*to), run(*back)
    assert read_edits(there).left_out == ((1, 2),)
    run("trim", "one", "--undo", "--store", lab)  # on top of what came, in the lab
    assert run("push", "--to", bucket.url, "--store", lab)[0] == 0
    status, out, _ = run(*to)
    assert (status, read_edits(here).left_out) == (0, ((1, 2),))
    assert "`python -m recorder pull`" in out
    run("pull", "--from", bucket.url)
    assert read_edits(here).left_out == ()
    run("trim", "one", "--leave-out", "3-4", "--steps")
    run("trim", "one", "--leave-out", "5-6", "--steps", "--store", lab)
    run(*to)
    for command in (back, ("push", "--to", bucket.url, "--store", lab)):
        status, _, err = run(*command)
        assert status == 2
        assert "What is left out of session one was changed here and at" in err
        assert read_edits(there).left_out == ((5, 6),)
    assert run(*back, "--replace-edits")[0] == 0
    assert read_edits(there).left_out == ((3, 4),)
    assert len(bucket.uploads()["one/steps.parquet"]) == 1


def test_what_is_not_finished_damaged_or_deleted_is_named_and_not_pushed(run, record, store, road, bucket) -> None:
    live = store.create(SessionHeader(id="live", game="road", rate_hz=50, spec=road.spec))
    live.append(Step(0, road.reset(1), Choice(road.spec.neutral(), "expert")))
    damaged = record("damaged") / "steps.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-9] + b"something")
    (record("torn") / "steps.parquet").unlink()
    record("gone")
    record("good")
    run("delete", "gone")
    status, out, err = run("push", "--to", bucket.url)
    assert status == 2
    assert "live is being recorded" in out
    assert "session damaged is not what was recorded" in err
    assert "Session torn has a manifest but no steps.parquet" in err
    assert "gone" not in out + err
    for name, sentence in (("gone", "is in the trash"), ("live", "is being recorded"), ("none", "no session none")):
        status, _, err = run("push", name, "--to", bucket.url)
        assert status == 2
        assert sentence in err
    assert {name.split("/")[0] for name in bucket.uploads()} == {"good"}
    live.close()


def test_what_was_deleted_at_one_end_does_not_come_back_by_itself(run, record, bucket, lab, store) -> None:
    record("one")
    run("push", "--to", bucket.url)
    run("delete", "one")
    assert "one was deleted here; `python -m recorder restore one`" in run("pull", "--from", bucket.url)[1]
    assert store.ids() == []
    run("restore", "one")
    Store(bucket.url).trash.put("one")
    assert "one was deleted at" in run("push", "--to", bucket.url)[1]
    assert Store(bucket.url).ids() == []
    assert run("push", "one", "--to", bucket.url)[0] == 0
    assert Store(bucket.url).ids() == ["one"]


def test_a_folder_is_another_end_too_and_is_read_back(run, record, tmp_path: Path, lab) -> None:
    folder = record("one")
    assert "checked by reading them back" in run("push", "--to", tmp_path / "disk")[1]
    assert run("pull", "--from", tmp_path / "disk", "--store", lab)[0] == 0
    assert content(lab / "one") == content(folder)


@pytest.mark.parametrize(
    ("environment", "url", "sentence"),
    [
        ({}, "s3://no-such-bucket/x", "The bucket of s3://no-such-bucket/x does not exist; make it there"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "s3://b/x", "cannot be reached at http://127.0.0.1:9 (AWS_END"),
        ({"AWS_ENDPOINT_URL": "127.0.0.1"}, "s3://b/x", "AWS_ENDPOINT_URL is 127.0.0.1, which is no address"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "s3://b/x", "There are no credentials for s3://b/x"),
        ({}, "s3://", "names no bucket; write it as s3://bucket/folder."),
        ({}, "nosuch://x", "nosuch://x cannot be opened"),
        ({}, "", "Say where the other end is: --"),
    ],
)
def test_what_is_wrong_with_the_other_end_is_one_sentence(
    run, record, bucket, monkeypatch, environment, url: str, sentence: str
) -> None:
    record("one")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name, value in environment.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    for command in (("push", "--to", url), ("pull", "--from", url)):
        status, _, err = run(*command)
        assert (status, err.count("\n")) == (2, 1)
        assert sentence in err


def test_denied_access_is_one_sentence(run, record, bucket) -> None:
    record("one")
    bucket.demand_credentials(True)
    try:
        status, _, err = run("push", "--to", bucket.url)
    finally:
        bucket.demand_credentials(False)
    assert status == 2
    assert f"{bucket.url} denies access" in err
    assert err.count("\n") == 1


def test_a_missing_package_is_named(run, record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)  # it remembers what it has met
    status, _, err = run("push", "--to", "s3://kart/x")
    assert status == 2
    assert "pip install 'kart-pipeline[cloud]'" in err


def test_how_far_it_is_can_be_watched(record, bucket, lab) -> None:
    folder, remote = record("one", 20, size=60), Remote(bucket.url)
    size = sum(len(data) for data in content(folder).values())
    sent: list[int] = []
    push(remote, folder, look(remote, "one"), progress=sent.append)
    assert sum(sent) == size
    fetched: list[int] = []
    index = look(remote, "one").index
    assert index is not None
    pull(remote, index, lab, progress=fetched.append)
    assert sum(fetched) == index.size == size


def test_the_index_says_what_is_there(run, record, bucket) -> None:
    folder = record("one")
    run("push", "--to", bucket.url)
    index = json.loads(bucket.get(f"one/{INDEX}"))
    assert index["session"] == "one"
    assert index["files"]["steps.parquet"] == {
        "bytes": (folder / "steps.parquet").stat().st_size,
        "sha256": fingerprints.fingerprint(folder / "steps.parquet").sha256,
    }
