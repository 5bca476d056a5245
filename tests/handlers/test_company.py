"""Company while waiting on workers: whose line drops, who may keep it, and what is kept of it."""

from __future__ import annotations

from chatserver.domain.identity import MemberId
from tests.handlers.workers import Cluster, Guest, Worker, facilitator, ok, refused

SECOND, MINUTE = 1_000, 60_000


async def waiting(worker: Worker) -> Guest:
    guest = await worker.guest()
    await ok(guest, "ask", agreement=True)
    return guest


async def together(worker: Worker) -> tuple[Guest, Guest, str]:
    """A host and a seeker in company, and its id."""
    host, seeker = await facilitator(worker, "robin"), await waiting(worker)
    company = (await ok(host, "host", on=True))["company"]["id"]
    await ok(seeker, "sit", company=company)
    for each in (host, seeker):
        await ok(each, "join", room=company, agreement=1)
    return host, seeker, company


async def pass_time(worker: Worker, span: int) -> None:
    """Let time pass, while everybody who is connected is seen every ten seconds."""
    service = worker.listening.service
    while span > 0:
        step = min(span, 10 * SECOND)
        worker.node.clock_ahead -= step
        span -= step
        # The comparison of clocks would take the time back.
        await service._heartbeat.tell(service.picture, service.now())
        await service._load()
        await service._apply_due()


async def test_a_host_whose_line_drops_comes_back(site: Cluster) -> None:
    worker = await site.worker()
    host, seeker, company = await together(worker)
    await ok(seeker, "post", room=company, text="Hello")
    host.wire.owes = 10_000.0
    await pass_time(worker, 50 * SECOND)
    await ok(seeker, "post", room=company, text="Still there?")
    await pass_time(worker, 20 * SECOND)
    assert await refused(seeker, "post", room=company, text="Where are you?") == "not_your_turn"
    host.wire.owes = 0.0
    await pass_time(worker, 10 * SECOND)
    await ok(seeker, "post", room=company, text="There you are")


async def test_a_company_whose_host_does_not_come_back_closes(site: Cluster) -> None:
    worker = await site.worker()
    host, seeker, company = await together(worker)
    place = (await ok(seeker, "standing"))["place"]
    host.wire.owes = 10_000.0
    await pass_time(worker, 7 * MINUTE)
    standing = await ok(seeker, "standing")
    assert (standing["state"], standing["place"], "company" in standing) == ("waiting", place, False)
    assert await refused(seeker, "join", room=company, agreement=1) == "room_unknown"
    assert company not in seeker.connection.rooms


async def test_what_was_written_in_company_is_deleted(site: Cluster) -> None:
    """[P-COMP-8]"""
    worker = await site.worker()
    host, seeker, company = await together(worker)
    await ok(seeker, "post", room=company, text="Hello")
    await ok(seeker, "stand")
    await pass_time(worker, 16 * MINUTE)
    assert await worker.node.store.room(company) is None  # type: ignore[arg-type]
    renewed = (await ok(host, "hosting"))["company"]
    assert renewed["id"] != company
    assert len(renewed["people"]) == 1
    await ok(host, "join", room=renewed["room"], agreement=1)


async def test_who_may_not_keep_company_any_more_is_taken_out(site: Cluster) -> None:
    worker = await site.worker()
    _, seeker, company = await together(worker)
    (kept,) = worker.listening.service.state.companies.values()
    assert kept.host is not None
    await worker.node.store.revoke_staff(kept.host, worker.node.now())
    await worker.listening.service._dismiss_hosts_who_may_not()
    (kept,) = worker.listening.service.state.companies.values()
    assert (kept.host, len(kept.seats)) == (None, 1)
    assert await refused(seeker, "post", room=company, text="Hello?") == "not_your_turn"


async def test_an_urgent_alert_hides_the_offer(site: Cluster) -> None:
    worker = await site.worker()
    await together(worker)
    seeker = await waiting(worker)
    assert "offer" in await ok(seeker, "standing")
    room = next(iter(worker.node.rooms))
    await ok(seeker, "join", room=room, agreement=1)
    await ok(seeker, "post", room=room, text="I want to kill myself tonight")
    service = worker.listening.service
    await service._look_at_companies()
    await service._show(again=True)
    assert "offer" not in await ok(seeker, "standing")


async def test_both_who_host_and_who_sit_find_it_in_their_export_and_are_erased(site: Cluster) -> None:
    worker = await site.worker()
    await together(worker)
    (kept,) = worker.listening.service.state.companies.values()
    assert kept.host is not None
    me = kept.seats[0].member
    export = await worker.node.store.export(me, worker.node.now())
    assert export is not None
    assert export.place is not None
    assert export.place.sits_since == kept.seats[0].since
    hosted = await worker.node.store.export(kept.host, worker.node.now())
    assert hosted is not None
    assert len(hosted.hosted) == 1
    for member in (me, kept.host):
        await worker.listening.before_erasure(MemberId(member))
        await worker.node.store.erase(member, worker.node.now())
    state = await worker.node.store.listening_state()
    assert me not in str(state)
    assert kept.host not in str(state)
