"""The practice conversation can be walked to its end, and the readiness check says what to think about again."""

from __future__ import annotations

import re
from itertools import chain

from chatserver.domain.listening.training import QUESTIONS, SCENES, check
from chatserver.domain.text.contact_details import find_contacts

ALL_WORDS = [
    *chain.from_iterable(scene.says for scene in SCENES),
    *(part for scene in SCENES for answer in scene.answers for part in (answer.text, *answer.reply, answer.advice)),
    *(part for question in QUESTIONS for part in (question.text, *question.answers, question.why)),
]


def test_every_scene_has_three_answers_of_which_one_is_good() -> None:
    assert 6 <= len(SCENES) <= 8
    for scene in SCENES:
        assert scene.says
        assert len(scene.answers) == 3
        assert sum(answer.is_good for answer in scene.answers) == 1
        assert all(answer.reply and answer.advice for answer in scene.answers)


def test_every_answer_leads_on_to_the_end() -> None:
    reached = {0}
    for number, scene in enumerate(SCENES):
        for answer in scene.answers:
            if answer.next_scene is not None:
                assert number < answer.next_scene < len(SCENES)
                reached.add(answer.next_scene)
    assert reached == set(range(len(SCENES)))
    assert all(answer.next_scene is None for answer in SCENES[-1].answers)


def test_right_answers_pass() -> None:
    assert check([question.right for question in QUESTIONS]) == {}


def test_wrong_answers_come_back_with_why() -> None:
    answers = [question.right for question in QUESTIONS]
    answers[2] = (answers[2] + 1) % 3
    assert check(answers) == {2: QUESTIONS[2].why}


def test_missing_answers_are_to_be_thought_about() -> None:
    assert [*check([])] == [*range(len(QUESTIONS))]
    assert [*check([question.right for question in QUESTIONS][:-1])] == [len(QUESTIONS) - 1]


def test_always_the_same_place_does_not_pass() -> None:
    assert len(QUESTIONS) == 8
    for place in range(3):
        assert len(check([place] * len(QUESTIONS))) >= 4
    assert all(0 <= question.right < len(question.answers) for question in QUESTIONS)


def test_the_words_are_short_and_name_no_means_and_no_contacts() -> None:
    for words in ALL_WORDS:
        assert len(words) <= 200
        assert find_contacts(words) == ()
        assert not re.search(r"\b(knife|rope|overdose|pills|cut|jump|gun|hang|bridge|poison)", words, re.IGNORECASE)
        for sentence in re.split(r"[.!?…]\s", words):
            assert len(sentence.split()) <= 24, sentence


def test_reading_age_is_about_ten() -> None:
    """Flesch-Kincaid's grade, with syllables counted as groups of vowels: 5 is read at ten to eleven."""
    text = " ".join(ALL_WORDS)
    words = re.findall(r"[A-Za-z']+", text)
    sentences = len(re.findall(r"[.!?…]+", text)) + len(ALL_WORDS) // 4
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", word.lower().rstrip("e")))) for word in words)
    grade = 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59
    assert grade <= 5
