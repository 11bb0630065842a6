# SPDX-License-Identifier: Apache-2.0
"""The reference of the synthetic cameras: every implementation says and shows the same.

    PYTHONPATH=src python tests/world_golden.py > tests/golden/world.txt    # in the folder training

One line per camera: its settings, then SHA-256 (the first 32 digits) of all that it says and of
all that it shows.
"""

import hashlib

from everwatch_training.world import Camera, View

SECONDS = 60
FIELDS = ("width", "height", "fps", "light", "occluder", "shake", "noise", "flicker")
PLAIN = {
    "day": View(),
    "night": View(light="night", occluder="tree", shake=3, noise=8),
    "wide": View(196, 112, 8, "dusk", "post", 1, 0, 0),
    "tall": View(84, 112, 1, occluder="tree"),
}
VIEW_SEEDS = range(100, 110)


def says(camera, second):
    def told(value):
        return "-" if value is None else str(value)

    def line(*parts):
        return "|".join(str(part) for part in parts)

    due = [line(d.what, d.start, d.end, told(d.told)) for d in second.due]
    questions = [line(q.text, q.answer, q.source, told(q.told)) for q in second.questions]
    return "\n".join([f"{second.index}:{second.sentence}", *due, second.caption, *questions]) + "\n"


def digests(camera, seconds=SECONDS):
    text, pixels = hashlib.sha256(camera.instruction.encode()), hashlib.sha256()
    for _ in range(seconds):
        second = camera.step()
        text.update(says(camera, second).encode())
        pixels.update(camera.render(second).tobytes())
    return text.hexdigest()[:32], pixels.hexdigest()[:32]


def cases():
    """(scene, seed, density, name or seed of the view, view)"""
    for number, scene in enumerate(("road", "door")):
        for i, (name, view) in enumerate(PLAIN.items()):
            yield scene, (1, -7, 900001, 1 << 62)[i] + number, (0.8, 2.0, 0.8, 1.3)[i], name, view
        for seed in VIEW_SEEDS:
            yield scene, seed * 1000003 + number, 0.8, str(seed), View.of_seed(seed)


def lines():
    for scene, seed, density, name, view in cases():
        settings = " ".join(f"{field}={getattr(view, field)}" for field in FIELDS)
        text, pixels = digests(Camera(scene, seed, view, density))
        camera = f"scene={scene} seed={seed} density={density} view={name} {settings}"
        yield f"{camera} text={text} pixels={pixels}"


if __name__ == "__main__":
    print("\n".join(lines()))
