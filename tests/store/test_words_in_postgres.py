"""Words and queries of stet.values.words, as PostgreSQL takes them."""

from __future__ import annotations

import psycopg
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
