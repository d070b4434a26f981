"""How an answer is written: by `$format`, or by Accept (OData 4.0 Protocol, 8.2.1; JSON, 3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.core.errors import NotAcceptable
from app.core.http.accept import preferred
from app.odata.errors import VERSION

JSON: Final = "application/json"
_METADATA = ("odata.metadata", "metadata")


@dataclass(frozen=True, slots=True)
class Form:
    """JSON with or without what links it to the model; with `texts` numbers that lose digits as
    floats, which are decimals and counts, stand in quotes (`IEEE754Compatible`)."""

    has_context: bool = True
    texts: bool = False

    @property
    def media_type(self) -> str:
        """What Content-Type says of it."""
        found = f"{JSON};odata.metadata={'minimal' if self.has_context else 'none'}"
        return f"{found}{';IEEE754Compatible=true' if self.texts else ''};charset=utf-8"

    @property
    def tag(self) -> str:
        """What tells the tags of its answers from those of other forms."""
        return f"{'c' if self.has_context else 'n'}{'t' if self.texts else 'f'}"


def form_of(request: Request, asked: str | None) -> Form:
    """The form that `$format`, or else Accept, asks for; NotAcceptable for none that there is."""
    accept = request.headers.get("accept", "*/*") if asked is None else asked
    if accept.strip().lower() == "json":
        return Form()
    if asked is not None and "/" not in asked:
        raise NotAcceptable(f"$format: There is json, and {asked[:50]!r} is not there.")
    preferred(accept, (JSON,))
    chosen = dict(_parameters(accept))
    metadata = next((chosen[name] for name in _METADATA if name in chosen), "minimal")
    return Form(metadata != "none", chosen.get("ieee754compatible") == "true")


def _parameters(accept: str) -> Iterator[tuple[str, str]]:
    """The parameters of the first range that names JSON."""
    for item in accept.casefold().split(","):
        media, *parameters = (part.strip() for part in item.split(";"))
        if media == JSON:
            for parameter in parameters:
                name, _, value = (part.strip() for part in parameter.partition("="))
                yield name, value.strip('"')
            return


def answer(
    body: bytes, media_type: str, headers: dict[str, str] | None = None, status: int = 200
) -> Response:
    """An answer of OData."""
    name, version = VERSION
    varied = "Accept, Accept-Encoding, Prefer"
    told = {name: version, "Vary": varied, "Content-Type": media_type}
    return Response(body, status, {**told, **(headers or {})})
