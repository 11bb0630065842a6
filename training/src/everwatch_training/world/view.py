# SPDX-License-Identifier: Apache-2.0
"""How a camera sees its scene: picture size, frame rate and conditions."""

from dataclasses import dataclass

from .dice import CONDITIONS, Dice

UNIT = 256  # of a scene's length; a picture is 112 units of 256 high, whatever its pixels
HEIGHT = 112

LIGHTS = {
    "day": (256, 256, 256),
    "dusk": (190, 160, 150),
    "night": (100, 104, 124),
}  # 256ths of red, green, blue
OCCLUDERS = ("none", "post", "tree")

# Sizes that View.draw draws from: whole merge groups of 28 pixels, and others.
EVEN_SIZES = (
    (84, 84),
    (112, 112),
    (140, 140),
    (168, 168),
    (196, 196),
    (112, 84),
    (140, 112),
    (168, 112),
    (196, 112),
    (196, 140),
    (84, 112),
    (140, 196),
)
ODD_SIZES = (
    (100, 100),
    (150, 150),
    (120, 90),
    (160, 120),
    (150, 100),
    (160, 90),
    (192, 108),
    (90, 120),
)


@dataclass(frozen=True)
class View:
    """One camera's view.

    shake: largest shift of a frame, in pixels; noise: deviation of the pixel noise, in grey levels;
    flicker: deviation of the gain, in thousandths.
    """

    width: int = 112
    height: int = 112
    fps: int = 2
    light: str = "day"
    occluder: str = "none"
    shake: int = 0
    noise: int = 5
    flicker: int = 20

    def __post_init__(self):
        for what, low, high in (
            ("width", 84, 196),
            ("height", 84, 196),
            ("fps", 1, 8),
            ("shake", 0, 3),
            ("noise", 0, 12),
            ("flicker", 0, 100),
        ):
            if not low <= getattr(self, what) <= high:
                raise ValueError(
                    f"{what} {getattr(self, what)} of a view; expected {low} to {high}"
                )
        if not 7 * self.height <= 10 * self.width <= 20 * self.height:
            raise ValueError(
                f"a view of {self.width}x{self.height} pixels; expected a width of 0.7 to 2 heights"
            )
        if self.light not in LIGHTS:
            raise ValueError(f"light '{self.light}' of a view; expected one of {', '.join(LIGHTS)}")
        if self.occluder not in OCCLUDERS:
            raise ValueError(
                f"occluder '{self.occluder}' of a view; expected one of {', '.join(OCCLUDERS)}"
            )

    @property
    def wide(self):
        """Width of the scene, in 256ths of a unit."""
        return self.width * HEIGHT * UNIT // self.height

    @property
    def inset(self):
        """What shaking may hide at a border, in 256ths of a unit."""
        return -(-self.shake * HEIGHT * UNIT // self.height)

    def pixel(self, length):
        """The pixel edge nearest to a place in 256ths of a unit, halves up."""
        return (2 * length * self.height + HEIGHT * UNIT) // (2 * HEIGHT * UNIT)

    @staticmethod
    def draw(rng):
        """A view for training. `rng`: a numpy Generator, of which one number is taken."""
        return View.of_seed(int(rng.integers(1 << 62)))

    @staticmethod
    def of_seed(seed):
        dice = Dice(seed, CONDITIONS)

        def one_of(values, field):
            return values[dice.below(len(values), 0, field)]

        plain = dice.chance(500, 0, 0)
        sizes = EVEN_SIZES if dice.chance(700, 0, 1) else ODD_SIZES
        width, height = (112, 112) if plain else one_of(sizes, 2)
        light = one_of(("day", "day", "dusk", "night"), 3)
        return View(
            width=width,
            height=height,
            fps=one_of((2, 2, 2, 2, 1, 3, 4, 5, 6, 7, 8), 4),
            light=light,
            occluder=one_of(("none", "none", "post", "tree"), 5),
            shake=one_of((0, 0, 0, 1, 2, 3), 6),
            noise=3 + dice.below(4, 0, 7) + (2 if light == "night" else 0),
            flicker=10 + dice.below(31, 0, 8),
        )
