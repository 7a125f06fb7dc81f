"""A `[model]` block names a model: of this package, of a server, of another package."""

import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from revision_quality.errors import ModelError, SettingsError
from revision_quality.models.base import Prediction
from revision_quality.models.lift_wing import LiftWing
from revision_quality.models.registry import known_kinds, levels_of, open_model
from revision_quality.models.revert_risk import RevertRisk
from tests.models.make import ARTICLE, revision

DOCUMENT = Path(__file__).parents[2] / "docs" / "add-a-model.md"

Install = Callable[..., None]


@pytest.fixture
def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(500)))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a package of one module, as pip would lay it out."""
    monkeypatch.syspath_prepend(tmp_path)
    modules = set(sys.modules)

    def put(package: str, module: str, code: str, points: dict[str, str]) -> None:
        (tmp_path / f"{module}.py").write_text(code)
        info = tmp_path / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[revision_quality.models]", *lines]))

    yield put
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)[number]


async def test_the_documents_example_scores_edits(install, client):
    project, settings = tomllib.loads(block("toml", 0)), tomllib.loads(block("toml", 1))
    points = project["project"]["entry-points"]["revision_quality.models"]
    install(project["project"]["name"], "link_counter", block("python"), points)
    options = settings["model"]

    model = open_model(options.pop("kind"), options, client)

    assert (model.name, model.version) == ("link-counter", "1")
    plain, linked = revision(), revision(ARTICLE + "http://a.example http://b.example")
    assert await model.predict([plain, linked]) == [Prediction(0.0), Prediction(0.6)]
    assert "link_counter" in known_kinds()
    assert levels_of(model) == ()


def test_the_documents_lift_wing_block_opens_lift_wing(client):
    options = tomllib.loads(block("toml", 2))["model"]

    model = open_model(options.pop("kind"), options, client)

    assert isinstance(model, LiftWing)
    assert (model.name, model.version) == ("revertrisk-language-agnostic", "3")


def test_without_options_the_shipped_model_is_opened_with_its_levels(client):
    model = open_model("revert_risk", {}, client)

    assert isinstance(model, RevertRisk)
    assert levels_of(model) == model.levels


def test_an_access_token_comes_from_the_environment(client, monkeypatch):
    options = {"url": "http://lift.wing", "access_token_env": "TOKEN_OF_TEST"}
    with pytest.raises(SettingsError, match=r"model\.access_token_env: .* TOKEN_OF_TEST"):
        open_model("lift_wing", options, client)

    monkeypatch.setenv("TOKEN_OF_TEST", "secret")

    assert isinstance(open_model("lift_wing", options, client), LiftWing)


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("lift-wing", {}, r"no model 'lift-wing'; known are revert_risk, lift_wing"),
        ("lift_wing", {}, r"model: object missing required field `url`; known are url, name"),
        ("lift_wing", {"url": "lift.wing"}, r"model\.url: expected `str` matching"),
        ("lift_wing", {"url": "http://a", "batch": 21}, r"model\.batch: expected `int` <= 20"),
        ("lift_wing", {"url": "http://a", "urls": 1}, r"unknown field `urls`; known are"),
        ("lift_wing", {"url": "http://a", "version": "x" * 33}, r"model\.version: expected"),
        ("revert_risk", {"path": "x"}, r"unknown field `path`; known are file"),
    ],
)
def test_a_wrong_block_is_one_sentence_that_names_the_key(kind, options, sentence, client):
    with pytest.raises(SettingsError, match=sentence):
        open_model(kind, options, client)


MODEL = """
class Model:
    name, version = "m", "1"
    def __init__(self, depth: int = 1): ...
    async def predict(self, revisions): return []
"""


@pytest.mark.parametrize(
    ("code", "value", "options", "sentence"),
    [
        ("import no_such_module", "mine:Model", {}, "package mine .* No module named 'no_such_m"),
        ("def f(:", "mine:Model", {}, "package mine cannot be imported .* SyntaxError"),
        ("", "mine:Model", {}, "package mine cannot be imported .* no attribute 'Model'"),
        ("Model = 3", "mine:Model", {}, "package mine: mine:Model cannot be called"),
        (MODEL, "mine:Model", {"width": 2}, "does not take these options: .*'width'"),
        ("def f(): raise OSError('no file')", "mine:f", {}, "package mine .* no file"),
        (MODEL.replace('"1"', "1"), "mine:Model", {}, "package mine: its version is 1"),
        (MODEL.replace('"1"', '"x" * 33'), "mine:Model", {}, "1 to 32 characters"),
        (MODEL.replace('"m"', "None"), "mine:Model", {}, "its name is None"),
        (MODEL.replace("async ", ""), "mine:Model", {}, "no `async def predict`"),
    ],
)
def test_a_broken_model_of_a_package_names_the_package(
    *, code, value, options, sentence, install, client
):
    install("mine", "mine", code, {"my_kind": value})

    with pytest.raises((ModelError, SettingsError), match=sentence):
        open_model("my_kind", options, client)


def test_two_packages_with_one_kind_are_both_named(install, client):
    install("mine", "mine", MODEL, {"my_kind": "mine:Model"})
    install("yours", "yours", MODEL, {"my_kind": "yours:Model"})

    with pytest.raises(SettingsError, match="mine and yours both bring a model 'my_kind'"):
        open_model("my_kind", {}, client)
