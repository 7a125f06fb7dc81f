"""The lines of LocalSettings.php by which the extension ORES shows scores and fetches none."""

from collections.abc import Mapping, Sequence

from revision_quality.levels.level import Level
from revision_quality.ores_tables_block import RISK
from revision_quality.views.ores_policy import OresModel
from revision_quality.views.ores_tables import probability

_ENABLED_BY_DEFAULT = ("damaging", "goodfaith")
_GOOD = "likelygood"
_LEVELS = (_GOOD, "maybebad", "likelybad", "verylikelybad")
_RISK_LEVEL = "revertrisk"
_RISK_FROM = ("likelybad", "verylikelybad", "maybebad")
"""Which level is "Likely to be reverted": the first of these that the wiki has."""


def local_settings(models: Sequence[OresModel], levels: Mapping[str, Sequence[Level]]) -> str:
    """Return PHP for one wiki; `levels` are its levels by the model's own name.

    Nothing is fetched because the hook takes the models out of every job: the extension has no
    setting that shows a model and does not fetch it, and the hook is the same in all its releases.
    """
    names = [model.name for model in models]
    lines = ["$wgOresUiEnabled = true;"]
    for model in models:
        lines += _model_lines(model, levels.get(model.model_name, ()))
    others = [name for name in _ENABLED_BY_DEFAULT if name not in names]
    if others:
        lines.append("// Leave these out where Lift Wing scores this wiki.")
    lines += [f"$wgOresModels[{_php(name)}] = [ 'enabled' => false ];" for name in others]
    listed = ", ".join(map(_php, names))
    lines += [
        "// Their scores come from revq: no job fetches them.",
        "$wgHooks['ORESCheckModels'][] = static function ( $rc, &$models ) {",
        f"\t$models = array_values( array_diff( $models, [ {listed} ] ) );",
        "};",
    ]
    return "\n".join(lines)


def _model_lines(model: OresModel, levels: Sequence[Level]) -> list[str]:
    name = _php(model.name)
    bounds = _bounds(model.name, {level.name: level.threshold for level in levels})
    return [
        f"$wgOresModels[{name}] = [ 'enabled' => true ];",
        f"$wgOresModelVersions['models'][{name}] = [ 'version' => {_php(model.version)} ];",
        *(
            f"$wgOresFiltersThresholds[{name}][{_php(level)}] = {bound};"
            for level, bound in bounds.items()
        ),
    ]


def _bounds(name: str, thresholds: Mapping[str, float]) -> dict[str, str]:
    if name == RISK:
        found = next((level for level in _RISK_FROM if level in thresholds), None)
        return {_RISK_LEVEL: _bound(found or "", thresholds)}
    return {level: _bound(level, thresholds) for level in _LEVELS}


def _bound(level: str, thresholds: Mapping[str, float]) -> str:
    """Return the scores of a level, rounded as the scores in the table are."""
    if level not in thresholds:
        return "false"
    threshold = f"{probability(thresholds[level]):.3f}"
    if level == _GOOD:
        return f"[ 'min' => 0, 'max' => {threshold} ]"
    return f"[ 'min' => {threshold}, 'max' => 1 ]"


def _php(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
