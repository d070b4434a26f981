"""Time zones by their names in the IANA database, and the days of moments in them."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from app.core.errors import did_you_mean

_NAME = re.compile(r"[A-Za-z]+([/_+-][A-Za-z0-9]+)*")
#: Files among the zones that are none, or are those of another clock.
_OTHERS = ("posix/", "right/", "posixrules", "localtime", "Factory", "leapseconds")


@cache
def find_zone(name: str) -> ZoneInfo:
    """The zone of this name; ValueError says which is meant, or how names are written."""
    try:
        if _NAME.fullmatch(name) and not name.startswith(_OTHERS):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    shown = name if len(name) <= 60 else f"{name[:60]}…"
    raise ValueError(f"{shown!r} is no time zone of the IANA database.{_meant(name)}")


def _meant(name: str) -> str:
    """` Did you mean 'Asia/Almaty'?` for `almaty` or `Asia/Almati`, or how a name is written."""
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(_names())}
    plain = name.strip().casefold().replace(" ", "_").replace("\\", "/")
    city = cities.get(plain.rpartition("/")[2])
    if city is not None:
        return f" Did you mean {city!r}?"
    near = did_you_mean(name, _names())
    return near or " Write a name such as Asia/Almaty or Europe/Moscow, or UTC."


@cache
def _names() -> tuple[str, ...]:
    return tuple(name for name in available_timezones() if not name.startswith(_OTHERS))


def local_day(text: str | None, name: str) -> str | None:
    """The day of a moment of UTC in the zone, both as ISO 8601 writes them."""
    return None if text is None else _day_of_minute(text[:16], name)


@lru_cache(maxsize=10_000)
def _day_of_minute(minute: str, name: str) -> str:
    """What is imported together was entered in the same few minutes, and days begin with one."""
    moment = datetime.fromisoformat(f"{minute}Z")
    with suppress(OverflowError):
        moment = moment.astimezone(find_zone(name))
    return moment.date().isoformat()


def ends_of(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """When the day begins in the zone, and its last microsecond, in UTC; OverflowError for those
    beyond the calendar."""
    begins = (datetime.combine(each, time.min, zone) for each in (day, day + timedelta(days=1)))
    first, following = (begin.astimezone(UTC) for begin in begins)
    return first, following - timedelta(microseconds=1)
