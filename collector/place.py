"""Place: a client's address → its country, by a database file of the operator's or a header of the operator's CDN.

The address is looked at in memory and let go of; only the country goes on. The file is in MaxMind's format (GeoLite2,
DB-IP, IPLocate …), brought by whoever runs the collector: none is shipped and none is fetched.
"""

import re
from pathlib import Path
from typing import Any

import maxminddb

_COUNTRY = re.compile(r"[A-Z]{2}")


class BadPlaces(Exception):  # noqa: N818
    """The database file cannot be used."""


class Places:
    """Looks addresses up; knows nothing when there is no database."""

    def __init__(self, file: Path | None) -> None:
        self._database: maxminddb.Reader | None = None
        if file:
            try:
                self._database = maxminddb.open_database(file, maxminddb.MODE_MEMORY)
            except (OSError, maxminddb.InvalidDatabaseError) as error:
                raise BadPlaces(f"place_database = {str(file)!r}: {error}") from None

    def country(self, address: str, header: str = "") -> str:
        """ISO 3166 code in capitals, empty when unknown. A trusted header, when it names a country, wins."""
        code = header.strip().upper()
        if _COUNTRY.fullmatch(code) and code not in {"XX", "T1"}:  # a CDN's words for "unknown" and "Tor"
            return code
        if self._database is None:
            return ""
        try:
            found = self._database.get(address)
        except ValueError:
            return ""
        return _code_in(found) if isinstance(found, dict) else ""


def _code_in(found: dict[str, Any]) -> str:
    """MaxMind nests {"country": {"iso_code": "DE"}}; some free databases say {"country": "DE"} or country_code."""
    country = found.get("country") or found.get("country_code")
    code = country.get("iso_code") if isinstance(country, dict) else country
    return code if isinstance(code, str) and _COUNTRY.fullmatch(code) else ""
