"""What has come of the edits that a rule was to score, counted since the process began."""

from collections.abc import Callable, Sequence

from revision_quality.clock import Clock, system_clock
from revision_quality.events.error import ErrorEvent
from revision_quality.events.prediction import PredictionChange
from revision_quality.levels.level import Level
from revision_quality.scoring.outcome import OutcomeEvent
from revision_quality.tally import LAG_SECONDS, OTHER, WORK_SECONDS, Tally, Timings

NOT_AN_EDIT, NOT_WANTED, REPEATED, UNREADABLE = (
    "not_an_edit",
    "not_wanted",
    "repeated",
    "unreadable",
)
"""Why an event of page_change asks for no score: it is no edit, the rule does not match it, there
is an outcome already, or it cannot be read."""

SCORED = "scored"

_GOOD = "likelygood"


class ScoringTally:
    """Counts for one model. A wiki that `is_known` does not tell of counts as other."""

    def __init__(
        self,
        levels: Sequence[Level] = (),
        is_known: Callable[[str], bool] = lambda _: True,
        clock: Clock = system_clock,
    ) -> None:
        self._levels = levels
        self._is_known = is_known
        self._clock = clock
        self.skipped = Tally()
        """Events by reason."""
        self.outcomes = Tally()
        """Edits by wiki_id, state and reason; scored ones have none."""
        self.flagged = Tally()
        """Scored edits by wiki_id and the level that holds; one may be counted at several."""
        self.retries = Tally()
        """Edits that are tried again, by wiki_id and reason."""
        self.dead_letters = Tally()
        """Events that were buried."""
        self.lag = Timings(LAG_SECONDS)
        """Seconds from an edit to the publication of its outcome, by wiki_id."""
        self.work = Timings(WORK_SECONDS)
        """Seconds that the model took for a batch."""

    def published(self, events: Sequence[OutcomeEvent | ErrorEvent]) -> None:
        """Count what is in the streams now."""
        now = self._clock.now()
        for event in events:
            if isinstance(event, ErrorEvent):
                self.dead_letters.add()
                continue
            wiki_id = self._label(event.wiki_id)
            self.lag.observe((now - (event.revision.rev_dt or event.dt)).total_seconds(), wiki_id)
            if isinstance(event, PredictionChange):
                self.outcomes.add(wiki_id, SCORED, "")
                self._flag(wiki_id, event.score)
            else:
                self.outcomes.add(wiki_id, event.error.state, event.error.reason)

    def tried_again(self, wiki_id: str, reason: str, number: int) -> None:
        """Count edits that did not come through."""
        self.retries.add(self._label(wiki_id), reason, number=number)

    def _flag(self, wiki_id: str, score: float) -> None:
        for level in self._levels:
            is_good = level.name == _GOOD
            if score < level.threshold if is_good else score >= level.threshold:
                self.flagged.add(wiki_id, level.name)

    def _label(self, wiki_id: str) -> str:
        return wiki_id if self._is_known(wiki_id) else OTHER
