"""The greeting, the menu, the languages."""

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.i18n import NAMES, Html, Words


def _menu_rows(t: Words) -> list[list[Button]]:
    return [
        [button(t.plain("📶 My SIMs"), "sims"), button(t.plain("🔄 Renew"), "renew")],
        [button(t.plain("🧾 Orders"), "orders", 0), button(t.plain("🔔 Reminders"), "rem")],
        [button(t.plain("🌐 Language"), "lang"), button(t.plain("❓ Help"), "help")],
        [button(t.plain("💬 Support"), "support")],
    ]


def greeting(
    t: Words,
    name: str,
    shop: str,
    *,
    fresh: bool,
    operator: bool = False,
    renewing: int = 0,
    groups: bool = False,
) -> Screen:
    """The first words; while no language was chosen, the choice is one tap away. `renewing` SIMs
    renew by themselves; who runs `groups` may post offers there."""
    hello = t("Hello {name}.", name=name) if name else t("Hello.")
    text = lines(
        hello,
        t("This is {shop}. I show what is left on your SIMs, renew them, and write to you before "
          "one expires.", shop=shop),
        "",
        t("Tap <b>My SIMs</b> to begin, or send me the ICCID or number of a SIM."),
        t.n("🔁 Auto-renew is on for {n} SIM.", "🔁 Auto-renew is on for {n} SIMs.", renewing)
        if renewing
        else None,
        t("You run this shop: /queue shows what waits for you.") if operator else None,
    )  # fmt: skip
    rows = _menu_rows(t)
    if fresh:
        helping = [button(t.plain("❓ Help"), "help"), button(t.plain("💬 Support"), "support")]
        rows = [_language_row(), *rows[:2], helping]
    if groups:
        rows.append([button(t.plain("📣 My groups"), "groups")])
    return Screen(text, rows)


def menu(t: Words, shop: str) -> Screen:
    """The main menu."""
    return Screen(lines(t("<b>{shop}</b>", shop=shop), t("What can I do for you?")), _menu_rows(t))


def cancelled(t: Words, below: Html) -> Html:
    """Said above the menu after /cancel."""
    return lines(t("Stopped. Nothing was charged."), "", below)


def _language_row() -> list[Button]:
    return [button(label, "lang", code) for code, label in NAMES.items()]


def languages(t: Words) -> Screen:
    """Each language in its own words."""
    rows = grid(_language_row(), 1)
    return Screen(t("Which language shall I speak?"), [*rows, [button(t.plain("‹ Menu"), "menu")]])


def lost(t: Words) -> Screen:
    """An answer to what was not understood."""
    text = lines(
        t("I did not understand that."),
        t("Send me the ICCID or number of a SIM to add it, or tap what you need:"),
    )
    return Screen(text, _menu_rows(t))


def failed(t: Words, error_id: str) -> Screen:
    """Something broke on our side."""
    text = lines(
        t("Something went wrong on our side. You were not charged for this, and nothing was lost."),
        t("Please try again. If it happens again, send /support this code: <code>{id}</code>",
          id=error_id),
    )  # fmt: skip
    return Screen(text, [[button(t.plain("‹ Menu"), "menu")]])


def privately(t: Words) -> Html:
    """Said in a group, where nothing private is shown."""
    return t("I answer this in private. Tap the button to open our chat.")
