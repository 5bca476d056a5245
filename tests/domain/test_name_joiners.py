"""Joiners and middle dots in names: only where a writing needs them."""
# ruff: noqa: RUF001  # Characters that look like others are what this is about.

from __future__ import annotations

import pytest

from chatserver.domain.errors import Refusal
from chatserver.domain.people.names import clean_name, name_key


@pytest.mark.parametrize(
    "name",
    [
        "علی\u200cرضا",
        "گل\u200cناز",
        "ශ්\u200dරී",
        "ප්\u200dරියා",
        "അന്\u200dവര്\u200d",
        "র\u200d্যাচেল",
        "ರ\u200d್ಯಾಚೆಲ್",
        "क्\u200dषिति",
    ],
)
def test_a_joiner_that_a_writing_needs_is_kept_and_makes_no_other_name(name: str) -> None:
    """RFC 5892, appendix A. Whoever leaves it out, or puts it in, is not somebody else."""
    clean = clean_name(name, max_length=24)
    bare = name.replace("\u200c", "").replace("\u200d", "")
    assert clean.name == name
    assert clean.key == clean_name(bare, max_length=24).key == name_key(bare)


@pytest.mark.parametrize(
    "name", ["Sa\u200dm", "Sa\u200cm", "علی\u200c", "\u200dরবি", "র\u200dবি", "ರ\u200dವಿ", "Анна\u200d", "ש\u200cרה"]
)
def test_a_joiner_that_no_writing_needs_there_is_refused(name: str) -> None:
    with pytest.raises(Refusal) as refusal:
        clean_name(name, max_length=24)
    assert (refusal.value.details or {})["why"] == "invisible"


@pytest.mark.parametrize("name", ["Gal·la", "Marcel·lí", "ESTEL·LA"])
def test_catalan_has_its_middle_dot(name: str) -> None:
    """RFC 5892, appendix A.3"""
    assert clean_name(name, max_length=24) == (name, name_key(name.replace("·", "")))


@pytest.mark.parametrize("name", ["Sam · mod", "Sam·Lee", "l·", "·l", "Carol · Lee", "l··l"])
def test_a_middle_dot_between_other_letters_is_in_no_name(name: str) -> None:
    with pytest.raises(Refusal) as refusal:
        clean_name(name, max_length=24)
    assert (refusal.value.details or {})["why"] == "symbol"
