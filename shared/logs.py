"""Log lines of every process: text on a terminal, else one JSON document a line, and never a secret.

Modules say `log = structlog.get_logger()`; the entry at hand is bound once, by the guard around actors.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.config.environment import LogFormat

HIDDEN: Final = "[hidden]"
#: Names of fields whose values are never shown. A bare `key` is a record's key, and is.
_SECRET_NAMES: Final = re.compile(
    r"authori[sz]ation|cookie|passw|secret|token|bearer|credential|client_id|"
    r"(api|application|app|master|access|private|encryption)[-_]?keys?$|api-auth|(database|redis)_?url",
    re.IGNORECASE,
)
#: Where secrets stand inside a text, and what to leave of each.
_SECRET_TEXTS: Final = (
    (re.compile(r"(?<=://)[^/\s@]*@"), f"{HIDDEN}@"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?"), HIDDEN),
    (
        re.compile(
            r"(?i)([\w-]*(?:authorization|passw(?:or)?d|secret|token|api[-_]?key|application[-_]?key|applicationkey|"
            r"master[-_]?key)[\"']?\s*[=:]\s*[\"']?)(?!\[hidden\]|Bearer |Basic )[^\s\"'&,;}]{4,}"
        ),
        rf"\1{HIDDEN}",
    ),
)
#: Deeper than anything that is logged on purpose.
_DEPTH_MAX: Final = 6
#: They log every request or every line of a protocol.
_CHATTY: Final = ("httpx", "httpcore", "uvicorn.access", "asyncio")


def set_up(log: LogFormat, *, debug: bool = False, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream` (None: standard error) in one form.

    Lines of libraries, which use the standard `logging`, take the same way.
    """
    out = sys.stderr if stream is None else stream
    text = log == "text" or (log == "auto" and out.isatty())
    floor = logging.DEBUG if debug else level
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_traceback if debug else _without_traceback,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(floor),
        cache_logger_on_first_use=True,
    )
    last: Processor = (
        structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if text
        else structlog.processors.JSONRenderer(ensure_ascii=True)
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(floor)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(floor, logging.WARNING))


def entry_bound(entry_id: int) -> AbstractContextManager[None]:
    """Name the entry in every line logged inside the context."""
    return structlog.contextvars.bound_contextvars(entry=entry_id)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide secrets in every field, by the field's name and by what its text looks like."""
    return {name: _clean(name, value, 0) for name, value in event.items()}


def hidden(text: str) -> str:
    """Return `text` with everything in it that looks like a secret hidden."""
    for pattern, left in _SECRET_TEXTS:
        text = pattern.sub(left, text)
    return text


def _clean(name: str, value: Any, depth: int) -> Any:  # noqa: ANN401 - anything may be logged
    own = name.startswith("_")  # Fields of structlog, which takes them off before the line is rendered.
    if own or value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_NAMES.search(name):
        return HIDDEN
    if depth >= _DEPTH_MAX:
        return "..."
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", inner, depth + 1) for inner in value]
    # A line stays a line, whatever the other side put into its answer.
    return hidden(str(value))


def _without_traceback(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Leave one sentence of an exception: what failed, not where; the operator acts on the former."""
    error = _exception(event)
    if error is not None:
        event["error"] = f"{type(error).__name__}: {error}"
    event.pop("stack_info", None)
    return event


def _with_traceback(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    error = _exception(event)
    if error is not None:
        event["traceback"] = "".join(traceback.format_exception(error))
    return event


def _exception(event: EventDict) -> BaseException | None:
    """Take the exception out of an event, in each of the forms that loggers allow."""
    info = event.pop("exc_info", None)
    record = event.get("_record")
    if info is None and record is not None:
        info, record.exc_info, record.exc_text = record.exc_info, None, None
    if info is True or (isinstance(info, tuple) and info[1] is None):
        info = sys.exc_info()
    return info[1] if isinstance(info, tuple) else info if isinstance(info, BaseException) else None
