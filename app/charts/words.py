"""What pictures say, in English, Russian and Kazakh."""

from collections.abc import Mapping
from typing import Final

from app.engine.labels import Language, Told, told

#: The title and the first sentence of each chart.
TITLES: Final[Mapping[str, tuple[Told, Told]]] = {
    "firmness": (
        told(
            "How firm the agreements are",
            "Насколько тверды соглашения",
            "Келісімдер қаншалықты берік",
        ),
        told("Agreements by class", "Соглашения по классам", "Келісімдер санаттар бойынша"),
    ),
    "instruments": (
        told(
            "What was agreed on, and how firm it is",
            "О чём договорились и насколько это твёрдо",
            "Не туралы келісілді және ол қаншалықты берік",
        ),
        told(
            "Agreements by instrument, status and class",
            "Соглашения по видам, статусам и классам",
            "Келісімдер түрі, мәртебесі және санаты бойынша",
        ),
    ),
    "sectors": (
        told("In which sectors", "В каких отраслях", "Қай салаларда"),
        told(
            "Agreements by sector (ISIC Rev. 4) and class",
            "Соглашения по отраслям (МСОК, ред. 4) и классам",
            "Келісімдер салалар (ХСЖК, 4-ред.) және санаттар бойынша",
        ),
    ),
    "host-countries": (
        told("Where the missions went", "Куда ездили миссии", "Миссиялар қайда барды"),
        told(
            "Agreements by host country of their mission, and class",
            "Соглашения по принимающей стране миссии и классам",
            "Келісімдер миссияны қабылдаған ел және санат бойынша",
        ),
    ),
    "party-countries": (
        told(
            "Which countries the parties are from",
            "Из каких стран стороны",
            "Тараптар қай елдерден",
        ),
        told(
            "Agreements by country of their parties, and class",
            "Соглашения по странам сторон и классам",
            "Келісімдер тараптардың елдері және санаттар бойынша",
        ),
    ),
    "money": (
        told("What it is worth", "Сколько это стоит", "Оның құны қанша"),
        told(
            "Stated amounts by currency and class; currencies are never added together",
            "Заявленные суммы по валютам и классам; валюты никогда не складываются",
            "Мәлімделген сомалар валюта және санат бойынша; валюталар ешқашан қосылмайды",
        ),
    ),
    "signings": (
        told("When it was signed", "Когда подписано", "Қашан қол қойылды"),
        told(
            "Agreements by date of signature, and class",
            "Соглашения по дате подписания и классам",
            "Келісімдер қол қойылған күні және санаты бойынша",
        ),
    ),
    "missions": (
        told("When the missions were", "Когда были миссии", "Миссиялар қашан болды"),
        told(
            "Missions by the first day of their dates",
            "Миссии по первому дню",
            "Миссиялар алғашқы күні бойынша",
        ),
    ),
    "funnel": (
        told(
            "From announced to completed",
            "От объявления до исполнения",
            "Жариялаудан орындауға дейін",
        ),
        told(
            "Where agreements stand, and how long ago their missions were",
            "На каком этапе соглашения и как давно были их миссии",
            "Келісімдер қай кезеңде және олардың миссиялары қашан болды",
        ),
    ),
    "conversion": (
        told("What became of it", "Что из этого вышло", "Одан не шықты"),
        told(
            "Where agreements stood so many months after they were announced or signed",
            "На каком этапе были соглашения спустя столько месяцев после объявления или подписания",
            "Жарияланғаннан немесе қол қойылғаннан кейін келісімдер қай кезеңде болды",
        ),
    ),
    "partners": (
        told("Who deals with whom", "Кто с кем договорился", "Кім кіммен келісті"),
        told(
            "Organizations that are parties to the same agreement, by class",
            "Организации — стороны одного соглашения, по классам",
            "Бір келісімнің тараптары болған ұйымдар, санаттар бойынша",
        ),
    ),
}
AXIS: Final = told("Number of agreements", "Число соглашений", "Келісімдер саны")
MISSIONS_AXIS: Final = told("Number of missions", "Число миссий", "Миссиялар саны")
NOTHING: Final = told(
    "There are no agreements here yet.", "Соглашений здесь пока нет.", "Мұнда келісімдер әлі жоқ."
)
NO_AMOUNTS: Final = told("There are no amounts here.", "Сумм здесь нет.", "Мұнда сомалар жоқ.")
NO_COHORTS: Final = told(
    "Nothing here has a date from which it could be followed.",
    "Здесь нет ничего с датой, от которой можно вести отсчёт.",
    "Мұнда санауды бастайтын күні бар ештеңе жоқ.",
)
NO_MISSIONS: Final = told(
    "There are no missions here yet.", "Миссий здесь пока нет.", "Мұнда миссиялар әлі жоқ."
)
NO_PARTNERS: Final = told(
    "No two organizations are parties to the same agreement here.",
    "Здесь нет соглашений между двумя названными организациями.",
    "Мұнда екі аталған ұйым арасындағы келісім жоқ.",
)
ALL: Final = told("All agreements", "Все соглашения", "Барлық келісімдер")
MISSIONS: Final = told("Missions", "Миссии", "Миссиялар")
NOT_STATED: Final = told("Not stated", "Не указано", "Көрсетілмеген")
NO_YEAR: Final = told("No year stated", "Год не указан", "Жылы көрсетілмеген")
NO_SECTOR: Final = told(
    "No sector, or a wider one", "Без отрасли или шире", "Саласыз немесе саласы кеңірек"
)
NO_MONTH: Final = told("No year, or no month", "Без года или месяца", "Жылы немесе айы жоқ")
CUT: Final = told(
    "Not drawn: {groups} more, with {count} in all.",
    "Не показано: ещё {groups}, всего {count}.",
    "Көрсетілмеген: тағы {groups}, барлығы {count}.",
)
SEVERAL: Final = told(
    "An agreement in several groups counts once in each. Records in all: {records}.",
    "Соглашение из нескольких групп учтено в каждой: всего записей {records}.",
    "Бірнеше топтағы келісім әрқайсысында есептелген: барлығы {records} жазба.",
)
RECORDS: Final = told(
    "Records: {records}; one can stand for several agreements.",
    "Записей: {records}; одна может означать несколько соглашений.",
    "Жазбалар: {records}; біреуі бірнеше келісімді білдіруі мүмкін.",
)
MISSION_RECORDS: Final = told(
    "Missions: {records}; dates without a month are in the strip at the right.",
    "Миссий: {records}; даты без месяца — в полосе справа.",
    "Миссиялар: {records}; айы жоқ күндер оң жақтағы жолақта.",
)
SIGNED_RECORDS: Final = told(
    "Records of what was signed: {records}; the strip at the right holds dates without a month, and"
    " what has no date.",
    "Записей о подписанном: {records}; в полосе справа — даты без месяца и всё, что без даты.",
    "Қол қойылғандар туралы жазбалар: {records}; оң жақтағы жолақта — айы жоқ күндер мен күні"
    " жоқтар.",
)
AS_OF: Final = told("as of {moment}", "на {moment}", "{moment} күйі")
SOURCE: Final = told(
    "Source: trade-mission deals, {address}; state {moment}.",
    "Источник: сделки торговых миссий, {address}; состояние {moment}.",
    "Дереккөз: сауда миссияларының келісімдері, {address}; күйі {moment}.",
)
NONE_DATED: Final = told(
    "A year with its month is stated for none of them.",
    "Год с месяцем не указан ни для одной записи.",
    "Жылы мен айы бірде-бір жазбада көрсетілмеген.",
)
ONLY: Final = told("Only {filters}.", "Только {filters}.", "Тек {filters}.")
AGES: Final[Mapping[str, Told]] = {
    "this_year": told("this year", "в этом году", "биыл"),
    "last_year": told("last year", "в прошлом году", "былтыр"),
    "few_years": told("2 to 4 years ago", "2–4 года назад", "2–4 жыл бұрын"),
    "long_ago": told("5 years ago or more", "5 лет назад и раньше", "5 жыл бұрын және ертерек"),
    "no_year": told("no year stated", "год не указан", "жылы көрсетілмеген"),
}
STAGES: Final[Mapping[str, Told]] = {
    "announced": told("Announced: {count}", "Объявлено: {count}", "Жарияланды: {count}"),
    "signed": told("Signed: {count}", "Подписано: {count}", "Қол қойылды: {count}"),
}
AFTER: Final = told("after {months} months", "через {months} мес.", "{months} айдан кейін")
STATES: Final[Mapping[str, Told]] = {
    "completed": told("completed", "исполнено", "орындалды"),
    "in_force": told("in force", "действует", "күшінде"),
    "signed": told("signed", "подписано", "қол қойылды"),
    "announced": told("announced", "объявлено", "жарияланды"),
    "replaced": told("replaced", "заменено", "ауыстырылды"),
    "fallen_through": told("fallen through", "не состоялось", "іске аспады"),
    "unknown": told("not known by then", "неизвестно", "белгісіз"),
    "not_yet": told("too early to say", "рано судить", "айтуға ерте"),
}
CONVERSION_LEFT_OUT: Final = told(
    "In no bar: without a date or year: {undated}, acts that were done already: {accomplished}.",
    "Не вошло: без даты или года — {undated}, уже совершённых действий — {accomplished}.",
    "Кірмеді: күні немесе жылы жоқ — {undated}, орындалып қойған іс — {accomplished}.",
)
AMOUNT_READING: Final = told(
    "Filled: what binds or is done. Outlined: what does not bind. A whisker spans from what it is"
    " at least to what it is at most; an arrow has no upper limit.",
    "Заливка — обязывает или уже исполнено, контур — не обязывает. Отрезок — от «не менее» до"
    " «не более»; стрелка — верхний предел неизвестен.",
    "Бояу — міндеттейді немесе орындалды, жиек — міндеттемейді. Кесінді — «кемінде» мен «ең көбі»"
    " аралығы; бағыт — жоғарғы шегі белгісіз.",
)
WITH_AMOUNT: Final = told(
    "stated by {stated} of {count}",
    "сумма указана в {stated} из {count}",
    "{count} ішінен {stated} көрсеткен",
)
NO_AMOUNT: Final = told(
    "Without an amount: {count}. It is unknown, and not zero.",
    "Без суммы — {count}: она неизвестна, а не равна нулю.",
    "Сомасы жоқ келісімдер — {count}: ол белгісіз, нөл емес.",
)
WITHHELD_AMONG: Final = told(
    "Withheld, and drawn with what is not stated: {count}.",
    "Не раскрывается, показано вместе с неуказанным: {count}.",
    "Жария етілмейді, көрсетілмегендермен бірге берілген: {count}.",
)
WITHHELD: Final = told(
    "The amount is withheld: {count}.",
    "Сумма не раскрывается: {count}.",
    "Сомасы жария етілмейді: {count}.",
)
MONEY_LEFT_OUT: Final = told(
    "In no sum, so that nothing is added twice: parts of others: {parts}, replaced: {replaced},"
    " amounts of each year: {per_year}.",
    "Не вошли в суммы, чтобы ничего не сложить дважды: частей — {parts}, заменённых — {replaced},"
    " ежегодных сумм — {per_year}.",
    "Екі рет қосылмас үшін сомаға кірмеді: бөліктер — {parts}, ауыстырылған — {replaced}, жыл"
    " сайынғы сомалар — {per_year}.",
)
AT_LEAST: Final = told("at least {amount}", "не менее {amount}", "кемінде {amount}")
AT_MOST: Final = told("at most {amount}", "не более {amount}", "ең көбі {amount}")
PARTNERS_CUT: Final = told(
    "Parties drawn: {parties}; pairs of parties that are not: {pairs}.",
    "Показано сторон: {parties}; не показано пар: {pairs}.",
    "Көрсетілген тараптар: {parties}; көрсетілмеген жұптар: {pairs}.",
)
PARTNERS_ALONE: Final = told(
    "Agreements that name no second organization, and so are in no line: {count}.",
    "Соглашений, где не названа вторая организация: {count}; их нет на рисунке.",
    "Екінші ұйым аталмаған келісімдер: {count}; олар суретте жоқ.",
)
MONTHS: Final[Mapping[Language, str]] = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "ru": "янв. февр. март апр. май июнь июль авг. сент. окт. нояб. дек.",
    "kk": "қаң. ақп. нау. сәу. мам. мау. шіл. там. қыр. қаз. қар. жел.",
}
