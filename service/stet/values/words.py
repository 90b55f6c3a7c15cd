"""Words of texts, as they are stored and searched: in any script, and the same whatever the database's locale.

Case, width and ligatures do not matter, nor do the dots of i. Nor do marks that may as well be left out: accents of
Latin, Greek and Cyrillic, points of Hebrew, vowel marks and the stretching of Arabic. A mark that is part of the
spelling stays, and splits nothing: a vowel sign of Devanagari or Thai, the voicing of kana. Nothing else is
respelled: ø, ə and є are letters of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import lru_cache
from unicodedata import category, combining, normalize

from stet.errors import Malformed

MAX_TERMS = 16
MAX_LENGTH = 100

# fmt: off
_UNSPACED = (
    (0x0E00, 0x0EFF),                                         # Thai, Lao
    (0x1000, 0x109F), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F),     # Myanmar
    (0x1780, 0x17FF),                                         # Khmer
    (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x1AFF0, 0x1B16F),   # Hiragana, Katakana
    (0x3005, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),                                       # Han
)
# fmt: on
_APOSTROPHES = ((0x02B0, 0x02FF), (0xA78B, 0xA78C))
"""Of these, Unicode calls some letters."""
# fmt: off
_IGNORABLE = (
    (0x0640, 0x0640),                                         # what stretches Arabic
    (0x034F, 0x034F), (0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF),   # selectors of forms
    (0x115F, 0x1160), (0x17B4, 0x17B5),                       # empty fillers
)
# fmt: on
_ASCII_WORD = re.compile("[0-9a-z]+")
_ZERO_WIDTH_SPACE = "\u200b"


class _Kind(Enum):
    IGNORED = "as if it were not there"
    MARK = "belongs to what is before it"
    JOINING = "makes words with its neighbours"
    ALONE = "a word of its own"
    BETWEEN = "between words"


def words(*texts: str | None) -> tuple[str, ...]:
    """The distinct words of the texts, sorted by code points. The words of a word are the word alone."""
    return tuple(sorted({word for text in texts if text for word in _split(text)}))


def terms(text: str) -> tuple[str, ...]:
    """The distinct words of a text to search for, in its order. Raises Malformed for none, and for more than 16."""
    found = tuple(dict.fromkeys(_split(text)))
    if not found:
        raise Malformed.at("query.q", "must have a letter or a digit")
    if len(found) > MAX_TERMS:
        raise Malformed.at("query.q", f"must have at most {MAX_TERMS} words, has {len(found)}")
    return found


def tsquery(terms: Sequence[tuple[str, Sequence[str]]]) -> str:
    """The text of a PostgreSQL tsquery that wants, for each term, a word that begins with it or one of its lexemes.

    For array_to_tsvector(words), and only for a cast to tsquery: to_tsquery would split and stem.
    """
    alternatives = ([f"{_quoted(term)}:*", *map(_quoted, lexemes)] for term, lexemes in terms)
    return " & ".join(f"({' | '.join(parts)})" for parts in alternatives)


def exactly(found: Sequence[str]) -> str | None:
    """The text of a PostgreSQL tsquery that wants all of the words as they are; None for none."""
    return " & ".join(map(_quoted, found)) or None


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def _split(text: str) -> Iterator[str]:
    """The words of a text in its order; of a long one, the first characters."""
    if text.isascii():
        return (word[:MAX_LENGTH] for word in _ASCII_WORD.findall(text.lower()))
    # No word, and nothing that composes one, goes beyond white space.
    return (word for part in text.split() for word in (_split(part) if part.isascii() else _split_any(part)))


def _split_any(text: str) -> Iterator[str]:
    """The same in any script, character by character."""
    word, joins = "", False
    for character in _fold(text):
        kind = _kind(character)
        if kind is _Kind.MARK:
            word += character if word else ""
        elif kind is _Kind.JOINING and joins:
            word += character
        else:
            if word:
                yield word[:MAX_LENGTH]
            word = "" if kind is _Kind.BETWEEN else character
            joins = kind is _Kind.JOINING
    if word:
        yield word[:MAX_LENGTH]


def _fold(text: str) -> str:
    """The text in one spelling."""
    # Twice, as in Unicode's compatibility caseless match: ℡ has no case, but TEL has.
    for _ in range(2):
        text = normalize("NFKD", text.casefold())
    kept = "".join(character for character in text if _kind(character) is not _Kind.IGNORED)
    return normalize("NFC", kept.replace("ı", "i"))


@lru_cache(maxsize=10_000)
def _kind(character: str) -> _Kind:
    class_, code = category(character), ord(character)
    if _in(_IGNORABLE, code) or _is_optional(class_, combining(character)):
        return _Kind.IGNORED
    if class_ == "Cf":
        # Joiners and marks of direction stand inside words.
        return _Kind.BETWEEN if character == _ZERO_WIDTH_SPACE else _Kind.IGNORED
    if class_[0] == "M":
        return _Kind.MARK
    if class_[0] not in "LN" or _in(_APOSTROPHES, code):
        return _Kind.BETWEEN
    return _Kind.ALONE if class_ != "Nd" and _in(_UNSPACED, code) else _Kind.JOINING


def _is_optional(class_: str, combining_class: int) -> bool:
    """Whether a mark may be left out: what encloses, lies over, above or below, and the points of Hebrew and Arabic.

    The other combining classes, 0 to 9 and 84 to 132, are those of the signs of Indic, Thai, Lao and Tibetan and of
    the voicing of kana.
    """
    lies_over_or_beside = combining_class == 1 or combining_class >= 200
    return class_ == "Me" or lies_over_or_beside or 10 <= combining_class <= 36


def _in(ranges: Sequence[tuple[int, int]], code: int) -> bool:
    return any(first <= code <= last for first, last in ranges)
