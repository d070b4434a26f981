"""What the calendar and the feed say, in English, Russian and Kazakh."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from app.charts.numbers import number_text
from app.core.loose_types import Json
from app.engine.labels import Language, Told, told
from app.engine.withholding import told_together
from app.resources.agreement import agreement

CALENDAR: Final = told(
    "Trade-mission deals: dates",
    "Сделки торговых миссий: сроки",
    "Сауда миссияларының келісімдері: мерзімдер",
)
CALENDAR_ABOUT: Final = told(
    "When plans are due, and 6, 12 and 24 months after agreements were signed. Agreements without"
    " a date, or without its year, are not here: {undated}.",
    "Сроки планов, а также 6, 12 и 24 месяца после подписания соглашений. Соглашений без даты"
    " или без года здесь нет: {undated}.",
    "Жоспарлардың мерзімдері және келісімдерге қол қойылғаннан кейінгі 6, 12 және 24 ай. Күні"
    " немесе жылы жоқ келісімдер мұнда жоқ: {undated}.",
)
LEFT_OUT: Final = told(
    "These are the {shown} latest days; earlier ones that are left out: {left_out}. Choose a"
    " mission or a country.",
    "Здесь {shown} самых поздних дней; более ранних не показано: {left_out}. Выберите миссию или"
    " страну.",
    "Мұнда ең соңғы {shown} күн; көрсетілмеген ертеректері: {left_out}. Миссияны немесе елді"
    " таңдаңыз.",
)
DUE: Final = told("Due: {title}", "Срок: {title}", "Мерзімі: {title}")
FOLLOW_UP: Final = told(
    "{months} months after signing: {title}",
    "{months} мес. после подписания: {title}",
    "Қол қойылғаннан кейін {months} ай: {title}",
)
DUE_NOT_TO_THE_DAY: Final = told(
    "Stated as {date}: this is the last day that it can mean.",
    "Указано как {date}: это последний день, который может иметься в виду.",
    "{date} деп көрсетілген: бұл оның білдіруі мүмкін соңғы күн.",
)
SIGNED_NOT_TO_THE_DAY: Final = told(
    "Signed {date}: counted from the last day that it can mean.",
    "Подписано {date}: отсчёт от последнего дня, который может иметься в виду.",
    "Қол қойылған күні {date}: оның білдіруі мүмкін соңғы күннен саналды.",
)
CLASS: Final = told("Class: {name}", "Класс: {name}", "Санаты: {name}")
AMOUNT: Final = told("Amount: {amount}", "Сумма: {amount}", "Сомасы: {amount}")
NOT_STATED: Final = told("not stated", "не указана", "көрсетілмеген")
AMOUNT_WITHHELD: Final = told("withheld", "не разглашается", "жарияланбайды")
WITHHELD: Final = told("Withheld", "Не разглашается", "Жарияланбайды")
BOUNDS: Final[Mapping[str, Told]] = {
    "at_least": told("at least {amount}", "не менее {amount}", "кемінде {amount}"),
    "more_than": told("more than {amount}", "более {amount}", "{amount} астам"),
    "at_most": told("at most {amount}", "не более {amount}", "ең көбі {amount}"),
    "approximately": told("about {amount}", "около {amount}", "шамамен {amount}"),
}
PER_YEAR: Final = told("{amount} a year", "{amount} в год", "жылына {amount}")

FEED: Final = told(
    "Trade-mission deals: new agreements and outcomes",
    "Сделки торговых миссий: новые соглашения и результаты",
    "Сауда миссияларының келісімдері: жаңа келісімдер мен нәтижелер",
)
SERVICE: Final = told(
    "Trade-mission deals", "Сделки торговых миссий", "Сауда миссияларының келісімдері"
)
OUTCOME: Final = told("Outcome: {title}", "Результат: {title}", "Нәтиже: {title}")
STATUS: Final = told("Status: {name}", "Статус: {name}", "Мәртебесі: {name}")
SIGNED: Final = told("Signed: {date}", "Подписано: {date}", "Қол қойылған күні: {date}")
DATE: Final = told("Date: {date}", "Дата: {date}", "Күні: {date}")


def title_of(record: Json | None, language: Language) -> str:
    """What an agreement is called: in English where that is asked for, else as it is printed."""
    if record is None:
        return WITHHELD[language]
    english = record.get("title_en") if language == "en" else None
    return str(english or record.get("title") or WITHHELD[language])


def amount_of(record: Json, name: str, language: Language) -> str | None:
    """An amount with its limits and its currency; None where none is stated."""
    value, most = record.get(name), record.get("amount_max")
    if value is None:
        return None
    told = number_text(_exact(value), language)
    if most is not None and most != value:
        told = f"{told}–{number_text(_exact(most), language)}"
    told = f"{told} {record.get('currency') or ''}".strip()
    if (bound := BOUNDS.get(record.get("amount_bound") or "")) is not None:
        told = bound[language].format(amount=told)
    if record.get("amount_period") == "per_year":
        told = PER_YEAR[language].format(amount=told)
    return told


def amount_or_why(record: Json, language: Language) -> str:
    """An agreement's amount, or why it is not here: it is withheld, or nobody states it."""
    told = amount_of(record, "amount", language)
    if told is not None:
        return told
    hidden = told_together(agreement, record.get("withheld") or ())
    return (AMOUNT_WITHHELD if "amount" in hidden else NOT_STATED)[language]


def _exact(value: int | float | str | Decimal) -> Decimal:
    return Decimal(str(value))
