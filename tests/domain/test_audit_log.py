"""The audit log's seal: whatever is done to a log shows."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import GENESIS, Act, AuditHead, Entry, Tampered, Verifier, after, head_of


def log(count: int) -> list[Entry]:
    entries: list[Entry] = []
    head = AuditHead(0, GENESIS)
    for n in range(count):
        act = Act(
            at=Millis(n), by=MemberId("m_mo"), action="muted", about=(MemberId("m_bo"),), subject=f"a{n}", reason="why"
        )
        entries.append(after(head, act))
        head = head_of(entries[-1])
    return entries


def verified(entries: list[Entry], *exported: AuditHead, kept: AuditHead | None = None) -> AuditHead:
    verifier = Verifier(exported)
    # In parts, as it is read.
    for at in range(0, len(entries), 3):
        verifier.read(entries[at : at + 3])
    return verifier.finish(kept if kept is not None else verifier.head)


def test_a_whole_log_and_an_empty_one_hold_together() -> None:
    entries = log(10)
    heads = [head_of(entry) for entry in entries]
    assert verified(entries, *heads) == heads[-1]
    assert verified([]) == AuditHead(0, GENESIS)


_FIELDS: dict[str, object] = {
    "at": 999,
    "by": "m_other",
    "action": "lifted",
    "about": ("m_bo", "m_other"),
    "subject": "a99",
    "reason": "why not",
}


@given(place=st.integers(0, 9), field=st.sampled_from([*_FIELDS]))
def test_any_field_of_any_entry_that_was_changed_is_found(place: int, field: str) -> None:
    entries = log(10)
    act = msgspec.structs.replace(entries[place].act, **{field: _FIELDS[field]})
    entries[place] = msgspec.structs.replace(entries[place], act=act)
    with pytest.raises(Tampered, match=f"entry {place + 1} was changed"):
        verified(entries)


@given(place=st.integers(0, 8), data=st.data())
def test_what_was_taken_out_or_moved_is_found(place: int, data: st.DataObject) -> None:
    def drop(entries: list[Entry]) -> None:
        del entries[place]

    def swap(entries: list[Entry]) -> None:
        entries[place], entries[place + 1] = entries[place + 1], entries[place]

    def renumber(entries: list[Entry]) -> None:
        swap(entries)
        for at in (place, place + 1):
            entries[at] = msgspec.structs.replace(entries[at], seq=at + 1)

    change: Callable[[list[Entry]], None] = data.draw(st.sampled_from([drop, swap, renumber]))
    entries = log(10)
    change(entries)
    with pytest.raises(Tampered):
        verified(entries)


@given(kept=st.integers(0, 9))
def test_a_tail_that_was_cut_is_found_by_a_head_that_is_kept_elsewhere(kept: int) -> None:
    whole = log(10)
    cut = whole[:kept]
    assert verified(cut).seq == kept, "by itself it looks whole"
    with pytest.raises(Tampered, match="10 was exported: its end was cut off"):
        verified(cut, head_of(whole[-1]))
    with pytest.raises(Tampered, match="should at 10: its end was cut off"):
        verified(cut, kept=head_of(whole[-1]))


def test_a_log_that_was_written_anew_is_another_than_the_exported_one() -> None:
    whole = log(10)
    anew = whole[:5]
    for entry in whole[5:]:
        act = msgspec.structs.replace(entry.act, reason="kinder")
        anew.append(after(head_of(anew[-1]), act))
    assert verified(anew).seq == 10, "every hash was made anew"
    with pytest.raises(Tampered, match="entry 8 is another than the exported one"):
        verified(anew, head_of(whole[7]))
    with pytest.raises(Tampered, match="of no log"):
        verified(whole, AuditHead(0, b"x"))
