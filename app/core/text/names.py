"""Names that languages write so differently that no rule of spelling joins them; Kazakh endings."""

import re
from typing import Final

#: Names with one meaning, each in one group; the first one's stem stands for all. Грузия is not the
#: first, as груз has its stem.
NAMES: Final = tuple(
    tuple(group.split())
    for group in """
Казахстан Қазақстан Kazakhstan Qazaqstan Kazakstan
Киргизия Кыргызстан Қырғызстан Kyrgyzstan Kirghizia Qyrgyzstan
Узбекистан Өзбекстан Ўзбекистон Uzbekistan Ozbekiston
Таджикистан Тәжікстан Тоҷикистон Tajikistan Tojikiston Tadschikistan
Туркменистан Түрікменстан Түркіменстан Туркмения Turkmenistan
Россия Ресей Russia Rossiya
Китай Қытай China
Германия Germany Deutschland
Турция Түркия Turkey Turkiye
Сакартвело Грузия Грузии Грузию Грузией Georgia Gruziya
Армения Armenia Hayastan
Азербайджан Әзірбайжан Әзербайжан Azerbaijan Aserbaidschan Azerbaycan Azərbaycan
Беларусь Белоруссия Belarus Belorussia
Украина Україна Ukraine Ukraina
Kyiv Киев Київ Kiev
Kharkiv Харьков Харків Kharkov
Молдова Молдавия Moldova Moldavia
Монголия Моңғолия Моңғолстан Mongolia
Индия Үндістан India
Япония Жапония Japan
Корея Korea
Иран Iran Персия
Афганистан Ауғанстан Afghanistan
Пакистан Пәкістан Pakistan
Франция France
Италия Italy Italia
Испания Spain Espana
Великобритания Ұлыбритания Britain
Англия England
Польша Poland Polska
Венгрия Мажарстан Hungary
Австрия Austria
Швейцария Switzerland Schweiz
Швеция Sweden
Финляндия Finland
Чехия Czechia
Латвия Latvia
Литва Lithuania
Эстония Estonia
Египет Мысыр Egypt
Израиль Israel
Нидерланды Netherlands Голландия Holland
Бельгия Belgium
Греция Greece
Алматы Алма-Ата Almaty
Уральск Орал Uralsk
Семей Семипалатинск Semey Semipalatinsk
Ташкент Toshkent Tashkent
Ашхабад Ашгабат Ashgabat Ashkhabad
Байконур Байқоңыр Baikonur Bayqongyr
Москва Мәскеу Moscow Moskva
Пекин Бейжің Beijing
Александр Alexander Aleksandr Oleksandr
Михаил Mikhail Michael Michail
Павел Pavel Paul
Екатерина Ekaterina Catherine Katherine
Пётр Petr Peter
Николай Nikolay Nicholas
Андрей Andrey Andrew
Владимир Vladimir Volodymyr
Ибрагим Ibrahim Ибраһим
Ибрагимов Ibrahimov
Гусейн Хусейн Huseyn Hussein
Гусейнов Хусейнов Huseynov Husseinov
Гасан Хасан Hasan
Гасанов Хасанов Hasanov
Гейдар Heydar Haydar
Гаджиев Hajiyev Haciyev
Мамедов Mammadov Məmmədov
Мухаммед Мұхаммед Mohammed Muhammad
Фёдор Fyodor Feodor
Ибрай Ыбырай Ibrai Ybyrai
Чингис Шыңғыс Chingis Shyngys Genghis
Чингисхан Шыңғысхан Chingiskhan Shyngyskhan
Караганда Қарағанды Karaganda Karagandy
Шымкент Чимкент Chimkent
Туркестан Түркістан Turkestan Turkistan
Кызылорда Қызылорда Kyzylorda Kzylorda
Кокшетау Көкшетау Кокчетав Kokchetav
Кунаев Қонаев Kunayev Konayev
Самрук Самұрық Samruk Samuryk
Казмунайгаз ҚазМұнайГаз KazMunayGas KazMunaiGaz
Казахмыс Қазақмыс Kazakhmys
Казцинк Kazzinc
Қазатомөнеркәсіп Казатомпром Kazatomprom Qazatomprom
""".strip().split("\n")
)

_KAZAKH_LETTER: Final = re.compile("[әғқңөұүһі]")
# Letters of its own make an ending Kazakh; one without them would be that of a Russian word.
_OWN_ENDING: Final = re.compile("(?<=.{3})(?:[ндт][ыі]ң|[дт]ағы|ға|қа|[ндт]і)$")
_ANY_ENDING: Final = re.compile(
    "(?<=.{3})(?:[лдт][ае]р)?(?:[ндт][ыі]ң|ға|ге|қа|ке|[дт][ае]|(?<!с)[дтн][ае]н|[ндт][ыі]"
    "|(?<=стан)мен|[дт](?:ағы|егі))?$"
)
_PLACE: Final = re.compile(
    "(казахстан|астана|алматы|шымкент|атырау|павлодар|семей|тараз|тобыл|кокшетау|орал|ресей"
    "|экибастуз|новосибирск|москва|ташкент|бишкек|компания)"
    "(?:лар)?(?:[дт][ае]н?|[дт]ағы|[дт]егі|ға|ге|қа|ке|[ндт][ыі]ң|н[ае]н|[ндт]ы|[бпм]ен)?"
)


def without_kazakh_ending(folded: str) -> str:
    """The word without the Kazakh ending of a case, and of the plural where that is certain:
    «Қазақстанның» as «Қазақстан», «Астанада» as «Астана»."""
    if found := _PLACE.fullmatch(folded):
        return found[1]
    ending = _ANY_ENDING if _KAZAKH_LETTER.search(folded) else _OWN_ENDING
    return ending.sub("", folded, count=1)
