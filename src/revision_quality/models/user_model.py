"""A model of one's own: one synchronous method, and the rest is done here."""

import asyncio
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from revision_quality.errors import InvalidRevisionError
from revision_quality.models.base import Prediction, Unscored
from revision_quality.wiki.revision import Revision


class TextModel(ABC):
    """Base of models that score one revision at a time, in a thread.

    A subclass defines `score` and `version` (1 to 32 characters, a new one whenever the scores
    change), as a class attribute or in its `__init__`. `name` is the class's in lower case with
    hyphens unless it defines another. `threads` is how many calls of `score` may run at once; 1,
    the default, is right for whatever is not known to be safe in threads. The keyword arguments
    of `__init__` are the options of the `[model]` block.
    """

    name: str
    version: str
    threads: int = 1

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not hasattr(cls, "name"):
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    @abstractmethod
    def score(self, revision: Revision) -> float:
        """Return P(reverted), 0 to 1, of `revision`.

        May raise InvalidRevisionError for a revision that it will never score; any other exception
        counts as a failure of this one revision.
        """

    async def predict(self, revisions: Sequence[Revision]) -> list[Prediction | Unscored]:
        """Score `revisions` in threads: one answer each, in their order; never raises for one."""
        loop = asyncio.get_running_loop()
        return await asyncio.gather(
            *(loop.run_in_executor(self._pool, self._answer, revision) for revision in revisions)
        )

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix=self.name)

    def _answer(self, revision: Revision) -> Prediction | Unscored:
        try:
            score = float(self.score(revision))
        except InvalidRevisionError as error:
            return Unscored("invalid_revision", str(error), is_final=True)
        except Exception as error:
            message = f"The model failed with {type(error).__name__}: {error}"
            return Unscored("model_error", message)
        if not (math.isfinite(score) and 0 <= score <= 1):
            return Unscored("model_error", f"The model answered {score}, which is no probability.")
        return Prediction(score)
