"""What one answer of Cin7 means: its JSON, or the error that names what happened. Pure."""

import re
from decimal import Decimal
from typing import Final

import msgspec

from shared.cin7.errors import Cin7Denied, Cin7NoPage, Cin7Refused, Cin7Throttled, Cin7Unclear
from shared.http import Answer

#: Seconds to wait where Cin7 names none. Source: docs/apis/cin7.md#too-many-calls.
DELAY_S_429: Final = 60.0
DELAY_S_OTHER: Final = 10.0
#: No header makes us stand still for longer than this.
DELAY_S_MAX: Final = 3600.0

#: Each call refused for the rate says so in these words, whatever its status. Source: docs/apis/cin7.md#too-many-calls.
_PHRASE: Final = re.compile(r"\d+ calls per \d+ seconds", re.IGNORECASE)
_TITLE: Final = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1", re.IGNORECASE | re.DOTALL)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")

MESSAGES_MAX: Final = 20
MESSAGE_LENGTH_MAX: Final = 500

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)


def read(answer: Answer) -> object:
    """Return the JSON of a successful answer; fractions are Decimals made from their text.

    Raises:
        Cin7Throttled: too many calls, in any of the forms on record; not executed.
        Cin7Denied: the credentials were refused.
        Cin7Refused: a definite no, also where it comes inside a 200.
        Cin7Unclear: everything else, such as 5xx, a redirect, or JSON that breaks off.
        Cin7NoPage: a kind of it: a web page.
    """
    check_rate(answer)
    if answer.status in {401, 403}:
        raise Cin7Denied("Cin7 refused the credentials: store the account id and application keys again.")
    if 200 <= answer.status < 300:
        return _success(answer)
    words = messages(answer.body)
    # 408 says that the request was not received in full, which a proxy may say of one that was.
    if 400 <= answer.status < 500 and answer.status != 408:
        raise Cin7Refused(answer.status, words)
    raise Cin7Unclear(f"Cin7 answered {answer.status}: {'; '.join(words) or 'no reason given'}.")


def check_rate(answer: Answer) -> None:
    """Raise Cin7Throttled where `answer` says that the key made too many calls.

    A 503 without the words may come from a gateway after the call went through, so it does not count.
    """
    refused = answer.status == 429 or (not 200 <= answer.status < 300 and _phrase_in(answer.body))
    if not refused and not (answer.status < 300 and len(answer.body) < 1000 and _limit_inside(answer.body)):
        return
    default = DELAY_S_429 if answer.status == 429 else DELAY_S_OTHER
    raise Cin7Throttled("Cin7 answers that the key made too many calls.", delay_s=retry_after_s(answer, default))


def retry_after_s(answer: Answer, default: float) -> float:
    """Return the first whole number in Retry-After, which Cin7 writes as `60 Seconds`, or `default`."""
    number = re.search(r"\d+", answer.headers.get("retry-after", ""))
    return min(float(number[0][:9]), DELAY_S_MAX) if number else default


def messages(body: bytes) -> list[str]:
    """Return the reasons in the body of an error, whatever its shape."""
    try:
        document = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _cleaned([_text_of(body)])
    return _cleaned(_reasons(document))


def _success(answer: Answer) -> object:
    try:
        document = _DECODER.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        shown = "; ".join(_cleaned([_text_of(answer.body)])) or "an empty body"
        message = f"Cin7 answered {answer.status} with something that is not JSON: {shown}."
        raise (Cin7NoPage if answer.body.lstrip()[:1] == b"<" else Cin7Unclear)(message) from error
    entries = document if isinstance(document, list) else [document]
    errors = [entry for entry in entries if isinstance(entry, dict) and _is_error(entry)]
    if errors:
        codes = [code for entry in errors if isinstance(code := entry.get("ErrorCode"), int)]
        words = _cleaned(_reasons(errors))
        if any(code >= 500 for code in codes):
            raise Cin7Unclear(f"Cin7 answered 200 with an error of its own: {'; '.join(words)}.")
        raise Cin7Refused(next(iter(codes), answer.status), words)
    return document


def _is_error(entry: dict[str, object]) -> bool:
    return "Exception" in entry or "ErrorCode" in entry or entry.keys() == {"Message"}


def _reasons(document: object) -> list[str]:
    if isinstance(document, list):
        return [reason for entry in document[:MESSAGES_MAX] for reason in _reasons(entry)]
    if isinstance(document, dict):
        for name in ("Exception", "Message", "ExceptionMessage", "error"):
            if isinstance(text := document.get(name), str) and text:
                return [text]
        return []
    return [document] if isinstance(document, str) else []


def _text_of(body: bytes) -> str:
    text = body[:100_000].decode(errors="replace")
    if "<" not in text:
        return text
    title = _TITLE.search(text)
    return f"an HTML page ({title[2].strip()})" if title else "an HTML page"


def _cleaned(texts: list[str]) -> list[str]:
    stripped = (_UNPRINTABLE.sub(" ", text).strip()[:MESSAGE_LENGTH_MAX].rstrip(".") for text in texts)
    return [text for text in stripped if text][:MESSAGES_MAX]


def _phrase_in(body: bytes) -> bool:
    return _PHRASE.search(body[:10_000].decode(errors="replace")) is not None


def _limit_inside(body: bytes) -> bool:
    """Tell whether a 200 is nothing but the refusal: an error array, or the sentence itself."""
    return body[:1] in {b"[", b'"', b"Y"} and _phrase_in(body)
