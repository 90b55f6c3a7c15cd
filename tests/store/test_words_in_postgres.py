"""Words and queries of stet.values.words, as PostgreSQL takes them."""

from __future__ import annotations

import psycopg
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stet.document.events import Version
from stet.document.state import Document
from stet.projections.names import names_of
from stet.projections.record import tsvector
from stet.values.words import terms, tsquery, words

MATCHES = "SELECT array_to_tsvector(%s::text[]) @@ %s::tsquery"
STORED = "SELECT tsvector_to_array(array_to_tsvector(%s::text[]))"
SYNTAX = ["'", "''", "\\", "\\'", "'\\", "!", "&", "|", "(", ")", ":*", "a:*", "<->", "%s"]
HOSTILE = [*SYNTAX, "a b", "\n", "a'b\\c", "👩\u200d🚒"]
letters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
lexemes = st.sampled_from(HOSTILE) | st.text(letters, min_size=1, max_size=20)
texts = st.text(letters, max_size=60)


def test_any_lexeme_is_found_as_itself(url: str) -> None:
    """As a prefix and whole, and nothing else is: no character of it is taken for syntax."""
    with psycopg.connect(url, autocommit=True) as connection:

        def matches(stored: list[str], query: list[tuple[str, list[str]]]) -> bool:
            row = connection.execute(MATCHES, (stored, tsquery(query))).fetchone()
            assert row
            return bool(row[0])

        @given(lexemes, lexemes, st.lists(lexemes, min_size=1, max_size=4))
        @settings(max_examples=200)
        @example("a", "'", HOSTILE)
        def found(term: str, other: str, stored: list[str]) -> None:
            has_prefix = any(lexeme.startswith(term) for lexeme in stored)
            assert matches(stored, [(term, [])]) == has_prefix
            assert matches(stored, [(term, [other])]) == (has_prefix or other in stored)
            has_both = has_prefix and any(lexeme.startswith(other) for lexeme in stored)
            assert matches(stored, [(term, []), (other, [])]) == has_both
            assert matches([term + other], [(term, []), (other, [term + other])])

        found()


def test_a_text_is_found_by_the_beginnings_of_its_words(url: str) -> None:
    """All of them must be there."""
    with psycopg.connect(url, autocommit=True) as connection:
        stored = list(words("Mi-24 shot down near Yeraskh, at the border of Naxçıvan", "Ереван", "O'Brien"))
        for text, found in {
            "nax": True,
            "NAXÇIVAN border": True,
            "naxcivan ереван": True,
            "о'brien": False,
            "o'b": True,
            "mi 2": True,
            "mi 2 nowhere": False,
            "nakhchivan": False,
        }.items():
            query = tsquery([(term, ()) for term in terms(text)])
            assert connection.execute(MATCHES, (stored, query)).fetchone() == (found,), text
        known_by_another_name = tsquery([("nakhchivan", ["naxcivan"]), ("border", ())])
        assert connection.execute(MATCHES, (stored, known_by_another_name)).fetchone() == (True,)


def test_the_database_keeps_words_as_they_are(url: str) -> None:
    """Whatever its locale; even the longest."""
    with psycopg.connect(url, autocommit=True) as connection:

        @given(st.lists(texts, max_size=4))
        @settings(max_examples=100)
        @example(["𠀀" * 10, "𞤀" * 200, "İstanbul 'x\\"])
        def kept(given_: list[str]) -> None:
            found = list(words(*given_))
            row = connection.execute(STORED, (found,)).fetchone()
            assert row
            assert sorted(row[0]) == found

        kept()


def test_words_as_text_are_the_same_words(url: str) -> None:
    """As rows and COPY give them: no character is taken for syntax, and a word of colons and digits has no position."""
    same = "SELECT %s::tsvector = array_to_tsvector(%s::text[])"
    with psycopg.connect(url, autocommit=True) as connection:

        @given(st.lists(lexemes, max_size=5))
        @settings(max_examples=200)
        @example([*HOSTILE, "a:1", "a:1A,2B", ":*", " "])
        @example([])
        def taken(stored: list[str]) -> None:
            assert connection.execute(same, (tsvector(tuple(stored)), stored)).fetchone() == (True,)

        taken()


def test_names_of_any_length_have_room(url: str) -> None:
    """A tsvector holds a megabyte: of what is longer the last words are not found."""
    letters = [chr(0x10400 + n) for n in range(40)]
    versions = {
        n: Version(
            version=n,
            change="update",
            headline=" ".join(letters[n % 40] + letters[n // 40] + letters[k] * 22 for k in range(19)),
        )
        for n in range(1, 1_001)
    }
    found = names_of(Document(title="𐐀" * 100, versions=versions))
    assert 500_000 < sum(len(word.encode()) for word in found) <= 600_000
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT length(%s::tsvector)", (tsvector(found),)).fetchone()
    assert row == (len(set(found)),)
