"""A wiki's database with ORES's tables, and ORES's own questions to them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, make_url, text

from revision_quality.streams.base import START, Record
from revision_quality.views.database import Database
from revision_quality.views.ores import OresTables, OresWiki
from revision_quality.views.ores_policy import OresModel, OresPolicy
from revision_quality.views.ores_tables import wiki_tables
from tests.events.examples import MODEL, VERSION
from tests.fakes import FakeClock

RISK = "revertrisklanguageagnostic"
TARGET = OresModel(RISK, MODEL, VERSION)
ALL = OresPolicy()

_TYPES: dict[str, dict[str, str]] = {
    "sqlite": {
        "id": "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL",
        "model_id": "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL",
        "unsigned": "INTEGER UNSIGNED",
        "tiny": "SMALLINT",
        "text": "BLOB",
        "end": "",
    },
    "mariadb": {
        "id": "BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY NOT NULL",
        "model_id": "SMALLINT UNSIGNED AUTO_INCREMENT PRIMARY KEY NOT NULL",
        "unsigned": "INT UNSIGNED",
        "tiny": "TINYINT",
        "text": "VARBINARY(255)",
        "end": "ENGINE=InnoDB, DEFAULT CHARSET=binary",
    },
    "postgresql": {
        "id": "BIGSERIAL PRIMARY KEY NOT NULL",
        "model_id": "SMALLSERIAL PRIMARY KEY NOT NULL",
        "unsigned": "INT",
        "tiny": "SMALLINT",
        "text": "TEXT",
        "end": "",
    },
}

ORES_SCHEMA = (
    """CREATE TABLE {p}ores_classification (
        oresc_id {id}, oresc_rev {unsigned} NOT NULL, oresc_model SMALLINT NOT NULL,
        oresc_class {tiny} NOT NULL, oresc_probability NUMERIC(3, 3) NOT NULL,
        oresc_is_predicted {tiny} NOT NULL) {end}""",
    "CREATE UNIQUE INDEX {i}oresc_rev_model_class ON {p}ores_classification"
    " (oresc_rev, oresc_model, oresc_class)",
    "CREATE INDEX {i}oresc_model_class_prob ON {p}ores_classification"
    " (oresc_model, oresc_class, oresc_probability)",
    """CREATE TABLE {p}ores_model (
        oresm_id {model_id}, oresm_name VARCHAR(32) NOT NULL, oresm_version VARCHAR(32) NOT NULL,
        oresm_is_current {tiny} NOT NULL) {end}""",
    "CREATE INDEX {i}oresm_model_status ON {p}ores_model (oresm_name, oresm_is_current)",
    "CREATE UNIQUE INDEX {i}oresm_version ON {p}ores_model (oresm_name, oresm_version)",
)
_WIKI_SCHEMA = (
    """CREATE TABLE {p}recentchanges (
        rc_id {id}, rc_this_oldid {unsigned} NOT NULL, rc_namespace INT NOT NULL,
        rc_bot {tiny} NOT NULL, rc_patrolled {tiny} NOT NULL, rc_source {text} NOT NULL) {end}""",
    "CREATE TABLE {p}revision (rev_id {id}, rev_deleted {tiny} NOT NULL) {end}",
    """CREATE TABLE {p}archive (
        ar_id {id}, ar_rev_id {unsigned} NOT NULL, ar_page_id {unsigned},
        ar_namespace INT NOT NULL, ar_title {text} NOT NULL) {end}""",
)

_SHOWN = """SELECT rc_this_oldid FROM {p}recentchanges JOIN {p}ores_classification cls
    ON (cls.oresc_model = (SELECT oresm_id FROM {p}ores_model
            WHERE oresm_name = '{name}' AND oresm_is_current = 1)
        AND cls.oresc_rev = rc_this_oldid AND cls.oresc_class = 1)
    WHERE cls.oresc_probability >= {low} AND cls.oresc_probability <= 1
        AND rc_source IN ('mw.edit', 'mw.new') AND rc_namespace = 0
    ORDER BY rc_this_oldid"""


def make_ores_tables(url: str, prefix: str = "", schema: str | None = None) -> None:
    """Create the two tables of the extension."""
    _create(url, ORES_SCHEMA, prefix, schema)


def _create(url: str, statements: Iterable[str], prefix: str, schema: str | None) -> None:
    kind = make_url(url).get_backend_name()
    place = f"{schema}.{prefix}" if schema else prefix
    names = {"p": place, "i": prefix} | _TYPES[kind]
    database = Database(url)
    for statement in statements:
        run(database, statement.format(**names))
    database.close_now()


def run(database: Database, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    def execute(connection: Connection) -> list[tuple[Any, ...]]:
        result = connection.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []

    return database.write_now(execute)


class MemoryPositions:
    """Positions that are gone with the test."""

    def __init__(self) -> None:
        self.offsets: dict[tuple[str, int], int] = {}

    async def get(self, stream: str, partition: int) -> int:
        return self.offsets.get((stream, partition), START)

    async def put(self, records: Sequence[Record]) -> None:
        self.offsets |= {(each.stream, each.partition): each.offset for each in records}


class House:
    """A wiki's database, what happens on the wiki, and what its filter shows."""

    def __init__(self, url: str, prefix: str = "", schema: str | None = None) -> None:
        self.url = url
        self.prefix = f"{schema}.{prefix}" if schema else prefix
        self.tables = wiki_tables(prefix, schema)
        self.database = Database(url)
        self.positions = MemoryPositions()
        self.clock = FakeClock()

    def make(self) -> None:
        prefix, schema = self.tables.model.name.removesuffix("ores_model"), self.tables.model.schema
        if schema:
            run(self.database, f"CREATE SCHEMA {schema}")
        _create(self.url, (*ORES_SCHEMA, *_WIKI_SCHEMA), prefix, schema)

    def view(
        self, *models: OresModel, policy: OresPolicy = ALL, wiki_id: str = "my_wiki"
    ) -> OresTables:
        wiki = OresWiki(wiki_id, self.tables, models or (TARGET,), policy)
        return OresTables(self.database, wiki, self.positions, self.clock)

    def edit(
        self,
        rev_id: int,
        *,
        source: str | None = "mw.edit",
        namespace: int = 0,
        bot: int = 0,
        patrolled: int = 0,
        hidden: int = 0,
    ) -> None:
        """Save an edit on the wiki; `source` is None for one not in recent changes."""
        self.sql(
            "INSERT INTO {p}revision (rev_id, rev_deleted) VALUES (:r, :h)", r=rev_id, h=hidden
        )
        if source is not None:
            self.list_change(rev_id, source, namespace, bot, patrolled)

    def list_change(
        self,
        rev_id: int,
        source: str = "mw.edit",
        namespace: int = 0,
        bot: int = 0,
        patrol: int = 0,
    ) -> None:
        self.sql(
            "INSERT INTO {p}recentchanges"
            " (rc_this_oldid, rc_namespace, rc_bot, rc_patrolled, rc_source)"
            " VALUES (:r, :n, :b, :p, :s)",
            r=rev_id,
            n=namespace,
            b=bot,
            p=patrol,
            s=self.text(source),
        )

    def delete_page(self, rev_ids: Iterable[int], page_id: int, title: str, ns: int = 0) -> None:
        for rev_id in rev_ids:
            self.sql(
                "INSERT INTO {p}archive (ar_rev_id, ar_page_id, ar_namespace, ar_title)"
                " VALUES (:r, :g, :n, :t)",
                r=rev_id,
                g=page_id,
                n=ns,
                t=self.text(title),
            )
            self.sql("DELETE FROM {p}revision WHERE rev_id = :r", r=rev_id)
            self.sql("DELETE FROM {p}recentchanges WHERE rc_this_oldid = :r", r=rev_id)

    def text(self, value: str) -> str | bytes:
        is_binary = make_url(self.url).get_backend_name() == "mariadb"
        return value.encode() if is_binary else value

    def sql(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        return run(self.database, statement.replace("{p}", self.prefix), **values)

    def rows(self) -> list[tuple[Any, ...]]:
        """All scores: revision, model's name and version, class, probability, is_predicted."""
        found = self.sql(
            "SELECT oresc_rev, oresm_name, oresm_version, oresc_class, oresc_probability,"
            " oresc_is_predicted FROM {p}ores_classification JOIN {p}ores_model"
            " ON oresm_id = oresc_model ORDER BY oresc_rev, oresm_version"
        )
        return [
            (rev, _str(name), _str(version), number, float(probability), predicted)
            for rev, name, version, number, probability, predicted in found
        ]

    def current(self) -> list[tuple[str, str]]:
        found = self.sql(
            "SELECT oresm_name, oresm_version FROM {p}ores_model WHERE oresm_is_current = 1"
        )
        return [(_str(name), _str(version)) for name, version in found]

    def shown(self, low: float = 0.0, name: str = RISK) -> list[int]:
        """Ask as the filter of Special:RecentChanges does."""
        is_mysql = make_url(self.url).get_backend_name() == "mariadb"
        join = "STRAIGHT_" if is_mysql else ""
        query = _SHOWN.format(p=self.prefix, name=name, low=low)
        return [rev for (rev,) in self.sql(query.replace(" JOIN", f" {join}JOIN", 1))]


def _str(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
