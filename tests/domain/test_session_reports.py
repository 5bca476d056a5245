"""Reports of a session, and what is left of it when it is forgotten."""

from __future__ import annotations

from chatserver.domain.errors import Reason
from chatserver.domain.listening import commands as on_floor
from chatserver.domain.listening.sessions import MOST_REPORTS
from chatserver.domain.listening.state import Ending
from tests.domain.listening_kit import ANNA, BEN, LEO, RULES, SECOND, Stage
from tests.domain.test_sessions import refused


def test_nobody_uses_up_the_reports_of_the_other() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    for number in range(MOST_REPORTS + 5):
        stage.do(LEO, on_floor.ReportSession(session=session.id, reason="junk", note=str(number)))
    stage.do(ANNA, on_floor.ReportSession(session=session.id, reason="rude", note="he swore"))
    assert [each.by for each in stage.did(on_floor.KeepReport)] == [LEO] * MOST_REPORTS + [ANNA]


def test_a_report_is_kept_once_however_often_it_is_sent() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    report = on_floor.ReportSession(session=session.id, reason="rude", note="he swore")
    stage.do(ANNA, report)
    stage.do(ANNA, report)
    stage.do(LEO, on_floor.ReportSession(session=session.id, reason="risk", note="", is_call=True))
    assert [(each.by, each.about, each.is_call) for each in stage.did(on_floor.KeepReport)] == [
        (ANNA, LEO, False),
        (LEO, None, True),
    ]
    assert stage.session(session).is_live


def test_a_session_is_forgotten_when_it_was_said_and_what_was_felt_is_counted_once() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA, heavy=5)
    stage.do(ANNA, on_floor.EndSession(session=session.id))
    assert stage.session(session).ending is Ending.SEEKER
    stage.do(ANNA, on_floor.GiveFeedback(session=session.id, heard=1, heavy=3))
    stage.do(ANNA, on_floor.GiveFeedback(session=session.id, heard=2, heavy=3))
    stage.wait(RULES.keep - SECOND)
    assert session.id in stage.state.sessions
    stage.wait(SECOND)
    assert session.id not in stage.state.sessions
    assert stage.did(on_floor.DropRoom) == [on_floor.DropRoom(session=session.id)]
    assert [(each.heard, each.heavy_before, each.heavy_after) for each in stage.did(on_floor.KeepFeedback)] == [
        (2, 5, 3)
    ]


def test_strangers_learn_nothing_of_a_session() -> None:
    stage = Stage(LEO)
    session = stage.meet(ANNA)
    for command in (
        on_floor.EndSession(session=session.id),
        on_floor.Extend(session=session.id, on=True),
        on_floor.AnswerAskIn(session=session.id, yes=True),
        on_floor.Block(session=session.id),
        on_floor.GiveFeedback(session=session.id, heard=1, heavy=1),
    ):
        assert refused(stage, BEN, command) is Reason.SESSION_UNKNOWN
