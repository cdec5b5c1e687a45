"""Which files a path stands for, and what is in a file: JSON lines, a JSON list, CSV or Parquet; gzipped or not."""

from __future__ import annotations

import csv
import glob
import gzip
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from insights_mcp.local.loading.errors import LoadError

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
DELIMITERS = ",\t;|"
HEAD = 65_536


@dataclass(frozen=True)
class Source:
    """One file to read: `format` is jsonl, json, csv or parquet; `shown` is the path as the user knows it."""

    path: Path
    format: str
    gzipped: bool
    shown: Path
    delimiter: str = ","
    header: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return self.path.stat().st_size


def sources(paths: list[Path], workshop: Path) -> Iterator[Source]:
    """Each file behind the paths (files, folders, patterns). Empty files are passed over."""
    for path in paths:
        for found in _expanded(path):
            source = _recognised(found, workshop)
            if source:
                yield source


def _expanded(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file() and _is_event_file(p))
        return found or _none(path, "holds no event file", f"Event files end in {', '.join(SUFFIXES)}, each also .gz.")
    if path.exists():
        return [path]
    matches = sorted(Path(p) for p in glob.glob(str(path), recursive=True) if Path(p).is_file())
    return matches or _none(path, "is not there", "Give the path of a JSONL, CSV or Parquet file, or of their folder.")


def _none(path: Path, what: str, next_step: str) -> list[Path]:
    raise LoadError(f"{path} {what}.", next_step)


def _is_event_file(path: Path) -> bool:
    return path.name.removesuffix(".gz").endswith(SUFFIXES) and not path.name.startswith(("refused-", "."))


def _recognised(path: Path, workshop: Path) -> Source | None:
    gzipped, head = _head(path)
    if not head.strip():
        return None
    if head.startswith(b"PAR1"):
        return Source(_unzipped(path, workshop) if gzipped else path, "parquet", False, path)
    text = _text(path, head).lstrip("\ufeff \t\r\n")
    if text.startswith(("{", "[")):
        return Source(path, "jsonl" if text.startswith("{") else "json", gzipped, path)
    return _table(path, gzipped, text)


def _head(path: Path) -> tuple[bool, bytes]:
    try:
        with path.open("rb") as file:
            gzipped = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if gzipped else path.open("rb") as file:
            return gzipped, file.read(HEAD)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise broken(path, error) from error
    except OSError as error:
        raise LoadError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the path and its rights."
        ) from None


def broken(path: Path, error: Exception) -> LoadError:
    """The error for a file that ends early or is damaged."""
    return LoadError(f"{path} is damaged: {error}.", "Nothing was loaded. Fetch the file again, then repeat the load.")


def _text(path: Path, head: bytes) -> str:
    if b"\0" in head:
        raise _unknown(path)
    try:
        return head[: head.rfind(b"\n") + 1 or None].decode()
    except UnicodeDecodeError:
        return head.decode(errors="replace") if head.lstrip()[:1] in (b"{", b"[") else _refuse(path)


def _refuse(path: Path) -> str:
    raise _unknown(path)


def _unknown(path: Path) -> LoadError:
    return LoadError(
        f"{path} is none of the formats that can be loaded.", "Give JSON lines, CSV or Parquet (each also gzipped)."
    )


def _table(path: Path, gzipped: bool, text: str) -> Source:
    line = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=line.count)
    if not line.count(delimiter):
        raise _unknown(path)
    header = next(csv.reader([line.rstrip("\r")], delimiter=delimiter))
    if len({name.lower() for name in header}) < len(header):
        raise LoadError(f"{path} names a column twice.", "Each column of a CSV file needs its own name.")
    return Source(path, "csv", gzipped, path, delimiter, tuple(header))


def _unzipped(path: Path, workshop: Path) -> Path:
    target = workshop / f"{abs(hash(path))}.parquet"
    try:
        with gzip.open(path) as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise broken(path, error) from error
    return target
