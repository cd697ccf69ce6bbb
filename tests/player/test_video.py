import av
import numpy as np
import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.driving.loop import drive
from player.picture.video import HOLD_S, Film


def filmed(path, line, driver, *, speed=1.0, drives=1):
    with Film(path, speed=speed) as film:
        for seed in range(drives):
            scene = film.scene(line, driver)
            scene.end(drive(line, driver, observers=[scene], seed=seed))
    return film


def read(path):
    """Times in seconds and pictures of a film."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert stream.codec_context.pix_fmt == "yuv420p"
        frames = [(float(frame.time), frame.to_ndarray(format="rgb24")) for frame in file.decode(stream)]
    return [time for time, _ in frames], [picture for _, picture in frames]


def test_a_drive_becomes_a_film_of_its_own_length_and_the_end_is_held(tmp_path, line, straight):
    path = tmp_path / "new" / "drive.mp4"
    film = filmed(path, line, straight())
    times, pictures = read(path)
    assert film.frames == len(pictures) == 20 + 2
    assert times[:20] == pytest.approx(np.arange(20) / 20, abs=1e-3)
    assert times[-1] == pytest.approx(19 / 20 + HOLD_S, abs=0.06)
    assert pictures[0].shape[1] == 512  # 64 pixels, enlarged eight times
    brightness = [picture[300, 100].mean() for picture in pictures]
    assert brightness[1] == pytest.approx(5, abs=4)
    assert brightness[19] == pytest.approx(95, abs=4)
    assert [path.name for path in tmp_path.rglob("*.*")] == ["drive.mp4"]


def test_several_drives_follow_one_another_in_one_film(tmp_path, line, straight):
    path = tmp_path / "drives.mp4"
    filmed(path, line, straight(), drives=2)
    times, pictures = read(path)
    assert len(pictures) == 2 * 22
    assert times == sorted(set(times))
    assert times[22] == pytest.approx(times[21] + 1 / 20, abs=1e-3)
    assert pictures[22][300, 100].mean() < 10  # the second drive begins in the dark again


@pytest.mark.parametrize(("speed", "frames", "last"), [(2.0, 10, 0.45), (0.5, 20, 1.9), (4.0, 7, 0.225)])
def test_speed_shortens_or_stretches_the_film_and_leaves_out_what_nobody_could_see(
    tmp_path, line, straight, speed, frames, last
):
    path = tmp_path / "fast.mp4"
    filmed(path, line, straight(), speed=speed)
    times, _ = read(path)
    assert len(times) == frames + 2
    assert times[frames - 1] == pytest.approx(last, abs=0.03)


def test_what_was_filmed_before_ctrl_c_can_be_watched(tmp_path, line, straight):
    path = tmp_path / "drive.mp4"
    driver = straight(fail_at=7)
    with pytest.raises(KeyboardInterrupt), Film(path) as film:
        drive(line, driver, observers=[film.scene(line, driver)])
    assert len(read(path)[0]) == 7
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_filmed_leaves_no_file_and_an_older_film_alone(tmp_path, line, straight):
    path = tmp_path / "drive.mp4"
    path.write_bytes(b"older")
    driver = straight(fail_at=0)
    with pytest.raises(KeyboardInterrupt), Film(path) as film:
        drive(line, driver, observers=[film.scene(line, driver)])
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_picture_that_cannot_be_encoded_is_told_in_a_sentence_and_leaves_no_file(tmp_path, line, straight):
    class Breaking(type(line)):
        def picture(self):
            return np.zeros((48, 64, 3 if self._steps < 5 else 5), np.uint8)

    driver = straight()
    game = Breaking()
    with pytest.raises(KartError, match="cannot be written"), Film(tmp_path / "drive.mp4") as film:
        drive(game, driver, observers=[film.scene(game, driver)])
    assert list(tmp_path.iterdir()) == []


def test_a_real_time_game_is_never_kept_waiting_by_the_encoder(tmp_path, line, straight):
    line.simulated = False
    driver = straight()
    with Film(tmp_path / "drive.mp4") as film:
        scene = film.scene(line, driver)
        line.reset(0)
        # As fast as possible: far beyond what drawing and encoding can follow.
        for _ in range(300):
            line.send(line.cruise())
            frame = line.next_frame()
            scene.on_step(Step(0, frame, driver._choice))
    assert film.dropped > 0
    assert film.frames + film.dropped == 300
    assert len(read(film.path)[0]) == film.frames


@pytest.mark.parametrize(
    ("name", "speed"), [("drive.avi", 1.0), ("drive", 1.0), ("d.mp4", 0.0), ("d.mp4", float("nan"))]
)
def test_impossible_wishes_are_refused_before_the_drive(tmp_path, name, speed):
    with pytest.raises(KartError):
        Film(tmp_path / name, speed=speed)


def test_a_folder_cannot_be_the_film(tmp_path):
    (tmp_path / "x.mp4").mkdir()
    with pytest.raises(KartError, match="folder"):
        Film(tmp_path / "x.mp4")


def test_a_folder_that_cannot_be_made_is_told_before_the_drive(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(KartError, match="cannot be written"):
        Film(tmp_path / "file" / "x.mp4")
