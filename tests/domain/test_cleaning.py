"""What one person writes stays in its place, and no writing is hurt by it."""

# ruff: noqa: RUF001  # Characters that look like others are what this is about.

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.text.cleaning import FORMAT, IGNORABLE, MOST_LINES, MOST_MARKS, clean_text, has_visible
from chatserver.domain.text.folding import fold, places_of, warm_up

warm_up()
TRICKY = st.one_of(
    st.characters(exclude_categories=[]),
    st.sampled_from(
        "\u200c\u200d\ufe0f\ufe0e\U0001f3f4\U0001f642\u2764\U000e0067\U000e007f\u094d\u0915\u0639\u06cc\u0301\u0300\u064b\n\n"
        " \u2800a1\u180b\u1820\u845b\U000e0100\U0001d165\u2028\r"
    ),
)


def test_every_character_of_the_category_cf_is_known() -> None:
    known = re.compile(f"[{IGNORABLE}{FORMAT}]")
    assert [
        code for code in range(0x110000) if unicodedata.category(chr(code)) == "Cf" and not known.match(chr(code))
    ] == []


@given(st.lists(TRICKY, max_size=40).map("".join))
def test_cleaning_twice_is_cleaning_once(raw: str) -> None:
    once = clean_text(raw)
    assert clean_text(once) == once
    assert len(once) <= len(raw)
    once.encode("utf-8")


@pytest.mark.parametrize(
    "blank",
    [
        "\ufff9", "\ufffa\ufffb", "\U0001d173", "\U0001d17a", "\U0001bca0", "\u070f", "\u3164", "\u2800", "\u115f",
        "\u0301",
        "\ufeff", "\u17b4", "\U000e0041", "\u206a", "\u061c", "\ufffc", "\ufff0", "\U00013431", "\u00ad", "\U000e0100",
    ],
)  # fmt: skip
def test_what_shows_nothing_is_nothing(blank: str) -> None:
    assert not has_visible(clean_text(blank * 3))
    assert not has_visible(blank)


@pytest.mark.parametrize(
    "text",
    [
        "Tôi không ngủ được, tiếng Việt",
        unicodedata.normalize("NFD", "Tôi không ngủ được, tiếng Việt"),
        "मैं सो नहीं सकता, क्\u200dष",
        "בְּרֵאשִׁית שּׁ֔ב",
        "السَّلَامُ عَلَيْكُمْ",
        "می\u200cروم علی\u200cرضا، ه\u200d",
        "ශ්\u200dරී ලංකා",
        "അന്\u200dവര്\u200d",
        "র\u200d্যাব, ರ\u200d್ಯಾ",
        "นอนไม่หลับ ปิ่น กุ้ง น้ำ",
        "བསྒྲུབས",
        "ក្រុង ស្ត្រី",
        "မြန်မာ ကျွန်ုပ်",
        "葛\U000e0100城, 王\ufe00",
        "ᠮᠣᠩᠭᠣᠯ\u180b",
        "👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 👩🏽\u200d🚒",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f 1\ufe0f\u20e3 🏴\u200d☠\ufe0f",
        "10\ufe0f€ is no emoji".replace("\ufe0f", ""),
    ],
)
def test_what_a_writing_or_an_emoji_needs_is_kept(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Z" + "\u0335" * 40 + "a", "Z" + "\u0335" * MOST_MARKS + "a"),
        ("क" + "\u0901\u200d" * 30, "क" + "\u0901" * MOST_MARKS),
        ("he\u202ello\u2066", "hello"),
        ("a\u200db\u200cc\ufe0fd\u180be", "abcde"),
        ("x\U000e0041\U000e0042", "x"),
        ("half \ud83d", "half \ufffd"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("a" + "\n" * 50 + "b", "a\n\n\nb"),
        ("a\n \n\u2800\n\t\n\u3164\nb", "a\n\n\nb"),
    ],
)
def test_what_would_cover_others_is_dropped(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


def test_many_lines_become_few_and_no_word_is_lost() -> None:
    lines = [f"line{number}" for number in range(1_000)]
    clean = clean_text("\n".join(lines))
    assert clean.count("\n") == MOST_LINES - 1
    assert clean.split() == lines


@given(st.lists(TRICKY, max_size=40).map("".join))
def test_every_folded_character_has_its_place(text: str) -> None:
    places = places_of(text)
    assert len(places) == len(fold(text)) + 1
    assert places == sorted(places)
    assert places[-1] == len(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("insta\u200bgram", "instagram"),
        ("1\ufe0f\u20e32\ufe0f\u20e3", "12"),
        ("\uff41\uff20\uff42\uff0e\uff43", "a@b.c"),
        ("\u24e2\U0001d4fc\U0001f170\u0430", "ssAa"),
        ("\u0660\u0967", "01"),
        ("don\u2019t", "don't"),
        ("\u738b\u4f1f \ud55c", "\u738b\u4f1f \ud55c"),
    ],
)
def test_what_reads_alike_is_spelled_alike(text: str, plain: str) -> None:
    assert fold(text) == plain
