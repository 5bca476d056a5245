"""What a session goes through, from its beginning to its being forgotten."""

from __future__ import annotations

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening import commands as on_floor
from chatserver.domain.listening.commands import ListeningAction
from chatserver.domain.listening.sessions import MOST_WORDS
from chatserver.domain.listening.state import Ending, Left, ListeningRules, Pause, Profile, SessionId
from tests.domain.listening_kit import ANNA, BEN, LEO, LIV, LOU, MINUTE, RULES, SECOND, Stage


def refused(stage: Stage, who: MemberId, command: ListeningAction) -> Reason:
    before = stage.state
    with pytest.raises(Refusal) as refusal:
        stage.do(who, command)
    assert stage.state == before
    return refusal.value.reason


def test_accepting_opens_a_closed_room_for_the_two_and_counts_the_wait() -> None:
    stage = Stage(LEO)
    stage.ask(ANNA)
    stage.wait(10 * SECOND)
    session = stage.accept(LEO, ANNA)
    assert stage.did(on_floor.OpenSessionRoom)[0].members == (ANNA, LEO)
    assert stage.did(on_floor.NoteWait) == [on_floor.NoteWait(asked_at=Millis(stage.now - 10_000), met_at=stage.now)]
    assert stage.state.seekers[ANNA].session == session
    assert stage.state.sessions[session].ends_at == stage.now + RULES.length


def test_accepting_again_is_the_same_session_and_nobody_else_can() -> None:
    stage = Stage(LEO, LIV)
    session = stage.meet(ANNA)
    other = LIV if session.listeners == (LEO,) else LEO
    before = stage.state
    assert stage.accept(session.listeners[0], ANNA) == session.id
    assert stage.state == before
    assert refused(stage, other, on_floor.Accept(seeker=ANNA, session=SessionId("s-x"))) is Reason.PROPOSAL_GONE


@pytest.mark.parametrize(
    ("minutes", "most", "expected"), [(None, None, 45), (20, None, 20), (None, 30, 30), (60, 60, 60), (240, None, 120)]
)
def test_a_session_is_as_long_as_both_would_have_it(minutes: int | None, most: int | None, expected: int) -> None:
    stage = Stage(LEO, most_minutes=most)
    session = stage.meet(ANNA, minutes=minutes)
    assert session.ends_at - session.started_at == expected * MINUTE


def test_both_are_warned_before_the_length_is_over_and_then_it_is() -> None:
    stage = Stage(LEO, rules=ListeningRules(idle=60 * MINUTE))
    session = stage.meet(ANNA)
    stage.wait(RULES.length - RULES.warning - SECOND)
    assert stage.session(session).warned == frozenset()
    stage.wait(SECOND)
    assert stage.session(session).warned == {"length"}
    stage.wait(RULES.warning)
    assert stage.session(session).ending is Ending.LENGTH


def test_silence_is_warned_of_and_ends_it_and_a_word_keeps_it() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.wait(RULES.idle * 4 // 5)
    assert stage.session(session).warned == {"idle"}
    stage.do(ANNA, on_floor.Spoke(session=session.id))
    assert stage.session(session).warned == frozenset()
    stage.wait(RULES.idle)
    assert stage.session(session).ending is Ending.IDLE


def test_writing_keeps_a_session_for_as_long_again_and_not_for_ever() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    began = stage.session(session).last_at
    for _ in range(11):
        stage.wait(MINUTE - SECOND)
        stage.do(ANNA, on_floor.Typed(session=session.id))
    # Nine minutes in, the warning stood for nobody: she was writing.
    assert stage.session(session).is_live
    assert stage.session(session).warned == frozenset()
    while stage.session(session).is_live:
        stage.do(ANNA, on_floor.Typed(session=session.id))
        stage.wait(10 * SECOND)
        assert stage.now <= began + 2 * RULES.idle + 10 * SECOND
    ended = stage.session(session)
    assert ended.ending is Ending.IDLE
    assert ended.ended_at is not None
    assert 0 <= ended.ended_at - (began + 2 * RULES.idle) <= 5 * SECOND


def test_writing_takes_the_warning_of_silence_back() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.wait(RULES.idle * 4 // 5)
    assert stage.session(session).warned == {"idle"}
    stage.do(LEO, on_floor.Typed(session=session.id))
    assert stage.session(session).warned == frozenset()
    assert stage.session(session).last_at == session.last_at


def test_time_is_added_only_when_both_want_it_and_never_beyond_the_longest() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.do(LEO, on_floor.Extend(session=session.id, on=True))
    stage.do(LEO, on_floor.Extend(session=session.id, on=True))
    assert stage.session(session).ends_at == session.ends_at
    stage.do(ANNA, on_floor.Extend(session=session.id, on=True))
    assert stage.session(session).ends_at == session.ends_at + RULES.extension
    for _ in range(4):
        stage.do(LEO, on_floor.Extend(session=session.id, on=True))
        stage.do(ANNA, on_floor.Extend(session=session.id, on=True))
    assert stage.session(session).ends_at == session.started_at + RULES.longest
    assert refused(stage, ANNA, on_floor.Extend(session=session.id, on=True)) is Reason.NO_MORE_TIME


def test_asking_for_more_time_can_be_taken_back() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.do(LEO, on_floor.Extend(session=session.id, on=True))
    stage.do(LEO, on_floor.Extend(session=session.id, on=False))
    stage.do(ANNA, on_floor.Extend(session=session.id, on=True))
    assert stage.session(session).ends_at == session.ends_at


def test_a_seeker_whose_listener_vanishes_is_first_in_the_queue_with_the_place_they_had() -> None:
    stage = Stage(LEO)
    stage.ask(ANNA, topics=("sleep",), avoid=frozenset({LOU}))
    session = stage.accept(LEO, ANNA)
    asked_at = stage.state.seekers[ANNA].asked_at
    stage.ask(BEN)
    stage.away.add(LEO)
    stage.wait(RULES.session_grace - SECOND)
    assert stage.state.sessions[session].is_live
    assert stage.state.sessions[session].gone.keys() == {LEO}
    stage.wait(SECOND)
    assert stage.state.sessions[session].ending is Ending.LISTENER_GONE
    anna = stage.state.seekers[ANNA]
    assert (anna.is_first, anna.asked_at, anna.session) == (True, asked_at, None)
    assert anna.wish.topics == ("sleep",)
    assert anna.avoid == {LOU}
    stage.hire(LIV)
    assert stage.asked_about(ANNA) == LIV


def test_a_listener_who_comes_back_in_time_is_gone_no_more() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.away.add(LEO)
    stage.wait(30 * SECOND)
    stage.away.discard(LEO)
    stage.wait(5 * SECOND)
    assert stage.session(session).gone == {}
    assert stage.session(session).is_live


def test_a_listener_whose_seeker_vanishes_is_free_when_the_grace_ends() -> None:
    stage = Stage(LEO, rules=ListeningRules(pause=0), cap=1)
    session = stage.meet(ANNA)
    stage.away.add(ANNA)
    stage.ask(BEN)
    stage.wait(RULES.session_grace)
    assert stage.session(session).ending is Ending.SEEKER_GONE
    assert ANNA not in stage.state.seekers
    assert stage.asked_about(BEN) == LEO


def handed(stage: Stage, is_handover: bool) -> SessionId:
    session = stage.meet(ANNA)
    stage.hire(LIV)
    stage.do(LEO, on_floor.AskIn(session=session.id, listener=LIV, is_handover=is_handover))
    assert refused(stage, LIV, on_floor.AnswerAskIn(session=session.id, yes=True)) is Reason.PROPOSAL_GONE
    stage.do(ANNA, on_floor.AnswerAskIn(session=session.id, yes=True))
    stage.do(LIV, on_floor.AnswerAskIn(session=session.id, yes=True))
    return session.id


def test_a_session_is_handed_over_when_the_seeker_and_then_the_colleague_agree() -> None:
    stage = Stage(LEO)
    session = handed(stage, is_handover=True)
    assert stage.state.sessions[session].listeners == (LIV,)
    assert stage.did(on_floor.AdmitToRoom) == [on_floor.AdmitToRoom(session=session, member=LIV)]
    assert stage.did(on_floor.ExpelFromRoom) == [on_floor.ExpelFromRoom(session=session, member=LEO)]
    assert stage.state.listeners[LEO].paused_until == stage.now + RULES.pause


def test_who_handed_over_can_still_report_whom_they_talked_with() -> None:
    stage = Stage(LEO)
    session = handed(stage, is_handover=True)
    unkind = on_floor.ReportSession(session=session, reason="unkind", note="")
    stage.do(LEO, unkind)
    stage.do(LEO, unkind)
    stage.do(ANNA, on_floor.EndSession(session=session))
    stage.do(LEO, on_floor.ReportSession(session=session, reason="more", note="it came to me later"))
    assert [(each.by, each.about, each.reason) for each in stage.did(on_floor.KeepReport)] == [
        (LEO, ANNA, "unkind"),
        (LEO, ANNA, "more"),
    ]
    for command in (
        on_floor.EndSession(session=session),
        on_floor.Extend(session=session, on=True),
        on_floor.Block(session=session),
        on_floor.TalkAgain(session=session, on=True),
        on_floor.Spoke(session=session),
        on_floor.Typed(session=session),
        on_floor.AnswerAskIn(session=session, yes=False),
    ):
        assert refused(stage, LEO, command) is Reason.SESSION_UNKNOWN
    stage.wait(RULES.keep)
    assert refused(stage, LEO, unkind) is Reason.SESSION_UNKNOWN


def test_a_seeker_says_whom_of_several_they_mean_and_nobody_guesses() -> None:
    stage = Stage(LEO)
    session = handed(stage, is_handover=True)
    stage.do(ANNA, on_floor.ReportSession(session=session, reason="rude", note=""))
    stage.do(ANNA, on_floor.ReportSession(session=session, reason="rude", note="", about=LEO))
    stage.do(ANNA, on_floor.ReportSession(session=session, reason="rude", note="", about=LIV))
    stage.do(LIV, on_floor.ReportSession(session=session, reason="rude", note="", about=ANNA))
    assert [each.about for each in stage.did(on_floor.KeepReport)] == [None, LEO, LIV, ANNA]
    for who, about in ((ANNA, ANNA), (ANNA, LOU), (LIV, LIV), (LEO, LOU)):
        report = on_floor.ReportSession(session=session, reason="rude", note="again", about=about)
        assert refused(stage, who, report) is Reason.MEMBER_UNKNOWN


@pytest.mark.parametrize("is_over", [False, True])
def test_who_handed_over_can_still_say_that_it_was_heavy_for_them_alone(is_over: bool) -> None:
    stage = Stage(LEO)
    session, left_at = handed(stage, is_handover=True), stage.now
    if is_over:
        stage.do(ANNA, on_floor.EndSession(session=session))
    stage.wait(RULES.pause + MINUTE)
    heavy = on_floor.Flag(session=session, on=True)
    stage.do(LEO, heavy)
    leo = stage.state.listeners[LEO]
    assert (leo.owes, leo.paused_until, leo.pause) == (session, left_at + RULES.cool_down, Pause.COOL_DOWN)
    assert refused(stage, LEO, on_floor.Flag(session=session, on=False)) is Reason.SESSION_OVER
    stage.do(LEO, on_floor.WriteDebrief(session=session, note="I need an evening off"))
    stage.do(LEO, heavy)
    assert stage.state.listeners[LEO].owes is None, "said again it changes nothing"
    if not is_over:
        stage.do(ANNA, on_floor.EndSession(session=session))
    assert not stage.state.sessions[session].flagged
    assert stage.state.listeners[LIV].owes is None


def test_what_was_heavy_before_the_hand_over_is_heavy_for_who_goes() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.do(LEO, on_floor.Flag(session=session.id, on=True))
    stage.hire(LIV)
    stage.do(LEO, on_floor.AskIn(session=session.id, listener=LIV, is_handover=True))
    for who in (ANNA, LIV):
        stage.do(who, on_floor.AnswerAskIn(session=session.id, yes=True))
    assert stage.session(session).left == {LEO: Left(at=stage.now, flagged=True)}
    assert stage.state.listeners[LEO].owes == session.id


def test_who_comes_back_into_a_session_has_not_left_it() -> None:
    stage = Stage(LEO, rules=ListeningRules(pause=0))
    session = handed(stage, is_handover=True)
    stage.do(LIV, on_floor.AskIn(session=session, listener=LEO, is_handover=True))
    for who in (ANNA, LEO):
        stage.do(who, on_floor.AnswerAskIn(session=session, yes=True))
    assert (stage.state.sessions[session].listeners, [*stage.state.sessions[session].left]) == ((LEO,), [LIV])


@pytest.mark.parametrize("who", [LEO, ANNA])
def test_of_whoever_is_erased_no_name_is_left_where_they_were(who: MemberId) -> None:
    stage = Stage(LEO)
    session = handed(stage, is_handover=True)
    stage.do(who, on_floor.Dismiss(member=who, is_erased=True))
    found = stage.state.sessions[session]
    assert found.is_live is (who == LEO)
    assert (LEO in found.left) is (who != LEO)
    assert who not in (found.seeker_name, found.names.get(who))


def test_a_second_listener_holds_it_when_the_first_vanishes() -> None:
    stage = Stage(LEO)
    session = handed(stage, is_handover=False)
    assert stage.state.sessions[session].listeners == (LEO, LIV)
    stage.away.add(LEO)
    stage.wait(RULES.session_grace)
    assert stage.state.sessions[session].is_live
    assert stage.state.sessions[session].listeners == (LIV,)


def test_a_second_listener_goes_alone() -> None:
    stage = Stage(LEO)
    session = handed(stage, is_handover=False)
    stage.do(LIV, on_floor.EndSession(session=session))
    assert stage.state.sessions[session].is_live
    assert stage.state.sessions[session].listeners == (LEO,)


def test_a_seeker_may_say_no_and_an_unanswered_question_lapses() -> None:
    stage = Stage(LEO, LIV)
    session = stage.meet(ANNA)
    holder = session.listeners[0]
    other = LIV if holder == LEO else LEO
    question = on_floor.AskIn(session=session.id, listener=other, is_handover=True)
    stage.do(holder, question)
    stage.do(ANNA, on_floor.AnswerAskIn(session=session.id, yes=False))
    assert stage.session(session).asked is None
    stage.do(holder, question)
    stage.wait(2 * RULES.proposal)
    assert stage.session(session).asked is None


def test_a_colleague_who_leaves_is_not_asked_to_take_over_any_more() -> None:
    stage = Stage(LEO, rules=ListeningRules(pause=0))
    session = handed(stage, is_handover=False)
    stage.do(LEO, on_floor.AskIn(session=session, listener=LIV, is_handover=True))
    stage.do(ANNA, on_floor.AnswerAskIn(session=session, yes=True))
    stage.do(LIV, on_floor.Block(session=session))
    assert stage.state.sessions[session].asked is None
    assert refused(stage, LIV, on_floor.AnswerAskIn(session=session, yes=True)) is Reason.SESSION_UNKNOWN
    assert stage.state.sessions[session].listeners == (LEO,)


def test_only_the_holder_asks_in_and_only_somebody_who_has_a_seat() -> None:
    stage = Stage(LEO)
    session = handed(stage, is_handover=False)
    question = on_floor.AskIn(session=session, listener=LOU, is_handover=True)
    assert refused(stage, LIV, question) is Reason.NOT_HOLDING
    assert refused(stage, LEO, question) is Reason.LISTENER_BUSY
    assert refused(stage, ANNA, question) is Reason.NOT_LISTENER


def test_whose_account_is_given_back_by_a_link_is_in_no_session_and_keeps_the_rest() -> None:
    """[P-STAFF-15]"""
    stage = Stage(LEO)
    over = stage.meet(ANNA)
    stage.do(ANNA, on_floor.EndSession(session=over.id))
    stage.wait(RULES.pause)
    stage.do(LEO, on_floor.SetProfile(profile=Profile(openings=("Hello.",))))
    live, before = stage.meet(BEN), stage.state.listeners[LEO]
    stage.effects.clear()
    stage.do(LEO, on_floor.StepOut(member=LEO))
    assert stage.session(live).ending is Ending.STAFF
    assert stage.state.seekers[BEN].is_first
    assert {each.session for each in stage.did(on_floor.ExpelFromRoom)} == {over.id, live.id}
    after = stage.state.listeners[LEO]
    assert (after.profile, after.ready_at, after.taken) == (before.profile, before.ready_at, before.taken)
    # Whose session it was stays: they can still be reported for it.
    assert LEO in stage.session(live).listeners
    stage.do(BEN, on_floor.ReportSession(session=live.id, reason="pressure", note="", is_call=False))
    assert stage.did(on_floor.KeepReport)[-1].about == LEO


def test_of_two_listeners_the_other_holds_it_when_an_account_is_given_back() -> None:
    stage = Stage(LEO)
    session = handed(stage, is_handover=False)
    stage.do(LEO, on_floor.StepOut(member=LEO))
    assert stage.state.sessions[session].listeners == (LIV,)
    assert stage.state.sessions[session].is_live
    assert LEO in {each.member for each in stage.did(on_floor.ExpelFromRoom)}


def test_a_listener_can_report_a_colleague_of_the_same_session() -> None:
    """[P-TALK-6]"""
    stage = Stage(LEO)
    session = handed(stage, is_handover=False)
    for about, meant in ((None, ANNA), (LIV, LIV), (ANNA, ANNA)):
        asked = on_floor.ReportSession(session=session, reason="pressure", note="", is_call=False, about=about)
        stage.do(LEO, asked)
        assert stage.did(on_floor.KeepReport)[-1].about == meant
    for about in (LEO, LOU):
        asked = on_floor.ReportSession(session=session, reason="pressure", note="", is_call=False, about=about)
        assert refused(stage, LEO, asked) is Reason.MEMBER_UNKNOWN


@pytest.mark.parametrize("is_erased", [True, False])
def test_a_dismissed_listener_is_as_gone_at_once(is_erased: bool) -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.do(LEO, on_floor.Dismiss(member=LEO, is_erased=is_erased))
    assert stage.session(session).ending is (Ending.ERASED if is_erased else Ending.STAFF)
    assert stage.state.seekers[ANNA].is_first
    assert stage.session(session).names[LEO] == ("" if is_erased else LEO)


def test_of_an_erased_seeker_no_name_and_no_wish_is_left() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA, topics=("grief",), heavy=4)
    stage.do(ANNA, on_floor.Dismiss(member=ANNA, is_erased=True))
    after = stage.session(session)
    assert (after.seeker_name, after.wish.topics, after.wish.heavy, after.is_live) == ("", (), None, False)
    assert ANNA not in stage.state.seekers


@pytest.mark.parametrize("who", [ANNA, LEO])
def test_a_block_ends_it_at_once_and_they_never_meet_again(who: MemberId) -> None:
    stage = Stage(LEO, rules=ListeningRules(pause=0))
    session = stage.meet(ANNA)
    stage.do(who, on_floor.Block(session=session.id))
    assert stage.session(session).ending is Ending.BLOCKED
    stage.ask(ANNA, avoid=frozenset({LEO}))
    assert stage.asked_about(ANNA) is None
    for each in (ANNA, LEO):
        stage.do(each, on_floor.TalkAgain(session=session.id, on=True))
    taken = on_floor.TakeWords(session=session.id, words_hash=b"h")
    assert refused(stage, ANNA, taken) is Reason.NO_WORDS_YET


def test_words_are_given_only_when_both_would_talk_again() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    take = on_floor.TakeWords(session=session.id, words_hash=b"h")
    assert refused(stage, ANNA, on_floor.TalkAgain(session=session.id, on=True)) is Reason.IN_SESSION
    stage.do(LEO, on_floor.EndSession(session=session.id))
    stage.do(LEO, on_floor.TalkAgain(session=session.id, on=True))
    assert refused(stage, ANNA, take) is Reason.NO_WORDS_YET
    stage.do(ANNA, on_floor.TalkAgain(session=session.id, on=True))
    assert refused(stage, LEO, take) is Reason.NO_WORDS_YET
    stage.do(ANNA, take)
    assert [effect.listener for effect in stage.did(on_floor.KeepWords)] == [LEO]


@pytest.mark.parametrize("who", [ANNA, LEO])
def test_a_block_takes_words_back_that_were_given_already(who: MemberId) -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.do(LEO, on_floor.EndSession(session=session.id))
    stage.do(LEO, on_floor.TalkAgain(session=session.id, on=True))
    stage.do(ANNA, on_floor.TalkAgain(session=session.id, on=True))
    for hashed in (b"first", b"second"):
        stage.do(ANNA, on_floor.TakeWords(session=session.id, words_hash=hashed))
    stage.do(who, on_floor.Block(session=session.id))
    assert [effect.words_hash for effect in stage.did(on_floor.DropWords)] == [b"first", b"second"]
    stage.do(who, on_floor.Block(session=session.id))
    assert len(stage.did(on_floor.DropWords)) == 2
    assert refused(stage, ANNA, on_floor.TakeWords(session=session.id, words_hash=b"x")) is Reason.NO_WORDS_YET


def test_a_session_leads_to_a_few_words_only() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    stage.do(LEO, on_floor.EndSession(session=session.id))
    stage.do(LEO, on_floor.TalkAgain(session=session.id, on=True))
    stage.do(ANNA, on_floor.TalkAgain(session=session.id, on=True))
    for number in range(MOST_WORDS + 2):
        stage.do(ANNA, on_floor.TakeWords(session=session.id, words_hash=b"%d" % number))
    assert [effect.words_hash for effect in stage.did(on_floor.DropWords)] == [b"0", b"1"]
    assert len(stage.session(session).words) == MOST_WORDS
