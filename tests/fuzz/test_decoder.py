"""The decoder, given anything: what hypothesis thinks of, and what the mutated commands are."""

from __future__ import annotations

import json
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatserver.protocol.codec import Encoding
from tests.fuzz.decoder import check
from tests.fuzz.envelopes import EXAMPLES, envelopes

ENCODINGS = pytest.mark.parametrize("encoding", Encoding, ids=lambda encoding: encoding.name)

# The same each time: `python -m tests.fuzz.decoder` is for looking further.
_BOUNDED = settings(max_examples=200, deadline=None, derandomize=True)

_names = st.sampled_from(sorted({name for fields in EXAMPLES for name in fields})) | st.text(max_size=8)
_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.sampled_from([fields["cmd"] for fields in EXAMPLES]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=12,
)
_commands = st.builds(
    lambda fields, changes: {**fields, **changes},
    st.sampled_from(EXAMPLES),
    st.dictionaries(_names, _values, max_size=3),
)


@ENCODINGS
@_BOUNDED
@given(data=st.binary(max_size=200))
@example(data=b"\x81" * 20_000)
@example(data=b"[" * 20_000)
def test_any_bytes_are_a_command_or_a_refusal(encoding: Encoding, data: bytes) -> None:
    check(encoding, data)


@_BOUNDED
@given(text=st.text(max_size=200))
def test_any_text_is_a_command_or_a_refusal(text: str) -> None:
    check(Encoding.JSON, text)
    check(Encoding.MSGPACK, text)


@ENCODINGS
@_BOUNDED
@given(fields=_commands)
def test_a_command_with_any_other_fields_is_a_command_or_a_refusal(encoding: Encoding, fields: dict[str, Any]) -> None:
    check(encoding, json.dumps(fields) if encoding is Encoding.JSON else msgpack.packb(fields))


@ENCODINGS
def test_mutated_commands_are_commands_or_refusals(encoding: Encoding) -> None:
    for data in envelopes(2_000, 3, encoding):
        check(encoding, data)
