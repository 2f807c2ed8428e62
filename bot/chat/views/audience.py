"""A broadcast while it is written: whom it is for, its texts, its picture."""

from collections.abc import Callable, Mapping, Sequence
from zlib import crc32

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.domain.broadcasts import Broadcast, Segment, longest
from bot.domain.chats import LANGUAGES
from bot.domain.groups import Group
from bot.domain.money import Money
from bot.i18n import N_, NAMES, Html, Words

SPEAKERS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "zh": ("zh_Hans", "zh_Hant"),
    **{language: (language,) for language in LANGUAGES},
}
"""Choices of languages by what their button carries."""
ENDS: Mapping[str, tuple[int, int] | None] = {
    "all": None, "past": (-30, 0), "3": (0, 3), "7": (0, 7), "30": (0, 30), "later": (30, 3660),
}  # fmt: skip
IDLE = (30, 60, 90, 180)
BOUGHT: Mapping[str, bool | None] = {"all": None, "no": False, "yes": True}
_ENDS = {
    "past": N_("ended in the last 30 days"),
    "3": N_("ends within 3 days"),
    "7": N_("ends within 7 days"),
    "30": N_("ends within 30 days"),
    "later": N_("ends later than in 30 days"),
}
_MOST_GROUPS = 60
"""The newest ones to choose from: Telegram takes a hundred buttons."""


def people(t: Words, count: int) -> Html:
    """So many people."""
    return t.n("{n} person", "{n} people", count)


def carrier_key(carrier: str) -> str:
    """What a button carries of a carrier's name, which may be long."""
    return f"{crc32(carrier.encode()):08x}"


def whom(t: Words, segment: Segment, group: Group | None) -> list[Html]:
    """A segment in words, one line for each thing that narrows it."""
    found = []
    if segment.languages:
        names = t.join(NAMES[language] for language in segment.languages)
        found.append(t("• Language: {names}", names=names))
    if segment.carriers:
        found.append(t("• SIM of {names}", names=t.join(segment.carriers)))
    if segment.ends is not None:
        said = next((text for key, text in _ENDS.items() if ENDS[key] == segment.ends), None)
        found.append(t("• SIM {ends}", ends=t(said) if said else ""))
    if segment.bought is not None:
        found.append(t("• Have bought before") if segment.bought else t("• Never bought"))
    if segment.spent_least is not None:
        found.append(t("• Spent {amount} or more", amount=t.money(segment.spent_least)))
    if segment.spent_most is not None:
        found.append(t("• Spent {amount} or less", amount=t.money(segment.spent_most)))
    if segment.idle_days is not None:
        found.append(_idle(t, segment.idle_days))
    if segment.group_id is not None:
        found.append(t("• Came from {group}", group=group.title if group else "—"))
    return found or [t("• Everybody")]


def _idle(t: Words, days: int) -> Html:
    return t.n("• Paid for nothing for {n} day", "• Paid for nothing for {n} days", days)


def hub(
    t: Words, one: Broadcast, count: int, group: Group | None, note: Html | None = None
) -> Screen:
    """The draft: everything of it, and the buttons to change it."""
    texts = [NAMES[language] for language in LANGUAGES if one.texts.get(language)]
    text = lines(
        note,
        "" if note else None,
        t("<b>News to many customers</b>"),
        "",
        t("For {people}:", people=people(t, count)),
        *whom(t, one.segment, group),
        "",
        t("Text: {names}", names=t.join(texts)) if texts else t("Text: none yet"),
        t("Picture: yes") if one.photo else t("Picture: no"),
        t("Button below: Renew") if one.renew else t("Button below: none"),
    )
    written = [
        button(("✓ " if one.texts.get(language) else "") + name, "bctext", one.id, language)
        for language, name in NAMES.items()
    ]
    shown = t.plain("No button") if one.renew else t.plain("Button: Renew")
    rows = [
        [button(t.plain("👥 Who gets it"), "bcwhom", one.id)],
        written,
        [button(t.plain("🖼 Picture"), "bcpic", one.id),
         button(shown, "bcbtn", one.id, int(not one.renew))],
        [button(t.plain("👁 Preview and send"), "bcprev", one.id)],
        [button(t.plain("🗑 Throw away"), "bcdrop", one.id),
         button(t.plain("‹ All news"), "bclist")],
    ]  # fmt: skip
    return Screen(text, rows)


def segment(t: Words, one: Broadcast, count: int, group: Group | None) -> Screen:
    """Whom it is for, with what can narrow it."""
    text = lines(
        t("<b>Who is it for?</b>"),
        *whom(t, one.segment, group),
        "",
        t("Now: {people}. All that you choose has to hold together.", people=people(t, count)),
    )
    kinds = (
        ("lang", t.plain("Language")), ("car", t.plain("Carrier")), ("ends", t.plain("Expiry")),
        ("paid", t.plain("Spent")), ("idle", t.plain("Inactive")), ("grp", t.plain("From a group")),
    )  # fmt: skip
    rows = grid([button(label, "bcask", one.id, kind) for kind, label in kinds], 3)
    rows.append([button(t.plain("Everybody"), "bcall", one.id)])
    return Screen(text, [*rows, [button(t.plain("‹ Back"), "bc", one.id)]])


def ask(
    t: Words, one: Broadcast, kind: str, carriers: Sequence[str], groups: Sequence[Group]
) -> Screen:
    """One thing that can narrow it; what holds now is ticked."""
    question, choices = _CHOICES[kind](t, one.segment, carriers, groups)
    rows: list[list[Button]] = [
        [button(("✓ " if held else "") + label, "bcset", one.id, kind, value)]
        for label, value, held in choices
    ]
    if kind == "paid":
        rows.append([button(t.plain("At least …"), "bcspent", one.id, "least"),
                     button(t.plain("At most …"), "bcspent", one.id, "most")])  # fmt: skip
    return Screen(question, [*rows, [button(t.plain("‹ Back"), "bcwhom", one.id)]])


Choices = tuple[Html, list[tuple[str, str, bool]]]
"""A question; labels, what their buttons carry, and whether that holds now."""


def _languages(t: Words, now: Segment, *_: object) -> Choices:
    names = {**NAMES, "all": t.plain("All languages"), "zh": f"{NAMES['zh_Hans']} + 繁體"}
    found = [(names[key], key, held == now.languages) for key, held in SPEAKERS.items()]
    return t("Who reads the bot in which language?"), found


def _carriers(t: Words, now: Segment, carriers: Sequence[str], *_: object) -> Choices:
    found = [(t.plain("All carriers"), "all", not now.carriers)]
    found += [(name, carrier_key(name), name in now.carriers) for name in carriers]
    return t("Who has a SIM of which carrier? Several may be ticked."), found


def _ends(t: Words, now: Segment, *_: object) -> Choices:
    names = {"all": N_("any time"), **_ENDS}
    found = [(t.plain(names[key]), key, held == now.ends) for key, held in ENDS.items()]
    return t("Who has a SIM that …"), found


def _bought(t: Words, now: Segment, *_: object) -> Choices:
    names = {"all": N_("Anybody"), "no": N_("Never bought"), "yes": N_("Have bought before")}
    free = now.spent_least is None and now.spent_most is None
    found = [
        (t.plain(names[key]), key, held is now.bought and (free or key != "all"))
        for key, held in BOUGHT.items()
    ]
    return t("What have they spent here, refunds left out?"), found


def _inactive(t: Words, now: Segment, *_: object) -> Choices:
    found = [(t.plain("Anybody"), "all", now.idle_days is None)]
    found += [
        (str(t.n("{n} day", "{n} days", days)), str(days), now.idle_days == days) for days in IDLE
    ]
    return t("Who has paid for nothing for …"), found


def _groups(t: Words, now: Segment, carriers: Sequence[str], groups: Sequence[Group]) -> Choices:
    found = [(t.plain("Anybody"), "all", now.group_id is None)]
    newest = list(reversed(groups))[:_MOST_GROUPS]
    found += [(group.title, group.id, group.id == now.group_id) for group in newest]
    return t("Who came from a post in which group?"), found


_CHOICES: Mapping[str, Callable[..., Choices]] = {
    "lang": _languages, "car": _carriers, "ends": _ends, "paid": _bought, "idle": _inactive,
    "grp": _groups,
}  # fmt: skip


def ask_spent(t: Words, one: Broadcast, which: str, example: Money, problem: bool) -> Screen:
    """An amount to compare with what they have spent."""
    question = (
        t("How much did they spend at least? For example <code>{amount}</code>.",
          amount=_typed(example))
        if which == "least"
        else t("How much did they spend at most? For example <code>{amount}</code>.",
               amount=_typed(example))
    )  # fmt: skip
    wrong = t("I can't read that as an amount with a currency we sell in.") if problem else None
    return Screen(
        lines(wrong, "" if wrong else None, question),
        [[button(t.plain("‹ Back"), "bcask", one.id, "paid")]],
    )


def _typed(money: Money) -> str:
    return f"{money.major.normalize():f} {money.currency}"


# ---- texts and picture ---------------------------------------------------------------------


def ask_text(t: Words, one: Broadcast, language: str, problem: Html | None = None) -> Screen:
    """The text in one language."""
    said = one.texts.get(language)
    text = lines(
        problem,
        "" if problem else None,
        t("Send me the text in <b>{language}</b>, up to {n} characters. Bold, links and the like "
          "stay as you write them.", language=NAMES[language], n=t.number(longest(one))),
        *(("", t("Now it is:"), Html(said)) if said else ()),
    )  # fmt: skip
    rows = (
        [[button(t.plain("Leave this language out"), "bctextno", one.id, language)]] if said else []
    )
    return Screen(text, [*rows, [button(t.plain("‹ Back"), "bc", one.id)]])


def text_too_long(t: Words, one: Broadcast, count: int) -> Html:
    """It does not fit."""
    return t("That is {n} characters; {most} fit. Please send a shorter one.",
             n=t.number(count), most=t.number(longest(one)))  # fmt: skip


def ask_picture(t: Words, one: Broadcast, problem: Html | None = None) -> Screen:
    """The picture above the text."""
    text = lines(
        problem,
        "" if problem else None,
        t("Send me the picture as a photo. Texts under it may have 1,000 characters."),
    )
    rows = [[button(t.plain("No picture"), "bcpicno", one.id)]] if one.photo else []
    return Screen(text, [*rows, [button(t.plain("‹ Back"), "bc", one.id)]])


def no_photo(t: Words) -> Html:
    """It was something else."""
    return t("That is no photo. Send it as a picture, not as a file.")
