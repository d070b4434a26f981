"""What questions cost lately: what has been quick is asked for before what may take long."""

import time
from collections import OrderedDict
from collections.abc import Hashable
from enum import IntEnum

from app.core.databases.interface import CompiledQuery
from app.core.loose_types import Values

#: A question that is not answered by then is a costly one.
QUICK_SECONDS = 0.25
#: For how many seconds a question that was costly is taken for one: then it is tried again.
COSTLY_SECONDS = 60.0
#: How many questions are remembered, those that were asked last.
MAX_QUESTIONS = 4000


class Cost(IntEnum):
    """What is known of a question before it is asked, in the order of turns."""

    LOW = 0
    UNKNOWN = 1
    HIGH = 2


class QuestionCosts:
    """What is known of the questions that were asked last."""

    def __init__(self) -> None:
        #: Until when each is costly, by the clock of the process; 0 for one that was quick.
        self._costly_until: OrderedDict[Hashable, float] = OrderedDict()

    def cost_of(self, question: Hashable) -> Cost:
        """What it cost when it was asked last."""
        until = self._costly_until.get(question)
        if until is None:
            return Cost.UNKNOWN
        if until == 0:
            return Cost.LOW
        return Cost.HIGH if until > time.monotonic() else Cost.UNKNOWN

    def note(self, question: Hashable, *, is_costly: bool) -> None:
        """Say what it cost."""
        self._costly_until[question] = time.monotonic() + COSTLY_SECONDS if is_costly else 0
        self._costly_until.move_to_end(question)
        if len(self._costly_until) > MAX_QUESTIONS:
            self._costly_until.popitem(last=False)


def question_of(statement: CompiledQuery, values: Values) -> Hashable:
    """What a question is known by: its statement, and about how far into the list it reaches."""
    offset = values.get("offset") or 0
    return hash(statement.sql), offset.bit_length() if isinstance(offset, int) else 0
