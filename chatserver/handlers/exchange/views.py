"""What somebody is shown of the exchange. Nobody is shown who it is that was found."""

from __future__ import annotations

from chatserver.domain.exchange.state import LENGTHS, Participant, again_at, is_debtor, is_favoured
from chatserver.domain.history import Millis
from chatserver.protocol.exchange.views import AfterView, ExchangeView, OfferView


def view_of(who: Participant, now: Millis, languages: tuple[str, ...]) -> ExchangeView:
    """Return the exchange as one person sees it; `version` is the caller's."""
    waiting, offer, after = who.waiting, who.offer, who.after
    if after is not None and after.until <= now:
        after = None
    return ExchangeView(
        practised=who.practised_at is not None,
        lengths=LENGTHS,
        languages=languages,
        waiting_since=None if waiting is None else waiting.asked_at,
        minutes=None if waiting is None else waiting.wish.minutes,
        offer=None
        if offer is None
        else OfferView(id=offer.id, until=offer.until, minutes=offer.minutes, why=offer.why, yes=offer.yes),
        meeting=None if who.running is None else who.running.meeting,
        after=None
        if after is None
        else AfterView(meeting=after.meeting, how=after.how, heard=after.heard, again=after.again),
        again_at=again_at(who, now),
        listens_first=is_debtor(who, now),
        first=is_favoured(who, now),
    )
