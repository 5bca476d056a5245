"""Training before the first real session: a scripted seeker, and a readiness check.

Pure: words only. They name no means of harm, promise nothing that listening cannot keep, and are short: a tired person
whose first language is another one reads them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec


class TrainingAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a learner may say, the scripted seeker's answer, and advice. `next_scene` is the number of the scene that
    follows, None at the end."""

    text: str
    reply: tuple[str, ...]
    advice: str
    is_good: bool
    next_scene: int | None


class TrainingScene(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of the practice conversation."""

    says: tuple[str, ...]
    answers: tuple[TrainingAnswer, ...]


class TrainingQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question of the readiness check. `right` is the number of the right answer, `why` is shown to learners who
    chose another."""

    text: str
    answers: tuple[str, ...]
    right: int
    why: str


def _answer(text: str, *reply: str, advice: str, next_scene: int | None, is_good: bool = False) -> TrainingAnswer:
    return TrainingAnswer(text=text, reply=reply, advice=advice, is_good=is_good, next_scene=next_scene)


SCENES: Final[tuple[TrainingScene, ...]] = (
    TrainingScene(
        says=("hi", "i dont really know how this works"),
        answers=(
            _answer(
                "Hi, I'm glad you came. You can start anywhere, or take a moment first.",
                "ok thanks",
                "im just tired of everything being so heavy",
                advice="You made it easy to begin. Nobody has to do this right.",
                next_scene=1,
                is_good=True,
            ),
            _answer(
                "Hello. What is your problem?",
                "idk if its a problem",
                "sorry. everything is just heavy",
                advice="It sounds like a form. People who are asked for a problem often feel that theirs is too small.",
                next_scene=1,
            ),
            _answer(
                "Hi! How old are you, and where do you live?",
                "why do you need to know that?",
                "…everything is just heavy right now",
                advice="We don't ask who people are. They came because they can stay unknown here.",
                next_scene=1,
            ),
        ),
    ),
    TrainingScene(
        says=("my sister and i had a fight and now she wont talk to me", "its been two weeks"),
        answers=(
            _answer(
                "Two weeks of silence from your sister. That sounds lonely.",
                "yes",
                "lonely is the word. i keep looking at my phone",
                advice="You said back what you heard, with the feeling in it. That shows somebody that you are there.",
                next_scene=2,
                is_good=True,
            ),
            _answer(
                "Sisters always make up in the end. Don't worry!",
                "you dont know her",
                "and i do worry. i keep looking at my phone",
                advice="It is meant kindly, but it closes a door. Nobody worries less because they are told to.",
                next_scene=2,
            ),
            _answer(
                "You should write her a letter and say sorry.",
                "i tried that already",
                "nothing works. i just keep looking at my phone",
                advice="Advice this early says: I would like this to be over. Listen first. Most people have tried "
                "a lot.",
                next_scene=2,
            ),
        ),
    ),
    TrainingScene(
        says=("maybe im just a bad person", "everybody leaves at some point"),
        answers=(
            _answer(
                "It hurts so much that you wonder if it is your fault. What makes you think so?",
                "i said something mean in that fight",
                "and i cant take it back",
                advice="You did not argue, and you did not agree. You stayed with the feeling and asked an open "
                "question.",
                next_scene=3,
                is_good=True,
            ),
            _answer(
                "No, you're not a bad person at all!",
                "you dont even know me",
                "i said something mean and i cant take it back",
                advice="It is warm, but they can't believe it yet. Ask where the thought comes from before you "
                "answer it.",
                next_scene=3,
            ),
            _answer(
                "I know exactly how you feel. Last year my brother did the same to me…",
                "oh. im sorry that happened to you",
                "anyway. i said something mean and i cant take it back",
                advice="Now they look after you. A word of your own can help, if it is one sentence and leads back "
                "to them.",
                next_scene=3,
            ),
        ),
    ),
    TrainingScene(
        says=("sorry", "im crying now", "this is stupid"),
        answers=(
            _answer(
                "It isn't stupid. Take all the time you need, I'm here.",
                "thank you",
                "nobody says that",
                advice="Tears need room. When you are calm and stay, you have done most of what can be done.",
                next_scene=4,
                is_good=True,
            ),
            _answer(
                "Please don't cry.",
                "sorry. ill stop",
                "im always too much",
                advice="They hear that their tears are hard for you. Let them know that they may cry here.",
                next_scene=4,
            ),
            _answer(
                "Maybe talk to a doctor about that.",
                "so you dont want to talk to me either",
                advice="A doctor can be a good idea later on. Said in this moment it sounds like being sent away.",
                next_scene=4,
            ),
        ),
    ),
    TrainingScene(
        says=("sometimes i think it would be easier if i wasnt here anymore",),
        answers=(
            _answer(
                "Thank you for telling me. Are you thinking about ending your life?",
                "sometimes at night",
                "not now. i dont want to do anything. its good that you ask",
                advice="Asking plainly does not put the thought into anybody's head. It shows that it can be said.",
                next_scene=5,
                is_good=True,
            ),
            _answer(
                "Don't say that! Think of your family.",
                "right. forget it",
                "…i do think about it at night. not now",
                advice="Guilt makes people silent. Ask what they mean, calmly and in plain words.",
                next_scene=5,
            ),
            _answer(
                "Everybody feels like that now and then.",
                "maybe",
                "but i think about dying. at night. not now",
                advice="This was the most important thing they said, and it went by. Always stop here, and ask.",
                next_scene=5,
            ),
        ),
    ),
    TrainingScene(
        says=("i wont do anything tonight", "i just dont want to be alone with it"),
        answers=(
            _answer(
                "You aren't alone with it now. I'll ask a moderator to be near too. Shall we look at the helplines for "
                "the nights?",
                "ok",
                "i didnt know you can call at night",
                advice="You stayed, you got help for yourself, and you showed them somebody for later. Flag such a "
                "session, so that you get a longer rest.",
                next_scene=6,
                is_good=True,
            ),
            _answer(
                "I promise that I won't tell anybody. Here is my number, call me at any time.",
                "really? thank you",
                "but what if you dont pick up",
                advice="Never promise that. You need others for this, and they need somebody who is there every "
                "night: a "
                "helpline. Your number stays with you.",
                next_scene=6,
            ),
            _answer(
                "That's good. So, what about your sister?",
                "um",
                "i dont know. i said it because it scares me",
                advice="It scared you perhaps, and that is human. Stay with it, and call a moderator. Nobody sees "
                "that you "
                "did.",
                next_scene=6,
            ),
        ),
    ),
    TrainingScene(
        says=("i feel a bit lighter", "will you be here tomorrow?"),
        answers=(
            _answer(
                "I'm glad. I can't promise tomorrow, but somebody will listen. And if we both say that we would talk "
                "again, you get words that lead to me.",
                "that is fair",
                "i would like that",
                advice="Honest and warm. What you don't promise can't be broken.",
                next_scene=7,
                is_good=True,
            ),
            _answer(
                "Yes! I'm always here for you.",
                "ok ill come every day then",
                advice="You will be ill one day, or on a train. Then the promise hurts more than a plain word now.",
                next_scene=7,
            ),
            _answer(
                "No, you'll get somebody else.",
                "oh. ok",
                advice="It may be true, but it falls like a door. Say what there is: other listeners, and come-back "
                "words.",
                next_scene=7,
            ),
        ),
    ),
    TrainingScene(
        says=("i think i can try to sleep now",),
        answers=(
            _answer(
                "You told me about your sister and about the nights, and that took courage. I hope that you can rest. "
                "Take care.",
                "thank you for listening",
                "good night",
                advice="You looked back, you named what they did, and you ended gently. Now it's your turn to rest.",
                next_scene=None,
                is_good=True,
            ),
            _answer(
                "Ok bye",
                "bye…",
                advice="Endings stay with people. Two sentences are enough: what you heard, and a wish for them.",
                next_scene=None,
            ),
            _answer(
                "Wait, one more thing about your sister…",
                "im really tired",
                "good night",
                advice="When somebody wants to go, let them. It's their time.",
                next_scene=None,
            ),
        ),
    ),
)
"""One conversation. It goes on whatever is answered: the next scene is another try."""


QUESTIONS: Final[tuple[TrainingQuestion, ...]] = (
    TrainingQuestion(
        text="Somebody writes: “I can't go on like this.” What do you do first?",
        answers=(
            "Say that it will surely be better tomorrow",
            "Say what you heard, and ask what they mean by it",
            "Tell them three things that helped you",
        ),
        right=1,
        why="First comes being heard. Ask what it means, so that you don't guess.",
    ),
    TrainingQuestion(
        text="Somebody says that they think about ending their life. What is right?",
        answers=(
            "Change the subject, so that it doesn't get worse",
            "Ask how they would do it, in detail",
            "Ask plainly if they are in danger now, show them the helplines, and call a moderator",
        ),
        right=2,
        why="Ask calmly, stay, and get others to help. Don't ask for ways of doing it, and don't carry it alone.",
    ),
    TrainingQuestion(
        text="They ask for your phone number, so that you can talk tomorrow.",
        answers=(
            "Say kindly that we stay unknown here, and tell them about come-back words",
            "Give it, if you trust them",
            "Give them your e-mail address, that is safer",
        ),
        right=0,
        why="Staying unknown protects both of you. If both of you wish to talk again, come-back words do that.",
    ),
    TrainingQuestion(
        text="You have had a hard day yourself, and feel it in the session.",
        answers=(
            "Go on anyway, it's only one more",
            "Tell them about your day",
            "Ask a colleague to take over, with the seeker's yes, and rest",
        ),
        right=2,
        why="Nobody can pour from an empty cup. A warm hand-over is good care for them, too.",
    ),
    TrainingQuestion(
        text="Somebody asks: “Is it depression? Should I stop taking my tablets?”",
        answers=(
            "Tell them what you think, from what you know",
            "Say that you can't know that and a doctor can, and ask what makes them want to stop",
            "Say that tablets don't help anyway",
        ),
        right=1,
        why="We listen. We don't name illnesses, and we say nothing for or against medicine.",
    ),
    TrainingQuestion(
        text="A seeker begins to write things about your body that you don't want to read.",
        answers=(
            "Stay, because they surely need help",
            "Write something rude back",
            "End the session, and report it. You owe nobody to stay",
        ),
        right=2,
        why="You may end it at any time. Block and report are two touches away, and nobody will blame you.",
    ),
    TrainingQuestion(
        text="A friend asks you what people talk about here.",
        answers=(
            "Tell nothing that somebody told you here, not even without the name",
            "Tell the story, but change the town",
            "Show them your screen",
        ),
        right=0,
        why="What is said here stays here. To talk about what it does to you, there is your supervisor.",
    ),
    TrainingQuestion(
        text="It was a heavy session. What comes next?",
        answers=(
            "Take the next one at once, to think of something else",
            "Flag it, take the longer break, and write a few words to your supervisor about how you are",
            "Write to the supervisor who the seeker was, and what they said",
        ),
        right=1,
        why="The break and the note are there for you. The note is about how you are, not about the seeker.",
    ),
)


def check(answers: Sequence[int]) -> dict[int, str]:
    """Return the questions (numbers from 0) with a wrong answer, each with the reason. The check is passed if there are
    none. A missing answer is wrong too."""
    return {
        number: question.why
        for number, question in enumerate(QUESTIONS)
        if number >= len(answers) or answers[number] != question.right
    }
