"""The order of system calls, seen by strace: what a 204 promises is on disk before it is written, and a segment goes
only when everything the engine made of it is on disk. `kill -9` cannot show that, since a kill loses no page cache.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Running, a_beacon, wait_until

CALLS = "fsync,fdatasync,unlink,unlinkat,rename,renameat,renameat2,write,writev,pwrite64,sendto,sendmsg"
_CALL = re.compile(r"(\d+) +(?:(\w+)\((.*)|<\.\.\. (\w+) resumed>(.*))")


@contextmanager
def traced(running: Running, output: Path) -> Iterator[None]:
    """strace on every thread of a collector."""
    command = ["strace", "-f", "-y", "-s", "32", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(output)]
    strace = subprocess.Popen([*command, "-p", str(running.process.pid)], stderr=subprocess.PIPE, text=True)
    assert strace.stderr
    try:
        said = strace.stderr.readline()
        if "attached" not in said:
            pytest.skip(f"strace may not attach here: {said.strip()}")
        wait_until(lambda: output.exists() and _is_attached_to_all(running))
        yield
    finally:
        strace.terminate()
        strace.communicate(timeout=20)


def _is_attached_to_all(running: Running) -> bool:
    tasks = list(Path(f"/proc/{running.process.pid}/task").iterdir())
    return all("TracerPid:\t0\n" not in (task / "status").read_text() for task in tasks)


def calls_in(output: Path) -> list[tuple[str, str]]:
    """(name, arguments and result) of every call in the order in which they *ended*; a sync counts from its return."""
    begun: dict[str, tuple[str, str]] = {}
    found = []
    for line in output.read_text().splitlines():
        match = _CALL.match(line)
        if not match:
            continue
        thread, name, rest, _, end = match.groups()
        if name and rest.endswith("<unfinished ...>"):
            begun[thread] = name, rest.removesuffix("<unfinished ...>").rstrip()
        elif name:
            found.append((name, rest))
        elif thread in begun:
            name, rest = begun.pop(thread)
            found.append((name, rest + end))
    return found


def index(calls: list[tuple[str, str]], names: str, pattern: str, start: int = 0) -> int:
    """Where the first such call from `start` on ended well."""
    for number, (name, rest) in enumerate(calls[start:], start):
        if re.fullmatch(names, name) and re.search(pattern, rest) and ") = -1 " not in rest:
            return number
    raise AssertionError(f"no {names} of {pattern}")


@pytest.fixture(scope="module")
def calls(shared_collector: Running, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """What a collector at rest did for one beacon, from its arrival until its segment was gone."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    output = tmp_path_factory.mktemp("strace") / "calls"
    shared_collector.post(a_beacon())
    shared_collector.settled()
    spool = shared_collector.data / "spool"
    wait_until(lambda: not [*spool.glob("*.se*"), *spool.glob("*.sources")])
    with traced(shared_collector, output):
        assert shared_collector.post(a_beacon()).status == 204
        shared_collector.settled()
        time.sleep(0.3)
    return calls_in(output)


def test_a_204_is_written_after_its_line_is_on_disk(calls: list[tuple[str, str]]) -> None:
    line = index(calls, "write", r"spool/\w+\.open>, \"\{\\\"checksum")
    synced = index(calls, "fdatasync|fsync", r"spool/\w+\.open>\) += 0", line)
    answered = index(calls, "write|writev|sendto|sendmsg", r"HTTP/1\.1 204")
    assert line < synced < answered
    # The file's name is durable too, or the bytes would belong to nobody after a power cut.
    assert index(calls, "fsync", r"/spool>\) += 0") < line


def test_a_segment_goes_after_all_the_store_made_of_it_is_on_disk(calls: list[tuple[str, str]]) -> None:
    gone = index(calls, "unlink|unlinkat", r"/spool/\w+\.segment")
    name = re.search(r"/spool/(\w+)\.segment", calls[gone][1])
    assert name
    frozen = index(calls, "rename.*", rf"{name[1]}\.segment")
    within = calls[frozen:gone]
    parts = {
        match[1]
        for call, rest in within
        if call.startswith("rename") and (match := re.search(r"/chdb/store/\w+/([-\w]+)/tmp_insert", rest))
    }
    assert len(parts) >= 3, "events, ledger and segments at least"
    for table in parts:
        data = index(within, "fdatasync|fsync", rf"{table}/tmp_insert\w+/data\.bin")
        placed = index(within, "rename.*", rf"{table}/tmp_insert")
        folder = index(within, "fdatasync|fsync", rf"{table}>\) += 0", placed)
        assert data < placed < folder


def test_sealed_files_go_after_their_segment_is_on_disk(calls: list[tuple[str, str]]) -> None:
    gone = index(calls, "unlink|unlinkat", r"/spool/\w+\.sealed")
    written = index(calls, "fsync", r"/spool/\w+\.draft>\) += 0")
    named = index(calls, "rename.*", r"/spool/\w+\.segment", written)
    assert written < named < index(calls, "fsync", r"/spool>\) += 0", named) < gone
