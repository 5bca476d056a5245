"""One room as a client holds it, by the rules of `docs/protocol.md`."""

from __future__ import annotations

from typing import Any, Final

from chatserver.domain.history import ChannelName
from chatserver.domain.rooms.rooms import Post, RoomId, room_of
from tests.simulation.disk import Memory
from tests.simulation.history import Fact, History
from tests.simulation.ids import ALIASES


class View:
    """Position, posts and people of a room. `since` is what the next join names; None requests the newest page."""

    def __init__(self, who: str, channel: ChannelName, history: History, memory: Memory, recovery: int) -> None:
        self.channel: Final = channel
        self._who = who
        self._history = history
        self._memory = memory
        self._recovery = recovery
        self.position: tuple[str, int] | None = None
        self.posts: dict[int, Fact] = {}
        self.people: set[str] = set()
        self.me: frozenset[str] = frozenset()
        """The client's own ids here, under all of its names."""
        self.bound = 0
        """All posts from this offset on are held."""

    @property
    def since(self) -> dict[str, object] | None:
        return None if self.position is None else {"epoch": self.position[0], "offset": self.position[1]}

    def joined(self, ok: Fact, since: dict[str, object] | None) -> None:
        """Apply the reply to a join."""
        history = ok["history"]
        told = (ok["position"]["epoch"], ok["position"]["offset"])
        self._history.count(f"history {history}")
        self.people = {person["id"] for person in ok["people"]}
        self.me = frozenset(ok["me"])
        if (since is None) != (history == "page"):
            self._complain(f"asked since {since} and got {history}")
        if history == "exact" and since is not None:
            self.position = (str(since["epoch"]), int(str(since["offset"])))
            for fact in ok["missed"]:
                if ok.get("folded"):
                    # Reactions that later ones replace are left out. So a missing offset is one of them, or it is a
                    # hole that shows at the end.
                    self.position = (self.position[0], fact["offset"] - 1)
                self.take(fact)
            if ok.get("folded"):
                self._history.count("folded")
            if self.position != told:
                self._complain(f"was missing what is between {self.position} and {told}, and told 'exact'")
        else:
            if history == "gap" and since is not None:
                self._judge_gap(str(since["epoch"]), int(str(since["offset"])))
            self.posts = {post["offset"]: dict(post) for post in ok["posts"]}
            self.bound = min(self.posts, default=0) if ok["more"] else 0
        self.position = told

    def fell(self, position: Fact) -> None:
        """Apply a gap push."""
        self._history.count("gap push")
        if self.position is not None:
            self._judge_gap(*self.position)
        self.position = (position["epoch"], position["offset"])
        self.posts.clear()
        self.bound = position["offset"] + 1

    def take(self, fact: Fact) -> None:
        """Apply a fact, which must be the next one."""
        assert self.position is not None
        epoch, last = self.position
        offset: int = fact["offset"]
        if fact["epoch"] != epoch:
            self._complain(f"was shown {offset} of epoch {fact['epoch']} without a gap, at {self.position}")
        elif offset <= last:
            self._complain(f"was shown {offset} again, at {last}")
        elif offset != last + 1:
            self._complain(f"was shown {offset} after {last}: a hole")
        self.position = (fact["epoch"], offset)
        self._history.shown(fact)
        self._apply(fact)

    def meet(self, push: Fact) -> None:
        """Apply a presence push."""
        if push.get("people") is not None:
            self.people = {person["id"] for person in push["people"]}
        self.people.difference_update(push["went"])
        self.people.update(person["id"] for person in push["came"])

    def differences(self, head: tuple[str, int, int], posts: dict[int, Post]) -> list[str]:
        """Return how this view differs from the store."""
        epoch, first, last = head
        if self.position != (epoch, last):
            return [f"{self._who} stands at {self.position} of {self.channel}, which is at {(epoch, last)}"]
        stored = {at: post for at, post in posts.items() if at >= self.bound}
        held = {at: post for at, post in self.posts.items() if at >= max(first, self.bound)}
        if stored.keys() != held.keys():
            return [f"{self._who} holds the posts {sorted(held)} of {self.channel}; the store {sorted(stored)}"]
        return [
            f"{self._who} holds {held[at]} at {at} of {self.channel}; the store {post}"
            for at, post in stored.items()
            if _words(post, room_of(self.channel)) != _words_held(held[at])
        ]

    def _apply(self, fact: Fact) -> None:
        if fact["push"] == "posted":
            self.posts.setdefault(fact["offset"], dict(fact["post"]))
            return
        post = self.posts.get(fact.get("target", 0))
        if post is None:
            return
        if fact["push"] == "redacted":
            post.update(text="", warning=None, redacted=True, reactions={})
        elif post.get("redacted"):
            return
        elif fact["push"] == "edited":
            post.update(text=fact["text"], warning=fact.get("warning"), edited_at=fact["edited_at"])
        elif fact["push"] == "reacted":
            post["reactions"] = fact["counts"]

    def _judge_gap(self, epoch: str, offset: int) -> None:
        if self._history.has_restored:
            # A worker that has not seen the new epoch yet takes it for an unknown one, and reports a gap.
            return
        now, first, last = self._memory.heads()[self.channel]
        if epoch == now and first <= offset + 1 and last - offset <= self._recovery:
            self._complain(f"was told of a gap after {offset}, where {first} to {last} are kept")

    def _complain(self, problem: str) -> None:
        self._history.complain(f"{self._who} in {self.channel} {problem}")


def _words(post: Post, room: RoomId) -> tuple[Any, ...]:
    reactions = {str(reaction.value): count for reaction, count in post.reactions.items()}
    author = ALIASES.in_room(room, post.author, post.generation)
    return (author, post.name, post.text, post.at, post.warning, post.edited_at, post.redacted, reactions)


def _words_held(post: Fact) -> tuple[Any, ...]:
    plain = tuple(post.get(name) for name in ("author", "name", "text", "at", "warning", "edited_at"))
    return (*plain, post.get("redacted", False), post.get("reactions") or {})
