"""Draw a folder of coloured pictures to train on: discs, squares, crosses and rings, one sub-folder for each.

    python benchmarks/shapes.py DIR [--size 64] [--count 4000] [--seed 0]
    minigan train dcgan --data folder --data-dir DIR

Each shape has a random colour, place, size and angle, on a plain or shaded background.  The same seed draws the same pictures.
docs/your-own-data.md shows what systems learn from them.
"""

import argparse
import colorsys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

FINER = 4  # pictures are drawn this much larger, then reduced, so that edges are smooth


def colour(rng, saturation, value):
    """A random hue, as RGB from 0 to 255; saturation and value: ranges from 0 to 1."""
    part = colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value))
    return tuple(round(255 * x) for x in part)


def background(rng, side):
    """A dull colour, or in half of the pictures a slope from one such colour to another."""
    one, other = (np.array(colour(rng, (0.1, 0.4), (0.15, 0.5))) for _ in range(2))
    if rng.random() < 0.5:
        other = one
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.meshgrid(*[np.linspace(-0.5, 0.5, side)] * 2)
    share = np.clip(0.5 + np.cos(angle) * x + np.sin(angle) * y, 0, 1)[..., None]
    return Image.fromarray(np.round(one * (1 - share) + other * share).astype(np.uint8))


def polygon(corners, centre, radius, angle):
    """Corners, (x, y) around 0, turned, enlarged and moved to the centre."""
    c, s = np.cos(angle), np.sin(angle)
    return [(centre[0] + radius * (c * x - s * y), centre[1] + radius * (s * x + c * y)) for x, y in corners]


def draw(kind, rng, side):
    """One picture of a kind, a Pillow image of side x side pixels."""
    fine = FINER * side
    picture = background(rng, fine)
    pen, paint = ImageDraw.Draw(picture), colour(rng, (0.7, 1), (0.8, 1))
    radius = rng.uniform(0.2, 0.32) * fine
    x, y = centre = rng.uniform(1.1 * radius, fine - 1.1 * radius, 2)
    box, angle = (x - radius, y - radius, x + radius, y + radius), rng.uniform(0, 0.5)
    if kind == "disc":
        pen.ellipse(box, fill=paint)
    elif kind == "ring":
        pen.ellipse(box, outline=paint, width=round(0.4 * radius))
    elif kind == "square":
        a = 0.8
        pen.polygon(polygon([(-a, -a), (a, -a), (a, a), (-a, a)], centre, radius, angle), fill=paint)
    else:  # a cross: two bars
        a, b = 1.0, 0.27
        for w, h in ((a, b), (b, a)):
            pen.polygon(polygon([(-w, -h), (w, -h), (w, h), (-w, h)], centre, radius, angle), fill=paint)
    return picture.resize((side, side), Image.Resampling.BOX)


KINDS = ("cross", "disc", "ring", "square")


def folder(path, size=64, count=4000, seed=0):
    """Draw `count` pictures into path/cross, path/disc, path/ring and path/square."""
    for number, kind in enumerate(KINDS):
        place = Path(path) / kind
        place.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng([seed, number])
        for i in range(number, count, len(KINDS)):
            draw(kind, rng, size).save(place / f"{i:05}.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("path", metavar="DIR")
    parser.add_argument("--size", type=int, default=64, help="side of a picture, in pixels")
    parser.add_argument("--count", type=int, default=4000, help="how many pictures")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    folder(asked.path, asked.size, asked.count, asked.seed)
