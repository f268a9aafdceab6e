"""Where do the outlines in minigan/data/outlines come from?  This takes them out of the fonts again (a second).

    python benchmarks/digit_outlines.py

It reads the TrueType files that matplotlib 3.11 and newer ship, with fontTools, which matplotlib needs too.  It replaces each
curve by straight lines, rounds their ends to whole font units, and writes one JSON file per family of fonts: for each face, for
each digit 0..9, its closed polygons [x, y, x, y, ...].  A hole turns the other way than the polygon around it.  The names of
the faces are ours, because a licence keeps the name of its fonts for the unchanged fonts.
"""

import json
from pathlib import Path

import matplotlib
from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont

import minigan.data

FOLDER = Path(minigan.data.__file__).with_name("outlines")
TOLERANCE = 1 / 1000  # of a digit's height: the largest distance between a curve and its lines
FAMILIES = {  # file: {face: font file}
    "dejavu": {
        f"DejaVu{style}": f"DejaVu{style}"
        for style in (
            *("Sans", "Sans-Bold", "Sans-Oblique", "Sans-BoldOblique"),
            *("SansMono", "SansMono-Bold", "SansMono-Oblique", "SansMono-BoldOblique"),
            *("Serif", "Serif-Bold", "Serif-Italic", "Serif-BoldItalic"),
        )
    },
    "general": {
        "General": "STIXGeneral",
        "General-Bold": "STIXGeneralBol",
        "General-Italic": "STIXGeneralItalic",
        "General-BoldItalic": "STIXGeneralBolIta",
    },
    "computer-modern": {name: name for name in ("cmr10", "cmb10", "cmti10", "cmtt10", "cmmi10", "cmss10")},
}


class Polygons(BasePen):
    """Collects the polygons of a glyph, in font units."""

    def __init__(self, glyphs, tolerance):
        super().__init__(glyphs)
        self.found, self.tolerance = [], tolerance

    def _moveTo(self, point):
        self.found.append([point])

    def _lineTo(self, point):
        self.found[-1].append(point)

    def _qCurveToOne(self, control, end):
        start = self.found[-1][-1]
        # A parabola deviates from n chords by |start - 2 control + end| / (4 n^2) at most.
        bend = abs(complex(start[0] - 2 * control[0] + end[0], start[1] - 2 * control[1] + end[1]))
        n = max(1, int((bend / (4 * self.tolerance)) ** 0.5 + 1))
        for t in (k / n for k in range(1, n + 1)):
            weights = (1 - t) ** 2, 2 * t * (1 - t), t**2
            self.found[-1].append(tuple(sum(w * p[k] for w, p in zip(weights, (start, control, end))) for k in (0, 1)))


def polygons(font: TTFont, digit: int) -> list[list[int]]:
    """The polygons of a digit.  Points that fall together after rounding are one point."""
    glyphs, name = font.getGlyphSet(), font.getBestCmap()[ord(str(digit))]
    glyph = font["glyf"][name]
    pen = Polygons(glyphs, TOLERANCE * (glyph.yMax - glyph.yMin))
    glyphs[name].draw(pen)
    found = []
    for points in pen.found:
        whole = [tuple(map(round, point)) for point in points]
        found.append([x for i, point in enumerate(whole) if point != whole[i - 1] for x in point])
    return found


def main():
    """See the module."""
    fonts = Path(matplotlib.get_data_path(), "fonts", "ttf")
    for family, faces in FAMILIES.items():
        lines = []
        for face, file in faces.items():
            font = TTFont(fonts / f"{file}.ttf")
            digits = ",\n".join(json.dumps(polygons(font, digit), separators=(",", ":")) for digit in range(10))
            lines.append(f'"{face}": [\n{digits}]')
        (FOLDER / f"{family}.json").write_text("{\n" + ",\n".join(lines) + "}\n", encoding="utf-8")
        print(f"{family}.json: {len(faces)} faces")


if __name__ == "__main__":
    main()
