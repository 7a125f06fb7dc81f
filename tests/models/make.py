"""Revisions for tests: a plain edit, with what a test changes about it."""

from datetime import UTC, datetime, timedelta

from revision_quality.wiki.revision import Page, Parent, Revision, User

ARTICLE = """'''Willemstad''' is the capital of [[Curaçao]].<ref>Census 2011</ref>

== History ==
It was founded in [[1634]] by the [[Dutch West India Company]].
{{Infobox|name=Willemstad}}

[[Category:Capitals]]
"""
EDITED_AT = datetime(2024, 5, 1, 12, tzinfo=UTC)
NEWCOMER = User(user_text="192.0.2.7", user_id=0)
VETERAN = User(
    user_text="Ana",
    user_id=7,
    groups=("*", "user", "autoconfirmed"),
    edit_count=5000,
    registration_dt=EDITED_AT - timedelta(days=2000),
)


def revision(
    text: str = ARTICLE + "\nIt lies on the sea.\n",
    *,
    parent_text: str = ARTICLE,
    user: User = VETERAN,
    comment: str | None = "add a sentence",
    parent_user: str | None = "Ben",
    rev_dt: datetime = EDITED_AT,
    parent_dt: datetime | None = EDITED_AT - timedelta(days=3),
) -> Revision:
    """One edit of an article."""
    return Revision(
        wiki_id="papwiki",
        rev_id=2,
        rev_dt=rev_dt,
        page=Page(page_id=1, title="Willemstad"),
        parent=Parent(text=parent_text, rev_id=1, rev_dt=parent_dt, user_text=parent_user),
        user=user,
        text=text,
        comment=comment,
    )
