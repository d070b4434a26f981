"""What the server takes from a connection: sizes in bytes, times in seconds."""

from dataclasses import dataclass

#: Where a request keeps what ends its connection at once.
ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one process."""

    #: The longest address.
    address: int = 8 * 1024
    #: All headers together, and how many.
    headers: int = 32 * 1024
    header_count: int = 100
    #: How many requests may wait behind the one that is worked on, on one connection.
    pipelined: int = 100
    #: What is read and thrown away of a body after its answer, for the connection to go on.
    discarded: int = 1024 * 1024
    #: How many connections are open at once.
    connections: int = 1000
    #: Proxies that are trusted, which bring the connections of others, as uvicorn names them.
    proxies: str = "127.0.0.1"
    #: Within what time the head of a request is there.
    head_seconds: float = 10
    #: How long a body may stand still.
    body_seconds: float = 30
    #: How long a client may read nothing of its answer.
    answer_seconds: float = 60
    #: How long a connection that is given up may still take to read why.
    linger_seconds: float = 2
    #: How long requests under way may take when the server stops.
    stop_seconds: float = 30

    @property
    def connections_per_address(self) -> int:
        """How many connections one address may hold open, so that others have places left."""
        return max(1, self.connections // 4)

    @property
    def look_seconds(self) -> float:
        """How often connections are looked at: a second, or less where a limit is short."""
        shortest = min(self.head_seconds, self.body_seconds, self.answer_seconds)
        return min(1.0, shortest / 4, self.linger_seconds / 4)


#: How many bytes of an answer wait in the system for their client, besides those on their way:
#: with megabytes, of which it asks for more when half are gone, nobody saw how quickly it reads.
MAX_UNSENT_BYTES = 64 * 1024
#: Bytes a second: what a body or an answer moves at least, on average. A connection that trickles
#: holds memory and a connection to the database as one does that stands still.
MIN_BYTES_PER_SECOND = 4 * 1024
#: The same for the rest of a body whose answer is sent, which is thrown away.
DISCARDED_BYTES_PER_SECOND = 64 * 1024


class Progress:
    """How far something has come, seen from time to time."""

    __slots__ = ("amount", "began", "first", "moved")

    def __init__(self, now: float, amount: int) -> None:
        self.began = self.moved = now
        self.first = self.amount = amount

    def is_stuck(
        self, now: float, amount: int, seconds: float, pace: int = MIN_BYTES_PER_SECOND
    ) -> bool:
        """Whether it stood still for so many seconds, or is below a pace in bytes a second."""
        if amount > self.amount:
            self.amount, self.moved = amount, now
        allowed = seconds + (amount - self.first) / pace
        return now - self.moved > seconds or now - self.began > allowed
