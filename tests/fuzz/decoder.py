"""What must hold of the decoder whatever it is given; and atheris, which looks for what breaks it by coverage.

python -m tests.fuzz.decoder [libFuzzer's options, such as -max_total_time=600]

atheris is not among the development requirements: `pip install atheris`, where there is a build of it.
"""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from typing import Final, get_args

from chatserver.domain.errors import Reason
from chatserver.protocol import codec
from chatserver.protocol.codec import FRAME_BYTES, Encoding, Unreadable, decode_command, encode_payload
from chatserver.protocol.codes import error_body
from chatserver.protocol.messages import AnyCommand, ErrorReply

_REASONS: Final = {Reason.MALFORMED, Reason.UNKNOWN_COMMAND, Reason.INVALID, Reason.TOO_LARGE}
_ID: Final = re.compile(r"[!-~]{1,64}")


def check(encoding: Encoding, data: str | bytes) -> None:
    """A command, or a refusal that can be told. Raises AssertionError, or what the decoder should not have raised."""
    outcome = _decode(encoding, data)
    if isinstance(outcome, Unreadable):
        assert outcome.reason in _REASONS
        assert outcome.re is None or _ID.fullmatch(outcome.re)
        assert len(encode_payload(encoding, ErrorReply(re=outcome.re, error=error_body(outcome)))) < 1_024
    else:
        assert isinstance(outcome, get_args(AnyCommand))
        assert _ID.fullmatch(outcome.id)


def _decode(encoding: Encoding, data: str | bytes) -> AnyCommand | Unreadable:
    try:
        return decode_command(encoding, data, FRAME_BYTES)
    except Unreadable as refusal:
        return refusal


def _one_input(data: bytes) -> None:
    encoding = Encoding.MSGPACK if data[:1] < b"\x80" else Encoding.JSON
    check(encoding, data[1:])


def main() -> None:
    """Look until told to stop, or until something breaks."""
    # Its own imports are not what is looked at, and neither are its warnings.
    warnings.simplefilter("ignore")
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        sys.exit("atheris is not installed: pip install atheris")
    for name in ("_decode_json", "_decode_msgpack", "_unpack", "_is_json_too_deep", "_is_too_deep", "_refuse_invalid"):
        function = getattr(codec, name)
        setattr(codec, name, atheris.instrument_func(function))
    atheris.Setup(sys.argv, _one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
