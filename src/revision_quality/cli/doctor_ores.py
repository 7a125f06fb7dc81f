"""`revq doctor` on a wiki's ORES tables: the rights, and the lines of LocalSettings.php."""

from collections.abc import Sequence

from revision_quality.cli.diagnosis import Finding, Section
from revision_quality.errors import StoreError
from revision_quality.levels.level import Level
from revision_quality.levels.scores import NamedModel
from revision_quality.ores_tables_block import OresTablesBlock
from revision_quality.recent_changes.live_levels import LiveLevels
from revision_quality.scoring.model_rule import ModelRule, versions_of
from revision_quality.views.database import Database
from revision_quality.views.ores_local_settings import local_settings
from revision_quality.views.ores_place import wiki_database
from revision_quality.views.ores_policy import models_of
from revision_quality.views.ores_rights import Right, check_rights, grants
from revision_quality.views.ores_tables import WikiTables, wiki_tables


async def ores_section(
    block: OresTablesBlock, wiki_id: str, rules: Sequence[ModelRule], views: str
) -> Section:
    """Look at the tables of one wiki; `views` is the URL of the database that has its levels.

    Raises SettingsError for a block that cannot be meant.
    """
    models = models_of(block, versions_of(rules))
    title = f"ORES tables of {wiki_id}"
    try:
        database = wiki_database(block.database)
    except StoreError as error:
        return Section(title, [Finding("database", str(error))])
    tables = wiki_tables(block.prefix, block.schema)
    try:
        await database.read(lambda connection: None)
        rights = await check_rights(database, tables)
    except StoreError as error:
        return Section(title, [Finding("database", str(error))])
    finally:
        await database.close()
    lines = local_settings(models, await _levels(wiki_id, rules, views))
    advice = [*_grants(database, tables, rights), "LocalSettings.php, below ORES:", "", lines]
    return Section(title, [_finding(right) for right in rights], "\n".join(advice))


def _finding(right: Right) -> Finding:
    return Finding(f"{right.name} {right.table}", right.refusal)


def _grants(database: Database, tables: WikiTables, rights: Sequence[Right]) -> list[str]:
    if all(right.refusal is None for right in rights):
        return []
    dialect = database.url.get_dialect()()
    statements = grants(database.url, dialect, tables)
    if not statements:
        return ["Let the user of revq write the file and its folder.", ""]
    return ["Rights, to be given by the database's administrator:", "", *statements, ""]


async def _levels(
    wiki_id: str, rules: Sequence[ModelRule], views: str
) -> dict[str, tuple[Level, ...]]:
    """Return the levels in force by model; those that the models bring where there are no views."""
    shipped = {rule.model.name: rule.levels for rule in reversed(rules)}
    database = Database(views)
    try:
        if database.is_missing:
            return shipped
        found = dict[str, tuple[Level, ...]]()
        for rule in reversed(rules):
            named = NamedModel(rule.model.name, rule.model.version)
            live = LiveLevels(database, named, rule.levels)
            await live.refresh()
            found[named.name] = live.now.of(wiki_id)
    except StoreError:
        return shipped
    else:
        return found
    finally:
        await database.close()
