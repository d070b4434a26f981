"""Legal forms: each is one of its country's law."""

from sqlalchemy import Text, bindparam, select
from sqlalchemy.orm import Session

from app.core.databases.prepared import Prepared
from app.core.errors import Invalid
from app.resources.code import LegalForm

_COUNTRY = Prepared(select(LegalForm.parent).where(LegalForm.code == bindparam("code", type_=Text)))
_MAX_TOLD = 8


def check_legal_form(session: Session, form: str | None, country: str | None) -> None:
    """Refuse (422) a legal form of another country's law; one without a country tells its own."""
    if form is None or country is None:
        return
    # The records of a file have the same few forms: each is looked up once in a transaction.
    known: dict[str, str] = session.info.setdefault("countries_of_legal_forms", {})
    if form not in known:
        ((known[form],),) = _COUNTRY.rows(session, {"code": form})
    if known[form] != country:
        text = f"{form!r} is a legal form of {known[form]}, and `country` is {country}."
        raise Invalid.at("/legal_form", "country", f"{text} {_fitting(session, country)}")


def _fitting(session: Session, country: str) -> str:
    found = (
        select(LegalForm.code, LegalForm.aliases)
        .where(LegalForm.parent == country, LegalForm.retired.is_(False))
        .order_by(LegalForm.code)
    )
    forms = [
        f"{code} ({aliases[0]})" if aliases else code for code, aliases in session.execute(found)
    ]
    if not forms:
        return f"No form of {country} is on the list: leave `legal_form` out."
    more = " and more" if len(forms) > _MAX_TOLD else ""
    return (
        f"Those of {country}: {', '.join(forms[:_MAX_TOLD])}{more};"
        f" see /codes/legal-forms?parent={country}."
    )
