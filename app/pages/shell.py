"""What all pages have: the way between them, the languages, and what is said of problems."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.core.errors import Problem
from app.core.http.security_headers import page_headers
from app.core.loose_types import Value
from app.core.public_path import public_path
from app.engine.labels import LANGUAGES
from app.pages import assets
from app.pages.bars import patterns, swatch
from app.pages.context import PageContext, accepted_language, language_of
from app.pages.rendering import render
from app.pages.words import Words

_HEADINGS: Final = {
    400: "wrong_address",
    401: "needs_key",
    403: "needs_key",
    404: "not_here",
    410: "gone",
    413: "not_kept",
    415: "not_kept",
    422: "not_kept",
}
#: What is said of a parameter, by the code of its fault; of others that it is not understood.
_OF_PARAMETERS: Final = {"unknown": "no_such_parameter", "repeated": "repeated_parameter"}
_AGAIN_LATER: Final = (429, 503)
LANGUAGE_NAMES = {"en": "English", "ru": "Русский", "kk": "Қазақша"}


def shell_values(context: PageContext) -> dict[str, Value]:
    """What the frame of every page takes."""
    languages = [
        (language, LANGUAGE_NAMES[language], context.in_language(language))
        for language in LANGUAGES
    ]
    return _frame(context.words) | {
        "c": context,
        "languages": languages,
        "home": context.page("/"),
        "search_address": context.page("/pages/search"),
        "kept": context.kept,
        "as_of": context.as_of,
        "present": context.request.scope["path"],
        "patterns": patterns(),
        "swatch": swatch,
    }


def _frame(words: Words) -> dict[str, Value]:
    return {
        "say": words.say,
        "say_html": words.html,
        "lang": words.language,
        "css": assets.address_of("css"),
        "js": assets.address_of("js"),
        "root": public_path(""),
    }


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem, as a page that says what is wrong and leads on."""
    try:
        words = Words(language_of(request))
    except Problem:
        words = Words(accepted_language(request))
    values = _frame(words) | {
        "problem": problem,
        "heading": _heading(words, problem),
        "told": _told(words, request, problem),
        # The same address: the browser asks for the key anew.
        "again": f"?{request.scope['query_string'].decode('latin-1')}"
        if _is_asked_for_key(request, problem)
        else None,
        "home": public_path("/") + f"?lang={words.language}",
    }
    response = Response(
        render("problem", values),
        problem.status,
        page_headers("") | {"Cache-Control": "no-store"},
        media_type="text/html; charset=utf-8",
    )
    response.raw_headers += problem.header_lines()
    return response


def _is_asked_for_key(request: Request, problem: Problem) -> bool:
    return problem.status == 401 and request.method == "GET"


def _told(words: Words, request: Request, problem: Problem) -> str | None:
    """What is wrong, in the language of the page; None where the heading says all there is."""
    if _is_asked_for_key(request, problem):
        return words.say("enter_key_how")
    if problem.status == 404:
        return words.say("not_recorded")
    if problem.status in _AGAIN_LATER:
        return words.say("try_again")
    for fault in problem.errors if problem.status == 400 else ():
        if fault.parameter is not None:
            key = _OF_PARAMETERS.get(fault.code, "wrong_parameter")
            return words.say(key, name=fault.parameter)
    return None


def _heading(words: Words, problem: Problem) -> str:
    return words.say(_HEADINGS.get(problem.status, "not_answered"))
