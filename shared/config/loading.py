"""`connector.toml` to settings: each fault is one sentence that names file, key and remedy."""

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from shared.config.checking import SettingError, check_settings, near
from shared.config.settings import (
    Cin7Settings,
    IfsSettings,
    PolicySettings,
    SetSettings,
    Settings,
    StreamSettings,
)
from shared.errors import Misconfigured

S = TypeVar("S", bound=msgspec.Struct)

#: What may be read from IFS, and the child sets of each. Names are those of the `[ifs.streams.<name>]` sections.
STREAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "suppliers": (
        "addresses",
        "address_types",
        "comm_methods",
        "invoice_info",
        "tax_info",
        "payment_info",
        "purchase_info",
    ),
    "purchase_orders": ("lines", "code_parts"),
    "supplier_invoices": ("items", "postings"),
    "journals": ("verdict",),
    "accounts": (),
    "sites": (),
}
#: An account's name stands in queue names, URLs and table rows.
ACCOUNT_NAME: Final = re.compile(r"[a-z0-9_-]+")

_TYPES: Final = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "a table",
    "array": "a list",
    "date": "a date",
    "datetime": "a date",
    "time": "a time",
}
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_EXPECTED: Final = re.compile(r"Expected `([^`]+)`(?P<bound> [<>=]+ [\d.]+)?(?:, got `(\w+)`)?")
_WHERE: Final = re.compile(r" - at `\$\.?(.*)`$")


def load_settings(path: Path) -> Settings:
    """Read and check the settings.

    Raises:
        Misconfigured: the file is missing, unreadable, not TOML, or says something that cannot be meant.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise Misconfigured(f"{path} is missing: write it, or name another file in CONNECTOR_CONFIG.") from error
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read ({error.strerror}): correct it, or CONNECTOR_CONFIG.") from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{path} is not UTF-8 text: save it as UTF-8.") from error
    try:
        return read_settings(text)
    except SettingError as fault:
        raise Misconfigured(f"{path}: {fault}") from fault


def read_settings(text: str) -> Settings:
    """Return the settings that `text` holds. Pure.

    Raises:
        SettingError: the first thing that is wrong.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"this is not TOML: {error}") from error
    _refuse_unknown(tree, ("ifs", "cin7", "policy"), "")
    if "ifs" not in tree:
        raise SettingError("[ifs] is missing: add it with base_url and realm.")
    settings = Settings(
        ifs=_ifs(_table(tree["ifs"], "ifs")),
        cin7=dict(_accounts(tree.get("cin7"))),
        policy=_section(_table(tree.get("policy", {}), "policy"), PolicySettings, "policy"),
    )
    check_settings(settings)
    return settings


def _ifs(section: dict[str, Any]) -> IfsSettings:
    streams = _table(section.pop("streams", {}), "ifs.streams")
    _refuse_unknown(streams, tuple(STREAMS), "ifs.streams", kind="stream")
    ifs = _section(section, IfsSettings, "ifs", ("streams",))
    return msgspec.structs.replace(
        ifs, streams={name: _stream(name, _table(body, f"ifs.streams.{name}")) for name, body in streams.items()}
    )


def _stream(name: str, section: dict[str, Any]) -> StreamSettings:
    where = f"ifs.streams.{name}"
    sets = _table(section.pop("sets", {}), f"{where}.sets")
    _refuse_unknown(sets, STREAMS[name], f"{where}.sets", kind="set")
    if type(section.get("start_from")) is date:  # TOML has dates of its own; a quoted one means the same.
        section["start_from"] = section["start_from"].isoformat()
    stream = _section(section, StreamSettings, where, ("sets",))
    children = {
        child: _section(_table(body, f"{where}.sets.{child}"), SetSettings, f"{where}.sets.{child}")
        for child, body in sets.items()
    }
    return msgspec.structs.replace(stream, sets=children)


def _accounts(tree: object) -> Iterator[tuple[str, Cin7Settings]]:
    if tree is None or tree == {}:
        raise SettingError("no Cin7 account is named: add a section such as [cin7.main].")
    for name, body in _table(tree, "cin7").items():
        if not isinstance(body, dict):
            raise SettingError(
                f"{name} stands in [cin7] itself: put it into a section per account, such as [cin7.main]."
            )
        if not ACCOUNT_NAME.fullmatch(name):
            raise SettingError(f"[cin7.{name}]: name the account with a-z, 0-9, _ and - only.")
        yield name, _section(body, Cin7Settings, f"cin7.{name}")


def _section(body: dict[str, Any], shape: type[S], where: str, elsewhere: tuple[str, ...] = ()) -> S:
    """Return one table of the file as its struct; the keys `elsewhere` are read by the caller."""
    _refuse_unknown(body, tuple(name for name in shape.__struct_fields__ if name not in elsewhere), where)
    for key, value in body.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise SettingError(f"[{where}] {key} is {value}: write a finite number.")
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        raise SettingError(_sentence(str(error), where, body, shape)) from error


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SettingError(f"{where} is not a table: write [{where}] and its keys below.")
    return value


def _refuse_unknown(body: Mapping[str, object], known: tuple[str, ...], where: str, kind: str = "key") -> None:
    for key in body:
        if key not in known:
            place = f"[{where}]" if where else "the file"
            names = f"known: {', '.join(known) or 'none'}." if len(known) < 8 else "see the list of settings."
            raise SettingError(f"{place} has an unknown {kind} {key!r}: {near(key, known) or names}")


def _sentence(message: str, where: str, body: Mapping[str, object], shape: type[msgspec.Struct]) -> str:
    """Return msgspec's complaint about one section in our words, with the name of the key."""
    if missing := _MISSING.match(message):
        return f"[{where}] lacks {missing[1]}: add it."
    at = _WHERE.search(message)
    key = at[1].replace("[...]", "") if at else ""
    value = body.get(key)
    shown = f" is {value!r}" if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if expected := _EXPECTED.match(message):
        wanted = " or ".join(_TYPES.get(name, name) for name in expected[1].split(" | "))
        bound = (expected["bound"] or "").replace(">=", "of at least").replace("<=", "of at most").replace(">", "above")
        return f"[{where}] {key}{shown}: write {wanted}{bound.removesuffix('.0')}."
    return f"[{where}] {key}{shown}: write one of {', '.join(_choices(get_type_hints(shape).get(key)))}."


def _choices(annotation: object) -> list[str]:
    """Return the words that a key may hold, in the order of its type."""
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    return list(dict.fromkeys(word for part in get_args(annotation) for word in _choices(part)))
