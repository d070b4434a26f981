"""The words of the pages, in English, Russian and Kazakh, with their plurals."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from babel import Locale
from markupsafe import Markup, escape

from app.core.loose_types import Value
from app.engine.labels import LANGUAGES, Language

#: English as most of the world writes its dates: 11 April.
LOCALES: Mapping[Language, str] = {"en": "en_GB", "ru": "ru", "kk": "kk"}
#: What a form without a plural of its own is called.
_ONE_FORM = "other"

Forms = Mapping[str, str]
#: Words of a script, and the letters that Kazakh has and Russian has not.
_CYRILLIC, _LATIN = re.compile("[Ѐ-ӿ]+"), re.compile("[A-Za-z]+")
_KAZAKH = re.compile("[ӘәҒғҚқҢңӨөҰұҮүҺһІі]")
_FEWEST_WORDS = 3


@cache
def all_words() -> Mapping[str, Mapping[Language, Forms]]:
    """All words by key, language and plural form."""
    text = (files("app.pages") / "words.toml").read_text("utf-8")
    return {
        key: {language: _forms(told[language]) for language in LANGUAGES if language in told}
        for key, told in tomllib.loads(text).items()
    }


def _forms(told: str | Forms) -> Forms:
    return {_ONE_FORM: told} if isinstance(told, str) else told


@cache
def locale_of(language: Language) -> Locale:
    """The rules of the language."""
    return Locale.parse(LOCALES[language])


@dataclass(frozen=True, slots=True)
class Words:
    """The words in one language."""

    language: Language

    def say(self, key: str, n: int | None = None, /, **values: Value) -> str:
        """The words, in the plural form of `n` where it is given."""
        told = _template(key, self.language, n)
        return told.format(**values) if values else told

    def retold(self, text: str, keys: Sequence[str]) -> str:
        """The text; one that is what a key is said as in any language, in this one."""
        said = (key for key in keys if text.casefold() in _all_forms(key))
        key = next(said, None)
        return text if key is None else self.say(key)

    def html(self, key: str, n: int | None = None, /, **values: Value) -> Markup:
        """The same with values that can be HTML; those that are not are escaped."""
        told = str(escape(_template(key, self.language, n)))
        return Markup(told.format(**{name: escape(value) for name, value in values.items()}))  # noqa: S704 (each is escaped)


def _template(key: str, language: Language, n: int | None) -> str:
    forms = all_words()[key][language]
    if n is None:
        return forms[_ONE_FORM]
    form = locale_of(language).plural_form(n)
    return forms.get(form, forms.get(_ONE_FORM) or next(iter(forms.values())))


@cache
def _all_forms(key: str) -> frozenset[str]:
    told = all_words()[key].values()
    return frozenset(form.casefold() for forms in told for form in forms.values())


def written_language(text: str) -> Language | None:
    """In which of the languages a text is, by its letters; a word or two are rather a name."""
    cyrillic, latin = _CYRILLIC.findall(text), _LATIN.findall(text)
    if max(len(cyrillic), len(latin)) < _FEWEST_WORDS:
        return None
    if len(latin) > len(cyrillic):
        return "en"
    return "kk" if _KAZAKH.search(text) else "ru"
