"""Names as ISO 9, BGN/PCGN, passports, Kazakh Latin and newspapers spell them; Kazakh endings."""

from app.core.text.analyze import parse_query, spans

#: Two spellings of one name, or two of its cases: each finds the other.
PAIRS = """
Ovechkin Овечкин   Bakytzhan Бакытжан   Bakytzhan Бақытжан   Tajikistan Таджикистан
Nurjan Нуржан   Nurzhan Нұржан   Alexander Александр   Aleksandr Александр
Qazaqstan Казахстан   Қазақстанның Казахстан   Қазақстанға Kazakhstan   Kyrgyzstan Киргизия
Kyrgyzstan Кыргызстан   Qyrgyzstan Кыргызстан   Uzbekistan Узбекистан
Oʻzbekiston Узбекистан   Turkmenistan Туркменистан   Tojikiston Таджикистан
Azerbaijan Азербайджан   Georgia Грузия   Russia Россия   Russia Ресей   Россия Ресейдің
Germany Германия   China Китай   Китай Қытайға   Ульяновск Ulyanovsk   Чебоксары Cheboksary
Čeboksary Чебоксары   Žanna Жанна   Zhanna Жанна   Janna Жанна   Юлия Yuliya   Юлия Julia
Юлия Iuliia   Татьяна Tatyana   Татьяна Tatiana   Татьяна Tatjana   Наталья Natalia
Наталья Natalya   Наталья Natal'ja   Евгений Evgeny   Евгений Yevgeny   Евгений Evgenii
Дмитрий Dmitry   Дмитрий Dmitriy   Дмитрий Dmitrij   Алексей Alexey   Алексей Aleksei
Максим Maxim   Максим Maksim   Александра Alexandra   Пётр Pyotr   Пётр Petr   Семён Semyon
Артём Artyom   Горбачёв Gorbachev   Горбачёв Gorbachyov   Хрущёв Khrushchev
Щербаков Shcherbakov   Щербаков Ŝerbakov   Щербаков Scherbakov   Цой Tsoy   Цой Tsoi
Ельцин Yeltsin   Чайковский Tchaikovsky   Чайковский Chaikovskii   Чайковский Čajkovskij
Нұрсұлтан Nursultan   Нурсултан Nūrsūltan   Шыңғыс Shyngys   Шыңғыс Şyñğys   Шынгыс Shyngys
Жанар Zhanar   Жанар Janar   Қайрат Kairat   Қайрат Qairat   Қайрат Kayrat   Кайрат Kairat
Айгүл Aigul   Айгуль Aigul   Айгүл Айгуль   Гүлнар Gulnar   Гульнар Gulnar
Гульнара Гүлнара   Ербол Yerbol   Ербол Erbol   Ерлан Yerlan   Жомарт Zhomart
Жомарт Jomart   Қасым Kassym   Қасым Kasym   Касым Qasym   Әсел Assel   Асель Assel
Әсел Асель   Динара Dinara   Жұлдыз Zhuldyz   Жулдыз Juldyz   Ақмола Akmola   Ақмола Aqmola
Алматы Almaty   Алматыда Алматы   Астанада Астана   Шымкентте Шымкент   Семей Semey
Семей Semei   Өскемен Öskemen   Өскемен Oskemen   Орал Oral   Орал Уральск
Жезқазған Jezqazğan   Жезқазған Zhezkazgan   Түркістан Turkistan   Көкшетау Kökşetau
Кокшетау Kokshetau   Екібастұз Ekibastuz   Экибастуз Ekibastuz   Байқоңыр Baikonur
Байконур Baikonur   Маңғыстау Mangystau   Ташкент Tashkent   Toshkent Ташкент
Бишкек Bishkek   Душанбе Dushanbe   Ашхабад Ashgabat   Самарканд Samarkand
Samarqand Самарканд   Mikhail Михаил   Michail Михаил   Michael Михаил   Pavel Павел
Paul Павел   Andrey Андрей   Andrei Андрей   Andrej Андрей   Nikolay Николай
Nikolai Николай   Oleksandr Александр   Olga Ольга   Olʹga Ольга   Ekaterina Екатерина
Yekaterina Екатерина   Catherine Екатерина   Ksenia Ксения   Xenia Ксения   Kseniia Ксения
Sofya Софья   Zulfiya Зульфия   Zul'fija Зульфия   Rakhmon Рахмон   Rahmon Рахмон
Rachmaninov Рахманинов   Rachmaninoff Рахманинов   Prokofieff Прокофьев
Prokofiev Прокофьев   Smirnoff Смирнов   Solovyov Соловьёв   Soloviev Соловьёв
Vorobyov Воробьёв   Kovalyov Ковалёв   Kim Ким   Jumabayev Жумабаев   Zhumabayev Жұмабаев
Jumabaev Жумабаев   Djumabaev Джумабаев   Seifullin Сейфуллин   Seyfullin Сейфуллин
Satpayev Сатпаев   Abay Абай   Abai Абай   Mukhtar Мұхтар   Muhtar Мухтар   Auezov Ауэзов
Äuezov Әуезов   Auezov Әуезов   Ауэзов Әуезов   Bayterek Байтерек   Samruk Самрук
KazMunayGas КазМунайГаз   KazMunaiGaz ҚазМұнайГаз   Kazatomprom Казатомпром
Qazatomprom Қазатомөнеркәсіп   Bashneft Башнефть   Uralvagonzavod Уралвагонзавод
Kamaz КамАЗ   AvtoVAZ АвтоВАЗ   Rosneft Роснефть   Novatek Новатэк   Сургут Surgut
Йошкар Yoshkar   Йошкар Joškar   Šymkent Шымкент   Şymkent Шымкент   Жамбыл Jambyl
Екатеринбурге Yekaterinburg   Новосибирском Novosibirsk   Узбекистане Uzbekistan
Moscow Москва   Beijing Пекин   Petrosjan Петросян   Kazakhstan Қазақстан
Олжас Oljas   Олжас Oljasa   Олжаса Олжас   Айжан Aijan   Ақжол Aqjol   Қажымұқан Qajymuqan
Түркіменстан Turkmenistan   Түркіменстан Туркменистан   Мирзиёев Mirziyoyev
Мирзиёев Mirziyoev   Самұрық Samruk   Самұрық Самрук   Қазына Kazyna   Қарағанды Karaganda
Қарағанды Караганда   Қарағандыда Караганде   Ыбырай Ibrai   Ыбырай Ибрай   Ыбырай Ybyrai
Шыңғыс Chingis   Шыңғыс Чингис   Шыңғысхан Чингисхан   Чингисхан Chingiskhan
Ибрагим Ibrahim   Ибрагимов Ibrahimov   Ибрагимов Ibragimov   Гусейн Huseyn
Гусейнов Huseynov   Гусейнов Guseynov   Гейдар Heydar   Гасанов Hasanov   Гаджиев Hajiyev
Уәлиханов Valikhanov   Уәлиханов Валиханов   Уәлиханов Ualikhanov   Бауыржан Baurzhan
Бауыржан Бауржан   Бауыржан Bauyrzhan   Владимир Volodymyr   Сүлейменов Сулейменова
Сүлейменова Сулейменов   Сулейменовой Сулейменова   Suleimenova Сүлейменов
Ибрагимова Ibrahimov   Грузии Georgia   Грузияның Грузия   Гусейнова Huseynov
Ўзбекистон Узбекистан   Azərbaycan Азербайджан   Azerbaycan Әзірбайжан   Тоҷикистон Таджикистан
Київ Киев   Kyiv Киев   Киеве Київ   Kharkiv Харьков   Харків Харьков   Чимкент Шымкент
Chimkent Шымкентте   Туркестан Түркістан   Turkestan Түркістанда   Kzylorda Қызылорда
Кокчетав Көкшетау   Kokchetav Кокшетау   Kunayev Қонаев   Кунаева Қонаев   Қазақмыс Казахмыс
Kazakhmys Қазақмыс   Kazzinc Казцинк   Mammadov Мамедов   Məmmədov Мамедова   Mohammed Мұхаммед
Muhammad Мухаммед   Feodor Фёдор   Қазақстанда Қазақстан   Казахстаном Қазақстан
Өзбекстанмен Узбекистан   Мәскеуде Moscow
"""
#: Words that must not find each other.
APART = """
Иран Ирак   Индия Индиго   Литва Латвия   Австрия Австралия   Алия Алиев
Китай Каспий   Georgia груз   Georgia грузовые   Грузия грузовые   Татьяна Тажан
Наурыз Наур   Майоров Маеров   Сулейменов Салманов   Ибрагим Абрам   Полина Павел
карта картон   Астана Астрахань   Мария Марат   Астана Нурсултан   Nursultan Astana   Киев кий
Туркменистан Туркестан   Мамедов Магомедов   Казахстан Казахмыс   Ахметов Ахмедов
"""
#: Forms of Russian words, whose endings are no Kazakh ones.
FORMS = "работа работы   вода воде   карта карте   комитет комитета   газета газеты   дата даты"


def finds(query: str, text: str) -> bool:
    return all(spans((clause,), text) for clause in parse_query(query))


def pairs(table: str) -> list[tuple[str, str]]:
    names = table.split()
    return list(zip(names[::2], names[1::2], strict=True))


def test_each_spelling_of_a_name_finds_the_others() -> None:
    tried = pairs(PAIRS) + pairs(FORMS)
    assert len(tried) >= 150
    both_ways = tried + [(other, one) for one, other in tried]
    assert [pair for pair in both_ways if not finds(*pair)] == []


def test_names_that_only_look_alike_do_not_find_each_other() -> None:
    assert [pair for pair in pairs(APART) if finds(pair[0], pair[1])] == []
