"""`xuka` as an operator types it: a real store, a Telegram and a supplier on loopback."""

import csv
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from bot import __version__
from bot.__main__ import main
from bot.carriers.registry import ADAPTERS
from bot.demo.host import free_port
from bot.domain.zones import day_end, zone
from bot.store.db import HEAD

TOKEN = "1:secret-token"
ICCID = "89852022000000000015"
PLANS = """\
plans:
  - {code: smart-50, carrier: Smart, name: Keep it, days: 365, price: 50 PHP}
  - {code: smart-any, carrier: Smart, name: Any, days: 365,
     amount: {min: 50 PHP, max: 1000 PHP, step: 50 PHP}}
"""


class _Answers(BaseHTTPRequestHandler):
    """Telegram and the supplier, as far as `xuka check` asks them."""

    webhook = ""

    def do_GET(self) -> None:
        if TOKEN not in self.path:
            self._say({"ok": False, "error_code": 401, "description": "Unauthorized"}, 401)
        elif self.path.endswith("/getMe"):
            self._say({"ok": True, "result": {"id": 1, "username": "xuka_bot"}})
        else:
            self._say({"ok": True, "result": {"url": self.webhook}})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/bot"):
            return self.do_GET()
        return self._say({"success": True, "errorCode": "0", "obj": {"balance": 1_234_500}})

    def _say(self, answer: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder and an environment without settings."""
    import os

    for name in list(os.environ):
        if name.startswith("XUKA_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shop(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Complete settings."""
    monkeypatch.setenv("XUKA_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("XUKA_TELEGRAM_API_URL", address)
    monkeypatch.setenv("XUKA_ESIM_ACCESS__ACCESS_CODE", "code")
    monkeypatch.setenv("XUKA_ESIM_ACCESS__SECRET_KEY", "key")
    monkeypatch.setenv("XUKA_ESIM_ACCESS__BASE_URL", address)


def xuka(*arguments: str) -> int:
    """The exit status of one command."""
    saved, sys.argv = sys.argv, ["xuka", *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        sys.argv = saved
    return 0


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


# ---- quick words ---------------------------------------------------------------------------


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert xuka("--version") == 0
    assert capsys.readouterr().out == f"xuka {__version__}\n"


def test_help_imports_nothing_heavy() -> None:
    heavy = {"telegram", "sqlalchemy", "pydantic", "httpx", "starlette", "phonenumbers", "yaml"}
    code = f"import sys, bot.__main__; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "command", ["run", "demo", "check", "carriers", "plans", "sims", "codes", "vouchers"]
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert xuka(command, "--help") == 0
    assert command in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", [("run",), ("codes", "new", "x"), ("vouchers", "new", "--count", "1")]
)
def test_a_missing_setting_names_itself_and_the_cure(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert xuka(*command) == 1
    said = capsys.readouterr()
    assert "XUKA_BOT_TOKEN: missing; get one from @BotFather" in said.err
    assert "Traceback" not in said.err


def test_a_wrong_setting_names_itself(
    shop: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XUKA_OPERATOR_IDS", "me")
    assert xuka("run") == 1
    assert "XUKA_OPERATOR_IDS" in capsys.readouterr().err
    monkeypatch.setenv("XUKA_OPERATOR_IDS", "")
    monkeypatch.setenv("XUKA_DATABASE_URL", "mysql://x/y")
    assert xuka("codes", "new", "x") == 1
    assert "XUKA_DATABASE_URL: mysql is not supported" in capsys.readouterr().err


# ---- check ---------------------------------------------------------------------------------


def test_the_offline_check_needs_no_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert xuka("check", "--offline") == 0
    said = capsys.readouterr().out
    for name in ("Python", "SQLite", "time zones", "languages", "migrations", "demo page"):
        assert name in said
    assert "XUKA_BOT_TOKEN" not in said


def test_a_check_without_settings_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert xuka("check") == 1
    said = capsys.readouterr().out
    assert "XUKA_BOT_TOKEN" in said
    assert "@BotFather" in said


def test_an_old_sqlite_is_named() -> None:
    from bot.cli.check import State, _sqlite

    assert _sqlite((3, 51, 2)).state is State.LOOK
    assert "3.51.3" in _sqlite((3, 51, 2)).text
    assert _sqlite((3, 51, 3)).state is State.OK


def test_missing_package_files_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.cli import check

    monkeypatch.setattr("bot.store.db.HEAD", "9999")
    [line] = [line for line in check.installed() if line.state is check.State.FAIL]
    assert line.name == "migrations"


def test_a_complete_shop_passes(
    shop: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XUKA_OPERATOR_IDS", "1004")
    assert xuka("check") == 0
    said = capsys.readouterr().out
    assert "@xuka_bot" in said
    assert "123.45 USD" in said
    assert "polling" in said
    assert "is not there yet" in said
    assert TOKEN not in said
    assert not Path("xuka.db").exists()


def test_the_check_opens_a_store_that_is_there(
    shop: None, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "plans.yaml").write_text(PLANS, "utf-8")
    assert xuka("plans", "apply", "plans.yaml") == 0
    assert xuka("check") == 0
    assert f"revision {HEAD}" in capsys.readouterr().out
    (desk / "xuka.db").write_bytes(b"something else" * 100)
    assert xuka("check") == 1


def test_a_refused_token_fails_and_is_not_shown(
    shop: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XUKA_BOT_TOKEN", "2:wrong-token")
    assert xuka("check") == 1
    said = capsys.readouterr().out
    assert "Unauthorized" in said
    assert "wrong-token" not in said


def test_what_can_not_be_reached_fails_by_name(
    shop: None, address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XUKA_TELEGRAM_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("XUKA_ESIM_ACCESS__BASE_URL", "http://127.0.0.1:9")
    assert xuka("check") == 1
    said = capsys.readouterr().out
    assert "is http://127.0.0.1:9 reachable" in said
    assert "esim_access" in said
    assert TOKEN not in said


@pytest.mark.parametrize(("secret", "status"), [("abc_DEF-1", 0), ("no spaces!", 1)])
def test_the_webhooks_secret_is_checked(
    shop: None, monkeypatch: pytest.MonkeyPatch, secret: str, status: int
) -> None:
    monkeypatch.setenv("XUKA_WEBHOOK__URL", "https://bot.example/telegram")
    monkeypatch.setenv("XUKA_WEBHOOK__SECRET", secret)
    assert xuka("check") == status


# ---- what is sold --------------------------------------------------------------------------


def test_a_plan_file_is_checked_then_applied(
    shop: None, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = desk / "plans.yaml"
    file.write_text(PLANS, "utf-8")
    assert xuka("plans", "check", "plans.yaml") == 0
    assert "+ smart-50: new, 50.00 PHP" in capsys.readouterr().out
    assert xuka("plans", "check", "plans.yaml") == 0
    assert "2 new" in capsys.readouterr().out
    assert xuka("plans", "apply", "plans.yaml") == 0
    assert xuka("plans", "check", "plans.yaml") == 0
    assert capsys.readouterr().out.endswith("Nothing changes.\n")
    file.write_text(PLANS.replace("50 PHP}", "55 PHP}", 1).rsplit("  - {code: smart-any")[0])
    assert xuka("plans", "apply", "plans.yaml") == 0
    said = capsys.readouterr().out
    assert "~ smart-50: price 50.00 PHP → 55.00 PHP" in said
    assert "- smart-any: switched off" in said


def test_a_wrong_plan_file_names_line_plan_and_field(
    shop: None, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "plans.yaml").write_text(PLANS.replace("50 PHP}", "fifty}", 1), "utf-8")
    assert xuka("plans", "apply", "plans.yaml") == 1
    assert "plans.yaml:2: smart-50 price: write an amount" in capsys.readouterr().err
    assert not Path("xuka.db").exists()


def test_a_file_that_is_not_there(shop: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert xuka("plans", "check", "none.yaml") == 2
    assert "none.yaml" in capsys.readouterr().err


def test_sims_codes_and_vouchers_are_printed_once_as_a_table(
    shop: None, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "sims.csv").write_text(
        f"iccid,supplier,supplier_ref,carrier\n{ICCID},esim_access,T1,boom eSIM\n", "utf-8"
    )
    assert xuka("sims", "import", "sims.csv") == 0
    [first] = table(capsys.readouterr().out)
    assert (first["iccid"], first["carrier"]) == (ICCID, "boom eSIM")
    assert xuka("sims", "import", "sims.csv") == 0
    again = capsys.readouterr()
    assert (again.out, "1 were there before" in again.err) == ("", True)
    assert xuka("codes", "new", first["sim"], "--iccid", ICCID) == 0
    codes = [row["code"] for row in table(capsys.readouterr().out)]
    assert len({*codes, first["code"]}) == 3
    assert xuka("codes", "new", "nothing") == 1
    assert "nothing is no SIM of this shop's stock" in capsys.readouterr().err
    assert xuka("codes", "new") == 2

    (desk / "plans.yaml").write_text(PLANS, "utf-8")
    assert xuka("plans", "apply", "plans.yaml") == 0
    capsys.readouterr()
    assert xuka("vouchers", "new", "--count", "2", "--plan", "smart-50", "--batch", "may") == 0
    rows = table(capsys.readouterr().out)
    assert [(row["value"], row["plan"], row["batch"]) for row in rows] == [
        ("50.00 PHP", "smart-50", "may")
    ] * 2
    assert rows[0]["code"] != rows[1]["code"]


def test_a_voucher_ends_with_its_last_day_in_the_shops_zone(
    shop: None, monkeypatch: pytest.MonkeyPatch, desk: Path
) -> None:
    import asyncio
    from datetime import date, datetime

    from bot.store import Database

    monkeypatch.setenv("XUKA_ZONE", "Asia/Manila")
    command = ("vouchers", "new", "--count", "1", "--value", "100 PHP")
    assert xuka(*command, "--expires", "2099-12-31") == 0

    async def stored() -> datetime | None:
        from sqlalchemy import select

        from bot.store.tables import vouchers

        url = f"sqlite:///{desk / 'xuka.db'}"
        database = await Database.open(url, keys=[TOKEN.encode()])
        try:
            async with database._reader.connect() as conn:
                found: datetime | None = await conn.scalar(select(vouchers.c.expires_at))
                return found
        finally:
            await database.close()

    assert asyncio.run(stored()) == day_end(date(2099, 12, 31), zone("Asia/Manila"))
    assert xuka(*command, "--expires", "soon") == 2
    assert xuka(*command, "--expires", "2020-01-01") == 1
    assert xuka("vouchers", "new", "--count", "1", "--value", "100") == 2
    assert xuka("vouchers", "new", "--count", "1") == 1


def test_a_database_says_when_its_key_is_gone_and_takes_one_that_is_set_later(
    shop: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("vouchers", "new", "--count", "1", "--value", "100 PHP")
    assert xuka(*command) == 0  # the audit log has a sealed subject now
    xuka("check")
    assert "data key" in capsys.readouterr().out
    monkeypatch.setenv("XUKA_BOT_TOKEN", "2:another-token")
    assert xuka(*command) == 1
    assert "put the bot token that you had before into" in capsys.readouterr().err
    monkeypatch.setenv("XUKA_SECRET_KEY", TOKEN)
    monkeypatch.setenv("XUKA_DATA_KEY", "5c" * 32)
    assert xuka(*command) == 0
    monkeypatch.delenv("XUKA_SECRET_KEY")
    assert xuka(*command) == 0  # it needs the older ones no more


def test_the_demos_plan_file_is_a_good_example() -> None:
    from importlib.resources import files

    from bot.services.catalogue import read_plans

    path = Path(str(files("bot.demo") / "plans.yaml"))
    assert len(read_plans(path, {*ADAPTERS, "manual"})) > 10


# ---- mistakes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("XUKA_BOT_TOKEN", "my token", "not a token: one is like"),
        ("XUKA_BOT_TOKEN", "2:wrong-token", "Telegram refuses it; copy it again"),
        ("XUKA_TELEGRAM_API_URL", "api.telegram.org", "not an address"),
        ("XUKA_ZONE", "Asia/Shangai", "not a time zone"),
        ("XUKA_DATA_KEY", "c2hvcnQ=", "32 or more random bytes"),
        ("XUKA_DATA_KEY", "a key in words, 32 bytes or longer", "32 or more random bytes"),
        ("XUKA_LISTEN_PORT", "99999", "less than or equal to 65535"),
        ("XUKA_LISTEN_HOST", "203.0.113.5", "no address of this machine"),
        ("XUKA_WEBHOOK__URL", "http://bot.example/telegram", "https:// addresses only"),
        ("XUKA_STARS__RATES", "USD=77", "JSON in single quotes"),
        ("XUKA_STARS__RATES", '{"USD": -5}', "Stars above 0"),
        ("XUKA_SHOP__SHOPS", "1 Example Road", "JSON in single quotes"),
        ("XUKA_RELOADLY", "key", "with two underscores: XUKA_RELOADLY__…"),
        ("XUKA_DATABASE_URL", "sqlite:////no/such/folder/xuka.db", "its folder has to exist"),
        ("XUKA_DATABASE_URL", "postgresql://xuka@host:port/xuka", "not a database URL"),
        ("XUKA_DEMO_CLOCK_URL", "http://127.0.0.1:9/clock", "the demo does not answer"),
    ],
)
def test_a_mistake_ends_the_start_with_its_name_and_the_cure(
    shop: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv("XUKA_LISTEN_PORT", str(free_port()))
    monkeypatch.setenv(name, value)
    assert xuka("run") == 1
    err = capsys.readouterr().err
    assert name in err
    assert said in err
    assert "Traceback" not in err


def test_a_port_in_use_is_named(
    shop: None, address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = address.rsplit(":", 1)[1]
    monkeypatch.setenv("XUKA_LISTEN_PORT", port)
    assert xuka("run") == 1
    assert f"XUKA_LISTEN_PORT: port {port} is in use" in capsys.readouterr().err
    assert xuka("demo", "--no-browser", "--port", port) == 1
    assert "choose another with --port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "not a token"), (b"\xff\xfe", "is not a text file"), (None, "No such file")],
)
def test_a_token_file_that_holds_none_is_named(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    content: bytes | None, said: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("XUKA_BOT_TOKEN_FILE", "token")
    if content is not None:
        (desk / "token").write_bytes(content)
    assert xuka("run") == 1
    assert said in capsys.readouterr().err


def test_a_misspelt_setting_is_named_by_the_check(
    shop: None, desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XUKA_OPERATORS_IDS", "1004")
    (desk / ".env").write_text("\ufeffXUKA_SHOP__NAEM=Shop\n", "utf-8")
    assert xuka("check") == 0
    said = capsys.readouterr().out
    assert "is XUKA_OPERATOR_IDS meant?" in said
    assert "is XUKA_SHOP__NAME meant?" in said


def test_vouchers_are_printed_as_a_sheet_to_cut(
    shop: None, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "plans.yaml").write_text(PLANS, "utf-8")
    assert xuka("plans", "apply", "plans.yaml") == 0
    capsys.readouterr()
    new = ("vouchers", "new", "--count", "3", "--plan", "smart-50", "--sheet", "cut.html")
    assert xuka(*new, "--bot", "@xuka_bot", "--expires", "2099-12-31") == 0
    told = capsys.readouterr()
    assert "open cut.html in a browser" in told.err
    page = (desk / "cut.html").read_text("utf-8")
    for row in table(told.out):
        assert page.count(f'<p class="code">{row["code"]}</p>') == 1
    assert page.count("<svg") == page.count("<article>") == 3
    assert page.count("50.00 PHP") == 3
    assert "Telegram @xuka_bot" in page
    assert "Valid until 2099-12-31" in page
    assert "src=" not in page, "one file that needs nothing else"
    assert (desk / "cut.html").stat().st_mode & 0o077 == 0, "the codes are money"
    assert xuka(*new) == 2, "no sheet is written over"
    assert (desk / "cut.html").read_text("utf-8") == page
    assert xuka(*new[:-1], "nowhere/cut.html") == 2
    assert capsys.readouterr().out == "", "nothing was made that nobody could read"


def test_what_a_sheet_says_is_escaped() -> None:
    from bot.cli.sheets import Card, sheet
    from bot.domain.money import Money

    page = sheet([Card("XV7F", Money(5000, "PHP"), "<b>5 & 6</b>")], "A<script>", None, None)
    assert "<script>" not in page
    assert "&lt;b&gt;5 &amp; 6&lt;/b&gt;" in page
