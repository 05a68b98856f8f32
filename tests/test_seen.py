"""What came in already, asked for a whole file at once."""

import secrets
from pathlib import Path

from collector.seen import Seen

NOW_MS = 1_790_000_000_000


def test_a_file_claims_its_ids_once_and_hears_of_those_that_others_have(tmp_path: Path) -> None:
    seen = Seen(tmp_path / "seen.sqlite3")
    first, second = "a" * 32, "b" * 32
    ids = {secrets.token_hex(16) for _ in range(8_000)} | {"0" * 32, "f" * 32}
    later = set(sorted(ids)[:3_000]) | {secrets.token_hex(16) for _ in range(500)}
    with seen.claiming():
        assert seen.claim(ids, first, NOW_MS) == set()
        assert seen.claim(ids, first, NOW_MS) == set(), "a file that is frozen again finds its own"
        assert seen.claim(later, second, NOW_MS) == later & ids
        assert seen.claim(later, first, NOW_MS) == later - ids, "what was new to the second is the second's"
        assert seen.claim(set(), second, NOW_MS) == set()
    seen.forget(NOW_MS + 1)
    assert seen.claim(ids, second, NOW_MS) == set()
    seen.close()
