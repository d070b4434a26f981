"""Which of many names are alike, without comparing each with each."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from app.core.text.alike_names import Likeness, Name, likeness

#: By a word that more names have than these no others are looked for, but by the rarest of a name.
_RARE: Final = 50


class NameIndex:
    """Names by their words, initials left out: those that are alike have another in common."""

    def __init__(self, names: Sequence[Name]) -> None:
        self.names = names
        self._places: dict[str, list[int]] = defaultdict(list)
        for at, name in enumerate(names):
            for spelling in name.whole | name.stems:
                self._places[spelling].append(at)

    def compared(self) -> Iterator[tuple[int, int, Likeness | None]]:
        """The places of names that can be alike, two and two, and how they are; two can come more
        than once. What has all words of a name has its rarest, unless by an initial: then it has
        another."""
        for at, name in enumerate(self.names):
            for other in self._near(name) - {at}:
                yield at, other, likeness(name, self.names[other])

    def _near(self, name: Name) -> set[int]:
        words = (word for word in name.words if len(word.full) > 1)
        rarest_first = sorted(words, key=lambda word: len(self._places[word.stem]))
        near: set[int] = set()
        for rank, word in enumerate(rarest_first):
            places = self._places[word.stem]
            if rank > 0 and len(places) > _RARE:
                break
            near.update(places, self._places[word.full])
        return near
