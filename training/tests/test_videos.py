# SPDX-License-Identifier: Apache-2.0
import json
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from conftest import SHIPPED
from everwatch_training import cli
from everwatch_training.errors import TrainingError
from everwatch_training.grammar import Grammar
from everwatch_training.prompt import ANSWER, EVENT
from everwatch_training.recipe import Streaming
from everwatch_training.start import read
from everwatch_training.state import RunFolder
from everwatch_training.videos import (
    Place,
    Unusable,
    VideoBatches,
    VideoFolder,
    VideoSamples,
    parse,
    pictures,
    unknown,
)

av = pytest.importorskip("av")
SMALL = Streaming(7056, 12544, text_sink=4, text_window=6)


def film(path, seconds, rate=8, size=(96, 128), begin=0):
    """A video whose frame n has the brightness 20 + n; its clock begins at so many seconds."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=rate)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        stream.bit_rate = 4_000_000
        for n in range(round(seconds * rate)):
            grey = np.full((*size, 3), 20 + n, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey)
            frame.pts, frame.time_base = n + begin * rate, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())


def line(video="a.mp4", start=0.0, end=4.0, words=((0.2, 0.8, "go"),), **extra):
    user = [
        {"type": "video", "video": video, "video_start": start, "video_end": end},
        {"type": "text", "text": extra.get("text", ""), "previous": extra.get("previous", "")},
    ]
    stream = {"type": "text_stream", "text_stream": [list(w) for w in words]}
    if "questions" in extra:
        stream["qa_stream"] = extra["questions"]
    return json.dumps(
        [{"role": "user", "content": user}, {"role": "assistant", "content": [stream]}]
    )


@pytest.fixture
def folder(tmp_path):
    film(tmp_path / "a.mp4", 6)
    return tmp_path


def scanned(folder, *lines, clip=4, overlap=2):
    (folder / "text.jsonl").write_text("\n".join(lines) + "\n", errors="surrogatepass")
    return VideoFolder(folder, clip, overlap)


BROKEN = {
    "broken-line": ["{", "[]", '[{"content": []}, {"content": []}]', "[1, 2]", "[" * 100_000],
    "impossible-clip": [
        line(start=3, end=1),
        line(end=float("nan")),
        line(start=-1),
        line(end=1e12),
        line(start=float("inf"), end=float("inf")),
    ],
    "no-text": [line(words=()), line(words=[(0, 1, "  ")])],
    "no-video": [line("b.mp4"), line("a\0.mp4")],
    "empty-video": [line("zero.mp4")],
    "unknown-characters": [line(previous="a\ufffdb"), line(text="\u0007")],
}


@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_sample_is_left_out_and_counted_by_its_reason(folder, reason):
    (folder / "zero.mp4").write_bytes(b"")
    found = scanned(folder, *BROKEN[reason], line())
    assert found.left_out == {reason: len(BROKEN[reason])}
    assert len(found.places) == 1


def test_words_that_cannot_be_right_are_left_out_and_counted():
    dropped = Counter()
    words = [
        (1.0, 0.5, "backwards"),
        (float("nan"), 1, "never"),
        (8, 9, "late"),
        (0, 1, "\ufffd"),
        (0, 1, ""),
        (0, 1, None),
        (0.1, 0.4, "good"),
    ]
    annotation = parse(line(words=words), SHIPPED, dropped)
    assert annotation.words == [(0.4, "good")]
    assert dropped == {
        "word-starts-after-its-end": 2,
        "word-outside-the-clip": 1,
        "word-of-unknown-characters": 1,
        "empty-word": 2,
    }


@pytest.mark.parametrize("text", ["\ufffd", "\u0000", "\x1b[0m", "\ud800"])
def test_what_was_decoded_wrongly_is_known_by_its_characters(text):
    assert unknown(text)
    assert not unknown("Grüße\n日本 🙂")


def test_a_long_clip_becomes_overlapping_chunks_up_to_the_end_of_its_annotation(folder):
    words = [(0.2, 0.8, "go"), (3.0, 3.5, "on")]
    found = scanned(folder, line(end=6.0, words=words), line(end=6.0, words=words[:1]))
    places = [(place.first, place.seconds) for place in found.places]
    assert places == [(0, 4), (2, 4), (0, 4)]
    assert found.left_out == {"clip-longer-than-its-annotation": 1}


def test_side_files_of_offsets_are_no_samples(folder):
    (folder / "text_seeks.jsonl").write_text("[0, 12]\n")
    assert not scanned(folder, line()).left_out


def test_a_folder_without_samples_is_told(folder):
    with pytest.raises(TrainingError, match=r"no usable sample .*no-video.*; expected"):
        scanned(folder, line("b.mp4"))


@pytest.mark.parametrize("begin", [0, 5])
def test_frames_are_those_nearest_to_the_grid(tmp_path, begin):
    film(tmp_path / "a.ts", 9, begin=begin)
    shown = pictures(tmp_path / "a.ts", 2.0, 3, 2)
    brightness = [[round(float(frame.mean())) - 20 for frame in second] for second in shown]
    assert np.abs(np.array(brightness) - [[16, 20], [24, 28], [32, 36]]).max() <= 1


def test_a_video_that_ends_before_its_clip_or_cannot_be_read_is_left_out(folder):
    with pytest.raises(Unusable, match="video-shorter-than-its-clip"):
        pictures(folder / "a.mp4", 4.0, 4, 2)
    (folder / "b.mp4").write_bytes(b"not a video" * 100)
    with pytest.raises(Unusable, match="unreadable-video"):
        pictures(folder / "b.mp4", 0.0, 1, 2)


def test_a_chunk_is_the_published_interleaving_in_the_served_grammar(folder):
    grammar = Grammar.load(SHIPPED)
    words = [
        (0.1, 0.5, "A"),
        (0.5, 1.0, "red"),
        (1.2, 1.9, "bus"),
        (2.6, 3, "it"),
        (3.1, 3.2, "stops."),
    ]
    text = line(
        words=words, text="Watch.", previous="Before it", questions=[[0, 3.5, "Which?", "Red."]]
    )
    found = scanned(folder, text, clip=2, overlap=0)
    samples = VideoSamples(grammar, SMALL, 2.0)
    place = found.places[1]
    assert (place.first, place.seconds) == (2, 2)
    sample = samples.sample(found.annotation(place), place)
    pads = grammar.video_pad
    shown = grammar.tokenizer.decode(
        [i for i in sample.ids if i != pads], skip_special_tokens=False
    )
    memory = grammar.text("Watch. Before it A red bus")
    cut = grammar.decode(memory[:4]) + grammar.decode(memory[-6:])
    assert len(memory) > 10
    assert shown == (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>previous text\n"
        + cut
        + "<|im_end|>\n<|im_start|>user\nTime=2.0-3.0s<|vision_start|><|vision_end|><|im_end|>\n"
        "<|im_start|>assistant\n it ...<|im_end|>\n"
        "<|im_start|>user\nTime=3.0-4.0s<|vision_start|><|vision_end|>Which?<|im_end|>\n"
        "<|im_start|>assistant\n Red. stops. ...<|im_end|>\n"
    )
    learned = grammar.tokenizer.decode(sample.ids[sample.weights > 0], skip_special_tokens=False)
    assert learned == " it ...<|im_end|> Red. stops. ...<|im_end|>"
    assert set(sample.turns.tolist()) == {0, EVENT, ANSWER}
    assert (
        EVENT
        in samples.sample(
            found.annotation(found.places[0]), Place(place.file, place.offset, 0, 2)
        ).turns
    )


def test_a_chunk_that_fails_is_replaced_and_the_order_depends_on_the_step_alone(folder):
    (folder / "b.mp4").write_bytes(b"not a video" * 100)
    found = scanned(folder, *[line(words=[(0.2, 0.8, f"w{n}")]) for n in range(4)], line("b.mp4"))

    def batches():
        return VideoBatches(VideoSamples(Grammar.load(SHIPPED), SMALL, 2.0), found, 1, 0, 1)

    one, other = batches(), batches()
    epoch = [one.batch(step, 1)[0].ids.tolist() for step in range(5)]
    assert one.left_out == {"unreadable-video": 1}
    assert len({tuple(ids) for ids in epoch}) == 4
    assert other.batch(3, 1)[0].ids.tolist() == epoch[3]


def test_nothing_but_broken_videos_is_an_error_and_no_endless_search(folder):
    (folder / "b.mp4").write_bytes(b"not a video" * 100)
    found = scanned(folder, line("b.mp4"), line("b.mp4"))
    batches = VideoBatches(VideoSamples(Grammar.load(SHIPPED), SMALL, 2.0), found, 1, 0, 1)
    with pytest.raises(TrainingError, match=r"none of the 2 chunks .*unreadable-video"):
        batches.batch(0, 1)


def test_fine_tuning_on_videos_trains_the_decoder_leaves_the_tower_and_goes_on(folder, capsys):
    (folder / "data.jsonl").write_text(line(end=6.0, words=[(0.2, 5.8, "go")]) + "\n")
    words = [
        "sft",
        "--model",
        str(SHIPPED),
        "--data",
        str(folder),
        "--out",
        str(folder / "run"),
        "--export",
        str(folder / "model"),
        "--steps",
        "4",
        "--learning-rate",
        "1e-3",
        "--clip",
        "2",
        "--overlap",
        "1",
        "--pixels",
        "7056",
        "12544",
        "--sink",
        "16",
        "--window",
        "48",
        "--accumulate",
        "2",
        "--recompute",
        "--quiet",
    ]
    assert cli.main([*words, "--stop-after", "2"]) == 0
    assert not (folder / "model").exists()
    assert cli.main(words) == 0
    run = RunFolder(folder / "run")
    trained = run.load(run.point(), 0)["model"]
    before = read(SHIPPED).state_dict()
    changed = {name for name in before if not (before[name] == trained[name]).all()}
    assert changed and all("visual" not in name for name in changed)
    assert "left out: no sample" in capsys.readouterr().out
    assert {"config.json", "tokenizer.json", "streaming.json", "model.safetensors"} <= {
        file.name for file in (folder / "model").iterdir()
    }
