"""Company while waiting: who sits where, who keeps company, and what becomes of it."""

from __future__ import annotations

import contextlib
import random

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening import commands as c
from chatserver.domain.listening import company_commands as k
from chatserver.domain.listening.company import Company, CompanyId, Departure, Host
from chatserver.domain.listening.company_commands import (
    HostSet,
)
from chatserver.domain.listening.company_rules import best_for
from chatserver.domain.listening.decide import apply_due, due_at, evolve_all
from chatserver.domain.listening.invariants import check_invariants
from chatserver.domain.listening.queue_history import Recorded
from chatserver.domain.listening.queue_simulator import Policy, _Replay
from chatserver.domain.listening.state import Pause
from tests.domain.listening_kit import ANNA, BEN, CARA, HOUR, LEO, MINUTE, RULES, SECOND, Stage
from tests.domain.test_queue_simulator import Recorder

ROBIN, RUTH = MemberId("m_robin"), MemberId("m_ruth")
DORA, ERIK, FAY = MemberId("m_dora"), MemberId("m_erik"), MemberId("m_fay")


class CompanyStage(Stage):
    """A stage whose hosts are connected, too."""

    def host(self, who: MemberId = ROBIN, language: str = "en", avoid: frozenset[MemberId] = frozenset()) -> CompanyId:
        self.number += 1
        id_ = CompanyId(f"c--{self.number}")
        self.do(who, k.KeepCompany(company=id_, name=who, language=language, avoid=avoid))
        return next(each.id for each in self.state.companies.values() if each.host == who and each.is_live)

    def sit(self, who: MemberId, company: CompanyId, avoid: frozenset[MemberId] = frozenset()) -> None:
        self.do(who, k.SitDown(company=company, avoid=avoid))

    def company(self, id_: CompanyId) -> Company:
        return self.state.companies[id_]

    def seated(self, id_: CompanyId) -> list[MemberId]:
        return [seat.member for seat in self.company(id_).seats]

    def see(self) -> None:
        super().see()
        hosts: dict[MemberId, Host] = {
            member: each if member in self.away else msgspec.structs.replace(each, seen_at=self.now)
            for member, each in self.state.hosts.items()
        }
        self.state = msgspec.structs.replace(self.state, hosts=hosts)


@pytest.fixture
def stage() -> CompanyStage:
    return CompanyStage()


def refused(stage: CompanyStage, who: MemberId, command: c.ListeningAction) -> Refusal:
    before = stage.state
    with pytest.raises(Refusal) as found:
        stage.do(who, command)
    assert stage.state == before
    return found.value


def test_a_seeker_who_sits_keeps_their_place(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    before = stage.state.seekers[ANNA]
    stage.sit(ANNA, company)
    assert stage.seated(company) == [ANNA]
    assert stage.state.seekers[ANNA] == before
    stage.do(ANNA, k.StandUp())
    assert stage.seated(company) == []
    assert stage.state.seekers[ANNA] == before


def test_who_sits_twice_has_one_seat(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    before = stage.state
    stage.sit(ANNA, company)
    assert stage.state == before


def test_who_sits_elsewhere_leaves_their_seat(stage: CompanyStage) -> None:
    first, second = stage.host(ROBIN), stage.host(RUTH)
    stage.ask(ANNA)
    stage.sit(ANNA, first)
    stage.sit(ANNA, second)
    assert (stage.seated(first), stage.seated(second)) == ([], [ANNA])


def test_only_who_waits_may_sit(stage: CompanyStage) -> None:
    company = stage.host()
    assert refused(stage, ANNA, k.SitDown(company=company)).reason is Reason.NOT_WAITING
    assert refused(stage, ANNA, k.WaitAlone()).reason is Reason.NOT_WAITING


def test_a_company_has_five_seats(stage: CompanyStage) -> None:
    company = stage.host()
    for who in (ANNA, BEN, CARA, DORA, ERIK):
        stage.ask(who)
        stage.sit(who, company)
    stage.ask(FAY)
    assert refused(stage, FAY, k.SitDown(company=company)).reason is Reason.NO_SEAT
    assert best_for(stage.state, stage.state.seekers[FAY], stage.now, stage.rules) is None


def test_two_of_the_seats_are_for_people_whom_it_weighs_on_heavily(stage: CompanyStage) -> None:
    company = stage.host()
    for who in (ANNA, BEN):
        stage.ask(who, heavy=4)
        stage.sit(who, company)
    stage.ask(CARA, heavy=5)
    assert refused(stage, CARA, k.SitDown(company=company)).reason is Reason.NO_SEAT
    stage.ask(DORA, heavy=3)
    stage.sit(DORA, company)


def test_a_company_is_of_one_language(stage: CompanyStage) -> None:
    company = stage.host(language="de")
    stage.ask(ANNA)
    assert refused(stage, ANNA, k.SitDown(company=company)).reason is Reason.NO_SEAT


@pytest.mark.parametrize("blocks", ["the one who comes", "the one who is there", "the host"])
def test_people_between_whom_there_is_a_block_do_not_sit_together(stage: CompanyStage, blocks: str) -> None:
    company = stage.host()
    stage.ask(BEN)
    stage.sit(BEN, company, frozenset({ANNA}) if blocks == "the one who is there" else frozenset())
    stage.ask(ANNA)
    avoid = {"the one who comes": frozenset({BEN}), "the host": frozenset({ROBIN})}.get(blocks, frozenset())
    assert refused(stage, ANNA, k.SitDown(company=company, avoid=avoid)).reason is Reason.NO_SEAT


def test_who_hides_somebody_in_company_leaves_it(stage: CompanyStage) -> None:
    company = stage.host()
    for who in (ANNA, BEN):
        stage.ask(who)
        stage.sit(who, company)
    stage.do(ANNA, c.KeepApart(other=BEN))
    assert stage.seated(company) == [BEN]


def test_whom_a_host_hides_leaves_the_company(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    stage.do(ROBIN, c.KeepApart(other=ANNA))
    assert (stage.seated(company), stage.company(company).host) == ([], ROBIN)


def test_who_meets_a_listener_leaves_company_in_the_same_commit(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    stage.hire(LEO)
    stage.effects.clear()
    session = stage.accept_in_silence(LEO, ANNA)
    assert stage.state.seekers[ANNA].session == session
    assert stage.seated(company) == []
    assert stage.company(company).left == Departure(name=ANNA, met=True, at=stage.now)
    assert [effect.member for effect in stage.did(k.LeaveCompanyRoom)] == [ANNA]


def test_who_loses_their_place_loses_their_seat(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    stage.away.add(ANNA)
    stage.wait(stage.rules.grace - SECOND)
    assert stage.seated(company) == [ANNA]
    stage.wait(2 * SECOND)
    assert stage.seated(company) == []


def test_who_declines_company_is_not_asked_again_until_they_sit(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.do(ANNA, k.WaitAlone())
    assert stage.state.seekers[ANNA].alone
    stage.sit(ANNA, company)
    assert not stage.state.seekers[ANNA].alone


def test_nobody_may_write_once_the_host_was_not_seen_for_a_minute(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    stage.away.add(ROBIN)
    stage.wait(MINUTE - SECOND)
    assert stage.company(company).quiet_at is None
    stage.wait(SECOND)
    assert stage.company(company).quiet_at == stage.now
    stage.away.clear()
    stage.wait(5 * SECOND)
    assert stage.company(company).quiet_at is None
    assert [effect.is_open for effect in stage.did(k.SetCompanyVoice)] == [False, True]


def test_another_host_takes_a_company_on(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    stage.away.add(ROBIN)
    stage.wait(2 * MINUTE)
    assert stage.host(RUTH) == company
    stage.wait(SECOND)
    assert stage.company(company).quiet_at is None
    assert stage.seated(company) == [ANNA]
    assert ROBIN in [effect.member for effect in stage.did(k.LeaveCompanyRoom)]


def test_a_host_does_not_take_on_a_company_of_somebody_they_hide(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    stage.do(ROBIN, k.LeaveCompany())
    assert stage.host(RUTH, avoid=frozenset({ANNA})) != company


def test_a_company_without_a_host_closes_and_the_places_stay(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    before = stage.state.seekers[ANNA]
    stage.do(ROBIN, k.LeaveCompany())
    stage.wait(5 * MINUTE)
    assert not stage.company(company).is_live
    assert stage.seated(company) == []
    assert msgspec.structs.replace(stage.state.seekers[ANNA], seen_at=before.seen_at) == before
    stage.wait(15 * MINUTE)
    assert company not in stage.state.companies
    assert [effect.company for effect in stage.did(k.DropCompanyRoom)] == [company]


def test_an_empty_company_closes_with_its_host_and_leaves_nothing(stage: CompanyStage) -> None:
    stage.host()
    stage.do(ROBIN, k.LeaveCompany())
    assert (stage.state.companies, stage.state.hosts) == ({}, {})


def test_posts_go_a_quarter_of_an_hour_after_the_last_seeker_left(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    stage.do(ANNA, k.StandUp())
    stage.wait(15 * MINUTE - SECOND)
    assert company in stage.state.companies
    stage.wait(SECOND)
    (new,) = stage.state.companies.values()
    assert (new.host, new.seats) == (ROBIN, ())
    assert new.id != company
    assert [effect.company for effect in stage.did(k.DropCompanyRoom)] == [company]


def test_a_host_keeps_company_for_an_hour_and_rests_for_a_quarter(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    stage.wait(60 * MINUTE)
    assert stage.company(company).host is None
    refusal = refused(stage, ROBIN, k.KeepCompany(company=CompanyId("c--x"), name="", language="en"))
    assert (refusal.reason, refusal.retry_after) == (Reason.HOST_RESTS, 15 * 60)
    stage.wait(15 * MINUTE)
    stage.host()


def test_a_host_with_whom_nobody_sat_may_begin_again_at_once(stage: CompanyStage) -> None:
    stage.host()
    stage.do(ROBIN, k.LeaveCompany())
    stage.host()


def test_keeping_company_counts_like_a_session(stage: CompanyStage) -> None:
    stage.hire(LEO)
    stage.do(LEO, c.SetAvailable(on=False))
    company = stage.host(LEO)
    assert stage.state.listeners[LEO].taken == ()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    assert stage.state.listeners[LEO].taken == (stage.now,)
    stage.do(LEO, k.LeaveCompany())
    listener = stage.state.listeners[LEO]
    assert (listener.pause, listener.paused_until) == (Pause.AFTER_SESSION, stage.now + 15 * MINUTE)


def test_a_host_who_is_no_listener_has_the_same_cap_of_a_day(stage: CompanyStage) -> None:
    stage.ask(ANNA)
    for _ in range(stage.rules.sessions_a_day):
        company = stage.host()
        stage.sit(ANNA, company)
        stage.do(ROBIN, k.LeaveCompany())
        stage.wait(15 * MINUTE)
    refusal = refused(stage, ROBIN, k.KeepCompany(company=CompanyId("c--x"), name="", language="en"))
    assert refusal.reason is Reason.HOST_RESTS
    assert (refusal.retry_after or 0) > 60 * 60


@pytest.mark.parametrize("is_busy_by", ["listening", "talking", "waiting"])
def test_who_listens_talks_or_waits_keeps_no_company(stage: CompanyStage, is_busy_by: str) -> None:
    stage.hire(LEO)
    if is_busy_by == "talking":
        stage.meet(ANNA)
    if is_busy_by != "listening":
        stage.do(LEO, c.SetAvailable(on=False))
    if is_busy_by == "waiting":
        stage.ask(LEO)
    command = k.KeepCompany(company=CompanyId("c--x"), name="", language="en")
    assert refused(stage, LEO, command).reason is Reason.HOST_BUSY


def test_a_host_who_begins_to_listen_lets_the_company_go(stage: CompanyStage) -> None:
    stage.hire(LEO)
    stage.do(LEO, c.SetAvailable(on=False))
    company = stage.host(LEO)
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    stage.do(LEO, c.SetAvailable(on=True))
    assert (stage.company(company).host, stage.company(company).quiet_at) == (None, stage.now)
    assert stage.asked_about(ANNA) == LEO


def test_an_erased_host_leaves_the_company_to_another(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    stage.do(ROBIN, c.Dismiss(member=ROBIN, is_erased=True))
    assert stage.company(company).host is None
    assert ROBIN not in stage.state.hosts
    assert stage.host(RUTH) == company


def test_an_erased_seeker_leaves_company(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    stage.do(ANNA, c.Dismiss(member=ANNA, is_erased=True))
    assert stage.seated(company) == []


def test_a_host_has_the_name_that_they_have_now(stage: CompanyStage) -> None:
    stage.host()
    stage.do(ROBIN, c.Renamed(person=Person(ROBIN, "Robin")))
    assert stage.state.hosts[ROBIN].name == "Robin"


def test_the_fullest_company_is_offered(stage: CompanyStage) -> None:
    stage.host(ROBIN)
    second = stage.host(RUTH)
    stage.ask(ANNA)
    stage.sit(ANNA, second)
    stage.ask(BEN)
    found = best_for(stage.state, stage.state.seekers[BEN], stage.now, stage.rules)
    assert found is not None
    assert found.id == second


def test_what_is_due_in_a_company_is_known_beforehand(stage: CompanyStage) -> None:
    company = stage.host()
    stage.ask(ANNA)
    stage.sit(ANNA, company)
    stage.away.update({ROBIN, ANNA})
    steps: list[Millis] = []
    while (due := due_at(stage.state, stage.now, stage.rules)) is not None and len(steps) < 20:
        assert due > stage.now
        assert not apply_due(stage.state, Millis(due - 1), stage.rules).events
        stage.now = due
        decided = apply_due(stage.state, stage.now, stage.rules)
        assert decided.events
        stage.state = evolve_all(stage.state, decided.events)
        assert not apply_due(stage.state, stage.now, stage.rules).events
        assert check_invariants(stage.state, stage.now, stage.rules).broken == 0
        steps.append(due)
    assert len(steps) < 20
    assert (stage.state.companies, stage.state.hosts) == ({}, {})


# ------------------------------------------------------------------------------------------------ the queue


class Watched(_Replay):
    """A replay of a recorded day that says who was met by whom, and when."""

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded, Policy(), RULES, 0)
        self.meetings: list[tuple[MemberId, MemberId, Millis]] = []
        self.sat = self.fetched = 0

    def _do(self, command: c.ListeningAction, who: MemberId, now: Millis) -> None:
        seated = {seat.member for each in self._floor.companies.values() for seat in each.seats}
        super()._do(command, who, now)
        if isinstance(command, c.Accept):
            self.meetings.append((command.seeker, who, now))
            self.fetched += command.seeker in seated


class Accompanied(Watched):
    """The same day, on which hosts come and go, and those who wait sit down, stand up and decline as they like."""

    def __init__(self, recorded: Recorded, seed: int) -> None:
        super().__init__(recorded)
        self.random = random.Random(seed)
        self.opened = 0

    def _take(self, step: object, now: Millis) -> None:
        super()._take(step, now)  # type: ignore[arg-type]
        host = self.random.choice((ROBIN, RUTH))
        self.opened += 1
        opened = k.KeepCompany(company=CompanyId(f"c--{self.opened}"), name=host, language="en")
        self._try(opened if self.random.random() < 0.6 else k.LeaveCompany(), host, now)
        for known in [*self._floor.hosts.values()]:
            if self.random.random() < 0.9:
                seen = HostSet(host=msgspec.structs.replace(known, seen_at=now))
                self._floor = evolve_all(self._floor, (seen,))
        for seeker in [*self._floor.seekers]:
            choice = self.random.random()
            for company in [*self._floor.companies]:
                if choice < 0.7:
                    self.sat += self._try(k.SitDown(company=company), seeker, now)
                elif choice < 0.8:
                    self._try(k.StandUp(), seeker, now)
                elif choice < 0.9:
                    self._try(k.WaitAlone(), seeker, now)
        assert check_invariants(self._floor, now, self._rules).wrong_seats == 0

    def _try(self, command: c.ListeningAction, who: MemberId, now: Millis) -> bool:
        before = self._floor
        with contextlib.suppress(Refusal):
            self._do(command, who, now)
        return self._floor.companies != before.companies


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_people_are_met_at_the_same_time_with_and_without_company(seed: int) -> None:
    recorded = Recorder(seed).live(listeners=2, asks=30, within=2 * HOUR)
    alone, together = Watched(recorded), Accompanied(recorded, seed)
    assert alone.run() == together.run()
    assert alone.meetings == together.meetings
    assert len(alone.meetings) > 10
    assert together.sat > 20
    assert together.fetched > 2
