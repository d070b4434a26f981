"""Delivering: each process takes turns with those webhooks that no other process works for."""

import asyncio
import importlib
import logging
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from app.changes.entries import Entry, find_for_all
from app.changes.tail import ChangeLogTail
from app.core.databases.interface import Database
from app.core.databases.types import instant_text, now
from app.core.encryption import Undecryptable
from app.core.errors import BadRequest, Invalid, NotFound, Problem, Unavailable
from app.engine.query.filter_reader import ParsedFilter
from app.engine.registry import by_record_type
from app.engine.resource import Resource
from app.webhooks import deliveries, scheduling
from app.webhooks.due import Due, find_due, message_of
from app.webhooks.scheduling import WebhookState
from app.webhooks.tables import ONLY_HTTPS, Rules

if TYPE_CHECKING:
    from app.webhooks.sender import Outcome, Sender

log = logging.getLogger("trade_missions")

#: How many webhooks of a process are sent to at a time; each of them gets one message at a time.
MAX_CONCURRENT_ATTEMPTS = 32
#: How many changes are looked at, and how many deliveries sent, before others have their turn.
MAX_PLANNED_CHANGES, MAX_TURN_DELIVERIES = 500, 50
#: How far the stored position may lag behind what was looked at in vain: changes, and seconds.
LAG, LAG_SECONDS = 1000, 5.0
#: How often old deliveries are looked for, in seconds.
SWEEP_SECONDS = 3600.0
#: A moment before all: the clock begins when the machine does, which may be just now.
NEVER = -inf
#: After how long ticks follow each other at the soonest, in seconds.
GATHER_SECONDS = 0.02
#: The problems of a filter that will not be right again by waiting.
_FILTER_FAULTS = (BadRequest, Invalid, NotFound)


class Deliveries:
    """The part of this process in telling webhooks of changes.

    At least once, and in the order of the changes as far as no attempt has to be repeated: what is
    to be told is stored with the webhook's position in one transaction, and one process at a time
    works for a webhook, by a lease that others take over when it runs out.
    """

    def __init__(
        self,
        database: Database,
        watch: ChangeLogTail,
        resources: Iterable[Resource],
        stopping: asyncio.Event,
        rules: Rules,
    ) -> None:
        self.database, self.watch, self.rules = database, watch, rules
        self.kinds = by_record_type(resources)
        self._owner = str(uuid4())
        self._stopping = stopping
        self._woken = asyncio.Event()
        self._turns: dict[UUID, asyncio.Task[None]] = {}
        #: How far changes were looked at for a webhook, as it is since then, in this log.
        self._seen: dict[tuple[UUID, str, int], tuple[int, float]] = {}
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_ATTEMPTS)
        self._listening: AsyncExitStack | None = None
        self._post: Sender | None = None
        self._swept = NEVER
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Tell that a webhook or a delivery was changed."""
        self._woken.set()

    def start(self) -> None:
        """Begin; it costs nothing where there are no webhooks."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Let attempts that are under way come to their end, for a short time, then end."""
        self._stopping.set()
        if self._turns:
            await asyncio.wait(self._turns.values(), timeout=5.0)
        tasks = [*self._turns.values(), *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._listen(False)
        if self._post is not None:
            await self._post.close()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                pause = await self._tick()
            except Unavailable:
                pause = self.rules.pace
            except Exception:
                log.exception("webhooks could not be looked after")
                pause = self.rules.pace
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()
            await asyncio.sleep(GATHER_SECONDS)

    async def _tick(self) -> float:
        """Begin the turns that are due; after how many seconds to look again."""
        hooks = await scheduling.find_hooks(self.database)
        await self._listen(bool(hooks))
        if not hooks:
            return self.rules.idle
        if time.monotonic() - self._swept > SWEEP_SECONDS:
            self._swept = time.monotonic()
            await self.database.write(lambda session: scheduling.sweep(session, self.rules))
        moment = instant_text(now())
        for hook in hooks:
            is_new = self._position(hook) < self.watch.position
            if hook.id in self._turns or hook.is_taken(self._owner, moment):
                continue
            if is_new or hook.is_due(moment):
                turn = asyncio.create_task(self._turn(hook))
                self._turns[hook.id] = turn
                turn.add_done_callback(lambda _, ended=hook.id: self._ended(ended))  # type: ignore[misc]
        return self._pause(hooks, now())

    def _ended(self, hook_id: UUID) -> None:
        self._turns.pop(hook_id, None)
        self.wake()

    def _pause(self, hooks: list[WebhookState], moment: datetime) -> float:
        waits = [self.rules.pace]
        for hook in hooks:
            if hook.due_at is not None and hook.id not in self._turns:
                due = max(hook.due_at, hook.rests_until or "", hook.lease_until or "")
                waits.append((datetime.fromisoformat(due) - moment).total_seconds())
        return max(min(waits), 0.0)

    async def _listen(self, wanted: bool) -> None:
        """Follow the changes, or stop following them."""
        if wanted and self._listening is None:
            stack = AsyncExitStack()
            await stack.enter_async_context(self.watch.listening(self._woken))
            self._listening = stack
        elif not wanted and self._listening is not None:
            await self._listening.aclose()
            self._listening = None

    def _position(self, hook: WebhookState) -> int:
        seen, _ = self._seen.get((hook.id, hook.updated_at, self.watch.restores), (0, 0.0))
        return max(hook.position, seen)

    async def _turn(self, hook: WebhookState) -> None:
        async with self._slots:
            try:
                await self._serve(hook)
            except Unavailable:
                await asyncio.sleep(self.rules.pace)
            except Problem as problem:
                # Such as what the engine cannot run: nothing is lost, it is tried again.
                log.warning("webhook %s waits: %s", hook.id, problem.detail)
                await asyncio.sleep(self.rules.pace)
            except Undecryptable as error:
                # Another process writes with keys that this one was not given.
                log.error("webhook %s waits for its secret: %s", hook.id, error)
                await asyncio.sleep(self.rules.pace)
            except Exception:
                log.exception("webhook %s could not be served", hook.id)
                await asyncio.sleep(self.rules.pace)

    async def _serve(self, hook: WebhookState) -> None:
        log_read = (self.watch.restores, self.watch.epoch)
        try:
            found, upto = await self._find(hook)
        except Problem as problem:
            if not isinstance(problem, _FILTER_FAULTS):
                raise
            reason = f"The filter does not hold any more. {problem.detail}"
            await self.database.write(lambda session: deliveries.disable(session, hook, reason))
            return
        if not found and not hook.is_due(instant_text(now())):
            await self._pass_over(hook, upto, *log_read)
            return
        args = (hook, self._owner, self.rules, upto, log_read[1], found)
        if not await self.database.write(lambda session: scheduling.claim(session, *args)):
            return
        released = False
        try:
            released = await self._send_due(hook)
        finally:
            if not released:
                # Also when this process is told to stop.
                await self.database.write(lambda s: scheduling.release(s, hook, self._owner))

    async def _pass_over(self, hook: WebhookState, upto: int, restores: int, epoch: str) -> None:
        """Remember how far was looked, and store it from time to time."""
        key = (hook.id, hook.updated_at, restores)
        _, stored = self._seen.get(key, (0, NEVER))
        if upto - hook.position >= LAG or time.monotonic() - stored > LAG_SECONDS:
            stored = time.monotonic()
            await self.database.write(
                lambda session: scheduling.advance(session, hook, upto, epoch)
            )
        self._seen = {k: v for k, v in self._seen.items() if k[0] != hook.id}
        self._seen[key] = (upto, stored)

    async def _find(self, hook: WebhookState) -> tuple[list[Entry], int]:
        """The next changes that the webhook is to be told of, and up to which all were judged."""
        position = self._position(hook)
        entries = self.watch.after(position, MAX_PLANNED_CHANGES)
        if entries is None:
            entries = await find_for_all(self.database, position, MAX_PLANNED_CHANGES)
        # Receivers are outside: they are told what is public.
        shown = [entry.public for entry in entries if entry.public is not None]
        found = [entry for entry in shown if hook.wants(entry)]
        if found and hook.filter is not None:
            found = await self._judged(found, hook.filter)
        return found, entries[-1].seq if entries else position

    async def _judged(self, entries: list[Entry], text: str) -> list[Entry]:
        resource = self.kinds[entries[0].kind]
        parsed: ParsedFilter = scheduling.read_filter(resource, text)
        verdicts: dict[str, bool] = {}
        for key in {entry.record_id for entry in entries}:
            verdicts[key] = await scheduling.matches(self.database, resource, parsed, key)
        # What was withheld is found by no filter: whoever may have it is told to drop it.
        return [e for e in entries if verdicts[e.record_id] or e.is_withdrawn]

    async def _send_due(self, hook: WebhookState) -> bool:
        """Send what is due, in order; True when the webhook was given back with the last."""
        moment = now()
        if hook.rests_until is not None and hook.rests_until > instant_text(moment):
            return False
        due = await find_due(self.database, hook.id, moment, MAX_TURN_DELIVERIES)
        for number, delivery in enumerate(due, 1):
            if self._stopping.is_set():
                return False
            outcome = await self._attempt(hook, delivery)
            is_last = number == len(due) or bool(outcome.rest) or outcome.is_gone
            after = (hook, delivery, outcome, self._owner, self.rules, is_last)
            holds = await self.database.write(
                lambda s, after=after: deliveries.record_attempt(s, *after)  # type: ignore[misc]
            )
            if is_last or not holds:
                return True
        return False

    async def _attempt(self, hook: WebhookState, delivery: Due) -> "Outcome":
        # Imported where it is used: whoever has no webhooks needs no client.
        if self._post is None:
            await asyncio.to_thread(importlib.import_module, "app.webhooks.sender")
        from app.core.ssrf import anywhere, is_public
        from app.webhooks.sender import Outcome, Sender

        if self._post is None:
            self._post = Sender(anywhere if self.rules.private else is_public, self.rules.timeout)
        if self.rules.only_https and not hook.url.startswith("https://"):
            return Outcome(ONLY_HTTPS)
        secrets = [self.rules.encryption.decrypt(stored) for stored in hook.secrets]
        body = await message_of(self.database, self.kinds, delivery)
        outcome = await self._post.send(hook.url, str(delivery.id), body, secrets)
        if outcome.error is not None:
            log.info("webhook %s: delivery %s: %s", hook.id, delivery.id, outcome.error)
        return outcome
