"""Passkeys (WebAuthn, https://www.w3.org/TR/webauthn-3/) of the staff: what a device is asked, and whether it answered.

A question (challenge) is random, counts once, for one purpose, for five minutes, and for the browser that asked it; it
is kept in the store, so that any worker can take the answer. The device must have verified its user (by a fingerprint
or a PIN), so that a passkey alone is as good as a password with a second factor. What devices sign is checked by the
library `webauthn`; it is loaded when it is first needed, because few workers ever do.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.staff import Staff
from chatserver.domain.text.cleaning import has_visible
from chatserver.store.records import Passkey
from chatserver.store.store import Store

CHALLENGE_BYTES: Final = 32
CHALLENGE_FOR: Final = 5 * 60 * 1000
"""Milliseconds within which a device has to answer: finding a key and touching it takes a while."""
MOST_PASSKEYS: Final = 10
"""How many one account may have."""
NAME_LENGTH: Final = 40


class Purpose(StrEnum):
    """What a challenge is for. An answer to a challenge of one purpose does not count for another."""

    ADD = "add"
    PROVE = "prove"
    SIGN_IN = "sign_in"


class RelyingParty(NamedTuple):
    """Where a page is that asks: its origin, such as `https://chat.example.org`, and the host in it, which is what a
    passkey is bound to (the relying party's id)."""

    origin: str
    host: str


class AttestationResponse(msgspec.Struct, frozen=True, rename="camel"):
    """A device's part of a new passkey, in base64url."""

    client_data_json: str = msgspec.field(name="clientDataJSON")
    attestation_object: str


class Attestation(msgspec.Struct, frozen=True, rename="camel"):
    """A new passkey, as `PublicKeyCredential.toJSON()` writes it."""

    id: str
    raw_id: str
    type: str
    response: AttestationResponse


class AssertionResponse(msgspec.Struct, frozen=True, rename="camel"):
    """A device's answer to a question, in base64url."""

    client_data_json: str = msgspec.field(name="clientDataJSON")
    authenticator_data: str
    signature: str
    user_handle: str | None = None


class Assertion(msgspec.Struct, frozen=True, rename="camel"):
    """A passkey's answer, as `PublicKeyCredential.toJSON()` writes it."""

    id: str
    raw_id: str
    type: str
    response: AssertionResponse


class VerifiedPasskey(NamedTuple):
    """A passkey that is shown as proof: its answer, where, and the hash of what the browser holds that was asked."""

    answer: Assertion
    place: RelyingParty
    holder: bytes


class Passkeys:
    """Asks devices, and checks their answers. `name` is what devices call this place."""

    def __init__(self, store: Store, *, now: Callable[[], Millis], name: str) -> None:
        self._store = store
        self._now = now
        self._name = name

    async def ask_to_add(self, whose: Staff, holder: bytes, place: RelyingParty) -> bytes:
        """Return the options for `navigator.credentials.create()`, as JSON."""
        challenge = await self._ask(Purpose.ADD, holder)
        known = [each.credential for each in await self._store.passkeys(whose.member)]
        return await asyncio.to_thread(self._creation, whose, challenge, place, known)

    async def ask(self, purpose: Purpose, holder: bytes, place: RelyingParty, whose: MemberId | None = None) -> bytes:
        """Return the options for `navigator.credentials.get()`, as JSON: of the passkeys of somebody, or (None) of
        any that the device has for this place, so that nobody learns here who has one."""
        challenge = await self._ask(purpose, holder)
        known = [] if whose is None else await self._store.passkeys(whose)
        here = [each.credential for each in known if each.place == place.host]
        if whose is not None and not here:
            raise Refusal(Reason.NOT_ALLOWED, details={"why": "no_passkey"})
        return await asyncio.to_thread(_request, challenge, place, here)

    async def made(
        self, whose: MemberId, name: str, answer: Attestation, holder: bytes, place: RelyingParty
    ) -> Passkey:
        """Return the passkey that a device has made, which is not kept yet. Raises SIGN_IN_REFUSED ("passkey") where
        it does not answer what was asked, or INVALID for a name that is none."""
        called = " ".join(name.split())[: NAME_LENGTH + 1]
        if not has_visible(called) or len(called) > NAME_LENGTH:
            raise Refusal(Reason.INVALID, details={"field": "$.name", "problem": f"1 to {NAME_LENGTH} signs"})
        body = msgspec.to_builtins(answer)
        challenge = await self._take(Purpose.ADD, answer.response.client_data_json, holder)
        credential, public_key, count = await asyncio.to_thread(_checked_attestation, body, challenge, place)
        return Passkey(
            credential=credential,
            member=whose,
            name=called,
            public_key=public_key,
            sign_count=count,
            place=place.host,
            created_at=self._now(),
        )

    async def check(self, purpose: Purpose, shown: VerifiedPasskey) -> Passkey:
        """Return the passkey that answered, as it was before. Raises SIGN_IN_REFUSED ("passkey") where there is none
        such, where it answers something else, or where its count did not rise: then it may be a copy."""
        answer, place = shown.answer, shown.place
        challenge = await self._take(purpose, answer.response.client_data_json, shown.holder)
        found = await self._store.passkey(_bytes_of(answer.id))
        if found is None or found.place != place.host:
            raise wrong_passkey()
        named = answer.response.user_handle
        if named and _bytes_of(named) != found.member.encode():
            raise wrong_passkey()
        body = msgspec.to_builtins(answer)
        count = await asyncio.to_thread(_checked_assertion, body, challenge, place, found)
        if not await self._store.use_passkey(found.credential, count, self._now()):
            raise wrong_passkey()
        return found

    async def _ask(self, purpose: Purpose, holder: bytes) -> bytes:
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        until = Millis(self._now() + CHALLENGE_FOR)
        await self._store.add_challenge(challenge, purpose.value, holder, until)
        return challenge

    async def _take(self, purpose: Purpose, client_data: str, holder: bytes) -> bytes:
        """Return the challenge that an answer names. It cannot be answered again, whatever comes of it."""
        challenge = _challenge_in(client_data)
        if not await self._store.take_challenge(challenge, purpose.value, holder, self._now()):
            raise wrong_passkey()
        return challenge

    def _creation(self, whose: Staff, challenge: bytes, place: RelyingParty, known: Iterable[bytes]) -> bytes:
        import webauthn  # noqa: PLC0415 - a third of a second, and memory, for what few workers need
        from webauthn.helpers import structs  # noqa: PLC0415

        options = webauthn.generate_registration_options(
            rp_id=place.host,
            rp_name=self._name,
            user_id=whose.member.encode(),
            user_name=whose.login,
            user_display_name=whose.name,
            challenge=challenge,
            timeout=CHALLENGE_FOR,
            attestation=structs.AttestationConveyancePreference.NONE,
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=each) for each in known],
        )
        return webauthn.options_to_json(options).encode()


def wrong_passkey() -> Refusal:
    """Return the refusal of an answer, whatever is wrong with it."""
    return Refusal(Reason.SIGN_IN_REFUSED, details={"why": "passkey"})


class _ClientData(msgspec.Struct, frozen=True):
    challenge: str


def _challenge_in(client_data: str) -> bytes:
    """Return the challenge that a browser says it answers. The store compares it with what was asked."""
    try:
        said = msgspec.json.decode(_bytes_of(client_data), type=_ClientData)
    except msgspec.MsgspecError:
        raise wrong_passkey() from None
    return _bytes_of(said.challenge)


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise wrong_passkey() from None


# Everything below runs in threads.


def _request(challenge: bytes, place: RelyingParty, known: Iterable[bytes]) -> bytes:
    import webauthn  # noqa: PLC0415
    from webauthn.helpers import structs  # noqa: PLC0415

    options = webauthn.generate_authentication_options(
        rp_id=place.host,
        challenge=challenge,
        timeout=CHALLENGE_FOR,
        allow_credentials=[structs.PublicKeyCredentialDescriptor(id=each) for each in known],
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options).encode()


def _checked_attestation(body: dict[str, object], challenge: bytes, place: RelyingParty) -> tuple[bytes, bytes, int]:
    """Return a new passkey's id, public key and count. Raises SIGN_IN_REFUSED."""
    import webauthn  # noqa: PLC0415
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    try:
        made = webauthn.verify_registration_response(
            credential=body,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise wrong_passkey() from None
    return made.credential_id, made.credential_public_key, made.sign_count


def _checked_assertion(body: dict[str, object], challenge: bytes, place: RelyingParty, known: Passkey) -> int:
    """Return the count that the device told. Raises SIGN_IN_REFUSED."""
    import webauthn  # noqa: PLC0415
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    try:
        shown = webauthn.verify_authentication_response(
            credential=body,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=known.public_key,
            credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise wrong_passkey() from None
    if shown.credential_id != known.credential:
        raise wrong_passkey()
    return shown.new_sign_count
