"""How long MariaDB takes for Special:RecentChanges by each level, beside ORES's own query.

    .venv/bin/python benchmarks/extension_filter.py [--rows 10000000] [--repeat 40] [--dir D]

A real MediaWiki on a real MariaDB (buffer pool of 4 GB), with recent changes of 30 days: 1 % of the
edits are very likely to be reverted, 2 % likely, 5 % may be, 70 % are very likely good, and 2,000
wait for their score. A sysop asks for the pages over HTTP, with the extension RevisionQuality, and
with a hook that adds what the extension ORES adds to the page's query over its own two tables with
the same scores. The times are those of MariaDB's own log of statements: of the page's main query
with all its joins, and of everything that the page asks. Each page is asked for `--repeat` times,
in turn with all others. Takes 12 GB of disk; with `--dir` the tables stay for the next run.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy
from msgspec import Struct

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.servers.databases import RealServer
from tests.servers.mediawiki import ADMIN, RealWiki

from percentiles import p50_p95
from revision_quality.views.database import Database
from revision_quality.views.mediawiki_tables import NUMBERS, NUMBERS_OR_UNSCORED, UNSCORED

EXTENSION = Path(__file__).parents[1] / "extension/RevisionQuality/extension.json"
BUFFER_POOL = 4 << 30
PART = 1_000_000
ACTORS, COMMENTS, PAGES, WATCHED = 100_000, 200_000, 500_000, 2_000
SECONDS = 30 * 86400
THRESHOLDS = {"likelygood": 0.7, "maybebad": 0.95, "likelybad": 0.98, "verylikelybad": 0.99}
WAITING = 2_000
ORES_MODEL = 7

PAGES_ASKED = (
    "RecentChanges?",
    *(f"RecentChanges?revisionquality={level}" for level in reversed(THRESHOLDS)),
    "RecentChanges?revisionquality=unscored",
    "RecentChanges?revisionquality=unscored;verylikelybad",
    "RecentChanges?revisionquality=likelygood;verylikelybad",
    "RecentChanges?ores",
    *(
        f"RecentChanges?ores&min={THRESHOLDS[each]}"
        for each in ("verylikelybad", "likelybad", "maybebad")
    ),
    "Watchlist?",
    "Watchlist?revisionquality=verylikelybad",
    f"Watchlist?ores&min={THRESHOLDS['verylikelybad']}",
)

ORES_HOOK = """
$wgHooks['ChangesListSpecialPageQuery'][] = static function (
    $name, &$tables, &$fields, &$conds, &$options, &$joins
) {
    $tables['cls'] = 'ores_classification';
    $fields['ores_score'] = 'cls.oresc_probability';
    $on = [
        'cls.oresc_model' => ORES_MODEL, 'cls.oresc_rev = rc_this_oldid', 'cls.oresc_class' => 1
    ];
    $joins['cls'] = [ 'LEFT JOIN', $on ];
    if ( isset( $_GET['min'] ) ) {
        $joins['cls'][0] = $name === 'Recentchanges' ? 'STRAIGHT_JOIN' : 'JOIN';
        $conds[] = 'cls.oresc_probability >= ' . (float)$_GET['min'] .
            ' AND cls.oresc_probability <= 1';
        $conds['rc_source'] = [ 'mw.edit', 'mw.new', 'mw.categorize' ];
        $conds['rc_namespace'] = 0;
    }
};
"""

ORES_TABLE = """
CREATE TABLE ores_classification (
  oresc_id BIGINT UNSIGNED AUTO_INCREMENT NOT NULL,
  oresc_rev INT UNSIGNED NOT NULL,
  oresc_model SMALLINT NOT NULL,
  oresc_class TINYINT NOT NULL,
  oresc_probability NUMERIC(3, 3) NOT NULL,
  oresc_is_predicted TINYINT(1) NOT NULL,
  UNIQUE INDEX oresc_rev_model_class (oresc_rev, oresc_model, oresc_class),
  PRIMARY KEY (oresc_id)
) ENGINE=InnoDB DEFAULT CHARSET=binary
"""
ORES_INDEX = (
    "ALTER TABLE ores_classification"
    " ADD INDEX oresc_model_class_prob (oresc_model, oresc_class, oresc_probability)"
)

SCORE = "CRC32(CONCAT('s', seq)) / 4294967296"
IS_LOG = "CRC32(CONCAT('l', seq)) % 20 = 0"


class Timed(Struct, frozen=True):
    """What one page cost MariaDB, in milliseconds, and the rows that its main query read."""

    main: float
    page: float
    rows: int


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=40)
    parser.add_argument("--dir", type=Path)
    args = parser.parse_args()
    with _folder(args.dir) as folder, _database(folder) as (database, url):
        wiki = RealWiki(folder / "wiki", "bench", "en", database=url)
        with wiki:
            _prepare(wiki, database, args.rows)
            _report(_ask(wiki, database, args.repeat))


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with TemporaryDirectory(prefix="revq-filter-") as made:
        yield Path(made)


@contextmanager
def _database(folder: Path) -> Iterator[tuple[Database, str]]:
    """Serve an administrator's database, and the address of one for the wiki."""
    (folder / "mariadb").mkdir(exist_ok=True)
    server = RealServer("mariadb", folder / "mariadb")
    server.start()
    try:
        server.run("CREATE DATABASE IF NOT EXISTS bench")
        server.run(f"SET GLOBAL innodb_buffer_pool_size = {BUFFER_POOL}")
        # How safe the filled tables are is not measured.
        server.run("SET GLOBAL innodb_flush_log_at_trx_commit = 0")
        url = server.url.set(database="bench")
        database = Database(url.render_as_string(hide_password=False))
        yield database, url.set(drivername="mysql").render_as_string(hide_password=False)
        database.close_now()
    finally:
        server.stop()


def _prepare(wiki: RealWiki, database: Database, rows: int) -> None:
    wiki.configure(
        f"if ( isset( $_GET['ores'] ) ) {{ {ORES_HOOK.replace('ORES_MODEL', str(ORES_MODEL))} }}"
        f" else {{ wfLoadExtension( 'RevisionQuality', '{EXTENSION}' ); }}"
    )
    wiki.maintain("update", "--quick")
    found = _rows(database, "SELECT COUNT(*) FROM (SELECT 1 FROM revision_quality LIMIT 9) AS some")
    if not found[0][0]:
        _fill(database, rows)
    _execute(
        database,
        "SET GLOBAL log_output = 'TABLE', GLOBAL long_query_time = 0, GLOBAL slow_query_log = ON",
    )


def _fill(database: Database, rows: int) -> None:
    """Fill the wiki's tables, ORES's and ours; the server makes all rows by itself."""
    for statement in _people_and_pages():
        _execute(database, statement)
    indexes = _rows(
        database,
        "SELECT index_name, GROUP_CONCAT(column_name ORDER BY seq_in_index)"
        " FROM information_schema.statistics WHERE table_schema = 'bench'"
        " AND table_name = 'recentchanges' AND index_name != 'PRIMARY' GROUP BY index_name",
    )
    # One index after another is sorted; row by row each would be written all over.
    drops = ", ".join(f"DROP INDEX {_text(name)}" for name, _ in indexes)
    adds = ", ".join(f"ADD INDEX {_text(name)} ({_text(columns)})" for name, columns in indexes)
    _execute(database, f"ALTER TABLE recentchanges {drops}")
    _execute(database, ORES_TABLE)
    for start in range(1, rows + 1, PART):
        for statement in _changes(start, min(start + PART - 1, rows), rows):
            _execute(database, statement)
        print(f"{min(start + PART - 1, rows):,} rows", file=sys.stderr, flush=True)
    _execute(database, f"ALTER TABLE recentchanges {adds}")
    _execute(database, ORES_INDEX)
    for statement in (*_flags(), *_levels()):
        _execute(database, statement)
    tables = (
        "recentchanges, change_tag, ores_classification, revision_quality, revision_quality_flag"
    )
    _execute(database, f"ANALYZE TABLE {tables}, actor, comment, page, watchlist")


def _people_and_pages() -> Iterator[str]:
    yield (
        "INSERT INTO actor (actor_id, actor_name)"
        f" SELECT seq + 1000, CONCAT('2001:DB8:0:0:0:0:0:', HEX(seq)) FROM seq_1_to_{ACTORS}"
    )
    yield (
        "INSERT INTO comment (comment_id, comment_hash, comment_text)"
        f" SELECT seq + 1000, CRC32(seq) >> 1, CONCAT('Summary ', seq) FROM seq_1_to_{COMMENTS}"
    )
    yield (
        "INSERT INTO page (page_id, page_namespace, page_title, page_random, page_touched,"
        " page_latest, page_len)"
        " SELECT seq + 1000, 0, CONCAT('Page_', seq), RAND(), '20260101000000', seq, 1000"
        f" FROM seq_1_to_{PAGES}"
    )
    yield (
        "INSERT INTO watchlist (wl_user, wl_namespace, wl_title)"
        f" SELECT 1, 0, CONCAT('Page_', seq) FROM seq_1_to_{WATCHED}"
    )
    yield "INSERT INTO change_tag_def (ctd_id, ctd_name, ctd_user_defined) VALUES (99, 'x', 0)"


def _changes(first: int, last: int, rows: int) -> Iterator[str]:
    """Yield what makes the changes number `first` to `last` of `rows`, oldest first."""
    numbers = f"seq_{first}_to_{last}"
    step = SECONDS / rows
    age = f"FLOOR(({rows} - seq) * {step})"
    at = f"DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL {age} SECOND, '%Y%m%d%H%i%s')"
    page = f"1 + CRC32(CONCAT('p', seq)) % {PAGES}"
    yield (
        "INSERT INTO recentchanges (rc_id, rc_timestamp, rc_actor, rc_namespace, rc_title,"
        " rc_comment_id, rc_minor, rc_bot, rc_new, rc_cur_id, rc_this_oldid, rc_last_oldid,"
        " rc_type, rc_source, rc_patrolled, rc_ip, rc_old_len, rc_new_len, rc_log_type,"
        " rc_log_action, rc_params)"
        f" SELECT seq + 1000, {at}, 1001 + CRC32(CONCAT('a', seq)) % {ACTORS},"
        f" IF(CRC32(CONCAT('n', seq)) % 5, 0, 1 + seq % 4), CONCAT('Page_', {page}),"
        f" 1001 + CRC32(CONCAT('c', seq)) % {COMMENTS}, seq % 3 = 0,"
        f" CRC32(CONCAT('b', seq)) % 10 = 0, 0, 1000 + {page},"
        f" IF({IS_LOG}, 0, seq + 1000), IF({IS_LOG}, 0, seq),"
        f" IF({IS_LOG}, 3, 0), IF({IS_LOG}, 'mw.log', 'mw.edit'), seq % 2, '127.0.0.1', 1000, 1010,"
        f" IF({IS_LOG}, 'patrol', NULL), IF({IS_LOG}, 'patrol', ''), '' FROM {numbers}"
    )
    yield (
        "INSERT INTO change_tag (ct_rc_id, ct_tag_id)"
        f" SELECT seq + 1000, 99 FROM {numbers} WHERE seq % 10 = 0"
    )
    yield (
        "INSERT INTO ores_classification (oresc_rev, oresc_model, oresc_class, oresc_probability,"
        f" oresc_is_predicted) SELECT seq + 1000, {ORES_MODEL}, 1,"
        f" FLOOR({SCORE} * 1000) / 1000, {SCORE} >= 0.5 FROM {numbers}"
        f" WHERE NOT {IS_LOG} AND seq <= {rows - WAITING}"
    )
    waits = f"seq > {rows - WAITING}"
    yield (
        "INSERT INTO revision_quality (rq_rev, rq_timestamp, rq_state, rq_score, rq_model)"
        f" SELECT seq + 1000, rc_timestamp, IF({waits}, 0, 1),"
        f" IF({waits}, NULL, FLOOR({SCORE} * 1000) / 1000), IF({waits}, NULL, 1)"
        f" FROM {numbers} JOIN recentchanges ON rc_id = seq + 1000 WHERE NOT {IS_LOG}"
    )


def _flags() -> Iterator[str]:
    numbers = [(NUMBERS[name], _holds(name)) for name in THRESHOLDS]
    numbers += [
        (number, f"rq_state = 0 OR {_holds(name)}") for name, number in NUMBERS_OR_UNSCORED.items()
    ]
    for number, condition in [(UNSCORED, "rq_state = 0"), *numbers]:
        yield (
            "INSERT INTO revision_quality_flag (rqf_level, rqf_timestamp, rqf_rev)"
            f" SELECT {number}, rq_timestamp, rq_rev FROM revision_quality WHERE {condition}"
        )


def _holds(name: str) -> str:
    return f"rq_score {'<' if name == 'likelygood' else '>='} {THRESHOLDS[name]}"


def _levels() -> Iterator[str]:
    for name, threshold in THRESHOLDS.items():
        yield (
            "INSERT INTO revision_quality_level (rql_level, rql_threshold, rql_precision)"
            f" VALUES ({NUMBERS[name]}, {threshold}, 0.5)"
        )


def _ask(wiki: RealWiki, database: Database, repeat: int) -> dict[str, list[Timed]]:
    """Ask for every page, the first time without measuring it."""
    times: dict[str, list[Timed]] = {page: [] for page in PAGES_ASKED}
    for page in PAGES_ASKED:
        _timed(wiki, database, page)
    for _ in range(repeat):
        for page, taken in times.items():
            taken.append(_timed(wiki, database, page))
    return times


def _timed(wiki: RealWiki, database: Database, page: str) -> Timed:
    _execute(database, "TRUNCATE mysql.slow_log")
    wiki.page(f"/wiki/Special:{page}&urlversion=2", ADMIN).raise_for_status()
    logged = _rows(
        database,
        "SELECT sql_text LIKE '%::doMainQuery%', TIME_TO_SEC(query_time), rows_examined"
        " FROM mysql.slow_log WHERE db = 'bench' AND sql_text LIKE '%/* %'",
    )
    main = [(float(took), int(rows)) for is_main, took, rows in logged if is_main]
    if len(main) != 1:
        raise SystemExit(f"{page}: {len(main)} main queries in the log")
    ((took, rows),) = main
    return Timed(took * 1000, sum(float(each[1]) for each in logged) * 1000, rows)


def _report(times: dict[str, list[Timed]]) -> None:
    print("| page | rows read | main query p50 | p95 | all its queries p50 | p95 |")
    print("|---|---|---|---|---|---|")
    for page, taken in times.items():
        figures = [
            *p50_p95([each.main for each in taken]),
            *p50_p95([each.page for each in taken]),
        ]
        told = " | ".join(f"{each:.1f} ms" for each in figures)
        print(f"| {page} | {max(each.rows for each in taken):,} | {told} |")


def _execute(database: Database, statement: str) -> None:
    database.write_now(
        lambda connection: connection.execute(sqlalchemy.text(_plain(statement))) and None
    )


def _rows(database: Database, statement: str) -> list[tuple[object, ...]]:
    return database.write_now(
        lambda connection: [
            tuple(row) for row in connection.execute(sqlalchemy.text(_plain(statement)))
        ]
    )


def _plain(statement: str) -> str:
    return statement.replace(":", r"\:")


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    main()
