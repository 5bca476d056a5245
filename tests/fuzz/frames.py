"""WebSocket frames as no client should send them, drawn from a seed: bytes for the socket, after the handshake.

Each `Attempt` is what one connection says. What breaks the protocol comes last in it: nothing after it would be read.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_MOST_BEFORE_THE_LAST: Final = 6


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one connection sends, and how many frames that is. `is_whole` says whether the last of them is."""

    data: bytes
    frames: int
    is_whole: bool


def attempts(frames: int, seed: int) -> Iterator[Attempt]:
    """So many frames at least, in as many connections as it takes."""
    chance = random.Random(seed)
    while frames > 0:
        attempt = _attempt(chance)
        frames -= attempt.frames
        yield attempt


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0, mask: bytes | None = b"\x37\xfa\x21\x3d"
) -> bytes:
    """One frame (RFC 6455, section 5.2)."""
    head = bytes([fin << 7 | reserved << 4 | opcode])
    masked = 0x80 if mask is not None else 0
    if len(payload) < 126:
        head += bytes([masked | len(payload)])
    elif len(payload) < 65_536:
        head += bytes([masked | 126]) + len(payload).to_bytes(2, "big")
    else:
        head += bytes([masked | 127]) + len(payload).to_bytes(8, "big")
    if mask is None:
        return head + payload
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return head + mask + (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")


def _attempt(chance: random.Random) -> Attempt:
    pieces = [chance.choice(_ODD)(chance) for _ in range(chance.randrange(_MOST_BEFORE_THE_LAST))]
    is_whole = True
    if chance.random() < 0.7:
        kind = chance.choice(_WRONG)
        is_whole = kind not in _UNFINISHED
        pieces.append(kind(chance))
    data = b"".join(part for piece in pieces for part in piece)
    return Attempt(data, sum(len(piece) for piece in pieces) or 1, is_whole)


def _noise(chance: random.Random, most: int = 200) -> bytes:
    return chance.randbytes(chance.randrange(most))


def _words(chance: random.Random) -> bytes:
    """UTF-8 of any kind, now and then nearly a command."""
    if chance.random() < 0.3:
        return b'{"cmd":"ping","id":"p%d"}' % chance.randrange(1_000)
    return "".join(
        chr(chance.choice((0x20, 0x7B, 0x22, 0xE9, 0x4E16, 0x1F642))) for _ in range(chance.randrange(60))
    ).encode()


def _mask(chance: random.Random) -> bytes:
    return chance.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", chance.randbytes(4)))


# ---------------------------------------------------------------- odd, but allowed: each a list of whole frames


def _text(chance: random.Random) -> list[bytes]:
    return [frame(TEXT, _words(chance), mask=_mask(chance))]


def _control(chance: random.Random) -> list[bytes]:
    return [frame(chance.choice((PING, PONG)), _noise(chance, 126), mask=_mask(chance))]


def _flood(chance: random.Random) -> list[bytes]:
    return [frame(PING, b"%d" % n) for n in range(chance.randrange(2, 20))]


def _fragments(chance: random.Random) -> list[bytes]:
    """A text cut anywhere, also within a character, with control frames between."""
    whole = _words(chance) + b"."
    cuts = sorted(chance.randrange(len(whole)) for _ in range(chance.randrange(1, 6)))
    parts = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    pieces: list[bytes] = []
    for number, part in enumerate(parts):
        pieces.append(frame(TEXT if number == 0 else 0, part, fin=number == len(parts) - 1, mask=_mask(chance)))
        if chance.random() < 0.3:
            pieces.append(frame(PING))
    return pieces


_ODD: Final = (_text, _text, _control, _flood, _fragments)

# ------------------------------------------------------------------------- what must end the connection, or hang


def _reserved_bits(chance: random.Random) -> list[bytes]:
    return [frame(TEXT, _words(chance), reserved=chance.randrange(1, 8))]


def _unknown_opcode(chance: random.Random) -> list[bytes]:
    return [frame(chance.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15)), _noise(chance))]


def _unmasked(chance: random.Random) -> list[bytes]:
    return [frame(chance.choice((TEXT, PING, CLOSE)), mask=None), _noise(chance)]


def _large_control(chance: random.Random) -> list[bytes]:
    return [frame(chance.choice((PING, PONG, CLOSE)), chance.randbytes(chance.randrange(126, 70_000)))]


def _cut_control(chance: random.Random) -> list[bytes]:
    return [frame(chance.choice((PING, PONG, CLOSE)), fin=False)]


def _orphan(chance: random.Random) -> list[bytes]:
    return [frame(0, _noise(chance), fin=chance.random() < 0.5)]


def _two_messages_at_once(chance: random.Random) -> list[bytes]:
    return [frame(TEXT, _words(chance), fin=False), frame(chance.choice((TEXT, BINARY)), _words(chance))]


def _many_fragments(chance: random.Random) -> list[bytes]:
    return [frame(TEXT, fin=False), *(frame(0, _noise(chance, 3), fin=False) for _ in range(140))]


def _not_utf8(chance: random.Random) -> list[bytes]:
    return [frame(TEXT, chance.choice((b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\xe2\x82")))]


def _wrong_kind(chance: random.Random) -> list[bytes]:
    return [frame(BINARY, _noise(chance))]


def _too_large(chance: random.Random) -> list[bytes]:
    return [frame(TEXT, b"x" * chance.randrange(16_385, 80_000))]


def _too_large_in_pieces(chance: random.Random) -> list[bytes]:
    return [frame(TEXT, b"x" * 9_000, fin=False), frame(0, b"x" * 9_000)]


def _claims_much(chance: random.Random) -> list[bytes]:
    length = chance.choice((2**63 - 1, 2**63, 2**64 - 1, 2**31, 2**32, 16_385))
    return [bytes([0x80 | TEXT, 0xFF]) + length.to_bytes(8, "big") + _noise(chance)]


def _long_winded(chance: random.Random) -> list[bytes]:
    """A length in more bytes than it needs."""
    body = _mask(chance) + b"abc"
    return [chance.choice((b"\x81\xfe\x00\x03", b"\x81\xff\x00\x00\x00\x00\x00\x00\x00\x03")) + body]


def _odd_close(chance: random.Random) -> list[bytes]:
    code = chance.choice((0, 999, 1000, 1001, 1004, 1005, 1006, 1015, 1016, 2999, 3000, 4999, 5000, 65_535))
    payload = chance.choice((b"", b"\x03", code.to_bytes(2, "big"), code.to_bytes(2, "big") + b"\xff\xfe"))
    return [frame(CLOSE, payload), *_text(chance)]


def _bits_flipped(chance: random.Random) -> list[bytes]:
    data = bytearray(frame(TEXT, _words(chance) + b"{}", mask=_mask(chance)))
    for _ in range(chance.randrange(1, 4)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return [bytes(data)]


def _rubbish(chance: random.Random) -> list[bytes]:
    return [chance.randbytes(chance.randrange(1, 400))]


def _cut_off(chance: random.Random) -> list[bytes]:
    data = frame(TEXT, _words(chance) + b"{}")
    return [data[: chance.randrange(1, len(data))]]


def _http_again(chance: random.Random) -> list[bytes]:
    return [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * chance.randrange(1, 5)]


Kind = Callable[[random.Random], list[bytes]]
_UNFINISHED: Final[tuple[Kind, ...]] = (_cut_off, _bits_flipped, _rubbish, _orphan)
_WRONG: Final[tuple[Kind, ...]] = (
    _reserved_bits, _unknown_opcode, _unmasked, _large_control, _cut_control, _two_messages_at_once, _many_fragments,
    _not_utf8, _wrong_kind, _too_large, _too_large_in_pieces, _claims_much, _long_winded, _odd_close, _http_again,
    *_UNFINISHED,
)  # fmt: skip
