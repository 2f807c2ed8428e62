"""Expected failures as sentences."""

import typer


def explained(error: Exception) -> bool:
    """Tell the person what is wrong and how to cure it; False for a defect of ours."""
    lines = _lines(error)
    for line in lines:
        typer.echo(line, err=True)
    return bool(lines)


def _lines(error: Exception) -> list[str]:
    from bot.config import SettingsError

    if isinstance(error, SettingsError):
        return [f"{name}: {text}" for name, text in error.problems]
    if isinstance(error, OSError) and error.filename is not None:
        return [f"{error.filename}: {error.strerror}"]

    from bot.carriers.rules import PacksRefused
    from bot.demo.host import DemoRefused
    from bot.services.files import FileRefused
    from bot.services.keeping import RuleRefused
    from bot.services.promo_files import PromoRefused
    from bot.services.stock import StockRefused
    from bot.store import StoreRefused

    if isinstance(error, FileRefused):
        lines = []
        for problem in error.problems:
            place = " ".join(part for part in (problem.row, problem.field) if part)
            start = f"{error.path}:{problem.line}"
            lines.append(
                f"{start}: {place}: {problem.text}" if place else f"{start}: {problem.text}"
            )
        return [*lines, "Nothing was changed."]
    if isinstance(error, StoreRefused):
        return [f"XUKA_DATABASE_URL: {error}"]
    if isinstance(error, PacksRefused):
        return error.problems
    return (
        [str(error)]
        if isinstance(error, DemoRefused | StockRefused | RuleRefused | PromoRefused)
        else []
    )
