"""What a name of a key must be for a reader of history to know whom it means."""

import re
import unicodedata

MAX_NAME = 100

#: Categories of characters that nobody sees, or that turn the text around them: controls, formats,
#: ends of lines and paragraphs, surrogates, private and unassigned ones.
_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}
#: Others that are shown as nothing (Default_Ignorable_Code_Point), or as a blank.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]")
#: Signs that look like Latin ones (Unicode, UTS 39), small; in each line at the same place: of
#: Cyrillic, Greek and Armenian, Latin ones of other shapes, those of Cherokee and Lisu.
_TWINS = (
    ("авгеѕіјкмнорстухһԁԛԝӏьүѵғҽԍ", "abresijkmhopctyxhdqwlbyvfeg"),
    ("οανρτυικχεηγσβωμϲϳ", "oavptuikxenyobwmcj"),
    ("ոսօհցզյ", "nuohgqj"),
    ("ɑɡɩıƅƽʋɪᴀʙᴄᴅᴇꜰɢʜᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢđłøħŧɨʉ", "agiibsviabcdefghjklmnoprstuvwyzdlohtiu"),
    ("ᎠᎡᎢᎪᎫᎬᎳᎷᎻᎽᏀᏃᏢᏴᏟᏞᏙᏚᏕᎥ", "drtajewmhygzpbclvssi"),
    ("ꓐꓑꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ", "bpdtgkjczfmnlsrvhwxyaeiou"),
    ("01∶꞉ː։׃", "ol:::::"),
)
_LATIN = str.maketrans({a: b for signs, latin in _TWINS for a, b in zip(signs, latin, strict=True)})


def hidden_character(text: str) -> str | None:
    """The first character that is not seen, as `U+202E`."""
    for letter in text:
        if unicodedata.category(letter) in _HIDDEN or _BLANK.match(letter):
            return f"U+{ord(letter):04X}"
    return None


def key_name(text: str) -> str:
    """The name as it is stored: NFKC, so that the same letters are the same name."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def looks_of(name: str) -> str:
    """What a name looks like: two that look the same have one, whatever their alphabets."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    shown = "".join(letter for letter in letters if not unicodedata.combining(letter))
    # The capital of i looks like l.
    return shown.translate(_LATIN).replace("rn", "m").replace("l", "i")
