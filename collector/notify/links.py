"""Links: signed, so that whoever got a notice can acknowledge it from there, and nobody else can.

The signature covers what is acknowledged and until when; opening the link only shows a button, because mail programs open
links by themselves.
"""

import base64
import hmac
import json
import secrets
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

VALID_S = 14 * 86_400


class Signer:
    """Signs with a key that is made once and kept in the data folder."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._key = b""

    def key(self) -> bytes:
        """The key; made when there is none."""
        if not self._key:
            try:
                self._key = bytes.fromhex(self._file.read_text().strip())
            except FileNotFoundError:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                draft = self._file.with_suffix(f".{secrets.token_hex(4)}")
                draft.touch(0o600)
                draft.write_text(secrets.token_hex(32))
                with suppress(FileExistsError):  # somebody else was first, and theirs counts
                    self._file.hardlink_to(draft)
                draft.unlink()
                self._key = bytes.fromhex(self._file.read_text().strip())
        return self._key

    def sign(self, facts: dict[str, str], now: float | None = None) -> str:
        """Facts and their end as one word that fits into an address."""
        body = json.dumps(facts | {"until": str(int((now or time.time()) + VALID_S))}, sort_keys=True).encode()
        return f"{_text(body)}.{_text(hmac.digest(self.key(), body, sha256))}"

    def read(self, token: str, now: float | None = None) -> dict[str, str] | None:
        """The facts, if the signature is ours and not too old."""
        body, _, signature = token.partition(".")
        try:
            said, given = _bytes(body), _bytes(signature)
        except ValueError:
            return None
        if not hmac.compare_digest(hmac.digest(self.key(), said, sha256), given):
            return None
        facts: dict[str, str] = json.loads(said)
        return facts if float(facts["until"]) > (now or time.time()) else None


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
