# SPDX-License-Identifier: Apache-2.0
"""The synthetic cameras: what makes their truth crisp, and that it is the truth."""

import re
from pathlib import Path

import numpy as np
import pytest

import world_golden
from everwatch_training.world import Camera, Start, View, all_words, bare, jpeg
from everwatch_training.world.view import UNIT
from everwatch_training.world.words import NUMBERS

SECONDS = 1500
SCENES = ("road", "door")
VIEWS = [
    View(),
    View(196, 112, 8, occluder="post"),
    View(84, 112, 1, occluder="tree"),
    View(140, 196, 4, "dusk", "tree", 3),
    View(168, 84, 3, "night", "post", 2),
]
NUMBER = {word: n for n, word in enumerate(("none", *NUMBERS))}


def views(test):
    return pytest.mark.parametrize(
        "view", VIEWS, ids=lambda v: f"{v.width}x{v.height}@{v.fps}-{v.occluder}"
    )(test)


def scenes(test):
    return pytest.mark.parametrize("scene", SCENES)(test)


def seconds(camera, n=SECONDS):
    return [camera.step() for _ in range(n)]


def sentences(second):
    return re.findall(r" [^.]*\.", second.sentence)


def inside(camera, x, width):
    """The share of a mover within the borders, however the picture is shaken."""
    low, high = camera.view.inset, camera.view.wide - camera.view.inset
    return max(0, min(x + width // 2, high) - max(x - width // 2, low)) / width


def test_golden_cameras_say_and_show_what_they_always_did():
    golden = (Path(__file__).parent / "golden" / "world.txt").read_text().splitlines()
    assert list(world_golden.lines()) == golden


@scenes
@views
def test_one_event_a_second_but_for_two_departures(scene, view):
    for second in seconds(Camera(scene, 11, view, density=2.0)):
        said = sentences(second)
        assert "".join(said) == second.sentence
        assert len(said) <= 1 or (all(" leaves to " in s for s in said) and len(said) == 2), second


@scenes
@views
def test_movers_come_and_go_in_plain_view_and_are_announced(scene, view):
    camera = Camera(scene, 5, view, density=1.5)
    before = {}
    comings = goings = 0
    for second in seconds(camera):
        now = {m.lane: m for m in second.movers}
        for lane, m in now.items():
            if lane not in before:
                comings += 1
                assert inside(camera, m.xs[0], m.width) >= 0.4, second
                assert m.what == "person" or f" A {m.colour} {m.what}" in second.sentence
                shown = m.width - camera.scene.hidden(m.xs[0], m.width, lane)
                assert shown >= 0.4 * m.width or f" {m.what}" not in second.sentence
            elif m.what != "person":
                assert m.what == before[lane].what and m.colour == before[lane].colour
        for lane, m in before.items():
            if lane not in now:
                goings += 1
                hidden = camera.scene.hidden(m.xs[0], m.width, lane) / m.width
                assert inside(camera, m.xs[0], m.width) - hidden >= 0.3, second
                person = f" A person in {m.colour}{' with a ' + m.item if m.item else ''}"
                name = f"person in {m.colour}" if m.what == "person" else f"{m.colour} {m.what}"
                gone = f" The {name} leaves to the {m.side}."
                assert gone in second.sentence or (
                    second.sentence.startswith(person) and " goes in" in second.sentence
                )
        before = now
    assert comings > 50 and goings > 50


@views
def test_stops_and_moves_on_are_the_first_seconds_without_and_with_motion(view):
    before, stops = {}, 0
    for second in seconds(Camera("road", 3, view, density=1.5)):
        for m in second.movers:
            then = before.get(m.lane)
            twins = len({(n.colour, n.what) for n in second.movers}) < len(second.movers)
            if then is None or twins:
                continue
            still = all(x == then.xs[-1] for x in m.xs)
            assert still != m.moving
            name = f" The {m.colour} {m.what}"
            assert (second.sentence == f"{name} stops.") == (still and then.moving)
            assert (second.sentence == f"{name} moves on.") == (m.moving and not then.moving)
            stops += still and then.moving
        before = {m.lane: m for m in second.movers}
    assert stops > 20


@scenes
@pytest.mark.parametrize("occluder", ["post", "tree"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_is_told_of_what_the_occluder_hides(scene, occluder, seed):
    camera = Camera(scene, seed, View(112, 112, 4, occluder=occluder, shake=1), density=2.0)
    before, told, ever_hidden = {}, 0, 0
    for second in seconds(camera):
        now = {m.lane: m for m in second.movers}
        for lane in set(now) | set(before):
            m = now.get(lane) or before[lane]
            x = m.xs[0] if lane in now else m.xs[-1]
            hidden = camera.scene.hidden(x, m.width, lane) / m.width
            ever_hidden += hidden == 1
            named = re.search(rf"(in {m.colour}\b|{m.colour} {m.what})", second.sentence)
            started = (
                (lane in now) != (lane in before)
                or "stops" in second.sentence
                or "moves on" in second.sentence
            )
            if (
                named
                and started
                and (len(now) + len(before) < 3 or (lane in now) != (lane in before))
            ):
                told += 1
                assert hidden <= 0.6, (second, m)
        before = now
    assert told > 50
    assert ever_hidden > 5 or occluder == "post"


@pytest.mark.parametrize("count", ["car", "bus", "bike"])
def test_road_numbers_the_counted_kind_in_rounds_and_names_the_colour_before(count):
    camera = Camera("road", 21, count=count)
    assert (
        camera.instruction
        == f" Watch the road and count the {dict(bus='buses').get(count, count + 's')}."
    )
    counted, last = 0, None
    for second in seconds(camera, 4000):
        entry = re.match(
            r" A (\w+) (\w+)( number (\w+)( after a (\w+) one)?)? enters from the (left|right)\.$",
            second.sentence,
        )
        if entry and entry[2] == count:
            assert NUMBER[entry[4]] == counted % 20 + 1
            assert entry[6] == last
            counted, last = counted + 1, entry[1]
        else:
            assert " number " not in second.sentence and " after " not in second.sentence
    assert counted > 60


@views
@pytest.mark.parametrize("count", ["bag", "parcel"])
def test_door_tells_how_many_are_inside_and_numbers_what_is_counted(count, view):
    camera = Camera("door", 8, view, density=3.0, count=count)
    inside_now, counted, seen = 0, 0, set()
    for second in seconds(camera, 4000):
        passage = re.match(
            r" A person in \w+(?: with a (\w+)(?: number (\w+))?)?"
            r" (goes in|comes out), (\w+) inside\.$",
            second.sentence,
        )
        if not passage:
            assert "inside" not in second.sentence and " number " not in second.sentence
            continue
        inside_now += 1 if passage[3] == "goes in" else -1
        assert NUMBER[passage[4]] == inside_now
        assert 0 <= inside_now <= 20
        seen.add(inside_now)
        assert (passage[1] == count) == (passage[2] is not None)
        if passage[2]:
            assert NUMBER[passage[2]] == counted % 20 + 1
            counted += 1
    assert counted > 20 and len(seen) > 8


def test_nobody_in_front_hides_who_passes_the_door_or_is_asked_for():
    camera = Camera("door", 2, density=3.0)
    door, before, passages, asked = camera.scene.door_x, {}, 0, 0
    for second in seconds(camera, 4000):
        now = {m.lane: m for m in second.movers}
        behind_came = 0 in now and 0 not in before and now[0].xs[0] == door
        behind_went = 0 in before and 0 not in now and "goes in" in second.sentence
        front = now.get(1) if behind_came else before.get(1)
        if (behind_came or behind_went) and front:
            passages += 1
            x = front.xs[0] if behind_came else front.xs[-1]
            assert abs(x - door) >= 18 * UNIT, second
        if len(now) == 2 and any("do you see" in q.text for q in second.questions):
            asked += 1
            assert abs(now[0].xs[-1] - now[1].xs[-1]) >= 6 * UNIT, second
        before = now
    assert passages > 30 and asked > 100


@scenes
def test_answers_are_true_of_the_transcript_and_of_the_picture(scene):
    asked = set()
    for seed in range(4):
        camera = Camera(scene, seed, View(140, 112, 2, occluder="post"), density=1.5)
        text = ""
        for second in seconds(camera, 800):
            text += second.sentence
            for q in second.questions:
                asked.add(q.text)
                expected = answer(q.text, text, second)
                if expected is not None:
                    assert q.answer == f" {expected}.", (seed, second)
                assert q.source == ("sight" if "light" in q.text or "see" in q.text else "text")
                assert q.known and (q.told is None or q.told <= second.index)
    assert len(asked) == {"road": 10, "door": 7}[scene], asked


def answer(question, text, second):
    """What the transcript, or for sight the picture, tells."""

    def last(pattern, otherwise):
        found = re.findall(pattern, text)
        return found[-1] if found else otherwise

    if question == "What colour is the light?":
        return second.lamp
    if question.endswith("do you see?"):
        return ("none", "one", "two")[len(second.movers)]
    if question == "How many people are inside?":
        return last(r"(\w+) inside", "none")
    if question.endswith("so far?"):
        return last(r" number (\w+)", "none")
    if found := re.match(r"What colour was the last (\w+)\?", question):
        return last(rf" A (\w+) {found[1]}\b", None)
    if found := re.match(r"Which side did the last (\w+) leave to\?", question):
        return last(rf" {found[1]}(?: in \w+)? leaves to the (\w+)", None)
    if found := re.match(r"What colour (went in|came out) last\?", question):
        verb = {"went in": "goes in", "came out": "comes out"}[found[1]]
        return last(rf" in (\w+)[^.,]* {verb}", None)
    raise AssertionError(question)


@scenes
def test_what_memory_tells_is_marked_where_it_stands(scene):
    told = {}
    for second in seconds(Camera(scene, 4), 2000):
        for due in second.due:
            word = second.sentence[due.start : due.end]
            assert word in NUMBER or due.what == "after"
            assert due.known and due.told == told.get(due.what)
        told.update({due.what: second.index for due in second.due})
        if scene == "road" and "number" in told:
            told["after"] = told["number"]
        assert bare(second.sentence) == re.sub(
            r" number \w+|( after a \w+ one)|, \w+ inside", "", second.sentence
        )
        assert len(second.due) == len(re.findall(r" number | after |inside", second.sentence))


@scenes
def test_after_a_jump_nothing_is_known_until_it_is_told_again(scene):
    jumped = 0
    for seed in range(10):
        camera = Camera(scene, seed, start=Start(jump=50), density=2.0)
        fresh = set()
        for second in seconds(camera, 200):
            for due in second.due:
                assert due.known == (second.index < 50 or due.what in fresh), (seed, second)
                jumped += not due.known
            if second.index >= 50:
                fresh |= {due.what for due in second.due}
            if scene == "road" and "number" in fresh:
                fresh.add("after")
            for q in second.questions:
                assert q.source == "sight" or q.told is None or second.index < 50 or q.told >= 50
                assert q.known or q.told is None
    assert jumped >= 10


@scenes
def test_what_is_said_depends_on_geometry_alone_not_on_light_and_noise(scene):
    plain = Camera(scene, 6, View(occluder="post"))
    dark = Camera(scene, 6, View(occluder="post", light="night", noise=9, flicker=50))
    for one, other in zip(seconds(plain, 300), seconds(dark, 300), strict=True):
        assert one == other


@scenes
@pytest.mark.parametrize("light", ["day", "dusk", "night"])
def test_movers_stand_out_from_the_background_in_any_light(scene, light):
    """The mean of the largest channel's difference over the mover's box, without noise."""
    for seed in range(4):
        camera = Camera(scene, seed, View(light=light, noise=0, flicker=0), density=2.0)
        empty = None
        checked = 0
        for second in seconds(camera, 300):
            if not second.movers:
                empty = (second.lamp, camera.render(second)[-1].astype(int))
            elif empty and empty[0] == second.lamp:
                shown = camera.render(second)[-1].astype(int)
                for thing in camera.things(second):
                    left, top, right, bottom = thing.box
                    if thing.what != "light" and right - left >= 8:
                        checked += 1
                        difference = np.abs(shown - empty[1])[top:bottom, left:right].max(-1)
                        bound = {"day": 30, "dusk": 20, "night": 12}[light]
                        assert difference.mean() > bound, (seed, second, thing)
        assert checked > 10


def test_night_is_darker_than_dusk_and_dusk_than_day_but_the_lamp_shines():
    shown = {}
    for light in ("day", "dusk", "night"):
        camera = Camera("road", 2, View(light=light, noise=0, flicker=0))
        second = camera.step()
        lamp = next(t for t in camera.things(second) if t.what == "light")
        frame = camera.render(second)[-1]
        left, top, right, bottom = lamp.box
        shown[light] = frame.mean(), frame[top:bottom, left:right].tolist()
    assert shown["day"][0] > 1.3 * shown["dusk"][0] > 1.3 * 1.2 * shown["night"][0]
    assert shown["day"][1] == shown["dusk"][1] == shown["night"][1]


@scenes
def test_rendering_is_a_pure_function_of_the_second(scene):
    one, other = Camera(scene, 9), Camera(scene, 9)
    for a, b in zip(seconds(one, 20), seconds(other, 20), strict=True):
        first = one.render(a)
        assert np.array_equal(first, one.render(a))
        if a.index % 3 == 0:
            assert np.array_equal(first, other.render(b))
    assert np.array_equal(one.render(a), other.render(b))


def test_shaking_shifts_the_whole_picture():
    camera = Camera("door", 12, View(shake=3, noise=0, flicker=0))
    frames = []
    for second in seconds(camera, 200):
        if not second.movers:
            for i, frame in enumerate(camera.render(second)):
                right, down = camera.picture.shift(second.index * 2 + i)
                assert abs(right) <= 3 and abs(down) <= 3
                frames.append((right, down, frame[3 + down : 109 + down, 3 + right : 109 + right]))
    assert len({f[:2] for f in frames}) > 5
    assert all(np.array_equal(f[2], frames[0][2]) for f in frames)


def test_noise_and_gain_have_their_deviations():
    still = Camera("road", 1, View(noise=0, flicker=0))
    noisy = Camera("road", 1, View(noise=6, flicker=0))
    flickering = Camera("road", 1, View(noise=0, flicker=30))
    differences, gains = [], []
    for a, b, c in zip(*(seconds(it, 60) for it in (still, noisy, flickering)), strict=True):
        plain = still.render(a).astype(int)
        middle = (plain > 40) & (plain < 215)
        differences.append((noisy.render(b) - plain)[middle])
        gains += list(flickering.render(c).mean((1, 2, 3)) / plain.mean((1, 2, 3)))
    differences = np.concatenate(differences)
    assert abs(differences.mean()) < 0.1
    assert 5.8 < differences.std() < 6.2
    assert 0.02 < np.std(gains) < 0.04


@pytest.mark.parametrize("scene, low, high", [("road", 0.36, 0.41), ("door", 0.22, 0.32)])
def test_usual_density_leaves_most_seconds_silent(scene, low, high):
    said = [bool(s.sentence) for seed in range(8) for s in seconds(Camera(scene, seed), 1000)]
    assert low < np.mean(said) < high


@scenes
def test_things_are_where_they_are_drawn(scene):
    camera = Camera(scene, 14, View(150, 100, 2, noise=0, flicker=0, shake=2), density=2.0)
    inside_box = outside = 0
    for second in seconds(camera, 200):
        frame = camera.render(second)[-1]
        for thing in camera.things(second):
            if thing.colour in ("red", "blue") and thing.what != "light":
                colour = {"red": (215, 30, 30), "blue": (30, 70, 225)}[thing.colour]
                same = (frame == colour).all(-1)
                left, top, right, bottom = thing.box
                inside_box += same[top:bottom, left:right].sum()
                others = [t for t in camera.things(second) if t.colour == thing.colour]
                if len(others) == 1:
                    same[top:bottom, left:right] = False
                    outside += same.sum()
    assert inside_box > 2000 and outside == 0


def test_drawn_views_are_valid_and_varied():
    drawn = [View.draw(np.random.default_rng(seed)) for seed in range(400)]
    assert {v.fps for v in drawn} == set(range(1, 9))
    assert {v.light for v in drawn} == {"day", "dusk", "night"}
    assert len({(v.width, v.height) for v in drawn}) > 15
    assert 0.4 < np.mean([(v.width, v.height) == (112, 112) for v in drawn]) < 0.65


def test_jpeg_changes_pixels_a_little():
    camera = Camera("road", 1)
    frames = camera.render(camera.step())
    packed = jpeg(frames)
    assert packed.shape == frames.shape and 0 < np.abs(packed.astype(int) - frames).mean() < 8


def test_words_are_those_of_the_sentences():
    words = set(re.findall(r"\w+", " ".join(all_words())))
    assert set(NUMBER) | {"parcel", "bag", "buses", "amber", "inside", "after", "see"} <= words
    assert len(words) < 120


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Camera("river", 1), "there is no scene 'river'; known are road, door"),
        (
            lambda: Camera("door", 1, count="car"),
            "a door cannot count 'car'; it counts one of bag, parcel",
        ),
        (lambda: Camera("road", 1, density=0), "density 0 of a scene; expected 0.05 to 10"),
        (lambda: View(width=60), "width 60 of a view; expected 84 to 196"),
        (lambda: View(fps=9), "fps 9 of a view; expected 1 to 8"),
        (lambda: View(196, 84), "196x84 pixels; expected a width of 0.7 to 2 heights"),
        (lambda: View(light="noon"), "light 'noon' of a view; expected one of day, dusk, night"),
        (
            lambda: View(occluder="bush"),
            "occluder 'bush' of a view; expected one of none, post, tree",
        ),
    ],
)
def test_wrong_settings_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_plain_picture_has_one_unit_a_pixel():
    view = View()
    assert [view.pixel(UNIT * n // 4) for n in (0, 1, 2, 3, 4, -2, -3)] == [0, 0, 1, 1, 1, 0, -1]
    assert View(168, 168).pixel(2 * UNIT) == 3
