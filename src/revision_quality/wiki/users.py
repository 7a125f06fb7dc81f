"""What a wiki tells of its users: groups, edit count, registration."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime

import msgspec

from revision_quality.clock import Clock, system_clock
from revision_quality.events.page_change import UserEntity
from revision_quality.wiki.client import ActionApi, Answer, reading

KEPT_SECONDS = 300.0
"""How old an edit count may be; a newcomer's first edits lie minutes apart."""

KEPT_USERS = 20_000


class Users:
    """Reads users in batches and keeps them for some minutes."""

    def __init__(self, api: ActionApi, batch: int, clock: Clock = system_clock) -> None:
        self._api = api
        self._batch = batch
        self._clock = clock
        self._kept: OrderedDict[str, tuple[datetime, UserEntity]] = OrderedDict()

    async def read(self, names: Iterable[str]) -> dict[str, UserEntity]:
        """Return the registered users of these names; the wiki does not know the others.

        A name may be written as in an address, with underscores or a small first letter.
        """
        wanted = set(names)
        found = {name: user for name in wanted if (user := self._fresh(name))}
        missing = sorted(wanted - found.keys())
        for start in range(0, len(missing), self._batch):
            found |= await self._ask(missing[start : start + self._batch])
        return found

    async def _ask(self, names: list[str]) -> dict[str, UserEntity]:
        answer = await self._api.get(
            action="query",
            list="users",
            ususers=names,
            usprop=["groups", "editcount", "registration"],
        )
        with reading(self._api.api_url, "users"):
            entries = answer.get("query", {}).get("users", [])
            users = {entry["name"]: _user(entry) for entry in entries if entry.get("userid")}
        found = {}
        for name in names:
            if user := users.get(name) or users.get(_canonical(name)):
                found[name] = user
                self._keep(name, user)
        return found

    def _fresh(self, name: str) -> UserEntity | None:
        kept = self._kept.get(name)
        return kept[1] if kept and self._is_fresh(kept[0]) else None

    def _is_fresh(self, read: datetime) -> bool:
        return (self._clock.now() - read).total_seconds() < KEPT_SECONDS

    def _keep(self, name: str, user: UserEntity) -> None:
        self._kept[name] = (self._clock.now(), user)
        self._kept.move_to_end(name)
        while len(self._kept) > KEPT_USERS or not self._is_fresh(
            next(iter(self._kept.values()))[0]
        ):
            self._kept.popitem(last=False)

    @property
    def remembered(self) -> int:
        """How many users are kept in memory."""
        return len(self._kept)


def _canonical(name: str) -> str:
    """Write a name as MediaWiki does: spaces, the first letter a capital."""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def _user(entry: Answer) -> UserEntity:
    groups = tuple(entry.get("groups", ()))
    return UserEntity(
        user_text=entry["name"],
        user_id=entry["userid"],
        groups=groups,
        edit_count=entry.get("editcount"),
        registration_dt=_time(entry.get("registration")),
        is_bot="bot" in groups,
        is_temp=bool(entry.get("temp")) or "temp" in groups,
        is_system=False,
    )


def _time(text: object) -> datetime | None:
    """Read a time, None for none: old tables hold some that are not."""
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None
