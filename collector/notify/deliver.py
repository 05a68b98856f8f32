"""Deliver: notices until somebody has them. A loop on a thread, or `step()` by hand in tests.

Each attempt is claimed by an insert under the token `notice/attempt`, read back: of several processes one delivers. What
became of it is written next; whoever dies in between leaves a claim without an end, and after its lease the notice is tried
again under the same id, which receivers know it by. Blindness is told without the store, and remembered in a file.
"""

import json
import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector.alerts.evaluate import Sight
from collector.alerts.folder import Folder
from collector.alerts.rules import Rule
from collector.alerts.text import BadRules, read
from collector.notify.channels import Failed, Refused, send
from collector.notify.due import Known, Notice, back_off, due, still_firing
from collector.notify.message import Message, Writer, blind_message
from collector.notify.receivers import Receiver, Receivers
from collector.query.alerts import (
    StoredFlip,
    acknowledgements,
    attempts_since,
    flips_of,
    newest_flips,
    silences,
    written_attempt,
)
from collector.store import Store, StoreAway

log = logging.getLogger("farside.notify")

LOOK_EVERY_S = 2.0
REFRESH = timedelta(minutes=5)
LOOK_BACK = timedelta(days=3)
MOST_FLIPS = 10_000
AT_ONCE = 4
BLIND_FOR = timedelta(minutes=2)  # a restart is not worth waking anybody


def known_from(store: Store, rules: dict[str, Rule], of: Callable[[Rule], list[Receiver]], now: datetime) -> Known:
    """Everything that has been written, read once."""
    since = now - LOOK_BACK
    flips = {(f.rule, f.group_key, f.seq): f for f in flips_of(store, since, most=MOST_FLIPS)}
    for flip in newest_flips(store):
        if flip.is_firing or flip.at > since:
            flips.setdefault((flip.rule, flip.group_key, flip.seq), flip)
    return Known(
        rules | _gone(rules, list(flips.values())), list(flips.values()), attempts_since(store, now - timedelta(days=30)),
        silences(store, now), acknowledgements(store, now - timedelta(days=30)), of,
    )  # fmt: skip


def _gone(rules: dict[str, Rule], flips: list[StoredFlip]) -> dict[str, Rule]:
    """Rules that were taken away, as they were when they last said something."""
    found: dict[str, Rule] = {}
    for flip in sorted(flips, key=lambda flip: flip.at):
        if flip.rule not in rules:
            try:
                found[flip.rule] = read(flip.rule_text)[0]
            except (BadRules, IndexError):
                log.warning("The text of %s can no longer be read", flip.rule)
    return found


class Deliverer:
    """The one that tells people."""

    def __init__(
        self,
        store: Store,
        folder: Folder,
        receivers: Receivers,
        sight: Sight,
        writer: Writer,
        told_file: Path,
        base: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store, self.folder, self.receivers, self.sight = store, folder, receivers, sight
        self.name = secrets.token_hex(8)
        self._writer, self._base, self._clock = writer, base, clock
        self._told_file = told_file
        self._refreshed_at = clock()
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(AT_ONCE, "farside-notify")
        self._thread = threading.Thread(target=self._run, name="farside-notify", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def close(self) -> None:
        """Stop when what is under way has ended."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(30)
        self._pool.shutdown(wait=True)

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_S):
            try:
                self.step()
            except StoreAway as error:
                log.info("Notices wait for the store: %s", error)
            except Exception:
                log.exception("Could not deliver; trying again")

    def step(self) -> int:
        """Deliver everything that is due, each receiver's in turn; how many attempts were made."""
        self.receivers.refresh()
        now = self._clock()
        self._tell_blindness(now)
        if not self.receivers.known or self.sight.blind:
            return 0
        known = known_from(self.store, self.folder.rules, self.receivers.of, now)
        self._refresh(known, now)
        by_receiver: dict[str, list[Notice]] = {}
        for notice in due(known, now):
            by_receiver.setdefault(notice.receiver.name, []).append(notice)
        return sum(self._pool.map(self._deliver_all, by_receiver.values()))

    def _deliver_all(self, notices: list[Notice]) -> int:
        return sum(self._deliver(notice) for notice in notices)

    def _deliver(self, notice: Notice) -> int:
        """One attempt; 0 if somebody else has it."""
        if not self._claim(notice):
            return 0
        now = self._clock()
        outcome, said, next_at = "sent", "", None
        try:
            send(notice.receiver, self._writer.write(notice, now))
        except Refused as error:
            outcome, said = "refused", str(error)
            log.error("%s refuses the notice of %s for good: %s", notice.receiver.name, notice.rule.id, said)
        except Failed as error:
            outcome, said = "failed", str(error)
            next_at = self._clock() + max(back_off(notice.attempt), timedelta(seconds=error.wait_s))
            log.warning("%s did not get the notice of %s: %s", notice.receiver.name, notice.rule.id, said)
        self._write(notice, outcome, said, next_at)
        return 1

    def _refresh(self, known: Known, now: datetime) -> None:
        """Alertmanager forgets in a restart and takes silence for the end: it is told again and again."""
        if now - self._refreshed_at < REFRESH:
            return
        self._refreshed_at = now
        for notice in still_firing(known):
            try:
                send(notice.receiver, self._writer.write(notice, now))
            except (Refused, Failed) as error:
                log.warning("%s was not told again about %s: %s", notice.receiver.name, notice.rule.id, error)

    def _claim(self, notice: Notice) -> bool:
        if not written_attempt(self.store, notice.id, notice.attempt):
            self._write(notice, "claimed", "", None)
        return written_attempt(self.store, notice.id, notice.attempt) == self.name

    def _write(self, notice: Notice, outcome: str, said: str, next_at: datetime | None) -> None:
        row = {
            "notice": notice.id, "receiver": notice.receiver.name, "rule": notice.rule.id, "attempt": notice.attempt,
            "outcome": outcome, "said": said, "next_at": next_at, "written_by": self.name, "at": self._clock(),
        }  # fmt: skip
        step = "claim" if outcome == "claimed" else "end"
        self.store.append("attempts", [row], f"{notice.id}/{notice.attempt}/{step}")

    # Blindness.

    def _tell_blindness(self, now: datetime) -> None:
        """Tell once that nothing can be seen, and once that it can again; those who heard the first hear the second."""
        told = self._told()
        blind = self.sight.blind
        if blind and now - blind.since >= BLIND_FOR:
            key = f"blind-{int(blind.since.timestamp())}"
            if told.get("key") != key:
                told = {"key": key, "since": blind.since.isoformat(), "heard": [], "ended": []}
            text = f"Alerts are blind since {blind.since:%H:%M} UTC: {blind.why}. No rule is evaluated meanwhile."
            message = blind_message(key, "[Blind] Farside sees nothing", text, self._base, blind.since, now, False)
            self._tell(told, "heard", list(self.receivers.known), message)
        elif not blind and told.get("heard"):
            since = datetime.fromisoformat(str(told["since"]))
            text = (
                f"Alerts see again. They were blind since {since:%Y-%m-%d %H:%M} UTC; what began meanwhile is told now."
            )
            message = blind_message(
                f"{told['key']}-over", "[Over] Farside sees again", text, self._base, since, now, True
            )
            self._tell(told, "ended", list(told["heard"]), message)
            if set(told["ended"]) >= set(told["heard"]):
                self._told_file.unlink(missing_ok=True)

    def _tell(self, told: dict[str, Any], what: str, names: list[str], message: Message) -> None:
        for name in names:
            receiver = self.receivers.known.get(name)
            if name in told[what]:
                continue
            try:
                if receiver:
                    send(receiver, message)
            except Failed as error:
                log.warning("%s did not hear about blindness: %s", name, error)
                continue
            except Refused as error:
                log.error("%s refuses to hear about blindness: %s", name, error)
            told[what].append(name)
            draft = self._told_file.with_suffix(".draft")
            draft.write_text(json.dumps(told))
            draft.replace(self._told_file)

    def _told(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._told_file.read_text())
        except (OSError, ValueError):
            return {}
        return found
