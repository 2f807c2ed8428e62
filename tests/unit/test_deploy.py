"""deploy/: the settings' example is complete and true, and the files are what they must be."""

import configparser
import re
from pathlib import Path
from typing import get_origin

import pytest
import yaml
from pydantic import BaseModel

from bot import config
from bot.carriers import registry
from bot.domain.plans import Length
from bot.services.catalogue import read_plans
from bot.services.files import read_rows
from bot.services.stock import SimRow

DEPLOY = Path(__file__).parents[2] / "deploy"
EXAMPLE = (DEPLOY / "env.example").read_text("utf-8")
LINE = re.compile(r"^#?(XUKA_\w+)=(.*)$", re.MULTILINE)


def model_in(annotation: object) -> type[BaseModel] | None:
    """The section's model behind `Section` or `Section | None`; a list of models is JSON."""
    if get_origin(annotation) in (list, tuple, dict):
        return None
    choices = getattr(annotation, "__args__", (annotation,))
    models = [c for c in choices if isinstance(c, type) and issubclass(c, BaseModel)]
    return models[0] if models else None


def names(model: type[BaseModel], prefix: str = "XUKA_") -> set[str]:
    """Every setting's name in the environment."""
    found = set()
    for name, field in model.model_fields.items():
        section = model_in(field.annotation)
        key = prefix + name.upper()
        found |= names(section, key + "__") if section else {key}
    return found


def test_the_example_names_every_setting_and_no_other() -> None:
    written = [name for name, _ in LINE.findall(EXAMPLE)]
    assert sorted(written) == sorted(names(config.Settings))


def test_every_setting_is_explained() -> None:
    for paragraph in re.split(r"\n\s*\n", EXAMPLE):
        if LINE.search(paragraph):
            first = paragraph.splitlines()[0]
            assert first.startswith("# "), paragraph


def test_the_example_loads_once_a_token_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in names(config.Settings):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(EXAMPLE.replace("TOKEN=\n", "TOKEN=1:a\n", 1), "utf-8")
    bare = config.load()
    assert bare.bot_token.get_secret_value() == "1:a"
    assert bare.operator_ids == ()
    assert bare.webhook.url is None
    assert bare.esim_access is None


def test_the_examples_lines_say_the_defaults_or_something_usable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in names(config.Settings):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    every = re.sub(r"^#(?=XUKA_)", "", EXAMPLE, flags=re.MULTILINE)
    every = every.replace("XUKA_BOT_TOKEN=\n", "XUKA_BOT_TOKEN=1:a\n")
    names_of_secrets = "ACCESS_CODE|SECRET_KEY|API_KEY|CLIENT_\\w+|SECRET|PROVIDER_TOKEN|PID|KEY"
    secret = rf"WEBHOOK__SECRET|\w+__(?:{names_of_secrets})"
    every = re.sub(rf"^(XUKA_(?:{secret})=)$", r"\g<1>1_a", every, flags=re.MULTILINE)
    (tmp_path / ".env").write_text(every, "utf-8")
    full = config.load()
    default = config.Settings(bot_token=full.bot_token, _env_file=None)
    same = ("telegram_api_url", "database_url", "zone", "stars", "voucher", "listen_host",
            "listen_port", "log_format", "log_level")  # fmt: skip
    for name in same:
        assert getattr(full, name) == getattr(default, name), name
    assert full.shop.hotline == "+86 400 000 0000"
    assert len(full.shop.shops) == 2
    assert all(getattr(full, supplier) is not None for supplier in registry.ADAPTERS)


def test_compose_keeps_the_port_on_loopback_and_the_bot_small() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    bot = services["xuka"]
    assert all(port.startswith("127.0.0.1:") for port in bot["ports"])
    assert bot["cap_drop"] == ["ALL"]
    assert bot["read_only"] is True
    assert "ports" not in services["postgres"]
    assert services["postgres"]["profiles"] == ["postgres"]


def test_the_container_does_not_run_as_root() -> None:
    lines = (DEPLOY / "Containerfile").read_text("utf-8").splitlines()
    last_stage = max(number for number, line in enumerate(lines) if line.startswith("FROM"))
    users = [line.split()[1] for line in lines[last_stage:] if line.startswith("USER")]
    assert users
    assert users[-1].split(":")[0] not in ("0", "root")


def test_the_unit_starts_the_bot_as_its_own_user_and_always_again() -> None:
    unit = configparser.ConfigParser(strict=False)
    unit.read(DEPLOY / "xuka.service", "utf-8")
    service = unit["Service"]
    assert service["ExecStart"] == "/opt/xuka/bin/xuka run"
    assert service["User"] == "xuka"
    assert (service["Restart"], service["NoNewPrivileges"]) == ("always", "yes")
    assert (service["ProtectSystem"], service["StateDirectory"]) == ("strict", "xuka")


def test_the_example_plans_can_be_read() -> None:
    suppliers = {*registry.ADAPTERS, "manual"}
    plans = {plan.code: plan for plan in read_plans(DEPLOY / "plans.example.yaml", suppliers)}
    assert {plan.supplier for plan in plans.values()} == {"esim_access", "manual"}
    assert plans["smart-load"].length is Length.AMOUNT
    assert plans["uscard-30d-unlimited"].unlimited
    assert all(plan.max_cost for plan in plans.values() if plan.supplier == "esim_access")


def test_the_guides_sims_can_be_read(tmp_path: Path) -> None:
    guide = (DEPLOY / "README.md").read_text("utf-8")
    example = re.search(r"```csv\n(.*?)```", guide, re.DOTALL)
    assert example is not None
    (tmp_path / "sims.csv").write_text(example[1], "utf-8")
    rows = read_rows(tmp_path / "sims.csv", "sims", SimRow, ("label",))
    assert [row.value.supplier for row in rows] == ["esim_access"]
    header = example[1].splitlines()[0].split(",")
    assert [n for n in SimRow.model_fields if n not in header and f"`{n}`" not in guide] == []
