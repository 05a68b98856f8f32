"""Somebody with a browser's cookies, who sends forms as they stand on pages."""

import http.cookiejar
import re
import urllib.parse
import urllib.request


class Visitor:
    """Somebody with a browser's cookies."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def get(self, path: str) -> str:
        with self._opener.open(self.url + path, timeout=20) as reply:
            return str(reply.read().decode())

    def post(self, path: str, page: str, **fields: str) -> int:
        """Send a form as it stands on a page."""
        token = re.search(r'name="csrf" value="(\w+)"', self.get(page))
        assert token
        body = urllib.parse.urlencode(fields | {"csrf": token[1]}).encode()
        with self._opener.open(self.url + path, body, timeout=20) as reply:
            return int(reply.status)
