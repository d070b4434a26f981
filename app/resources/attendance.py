"""How people come together: in one place, or not."""

from enum import StrEnum


class Attendance(StrEnum):
    """Whether people met in person, online or both (schema.org EventAttendanceMode)."""

    in_person = "in_person"
    online = "online"
    hybrid = "hybrid"
