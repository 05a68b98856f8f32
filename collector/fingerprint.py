"""Fingerprint: the group an error belongs to, the same before and after a rebuild.

Made of what a minifier cannot change: the type, the message without values and without names of local variables, the
method (not the function) it was thrown in, and a stranger's origin. No line, no column, no file of ours: all of these
move with every build.
"""

import hashlib
import re
from urllib.parse import urlsplit

MESSAGE = 200  # characters; patterns look at no more, so that nobody's message costs the door time
STACK = 4_096

_UNCAUGHT = re.compile(r"^Uncaught (?:\(in promise\) )?")
_URL = re.compile(r"\bhttps?://[^\s'\"`)]+")
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8,}|\d+")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
# A quoted word after one of these names a property, which minifiers leave alone: it tells errors apart.
_NAMES_A_PROPERTY = re.compile(r"(?:\b(?:reading|setting|property|execute|evaluating)|' on) $")
_PROPERTY = re.compile(r"[\w$.…-]+")
# Engines quote the code that failed, local names and all. V8: `t.sum is not a function`, Firefox: `can't access property
# "sum", t is undefined`, Safari: `undefined is not an object (evaluating 't.sum')`. Only the last property stays.
_LOCALS = (
    (re.compile(r"\. \(In '.*$"), ""),
    (re.compile(r"^(?:.*(\.[\w$]+)|.*?)\)? is not (?=a function|a constructor|iterable)"), r"…\1 is not "),
    (re.compile(r"(?<=evaluating ')[^']*?(\.[\w$]+)?(?:\([^']*)?(?=')"), r"…\1"),
    (re.compile(r"^[\w$.()\[\]]*?(\.[\w$]+)? is (?=undefined$|null$)"), r"…\1 is "),
    (re.compile(r", [\w$.()\[\]]+ is (?=undefined|null)"), ", … is "),
    (re.compile(r"(?<=Class constructor )[\w$]+"), "…"),
    (re.compile(r"#[\w$]+"), "#…"),
)
_HASH_IN_NAME = re.compile(r"(?:[.-](?=[0-9A-Za-z_]*\d)[0-9A-Za-z_]{6,}|[.-][0-9A-Z]{6,}|\.min)(?=\.m?js\b)")


def fingerprint_of(error_type: str, message: str, stack: str, url: str) -> str:
    """Sixteen hexadecimal digits. `url` is the file the browser blames; one of ours has no origin."""
    own = stack.split("\nCaused by: ", 1)[0]
    origin = _origin(url)
    parts = [error_type, _plain(message), origin, _method(own)]
    if not own:
        parts.append(_HASH_IN_NAME.sub("", url))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _plain(message: str) -> str:
    text = _URL.sub("URL", _UNCAUGHT.sub("", message[:MESSAGE]))
    for pattern, replacement in _LOCALS:
        text = pattern.sub(replacement, text)
    return "".join(_NUMBER.sub("0", _QUOTED.sub(_keep_property, text)).split())  # engines quote code, and spaces vary


def _keep_property(found: re.Match[str]) -> str:
    names_one = _NAMES_A_PROPERTY.search(found.string, 0, found.start())
    return found[0] if names_one and _PROPERTY.fullmatch(found[0][1:-1]) else "'…'"


def _method(stack: str) -> str:
    """The method an error was thrown in: what stands behind the last dot of its name, the object's name being a local's.

    V8 writes `at t.sum (https://x/app.js:1:2)`; the other engines write no object, so a method looks like any function.
    Callers are left out: for functions without a name V8 guesses one, and guesses otherwise in minified code.
    """
    for line in stack[:STACK].split("\n"):
        if line.lstrip().startswith("at "):
            name, is_named, _ = line.strip().partition(" (")
            called = name.split(" [as ")[0].rpartition(".")
            is_method = is_named and called[1] and len(called[2]) > 2 and called[2][0] not in "<#"
            return called[2] if is_method else ""
    return ""


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        return parts.netloc if parts.scheme in {"http", "https"} else ""
    except ValueError:
        return ""
