"""What may be a name, and which names are the same."""
# ruff: noqa: RUF001  # Characters that look like others are what this is about.

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.limits import Limits
from chatserver.domain.people import reserved_names
from chatserver.domain.people.names import CleanName, clean_name, name_key, warm_up
from tests.kit.work import lines_run

LENGTH = Limits().name_length
WHYS = {
    "empty",
    "too_long",
    "control",
    "invisible",
    "bidi",
    "marks",
    "symbol",
    "contact",
    "script",
    "mixed_script",
    "not_a_name",
    "reserved",
}


def clean(raw: str, staff: tuple[str, ...] = ()) -> CleanName:
    return clean_name(raw, max_length=LENGTH, staff_keys=[name_key(name) for name in staff])


def why(raw: str, staff: tuple[str, ...] = ()) -> object:
    with pytest.raises(Refusal) as caught:
        clean(raw, staff)
    if caught.value.reason is Reason.NAME_TAKEN:
        return "name_taken"
    assert caught.value.reason is Reason.NAME_REFUSED
    assert caught.value.details is not None
    return caught.value.details["why"]


# ---------------------------------------------------------------------------------------------------- names of people


@pytest.mark.parametrize(
    "name",
    [
        "Quiet Heron",
        "Sam",
        "J",
        "Sam1984",
        "Sam 12345",
        "O'Neil",
        "O’Neil",
        "Anne-Marie",
        "J.R. Smith",
        "sam_lee",
        "Just Me",
        "Stafford",
        "Falstaff",
        "Badminton",
        "Nomad Minnie",
        "Modest Mouse",
        "Low Mood",
        "Bottle",
        "Ecosystem",
        "Ẹ̀bùn",
        "José",
        "Łukasz",
        "Søren",
        "Þóra",
        "Nguyễn Thị Ánh",
        "Straße",
        "Αλέξανδρος",
        "Владимир",
        "Ђорђе",
        "Նարեկ",
        "ნინო",
        "דוד",
        "מִרְיָם",
        "محمد",
        "مُحَمَّد",
        "فاطمه",
        "सीता",
        "রহিম",
        "ਗੁਰਪ੍ਰੀਤ",
        "முருகன்",
        "శ్రీను",
        "สมชาย",
        "น้ำฝน",
        "ສົມ",
        "བཀྲ་ཤིས",
        "မောင်မောင်",
        "ሰላም",
        "山田太郎",
        "さくら",
        "サクラ",
        "山田 エミ Emi",
        "ジャン・ポール",
        "王小明 Ming",
        "ㄅㄆ王",
        "김민수 Min",
        "ᏣᎳᎩ",
        "ᐃᓄᒃ",
        "ⵣⵉⵔⵉ",
    ],
)
def test_people_may_write_their_name_in_their_own_script(name: str) -> None:
    assert clean(name).name == unicodedata.normalize("NFKC", name)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("  Quiet   Heron ", "Quiet Heron"),
        ("\nSam\n", "Sam"),
        ("Ｓａｍ", "Sam"),
        ("𝓢𝓪𝓶", "Sam"),
        ("Ⓢⓐⓜ", "Sam"),
        ("Sam\u00a0Lee", "Sam Lee"),
        ("Jose\u0301", "José"),
        ("ﬁnn", "finn"),
    ],
)
def test_a_name_is_shown_in_its_plain_form(raw: str, name: str) -> None:
    assert clean(raw).name == name


# ---------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("\u3000\n", "empty"),
        ("x" * (LENGTH + 1), "too_long"),
        ("x" * 100_000, "too_long"),
        ("ﷺ" * 2, "too_long"),  # one character, eighteen letters
        ("Sam\tLee", "control"),
        ("Sam\nLee", "control"),
        ("Sam\x00", "control"),
        ("Sam\x1b[31m", "control"),
        ("Sam\u2028Lee", "control"),
        ("Sam\ue000", "control"),  # private use
        ("Sam\ud800", "control"),  # half a surrogate pair
        ("Sam\U000e0fff", "control"),  # unassigned
        ("Sam\ufdd0", "control"),  # no character
        ("Sam\u202egninrom", "bidi"),
        ("\u202dSam", "bidi"),
        ("Sam\u200f", "bidi"),
        ("\u2066Sam\u2069", "bidi"),
        ("\u061cSam", "bidi"),
        ("Sa\u200bm", "invisible"),
        ("Sa\u200dm", "invisible"),
        ("Sa\u200cm", "invisible"),
        ("Sa\u2060m", "invisible"),
        ("Sa\ufeffm", "invisible"),
        ("Sa\u00adm", "invisible"),
        ("Sam\ufe0f", "invisible"),
        ("Sam\U000e0041", "invisible"),  # a tag
        ("\u3164", "invisible"),
        ("\uffa0\uffa0", "invisible"),
        ("Sa\u034fm", "invisible"),
        ("ᠠ\u180eᠠ", "invisible"),
        ("\u2800", "symbol"),
        ("Z̵͔a̸̡l̷̨g̶o̸", "marks"),
        ("S\u0301\u0302\u0303\u0304am", "marks"),
        ("S\u0489am", "marks"),
        ("S\u20ddam", "marks"),
        ("\u0301Sam", "marks"),
        ("Sam 1\u0301", "marks"),
        ("x\u0331\u0331", "marks"),
        ("s\u0336a\u0336m", "marks"),
        ("สี่่", "marks"),
        ("´Sam", "marks"),
        ("😀", "symbol"),
        ("Sam 🌻", "symbol"),
        ("★Sam★", "symbol"),
        ("Sam✓", "symbol"),
        ("🅼🅾🅳", "symbol"),
        ("🇲🇴🇩", "symbol"),
        ("[Sam]", "symbol"),
        ("<b>Sam</b>", "symbol"),
        ("Sam|Lee", "symbol"),
        ("S@m", "contact"),
        ("@sam", "contact"),
        ("sam@mail.example", "contact"),
        ("sam#1234", "contact"),
        ("https://sam.example", "contact"),
        ("sam.com", "contact"),
        ("www.sam", "contact"),
        ("sam。com", "symbol"),
        ("sam．com", "contact"),
        ("sam dot com", "contact"),
        ("t.me/sam", "contact"),
        ("030 1234567", "contact"),
        ("Call 0-1-2-3-4-5", "contact"),
        ("٠١٢٣٤٥ سارة", "contact"),
        ("insta sam99", "contact"),
        ("Telegram.sam", "contact"),
        ("sam_discord", "contact"),
        ("𐌰𐌱", "script"),  # Gothic
        ("𓀀𓀁", "script"),  # hieroglyphs
        ("1234", "not_a_name"),
        ("...", "not_a_name"),
        ("_-_", "not_a_name"),
        ("ʼ", "not_a_name"),
        ("ـ", "not_a_name"),
        ("ーー", "not_a_name"),
    ],
)
def test_what_is_no_name_is_refused_with_its_reason(raw: str, reason: str) -> None:
    assert why(raw) == reason


@pytest.mark.parametrize(
    "raw",
    [
        "pаypal",  # Cyrillic
        "Sаm",
        "Annа",
        "Αnna",  # Greek
        "Samυ",
        "Владимиp",  # Latin p
        "Οделия",
        "Ꮪam",
        "ꓢam",
        "Sam山А",
        "さくら김",
        "דוד Sam",
        "Sam٣",
        "Sam3३",
        "٣۳سارة",
    ],
)
def test_scripts_that_are_never_written_together_are_refused(raw: str) -> None:
    assert why(raw) == "mixed_script"


# -------------------------------------------------------------------------------------------------------- staff


@pytest.mark.parametrize(
    "raw",
    [
        "Moderator",
        "MODERATOR",
        "moderators",
        "The Moderator",
        "Moderator Sam",
        "ModeratorSam",
        "m o d e r a t o r",
        "m.o.d.e.r.a.t.o.r",
        "M0derator",
        "m0d3r4t0r",
        "Rnoderator",
        "moclerator",
        "Moderatorr",
        "Mooderator",
        "moderater",
        "modertaor",
        "Ｍｏｄｅｒａｔｏｒ",
        "𝕸𝖔𝖉𝖊𝖗𝖆𝖙𝖔𝖗",
        "ᴍᴏᴅᴇʀᴀᴛᴏʀ",
        "Mödérâtør",
        "Modérateur",
        "Moderatorin",
        "Модератор",
        "Mod",
        "mods",
        "MOD",
        "m0d",
        "M.O.D.",
        "mod7",
        "Mod Sam",
        "Sam mod",
        "Sam_Mod",
        "SamMod Lee",
        "m\u0306od",
        "m\u0306od Sam",
        "Admin",
        "adm1n",
        "a d m i n",
        "a d m i n Sam",
        "TheAdmin",
        "sysadmin",
        "admin99",
        "Админ",
        "адмін",
        "Administrator",
        "Operator",
        "Oператор",
        "ΟΡΕΡΑΤΟΡ",
        "Listener",
        "Iistener",
        "1istener",
        "l1stener",
        "Listner",
        "Facilitator",
        "Faciiitator",
        "Staff",
        "5taff",
        "Staff Sam",
        "ꓢꓔꓮꓝꓝ",
        "Support",
        "Sam Support",
        "Supportteam",
        "Helpline",
        "Help-Line",
        "help 1ine",
        "System",
        "Official Sam",
        "0fficial",
        "Crisis Team",
        "Dr. Sam",
        "Dr Sam",
        "Doctor Sam",
        "Nurse Sam",
        "Therapist",
        "Counsellor",
        "Counselor Sam",
        "Psychologist",
        "Police",
        "系统管理员",
        "管理人",
        "モデレーター",
        "관리자",
        "مشرف",
        "Everyone",
        "you",
        "Deleted",
    ],
)
def test_nobody_poses_as_staff_or_help(raw: str) -> None:
    assert why(raw) in ("reserved", "mixed_script")


STAFF = ("Anna Berg", "Ravi", "Оксана")


@pytest.mark.parametrize(
    "raw",
    [
        "Anna Berg",
        "anna berg",
        "AnnaBerg",
        "Anna-Berg",
        "Anna Berg 2",
        "Anna Berg2",
        "4nna B3rg",
        "Ánna Bérg",
        "Аnna Berg",
        "The Anna Berg",
        "Anna Bergg",
        "Ana Berg",
        "Anna Bery",
        "Ravi",
        "ravi",
        "Ravl",
        "RAVI",
        "R4vi",
        "Ravi 2",
        "ОКСАНА",
        "Оксана",
    ],
)
def test_nobody_takes_the_name_of_somebody_on_the_staff(raw: str) -> None:
    # As for anybody else's: that it is staff's is not told.
    assert why(raw, STAFF) in ("name_taken", "mixed_script")


@pytest.mark.parametrize("raw", ["Anna", "Berg", "Ravini", "Anton Berg", "Ravioli Sam", "Хана"])
def test_a_staff_members_name_leaves_others_free(raw: str) -> None:
    assert clean(raw, STAFF).name == raw


def test_every_reserved_word_is_refused_as_it_stands_in_the_list() -> None:
    for word in (*reserved_names.ANYWHERE, *reserved_names.IN_A_WORD, *reserved_names.WORDS, *reserved_names.WHOLE):
        assert why(word) == "reserved", word
    for word in reserved_names.HARMLESS:
        assert clean(word)
    for word in reserved_names.CONTACT:
        assert why(word) == "contact", word


# ---------------------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Quiet Heron", "quiet heron"),
        ("Quiet Heron", "QuietHeron"),
        ("Quiet Heron", "Quiet-Heron"),
        ("Quiet Heron", "Quiet_Heron."),
        ("Quiet Heron", "Qui\u00e9t H\u00e8ron"),
        ("Quiet Heron", "Qu1et Her0n"),
        ("Lily", "Iily"),
        ("Lily", "1i1y"),
        ("Morn", "Mom"),
        ("Owen", "Ovven"),
        ("Oscar", "0scar"),
        ("Straße", "STRASSE"),
        ("Łukasz", "Lukasz"),
        ("Søren", "Soren"),
        ("O'Neil", "O’Neil"),
        ("O'Neil", "Oʼneil"),
        ("coco", "сосо"),  # Cyrillic
        ("COCO", "СОСО"),
        ("BOB", "ΒΟΒ"),  # Greek
        ("NAN", "ΝΑΝ"),
        ("Анна", "АННА"),
        ("Владимир", "ВЛАДИМИР"),
        ("Αλέξανδρος", "ΑΛΕΞΑΝΔΡΟΣ"),
        ("محمد", "مُحَمَّد"),
        ("محمد", "محـمد"),
        ("מרים", "מִרְיָם"),
        ("サクラ", "ｻｸﾗ"),
        ("ᎪᎡᎢ", "ART"),  # Cherokee
        ("ꓢꓮꓟ", "SAM"),  # Lisu
    ],
)
def test_names_that_look_alike_are_the_same_name(one: str, other: str) -> None:
    assert clean(one).key == clean(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nan", "Van"),
        ("Clara", "Dara"),
        ("Sam1", "Sam2"),
        ("Quiet Heron", "Quiet Herons"),
        ("か", "が"),
        ("कि", "का"),
        ("김", "긴"),
        ("Анна", "Алла"),
        ("山", "出"),
        ("Beth", "8eth"),
    ],
)
def test_names_that_look_different_are_different(one: str, other: str) -> None:
    assert clean(one).key != clean(other).key


def test_a_key_says_nothing_of_case_marks_or_spaces() -> None:
    assert clean("  Éric  le Grand ").key == clean("ERIC LE-GRAND").key == name_key("eric le grand")


# -------------------------------------------------------------------------------------------------------- always


ANYTHING = st.text(alphabet=st.characters(exclude_categories=[]), max_size=40)
NAMELIKE = st.text(alphabet=st.characters(categories=["Lu", "Ll", "Lo", "Lm", "Mn", "Mc", "Nd", "Zs"]), max_size=30)
SPOOFS = st.text(alphabet="Moderatоrοm0dАdmіn1lIıæß ´'’.-_・\u0301\u0338\u200b\u202e\u3164ﷺﬃ", max_size=30)


@settings(max_examples=300, deadline=None)
@given(ANYTHING | NAMELIKE | SPOOFS)
def test_any_input_is_a_name_or_a_refusal_with_a_reason(raw: str) -> None:
    try:
        name, key = clean(raw)
    except Refusal:
        assert why(raw) in WHYS
        return
    assert clean(name) == (name, key)
    assert 0 < len(name) <= LENGTH
    assert key
    assert name == name.strip()
    assert name_key(raw) == key
    assert not any(unicodedata.category(char)[0] == "C" for char in name)


@settings(max_examples=200, deadline=None)
@given(ANYTHING | NAMELIKE)
def test_a_key_is_the_key_of_the_lower_case_and_of_no_more_than_letters_and_digits(raw: str) -> None:
    key = name_key(raw)
    assert all(unicodedata.category(char)[0] in "LMN" for char in key)
    if raw.isascii():
        assert name_key(raw.upper()) == key == name_key(raw.lower())


@pytest.mark.parametrize("name", ["Quiet Heron 1", "Élodie Heron 22", "Calm Heron 3"])
def test_a_name_takes_little_work(name: str) -> None:
    """At most 4,300 lines of code, some tenths of a millisecond: `python -m bench.cpu_bounds` measures that."""
    warm_up()
    staff = frozenset(name_key(f"Staff {first}{last}") for first in "abcdefghijklmnop" for last in "abcdefghijklmnop")
    clean_name(name, max_length=LENGTH, staff_keys=staff)
    # Only now: what the first one fills caches with is not counted.
    assert lines_run(lambda: clean_name(name, max_length=LENGTH, staff_keys=staff)) < 10_000
