"""One spelling for all the ways a word is written: alphabets, cases, endings, look-alikes."""

import re
import unicodedata
from functools import cache
from threading import Lock
from typing import Any

from app.core.text.names import NAMES, without_kazakh_ending

#: A stem of so many letters belongs to one name alone.
_LONG_STEM = 5
#: Letters of a word that count; what is longer differs no more.
LONGEST = 60

_CYRILLIC = re.compile("[\u0400-\u052f]")
_LATIN = re.compile("[a-z\u00df-\u024f\u0259]")
_GREEK = re.compile("[\u0370-\u03ff]")

# Letters that look alike, small or as capitals: the pairs stand at the same place.
_LATIN_TWINS, _CYRILLIC_TWINS = "aceopxykmhtbi", "асеорхукмнтві"
_GREEK_TWINS = "αεικορτυχμβη"
_TO_CYRILLIC = str.maketrans(_LATIN_TWINS + _GREEK_TWINS, _CYRILLIC_TWINS + "аеікортухмвн")
_TO_LATIN = str.maketrans(_CYRILLIC_TWINS + _GREEK_TWINS, _LATIN_TWINS + "aeikoptyxmbh")

#: Letters of Latin alphabets that no mark makes; those with marks lose them.
_MORE_LATIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ə": "a"}
)
#: Letters whose mark is a sound: of ISO 9, Kazakh and other Latin alphabets.
_HISSING = {"š": "sh", "ş": "sh", "ș": "sh", "ŝ": "sh", "č": "ch", "ž": "zh", "ż": "zh"}
# Letter by letter, so that the beginning of a word is the beginning of its spelling.
_SOUNDS = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфыэі", "abvgdeziiklmnoprstufiei", strict=True))
    | {"ж": "zh", "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ь": ""}
    | {"ю": "iu", "я": "ia"}
    # Kazakh, and what other Cyrillic alphabets add.
    | dict(zip("әңғүұқөһҳєґјљњѕ", "anguukohhegilnz", strict=True))
    | {"ћ": "ch", "ҷ": "ch", "ђ": "dzh", "џ": "dzh", "җ": "zh"}
    | dict(zip("αβγδεζηικλμνοπρσςτυφω", "avgdeziiklmnoprsstifo", strict=True))
    | {"θ": "t", "ξ": "ks", "χ": "h", "ψ": "ps"}
)

# How Latin letters are read, in this order; each is done for the whole word before the next.
_READINGS = [
    (re.compile(pattern), reading)
    for pattern, reading in [
        ("shch|sch", "sh"),
        ("tch", "ch"),
        # Names that English, German and ISO 9 write with letters of another sound.
        ("^mich(?=ael$|ail)", "mih"),
        ("^ju(?=li|ri)", "iu"),
        ("^jo(?=shk)", "io"),
        ("^xen", "ksen"),
        ("(?<=[oe])ff$", "v"),
        # Tajikistan, Azerbaijan, Nurjan and Oljas; Rossija, Tatjana and Petrosjan have an й.
        ("(?<=ba)ija", "idzha"),
        ("(?<=[a-z])j(?=i)", "zh"),
        ("(?:(?<=[bgklmnrt])|(?<=ai))j(?=an(?:$|ov|ev|bek|gul))", "zh"),
        ("(?<=[lnr])j(?=as(?:[aeu]?$|ov|ev|bek))", "zh"),
        ("ph", "f"),
        ("th", "t"),
        ("gh", "g"),
        ("qu", "kv"),
        ("ck", "k"),
        ("tech", "teh"),
        ("ch(?=[bdfglmprstvwz])", "h"),
        ("kh", "h"),
        ("ce$", "s"),
        ("c(?=[eiy])|tz(?!h)", "ts"),
        ("c(?!h)|q", "k"),
        ("w", "v"),
        ("^x", "h"),
        ("x", "ks"),
        ("dj", "dzh"),
        ("^j", "zh"),
        # Fyodor, Semyonov and Mirziyoyev are written with ё; Tokyo is not.
        ("(?<=[bdfgiklmnprstvz])yo(?=[a-z])", "e"),
        # Valikhanov and Baurzhan, as Kazakh writes them.
        ("^ua(?=li)", "va"),
        ("auy", "au"),
        ("[yj]e", "e"),
        ("[yj]", "i"),
    ]
]
#: What Russian writes otherwise in Kazakh names: Валиханов for Уәлиханов, Бауржан for Бауыржан.
_AS_IN_RUSSIAN = re.compile("^у[әа](?=ли)|ауы")
_DOUBLED = re.compile(r"([a-z])\1+")
_LATIN_RUN = re.compile("[a-z]+")

# Back to Cyrillic, for the endings alone.
_LETTERS = re.compile("zh|sh|ch|ts|ia|iu|(?<=[aeou])i(?![aeou])|[a-z]")
_CYRILLIC_OF = (
    dict(zip("abvgdeziklmnoprstufhc", "абвгдезиклмнопрстуфхк", strict=True))
    | {"zh": "ж", "sh": "ш", "ch": "ч", "ts": "ц", "ia": "я", "iu": "ю"}
)  # fmt: skip

_FIRST_VOWEL = re.compile("^[^аеиоуыэюяіәөүұ]*[аеиоуыэюяіәөүұ]")
_ADJECTIVE = re.compile(
    "(?:(?:ивш|ывш|ующ|(?<=[ая])(?:ем|нн|вш|ющ|щ))?(?:ими|ыми|его|ого|ему|ому|ее|ие|ые|ое|ей|ий"
    "|ый|ой|ем|им|ым|ом|их|ых|ую|юю|ая|яя|ою|ею))$"
)
_NOUN = re.compile(
    "(?:иями|ями|ами|ией|иям|ием|иях|ев|ов|ие|ье|еи|ии|ей|ой|ий|ям|ем|ам|ом|ах|ях|ию|ью|ия|ья|а|е"
    "|и|й|о|у|ы|ь|ю|я)$"
)


def normalize(word: str) -> str:
    """The word in small letters without marks (NFKC, case folded, ё as е), of one alphabet."""
    text = unicodedata.normalize("NFKC", word[:LONGEST]).casefold()
    if not text.isascii():
        text = "".join(_bare(letter) for letter in unicodedata.normalize("NFKC", text))
        text = _one_alphabet(text)
    return "".join(filter(str.isalnum, text))[:LONGEST]


def _bare(letter: str) -> str:
    if letter == "й":  # a letter of its own, not an и with a mark
        return letter
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    if letter in _HISSING:
        return _HISSING[letter]
    parts = unicodedata.normalize("NFD", letter)
    # Modifier letters are apostrophes of many sorts: oʻzbek, Kazanʹ.
    return "".join(
        c for c in parts if unicodedata.category(c)[0] != "M" and not "\u02b0" <= c <= "\u02ff"
    )


def _one_alphabet(word: str) -> str:
    """The word with look-alikes in the alphabet of its other letters; a single letter in Latin."""
    cyrillic, latin = _CYRILLIC.findall(word), _LATIN.findall(word)
    greek = len(_GREEK.findall(word))
    if len(cyrillic) + len(latin) + greek == 1:
        return word.translate(_TO_LATIN)
    if greek > len(cyrillic) + len(latin) or bool(cyrillic) + bool(latin) + bool(greek) < 2:
        return word
    as_cyrillic = sum(c not in _CYRILLIC_TWINS for c in cyrillic), len(cyrillic)
    as_latin = sum(c not in _LATIN_TWINS for c in latin), len(latin)
    return word.translate(_TO_CYRILLIC if as_cyrillic >= as_latin else _TO_LATIN)


def spell(folded: str) -> str:
    """A folded word in a-z0-9, alike for its usual Cyrillic and Latin spellings; never empty.

    Lossy: double letters are one, й ы і y j are i, щ and ш are sh, soft and hard signs are gone.
    A word with letters of other scripts is `u` and the code points in hexadecimal.
    """
    text = _AS_IN_RUSSIAN.sub(_russian, folded).translate(_MORE_LATIN)
    text = _LATIN_RUN.sub(lambda run: _read(run.group()), text).translate(_SOUNDS)
    if not text or not text.isascii():
        return "u" + "".join(f"{ord(letter):x}" for letter in folded)
    return _DOUBLED.sub(r"\1", text).replace("dzh", "zh")


def _russian(found: re.Match[str]) -> str:
    return "ау" if found.group() == "ауы" else "ва"


def _read(latin: str) -> str:
    if "q" in latin:
        # No й: a word of Kazakh, Uzbek or Azerbaijani in Latin letters.
        latin = latin.replace("j", "zh")
    for pattern, reading in _READINGS:
        latin = pattern.sub(reading, latin)
    return latin


def stem(folded: str) -> str:
    """The spelling of a folded word without its endings, so that its cases and numbers meet.

    Latin words lose English endings (Snowball), then Russian ones: `astana` meets «астане».
    Cyrillic words lose Kazakh endings, or Russian ones. A name that languages write differently
    has one stem in all of them.
    """
    names, bare = _names(), without_kazakh_ending(folded)
    own = _own_stem(bare)
    return names.get(spell(folded)) or names.get(spell(bare)) or names.get(own, own)


@cache
def _names() -> dict[str, str]:
    """The stem that all spellings of a name have, by these spellings and by their own stems."""
    found: dict[str, str] = {}
    for group in NAMES:
        shared, *_ = stems = [_own_stem(normalize(name)) for name in group]
        found |= {spell(normalize(name)): shared for name in group}
        # A short stem is that of other words too.
        found |= {own: shared for own in stems if len(own) >= _LONG_STEM}
    return found


def _own_stem(folded: str) -> str:
    latin = folded.translate(_MORE_LATIN)
    if latin.isascii() and latin.isalpha():
        spelling = spell(_english(latin))
        return spell(_without_ending(_LETTERS.sub(_cyrillic_of, spelling)))
    if _CYRILLIC.search(folded):
        return spell(_without_ending(folded))
    return spell(folded)


def _cyrillic_of(found: re.Match[str]) -> str:
    letters = found.group()
    if letters == "i" and found.start() and found.string[found.start() - 1] in "aeou":
        return "й"
    return _CYRILLIC_OF.get(letters, "")


def _without_ending(word: str) -> str:
    """The word without the ending of a Russian adjective or noun.

    Snowball's Russian algorithm without its verbs, which take the н of «Казахстан» for an ending
    and so tell «Астана» from «Астане»: names and titles are made of nouns.
    """
    vowel = _FIRST_VOWEL.match(word)
    if vowel is None:
        return word
    head, tail = vowel.group(), word[vowel.end() :]
    shorter = _ADJECTIVE.sub("", tail)
    if shorter == tail:
        shorter = _NOUN.sub("", tail)
    # «Сулейменов», which lost its own, is to meet «Сулейменова» and «Сулейменовой».
    if len(head) + len(shorter) > 5:
        shorter = shorter.removesuffix("ов").removesuffix("ев")
    if len(head) + len(shorter) > 3:  # «Алиев» is not to meet «Алия»
        shorter = shorter.removesuffix("и").removesuffix("ь")
    return head + (shorter[:-1] if shorter.endswith("нн") else shorter)


@cache
def _english_stemmer() -> tuple[Any, Lock]:
    # Imported when first needed, as it would slow the start. It keeps its word in itself.
    from snowballstemmer.english_stemmer import EnglishStemmer

    return EnglishStemmer(), Lock()


def _english(word: str) -> str:
    stemmer, lock = _english_stemmer()
    with lock:
        short = str(stemmer.stemWord(word))
    # The c of `service` is read as s, with its e or without.
    return short + "e" if short.endswith("c") and word.startswith(short + "e") else short
