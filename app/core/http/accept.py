"""What an Accept header asks for (RFC 9110, 12.5.1)."""

from collections.abc import Iterable, Iterator, Sequence

from app.core.errors import NotAcceptable, did_you_mean

JSON = "application/json"
#: How decimals are asked for as texts; `app/rest/decimals.py` tells what for.
DECIMALS = f"{JSON};decimal=string"
_NAME, _VALUE = DECIMALS.partition(";")[2].split("=")
#: What programs send that do not say what they take.
_ANYTHING = (b"accept", b"*/*")

Headers = Iterable[tuple[bytes, bytes]]


def preferred(accept: str, offered: Sequence[str]) -> str:
    """Which of the media types an Accept header prefers, the first when it does not matter;
    NotAcceptable (406) when it takes none. A browser, which asks for HTML, is shown JSON."""
    if accept == "*/*":
        return offered[0]
    best = max(offered, key=lambda form: _weight(accept, form))
    if not _weight(accept, best):
        raise NotAcceptable(f"This can be had as {', '.join(offered)}; asked for: {accept[:200]}.")
    return best


def _weight(accept: str, form: str) -> float:
    """How much a media type is wanted, 0 to 1, by the closest range of the header."""
    weights: dict[str, float] = {}
    for item in accept.lower().split(","):
        media, *parameters = (part.strip() for part in item.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            weights.setdefault(media, min(max(float(weight), 0.0), 1.0))
        except ValueError:
            weights.setdefault(media, 0.0)
    pages = ("text/html",) if form == JSON else ()
    ranges = (form, *pages, f"{form.partition('/')[0]}/*", "*/*")
    return next((weights[wanted] for wanted in ranges if wanted in weights), 0.0)


def check_accept(headers: Headers, *, is_json: bool) -> None:
    """Refuse (406) what cannot be answered: another form where there is JSON alone, and decimals
    as texts in a spelling that would have been passed over."""
    if _ANYTHING in headers:
        return
    asked = [value.decode("latin-1") for name, value in headers if name == b"accept"]
    for accept in asked:
        if ";" in accept:
            _check_decimals(accept)
    if asked and is_json:
        preferred(", ".join(asked), (JSON,))


def _check_decimals(accept: str) -> None:
    for media, name, value in _parameters(accept):
        if name == _NAME or did_you_mean(name, (_NAME,)):
            right = (media, name, value) == (JSON, _NAME, _VALUE)
            if not right:
                given = f"{media};{name}={value}"[:100]
                raise NotAcceptable(f"Decimals as texts are asked for by {DECIMALS}, not {given}.")


def asks_for_texts(accept: str) -> bool:
    """Whether the header asks for decimals as texts."""
    return (JSON, _NAME, _VALUE) in _parameters(accept)


def _parameters(accept: str) -> Iterator[tuple[str, str, str]]:
    """The parameters of each range: its media type, their names and values. These may be in any
    case, the value in quotes (RFC 9110, 5.6.6)."""
    for item in accept.casefold().split(","):
        media, *parameters = (part.strip() for part in item.split(";"))
        for parameter in parameters:
            name, _, value = (part.strip() for part in parameter.partition("="))
            yield media, name, value.strip('"')
