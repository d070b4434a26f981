"""The marks of classes: told apart without colour, without red or green, and without pattern."""

from itertools import combinations
from math import dist

from app.charts.marks import AGE_MARKS, CLASS_MARKS, GROUNDS, STATE_MARKS, Theme
from app.charts.svg import contrast, lightness
from app.insights.cohorts import CohortState
from app.resources.firmness import Firmness


def test_every_class_and_state_has_a_mark() -> None:
    assert list(CLASS_MARKS) != []
    assert set(CLASS_MARKS) == set(Firmness)
    assert set(CohortState) < set(STATE_MARKS)


def perceived(colour: str) -> float:
    """The lightness L* of CIE 1976, which is what grey print shows."""
    luminance = lightness(colour)
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance


def test_the_colours_of_classes_stay_apart_in_grey_print() -> None:
    for theme, marks in ((t, m) for t in Theme for m in (CLASS_MARKS,)):
        shades = {key: perceived(mark.fills[theme][0]) for key, mark in marks.items()}
        near = [
            (one, other, round(abs(shades[one] - shades[other])))
            for one, other in combinations(shades, 2)
            if abs(shades[one] - shades[other]) < 7
        ]
        assert not near, (theme, shades)


def test_no_two_marks_of_a_picture_have_one_pattern() -> None:
    for marks in (CLASS_MARKS, AGE_MARKS):
        assert len({mark.pattern for mark in marks.values()}) >= len(marks) - 1


def test_texts_and_edges_can_be_read_on_their_ground() -> None:
    for theme, ground in GROUNDS.items():
        for colour in (ground.text, ground.quiet):
            assert contrast(colour, ground.ground) >= 4.5
            assert contrast(colour, ground.apart) >= 4.5
        for key, mark in CLASS_MARKS.items():
            edge = max(contrast(colour, ground.ground) for colour in mark.fills[theme])
            assert edge >= 3, key


#: What somebody sees who lacks one kind of cone, in linear RGB (Viénot, Brettel and Mollon, 1999).
LACKING = {
    "red": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "green": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
}


def seen(colour: str, lacking: str) -> tuple[float, float, float]:
    """The colour in L*a*b* as who lacks the cone sees it."""
    linear = [(int(colour[at : at + 2], 16) / 255) ** 2.2 for at in (1, 3, 5)]
    red, green, blue = (
        max(0.0, sum(f * part for f, part in zip(row, linear, strict=True)))
        for row in LACKING[lacking]
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_the_colours_of_classes_stay_apart_for_who_lacks_a_cone() -> None:
    near = []
    for theme in Theme:
        for lacking in LACKING:
            found = {key: seen(mark.fills[theme][0], lacking) for key, mark in CLASS_MARKS.items()}
            near += [
                (theme, lacking, one, other)
                for one, other in combinations(found, 2)
                if dist(found[one], found[other]) < 12
            ]
    assert not near
