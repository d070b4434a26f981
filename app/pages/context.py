"""What a page is made with: its request, its language, and how its addresses are written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request

from app.api import RESOURCES
from app.core.http.requests import parameters, read_query
from app.core.loose_types import Value
from app.core.public_path import public_path
from app.engine.labels import LANGUAGES, Language, label
from app.engine.registry import by_record_type
from app.engine.resource import Resource
from app.engine.schemas import Schema
from app.engine.withholding import told_together
from app.pages import formats
from app.pages.labels import Labels
from app.pages.reading import PageReader, Pairs, time_of_position
from app.pages.words import Words, written_language
from app.rest.kept_answers import known_position

#: How descriptions say that there is no name.
NOT_NAMED = ("not_named", "other_side_not_named")
#: What the address says in which language the page is, and of which moment.
LANG, AS_OF = "lang", "as_of"


@dataclass(frozen=True, slots=True)
class PageContext:
    """One request for a page."""

    request: Request
    reader: PageReader
    words: Words
    labels: Labels
    #: What stands in the address, without the language and the moment.
    pairs: Pairs
    #: What every link to another page keeps: the language and the moment, where they are given.
    kept: Pairs

    @property
    def language(self) -> Language:
        """The language of the page."""
        return self.words.language

    @property
    def as_of(self) -> str | None:
        """The moment that the page is of, where it is not the present."""
        return next((value for name, value in self.kept if name == AS_OF), None)

    async def read(self, path: str, pairs: Pairs = (), /, **steps: str) -> Value:
        """What a read of the service answers to who looks at the page."""
        return await self.reader.read(self.request, path, pairs, **steps)

    async def rows(self, path: str, pairs: Pairs = (), /, **steps: str) -> list[Value]:
        """The records of a list."""
        answer = await self.reader.find(self.request, path, pairs, **steps)
        return list(answer["data"])

    def say(self, key: str, n: int | None = None, /, **values: Value) -> str:
        """Words in the page's language."""
        return self.words.say(key, n, **values)

    def name(self, list_name: str, code: Value) -> str:
        """What a code is called; that it is not stated where there is none."""
        if code is None:
            return self.say("not_stated")
        return self.labels.name(list_name, code)

    def number(self, value: int | Decimal | float) -> str:
        """A number with all its digits."""
        return formats.number(value, self.language)

    def share(self, count: int) -> str:
        """Of how many of some things something is true."""
        return formats.share(count, self.language)

    def is_withheld(self, kind: str, record: Value, *names: str) -> bool:
        """Whether one of these fields of a record is withheld, by itself or with others that tell
        of it."""
        told = record.get("withheld") or ()
        return not told_together(_kinds()[kind], told).isdisjoint(names)

    def missing(self, kind: str, record: Value, *names: str, words: str = "not_stated") -> str:
        """What is said in place of a value that is not shown: that it is withheld, or one of the
        fields that it is made of, or the words for one that nobody states."""
        return self.say("withheld" if self.is_withheld(kind, record, *names) else words)

    def of_deals(self, count: int) -> str:
        """The deals that a share is of."""
        return self.say("of_deals", count, n=self.number(count))

    def date(self, text: str | None) -> str | None:
        """A stated date in words."""
        return formats.stated_date(text, self.language)

    def title(self, record: Value, name: str = "title") -> str:
        """A title or name: in English on the English page, else as it is printed."""
        english = record.get(f"{name}_en") if self.language == "en" else None
        return str(english or record.get(name) or self.say("withheld"))

    def described(self, text: str | None) -> str:
        """What somebody without a name is described as. What says no more than that they have none
        is no text of a source, and told in the page's language."""
        return self.words.retold(text or self.say("not_named"), NOT_NAMED)

    def written_in(self, text: str) -> Markup:
        """The attribute that says in which language what somebody recorded is, if in another."""
        found = written_language(text)
        return Markup("") if found in (None, self.language) else Markup(f' lang="{found}"')  # noqa: S704 (one of three)

    def fields(self, kind: str, names: Iterable[str]) -> list[str]:
        """What fields of a kind are called."""
        return [field_name(kind, name, self.language) for name in names]

    def page(self, path: str, pairs: Iterable[tuple[str, str]] = (), anchor: str = "") -> str:
        """The address of another page, in the same language and of the same moment."""
        query = urlencode([*pairs, *self.kept])
        return public_path(path) + (f"?{query}" if query else "") + anchor

    def api(self, path: str, pairs: Iterable[tuple[str, str]] = ()) -> str:
        """The address of a read, of the same moment."""
        kept = [pair for pair in self.kept if pair[0] == AS_OF]
        query = urlencode([*pairs, *kept], safe="(),")
        return public_path(path) + (f"?{query}" if query else "")

    def record(self, kind: str, record: Value) -> str | None:
        """The page of a record; None of a kind that has none."""
        path = PATHS.get(kind)
        return self.page(f"/pages/{path}/{record['id']}") if path and record else None

    def in_present(self) -> str:
        """This page as it is now."""
        kept = [pair for pair in self.kept if pair[0] != AS_OF]
        query = urlencode([*self.pairs, *kept])
        return public_path(self.request.scope["path"]) + (f"?{query}" if query else "")

    def permalink(self, position: str) -> str:
        """The whole address of this page as it is at a position of the log."""
        kept = [pair for pair in self.pairs if pair[0] != "cursor"]
        language = [pair for pair in self.kept if pair[0] == LANG]
        query = urlencode([*kept, *language, (AS_OF, position)])
        return f"{self.whole(self.request.scope['path'])}?{query}"

    def whole(self, path: str) -> str:
        """The address of a page with the name of the server in it."""
        url = self.request.url
        return f"{url.scheme}://{url.netloc}{public_path(path)}"

    async def citing(self, receipt_of: str, files: Pairs) -> dict[str, Value]:
        """How the page is cited and taken along: the state that it is of and when that came about,
        its address in that state, the read of which a receipt can be made, and its files by what
        they are called."""
        position = self.as_of or await known_position(self.request)
        changed = await time_of_position(self.request, position)
        return {
            "position": position,
            "moment": changed and formats.moment(changed, self.language),
            "changes": self.api("/changes", (("since", position),)) if changed else None,
            "permalink": self.permalink(position),
            "receipt_of": receipt_of,
            "files": files,
        }

    def in_language(self, language: Language) -> str:
        """This page in another language."""
        kept = [pair for pair in self.kept if pair[0] != LANG]
        query = urlencode([*self.pairs, *kept, (LANG, language)])
        return public_path(self.request.scope["path"]) + f"?{query}"


def field_name(kind: str, name: str, language: Language) -> str:
    """What a field of a kind is called within a sentence; the id of a related record as that."""
    resource = _kinds()[kind]
    relation = name.removesuffix("_id")
    name = relation if relation in resource.to_one else name
    return label(resource, (name,), language).lower()


def path_of(kind: str) -> str:
    """Where the records of a kind are read."""
    return _kinds()[kind].path


@cache
def _kinds() -> Mapping[str, Resource]:
    return by_record_type(RESOURCES)


#: The kinds of records that have pages.
PATHS = {
    "mission": "missions",
    "agreement": "agreements",
    "organization": "organizations",
    "company": "organizations",
    "person": "people",
}


class LanguageQuery(Schema):
    """The language of a page, as its address asks for it."""

    lang: Language | None = None


def language_of(request: Request) -> Language:
    """The language that is asked for: by the address, else by the browser; BadRequest for one that
    there is not."""
    sent = parameters(request.scope["query_string"])
    asked = urlencode([pair for pair in sent if pair[0] == LANG and pair[1]])
    query = read_query(LanguageQuery, asked.encode())
    assert isinstance(query, LanguageQuery)
    return query.lang or accepted_language(request)


def accepted_language(request: Request) -> Language:
    """The language that the browser prefers of those that there are: English without one."""
    return _accepted(request.headers.get("accept-language", ""))


def _accepted(header: str) -> Language:
    weights: dict[str, float] = {}
    for item in header.lower().split(","):
        tag, *rest = (part.strip() for part in item.split(";"))
        weight = next((part[2:] for part in rest if part.startswith("q=")), "1")
        try:
            weights.setdefault(tag.partition("-")[0], float(weight))
        except ValueError:
            continue
    best = max(LANGUAGES, key=lambda each: weights.get(each, 0.0))
    return best if weights.get(best, 0.0) > 0 else "en"
