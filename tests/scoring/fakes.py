"""A wiki's reader and a model that do as a test says."""

from collections.abc import Callable, Sequence

from revision_quality.errors import WikiError
from revision_quality.events.page_change import PageChange
from revision_quality.models.base import Prediction, Unscored
from revision_quality.wiki.contents import Content
from revision_quality.wiki.reader import Unreadable, assemble
from revision_quality.wiki.revision import Revision

Answer = Revision | Unreadable


class FakeReader:
    """Has every text; `failing` names revisions that make a whole request fail."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.failing: dict[int, WikiError] = {}
        self.unreadable: dict[int, list[Unreadable]] = {}
        self.failure: WikiError | None = None
        self.failures_left = -1

    async def read(self, changes: Sequence[PageChange]) -> list[Answer]:
        rev_ids = [change.revision.rev_id for change in changes]
        self.batches.append(rev_ids)
        self._fail()
        for rev_id in rev_ids:
            if rev_id in self.failing:
                raise self.failing[rev_id]
        return [self._answer(change) for change in changes]

    async def check(self) -> None:
        if self.failures_left < 0:
            self._fail()

    def _fail(self) -> None:
        if self.failure is None or self.failures_left == 0:
            return
        self.failures_left -= self.failures_left > 0
        raise self.failure

    def _answer(self, change: PageChange) -> Answer:
        left = self.unreadable.get(change.revision.rev_id)
        if left:
            return left.pop(0) if len(left) > 1 else left[0]
        return assemble(change, "after", Content("before"))


Rule = Callable[[Sequence[Revision]], Sequence[Prediction | Unscored]]


class FakeModel:
    """Answers by a rule, 0.25 without one; counts what it is asked."""

    name = "revertrisk"
    version = "1"

    def __init__(self, rule: Rule | None = None, *, version: str | None = None) -> None:
        self.version = version or self.version
        self._rule = rule or (lambda revisions: [Prediction(0.25)] * len(revisions))
        self.asked: list[int | None] = []

    async def predict(self, revisions: Sequence[Revision]) -> Sequence[Prediction | Unscored]:
        self.asked += [revision.rev_id for revision in revisions]
        return self._rule(revisions)
