"""Words of texts, and the queries for them."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stet.errors import Malformed
from stet.values.words import _split_any, terms, tsquery, words

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
PIECES = [
    "Şuşa",
    "İ",
    "ı",
    "ß",
    "ΐ",
    "й",
    "\u0301",
    "ﬁ",
    "क़",
    "कि",
    "ก็",
    "が",
    "ｶﾞ",
    "京",
    "한",
    "ـ",
    "\u200c",
    "'",
    " ",
]
mixed = texts | st.lists(st.sampled_from(PIECES)).map("".join)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mi-24 helicopter, shot down!", "mi 24 helicopter shot down"),
        ("under_score", "under score"),
        ("Xankəndi / Stepanarkert / Степанакерт", "xankəndi stepanarkert степанакерт"),
        ("Şuşa Bakı İrəvan IRAN Ağdam Hadrut’s", "susa baki irəvan iran agdam hadrut s"),
        ("O'Brien Aghdamʼs Ghazanchʻetsʻotsʻ", "o brien aghdam s ghazanch ets ots"),
        ("Ереван Йод ЁЛКА Їжак", "ереван иод елка іжак"),
        ("Երևան ԵՐԵՎԱՆ", "երեւան երեվան"),
        ("ΆΣΜΑ άσμας ᾳ", "ασμα ασμασ αι"),
        ("Straße STRASSE Łódź Tromsø", "strasse łodz tromsø"),
        ("ﬁre Ⅻ ２４ x²", "fire xii 24 x2"),
        ("קַרְבָּ֤ צה\u05f4ל", "קרב צה ל"),
        ("مُحَمَّد محمــد إيران آغدام می\u200cشود", "محمد ايران اغدام میشود"),
        ("हिन्दी क्षेत्र", "हिन्दी क्षेत्र"),
        ("தமிழ் বাংলা", "தமிழ் বাংলা"),
        ("한국어 서울", "한국어 서울"),
        ("기\u0301", "기"),
        ("北京24号 が ｶﾞ", "北 京 24 号 が ガ"),
        ("ก็ที่นี่ ๒๔", "ก็ ที่ นี่ ๒๔"),
        ("ລາວ ខ្មែរ မြန်", "ລ າ ວ ខ្ មែ រ မြ န်"),
        ("two\u200bwords so\u00adft \u2067rtl\u2069", "two words soft rtl"),
        ("👩‍🚒 ❤️ 1️⃣ … \u0301", "1"),
    ],
)
def test_words_of_many_scripts(text: str, found: str) -> None:
    """A script without spaces gives a word for each character, with its marks; any other, words."""
    expected = list(dict.fromkeys(normalize("NFC", found).split(" ")))
    assert list(terms(text)) == expected
    assert words(text) == tuple(sorted(expected))


@pytest.mark.parametrize(
    ("one", "other"), [("Şuşa", "SUSA"), ("Bakı", "baki"), ("İZMİR", "izmir"), ("Ёлка", "елка"), ("café", "cafe\u0301")]
)
def test_spellings_that_differ_in_case_and_marks_are_one_word(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Shushi", "Şuşa"), ("Nakhchivan", "Nakchivan"), ("Stepanakert", "Stepanarkert")]
)
def test_other_spellings_are_other_words(one: str, other: str) -> None:
    """They are found by the aliases of a source, which the query names as lexemes."""
    assert words(one) != words(other)


def test_words_of_several_texts_are_distinct_and_sorted() -> None:
    assert words("b a", None, "", "A c") == ("a", "b", "c")
    assert words() == words(None) == words("...") == ()


def test_a_long_word_is_cut() -> None:
    """And is found by itself."""
    assert words("x" * 101 + " y") == ("x" * 100, "y")
    assert terms("x" * 20_000) == ("x" * 100,)


def test_as_many_terms_as_there_may_be() -> None:
    """Repeated ones do not count."""
    assert len(terms(" ".join([*map(str, range(16)), *map(str, range(16))]))) == 16


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "!&|():*",
        "'",
        "👩‍🚒",
        "\u0301",
        " ".join(map(str, range(17))),
        "東京南西北一二三四五六七八九十百千",
    ],
)
def test_none_or_too_many_terms_are_refused(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        terms(text)
    assert [error.field for error in refused.value.errors] == ["query.q"]


def test_tsquery_names_prefixes_and_whole_lexemes() -> None:
    assert tsquery([("border", ())]) == "('border':*)"
    assert (
        tsquery([("nakhchivan", ["source:01", "source:02"]), ("border", ())])
        == "('nakhchivan':* | 'source:01' | 'source:02') & ('border':*)"
    )


def test_tsquery_escapes_quotes_and_backslashes() -> None:
    assert tsquery([("a", ["b'c\\"])]) == r"('a':* | 'b''c\\')"


@given(mixed)
@example("Երևան")
def test_the_words_of_a_word_are_the_word(text: str) -> None:
    assert all(words(word) == (word,) for word in words(text))


@given(mixed)
def test_case_and_normal_form_do_not_matter(text: str) -> None:
    assert words(text.casefold()) == words(text)
    assert words(normalize("NFC", text)) == words(normalize("NFD", text)) == words(text)


@given(mixed, mixed)
def test_several_texts_have_the_words_of_each(one: str, other: str) -> None:
    assert set(words(one, other)) == {*words(one), *words(other)} == set(words(f"{one} {other}"))


@given(mixed)
def test_a_search_for_a_text_asks_for_its_words(text: str) -> None:
    """Or it is refused."""
    found = words(text)
    if 1 <= len(found) <= 16:
        assert tuple(sorted(terms(text))) == found
    else:
        with pytest.raises(Malformed):
            terms(text)


@given(mixed | st.text(st.characters(max_codepoint=127)))
@example("a\u00a0\u0301b\x1fc\u200bd")
def test_the_short_way_finds_the_same(text: str) -> None:
    """ASCII, and what stands between white space, is split as everything is."""
    assert words(text) == tuple(sorted(set(_split_any(text))))
