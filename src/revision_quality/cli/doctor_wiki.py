"""`revq doctor` on one wiki: its API, what we may read there, its clock and ours."""

from datetime import datetime

import msgspec

from revision_quality.cli.diagnosis import Finding
from revision_quality.clock import Clock, system_clock
from revision_quality.errors import WikiError
from revision_quality.wiki.client import ActionApi, Answer, reading

SKEW_SECONDS = 30.0
"""Clocks further apart make lags and ages wrong; edits younger than ours would wait for nothing."""


async def rights_and_clock(api: ActionApi, clock: Clock = system_clock) -> list[Finding]:
    """Ask who we are, what we may do, and what time it is there."""
    asked = clock.now()
    try:
        answer = await api.get(
            action="query", meta="userinfo", uiprop=["rights", "groups"], curtimestamp=True
        )
        with reading(api.api_url, "userinfo"):
            return [_rights(answer), _clock(answer, asked, clock.now())]
    except WikiError as error:
        return [Finding("what we may read", str(error))]


def _rights(answer: Answer) -> Finding:
    user = answer["query"]["userinfo"]
    rights, name = set(user.get("rights", ())), user.get("name", "?")
    who = f"anonymous ({name})" if user.get("anon") else f"as {name}"
    if "read" not in rights:
        return Finding(
            f"reading {who}",
            "this user may not read: give the token of one who may, access_token_env",
        )
    batch = "500 revisions" if "apihighlimits" in rights else "50 revisions"
    return Finding(f"reading {who}, {batch} in one request")


def _clock(answer: Answer, before: datetime, after: datetime) -> Finding:
    there = msgspec.convert(answer["curtimestamp"], datetime)
    middle = before + (after - before) / 2
    # The wiki tells whole seconds.
    apart = max(0.0, abs((there - middle).total_seconds()) - 1)
    if apart > SKEW_SECONDS:
        which = "behind" if there > middle else "ahead of"
        return Finding(
            "clocks",
            f"this machine's clock is {apart:.0f} seconds {which} the wiki's: set it by NTP"
            " (timedatectl set-ntp true)",
        )
    return Finding("clocks: ours and the wiki's agree")
