"""Repair: what can be saved is saved, what cannot is named, and one never stops the other."""

from pathlib import Path

from kart_pipeline.core.frame import Choice, Step
from kart_pipeline.core.manifest import Codec, SessionHeader
from kart_pipeline.core.recording import STREAM
from kart_pipeline.core.store import Store
from recorder.mending import broken_off, mend
from recorder.stores import Stores


def abandon(store: Store, road, session_id: str, steps: int, codec: Codec = "png") -> None:
    """A recording whose process died."""
    writer = store.create(SessionHeader(id=session_id, game="road", rate_hz=50, spec=road.spec, codec=codec))
    frame = road.reset(1)
    for index in range(steps):
        writer.append(Step(index, frame, Choice(road.spec.neutral(), "expert")))
        frame = road.next_frame()
    writer.flush()
    writer._release()


def test_all_that_can_be_saved_is_and_the_rest_is_named(store: Store, road, run) -> None:
    abandon(store, road, "good", 100)
    abandon(store, road, "torn", 100)
    stream = Path(store.url) / "torn" / STREAM
    stream.write_bytes(stream.read_bytes()[:100])
    status, out, _ = run("repair", "--all")
    assert status == 2
    assert "good repaired: 100 steps, 2.0 s saved." in out
    assert "torn cannot be saved" in out
    assert "`python -m recorder delete torn`" in out
    assert (store.ids(), store.unfinished()) == (["good"], ["torn"])
    assert run("delete", "torn")[0] == 0
    assert run("repair", "--all")[:2] == (0, "There is nothing to repair.\n")


def test_one_session_is_repaired_by_name_once(store: Store, road, run) -> None:
    abandon(store, road, "one", 10)
    abandon(store, road, "two", 10)
    assert run("repair", "one")[0] == 0
    assert (store.ids(), store.unfinished()) == (["one"], ["two"])
    status, _, err = run("repair", "one")
    assert status == 2
    assert "is finished; there is nothing to repair" in err


def test_a_video_is_repaired_and_says_that_it_takes_a_while(store: Store, road, run) -> None:
    abandon(store, road, "film", 100, "h264")
    status, out, err = run("repair", "film")
    assert status == 0
    assert err == "film is a video; its frames are checked one by one, which takes a while.\n"
    assert out == "film repaired: 99 steps, 2.0 s saved.\n"  # the frame written last is in no whole cluster
    store.open("film").verify()


def test_how_far_the_check_of_a_video_is_can_be_watched(store: Store, road) -> None:
    abandon(store, road, "film", 100, "h264")
    shares: list[float] = []
    mend(Stores(store, store, Path(store.url)), "film", shares.append)
    assert len(shares) == 99
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_what_broke_off_is_told_from_what_is_being_recorded(store: Store, road, run) -> None:
    abandon(store, road, "dead", 10)
    live = store.create(SessionHeader(id="live", game="road", rate_hz=50, spec=road.spec))
    live.append(Step(0, road.reset(1), Choice(road.spec.neutral(), "expert")))
    assert store.unfinished() == ["dead", "live"]
    assert broken_off(Stores(store, store, Path(store.url))) == ["dead"]
    status, out, _ = run("repair", "--all")
    assert status == 0
    assert "live is being recorded; left alone." in out
    assert live.close().ended == "stopped"
