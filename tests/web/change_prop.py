"""ChangeProp as it drives Lift Wing: a rule, its requests, what it does with the answers.

Source: github.com/wikimedia/mediawiki-services-change-propagation, lib/rule.js and
lib/base_executor.js; its defaults as Wikimedia deploys it.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import msgspec
import yaml

from revision_quality.events.page_change import PageChange
from revision_quality.scoring.matching import wanted

DOCUMENT = Path(__file__).parents[2] / "docs/other-stream-processors.md"

DELAY_SECONDS, FACTOR, LIMIT = 60, 6, 2
IGNORED = (412,)


def documented_rule() -> tuple[str, dict[str, Any]]:
    """Return the name and the rule that our users are told to write."""
    found = re.search(r"```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None
    [(name, rule)] = yaml.safe_load(found[1]).items()
    return name, rule


class ChangeProp:
    """One rule's executor; `waited` are its pauses before retries, `errors` its error topic."""

    def __init__(self, client: httpx.AsyncClient, name: str, rule: dict[str, Any]) -> None:
        self._client = client
        self._name = name
        self._rule = rule
        self._matches = wanted(rule["match"], rule["match_not"])
        self.waited: list[int] = []
        self.statuses: list[int] = []
        self.errors: list[dict[str, Any]] = []
        self.sent: Counter[str] = Counter()

    async def take(self, event: dict[str, Any]) -> None:
        """Deal with a message of the topic, to the end of its retries."""
        if event["meta"]["domain"] == "canary" or not self._matches(
            msgspec.convert(event, PageChange)
        ):
            return
        triggered_by = _triggered_by(event)
        for left in range(LIMIT, -1, -1):
            answer = await self._request(event, triggered_by)
            if answer.is_success or answer.status_code in IGNORED:
                return
            if not left or answer.status_code not in self._rule["retry_on"]["status"]:
                self._report(event, answer)
                return
            self.waited.append(DELAY_SECONDS * FACTOR ** (LIMIT - left))
            retry = f"change-prop.retry.{self._rule['topic']}:{event['meta']['uri']}"
            triggered_by = f"{triggered_by},{retry}"

    async def _request(self, event: dict[str, Any], triggered_by: str) -> httpx.Response:
        template = self._rule["exec"]
        headers = {
            **template["headers"],
            "user-agent": "ChangePropagation/WMF",
            "x-request-id": event["meta"]["request_id"],
            "x-triggered-by": triggered_by,
        }
        assert template["body"] == {"event": "{{globals.message}}"}
        body = json.dumps({"event": event}, ensure_ascii=False, separators=(",", ":")).encode()
        path = httpx.URL(template["uri"]).raw_path.decode()
        self.sent[event["meta"]["id"]] += 1
        answer = await self._client.request(
            template["method"].upper(), path, content=body, headers=headers
        )
        self.statuses.append(answer.status_code)
        return answer

    def _report(self, event: dict[str, Any], answer: httpx.Response) -> None:
        details = {"status": answer.status_code, "body": answer.json()}
        emitter = f"change-prop#{self._name}"
        self.errors.append(
            {"emitter_id": emitter, "raw_event": json.dumps(event), "details": details}
        )


def _triggered_by(event: dict[str, Any]) -> str:
    meta = event["meta"]
    return f"req:{meta['request_id']},{meta['stream']}:{meta['uri']}"
