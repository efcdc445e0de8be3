"""What settings must keep to beyond their types: URLs, names, dates, zones. Pure."""

import difflib
import ipaddress
import re
import zoneinfo
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final
from urllib.parse import urlsplit

from shared.config.settings import IfsSettings, PolicySettings, SetSettings, Settings, StreamSettings

#: A property, set or service that needs no escaping wherever it goes: our own rule, narrower than any of theirs.
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REALM: Final = re.compile(r"[A-Za-z0-9_.~-]+")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
#: Seconds that a lease must outlast a call's deadline: no call is sent in the last second, nor in no time at all.
LEASE_MARGIN_S: Final = 2.0
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class SettingError(ValueError):
    """One thing that is wrong with the settings; the message names key and remedy, not the file."""


def check_settings(settings: Settings) -> None:
    """Raise `SettingError` for the first value that cannot be meant."""
    _check_ifs(settings.ifs)
    for name, stream in settings.ifs.streams.items():
        _check_stream(stream, f"ifs.streams.{name}")
        for child, body in stream.sets.items():
            _check_names(body, f"ifs.streams.{name}.sets.{child}")
    for name, account in settings.cin7.items():
        _check_url(account.base_url, f"[cin7.{name}] base_url")
        needed_s = account.read_timeout_s + LEASE_MARGIN_S
        if settings.policy.lease_s < needed_s:
            raise SettingError(
                f"[policy] lease_s is {settings.policy.lease_s:g}, too short for a call of [cin7.{name}], which may "
                f"take {account.read_timeout_s} s (read_timeout_s): write at least {needed_s:g}."
            )
    _check_policy(settings.policy)


def near(word: str, known: Sequence[str]) -> str:
    """Return a question after the closest of the `known` words, or nothing where none is close."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def is_loopback(host: str) -> bool:
    """Tell whether `host` can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_url(url: str, where: str) -> None:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise SettingError(f"{where} is not a URL: write it as https://host/path.") from error
    if parts.username is not None or parts.password is not None:
        raise SettingError(f"{where} holds a user or password: take it out and run `connector credentials set`.")
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f]", url):
        raise SettingError(f"{where} is {url!r}: write a URL such as https://host/path.")
    if parts.query or parts.fragment:
        raise SettingError(f"{where} goes on after its path: end it before the ? or #.")
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingError(f"{where} is {url!r}: write https, since plain http is for this machine only.")


def _check_ifs(ifs: IfsSettings) -> None:
    _check_url(ifs.base_url, "[ifs] base_url")
    if ifs.token_url:
        _check_url(ifs.token_url, "[ifs] token_url")
    if not _REALM.fullmatch(ifs.realm):
        raise SettingError(f"[ifs] realm is {ifs.realm!r}: write the realm's plain name, such as acme1.")
    for key in ("projection_prefix", "entity_prefix"):
        prefix = getattr(ifs, key)
        if not prefix.startswith("/") or re.search(r"[\s?#]", prefix):
            raise SettingError(f"[ifs] {key} is {prefix!r}: write a path that begins with /.")
    _check_zone(ifs.time_zone)
    if not _CLOCK.fullmatch(ifs.sweep_at):
        raise SettingError(f'[ifs] sweep_at is {ifs.sweep_at!r}: write a time such as "02:30".')


def _check_zone(name: str) -> None:
    if name == "UTC":  # Needs no time zone data, which slim images lack.
        return
    try:
        zoneinfo.ZoneInfo(name)
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError) as error:
        hint = near(name, sorted(zoneinfo.available_timezones())) or "write a name such as Europe/Stockholm."
        raise SettingError(f"[ifs] time_zone {name!r} is not known on this machine: {hint}") from error


def _check_stream(stream: StreamSettings, where: str) -> None:
    _check_names(stream, where)
    if stream.start_from:
        fault = SettingError(f'[{where}] start_from is {stream.start_from!r}: write a date such as "2026-01-31".')
        if not _DAY.fullmatch(stream.start_from):
            raise fault
        try:
            date.fromisoformat(stream.start_from)
        except ValueError as error:
            raise fault from error


def _check_names(part: StreamSettings | SetSettings, where: str) -> None:
    names = {"service": part.service, "entity_set": part.entity_set, "modified_field": part.modified_field}
    for key, name in names.items():
        if name and not _IDENTIFIER.fullmatch(name):
            raise SettingError(f"[{where}] {key} is {name!r}: write a plain name of letters, digits and _.")
    for key, name in part.fields.items():
        if not _IDENTIFIER.fullmatch(name):
            raise SettingError(f"[{where}] fields.{key} is {name!r}: write the name of a property, such as Cf_Name.")


def _check_policy(policy: PolicySettings) -> None:
    if policy.reconcile_at and not _CLOCK.fullmatch(policy.reconcile_at):
        raise SettingError(
            f'[policy] reconcile_at is {policy.reconcile_at!r}: write a time such as "04:30", or "" for never.'
        )
    try:
        tolerance = Decimal(policy.total_tolerance)
    except InvalidOperation:
        tolerance = Decimal("NaN")
    if not tolerance.is_finite() or tolerance < 0:
        raise SettingError(f'[policy] total_tolerance is {policy.total_tolerance!r}: write an amount such as "0.01".')
    if policy.journal_verdict_field and not _IDENTIFIER.fullmatch(policy.journal_verdict_field):
        raise SettingError("[policy] journal_verdict_field is not a property's name: write one such as Cf_Cin7Check.")
    if both := sorted(set(policy.order_states) & set(policy.cancelled_states)):
        raise SettingError(f"[policy] {both[0]!r} stands in order_states and in cancelled_states: keep it in one.")
