from fractions import Fraction

import av
import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from player.picture.encoder import FALLBACK, H264, Encoder, best_codec
from player.picture.overlay import Overlay, Reading

SPEC = ActionSpec(axes=("steer",))
READING = Reading(driver="d", track="t", action=SPEC.neutral(), seconds=0.0, score=0.0)


@pytest.mark.parametrize(("codec", "decoder"), [(H264, "h264"), (FALLBACK, "mpeg4")])
def test_both_codecs_give_an_mp4_that_shows_each_frame_at_its_time(tmp_path, codec, decoder):
    picture = np.zeros((400, 600, 3), np.uint8)
    picture[:, 300:] = 200, 40, 30
    encoder = Encoder(tmp_path / "film.part", Overlay(SPEC, 600, 400), Fraction(25), codec)
    for slot in (0, 1, 5):
        encoder.write(slot, picture, READING)
    encoder.close()
    with av.open(str(tmp_path / "film.part")) as file:
        stream = file.streams.video[0]
        frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in file.decode(stream)]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == (decoder, "yuv420p")
    assert [time for time, _ in frames] == pytest.approx([0.0, 0.04, 0.2], abs=1e-3)
    assert frames[-1][1][200, 500].tolist() == pytest.approx([200, 40, 30], abs=12)
    assert frames[-1][1][200, 100].tolist() == pytest.approx([0, 0, 0], abs=12)


def test_the_wheels_of_pyav_bring_h264():
    assert best_codec() == H264
