"""What is said in groups, and to their admins about them. In a group: nothing of any customer."""

from collections.abc import Sequence
from datetime import datetime

from bot.chat.screen import Button, Rows, Screen, button, grid, lines
from bot.chat.views.zones import zone_label, zone_name
from bot.domain.groups import Approval, Group, Standing
from bot.i18n import N_, NAMES, Html, Words

CHANNEL = "channel"
_PAGE = 10
"""Of a person's groups on one page."""

# ---- in the group ------------------------------------------------------------------------


def _chat(t: Words, link: str) -> Rows:
    return [[Button(t.plain("Open our chat"), url=link)]]


def greeting(t: Words, shop: str) -> Screen:
    """Once, when the bot comes into a group."""
    text = lines(
        t("Hello. I am {shop}: I show what is left on prepaid SIMs and renew them, in private.",
          shop=shop),
        t("Admins: send /promo to post an offer of our shop here. I post nothing by myself, and "
          "nobody's SIM, number or order ever appears in a group."),
    )  # fmt: skip
    return Screen(text)


def about(t: Words, shop: str, link: str) -> Screen:
    """An answer to /help in a group."""
    text = lines(
        t("I am {shop}: I show what is left on prepaid SIMs and renew them, in private.",
          shop=shop),
        t("Admins of this group: /promo posts an offer here."),
    )  # fmt: skip
    return Screen(text, _chat(t, link))


def privately(t: Words, link: str) -> Screen:
    """To somebody to whom the bot can't write."""
    return Screen(t("I answer this in private. Tap the button to open our chat."), _chat(t, link))


def written_privately(t: Words, link: str) -> Screen:
    """To somebody who has the answer in the private chat now."""
    return Screen(t("I have written to you privately."), _chat(t, link))


def admins_only(t: Words, link: str) -> Screen:
    """To a member who tries /promo."""
    text = t("Only admins of this group can post offers here. To renew a SIM, open our chat.")
    return Screen(text, _chat(t, link))


def not_known_now(t: Words) -> Screen:
    """Telegram can't be asked who is an admin."""
    return Screen(t("Telegram does not tell me right now who is an admin here. "
                    "Please try again in a minute."))  # fmt: skip


def choose_privately(t: Words, link: str) -> Screen:
    """To an admin: the way to the private chat."""
    text = t("Choose the offer and see its preview in our private chat; it is for admins only.")
    return Screen(text, [[Button(t.plain("Choose an offer"), url=link)]])


def not_here(t: Words) -> str:
    """A tap on one of our buttons that got into a group."""
    return t.plain("This works in our private chat only. Please open it and tap there.")


# ---- in private: whose groups ------------------------------------------------------------


def mine(
    t: Words, groups: Sequence[Group], add_link: str, *, operator: bool = False, page: int = 0
) -> Screen:
    """The groups of an admin, and how to add one; the shop's people have a list of all."""
    add = [
        Button(t.plain("Add me to a group"), url=f"{add_link}?startgroup=new"),
        Button(t.plain("Add me to a channel"), url=f"{add_link}?startchannel=new"),
    ]
    desk = [[button(t.plain("All groups of the shop"), "gdesk", 0)]] if operator else []
    below = [add, *desk, [button(t.plain("‹ Menu"), "menu")]]
    if not groups:
        text = lines(
            t("<b>My groups</b>"),
            "",
            t("Post our shop's offers in groups and channels where you are an admin, and earn "
              "from what they sell."),
            "",
            t("1. Add me to the group; to a channel, as an admin who may post."),
            t("2. Send /promo there. I answer with a button that leads back here."),
        )  # fmt: skip
        return Screen(text, below)
    shown = groups[page * _PAGE : (page + 1) * _PAGE]
    text = lines(
        t("<b>My groups</b>"),
        "",
        *(group_line(t, group) for group in shown),
        "",
        t("Which one is it about? If one is missing, send /promo there."),
    )
    rows = [[button(_label(group), "group", group.id)] for group in shown]
    turn = [button(t.plain("‹ Back"), "gmine", page - 1)] if page else []
    if len(groups) > (page + 1) * _PAGE:
        turn.append(button(t.plain("More ›"), "gmine", page + 1))
    return Screen(text, [*rows, *([turn] if turn else []), *below])


def _label(group: Group) -> str:
    return f"{'📢' if group.kind == CHANNEL else '👥'} {group.title}"


def group_line(t: Words, group: Group) -> Html:
    """A group and why it can't post, if it can't."""
    return t("{name} · {state}", name=_label(group), state=state_of(t, group))


def state_of(t: Words, group: Group) -> Html:
    """Whether it can post; else what it waits for."""
    if group.approval is Approval.BANNED:
        return t("closed by our shop")
    if group.standing is Standing.OUT:
        return t("I am not in it any more")
    if group.approval is Approval.WAITING:
        return t("waits for our shop's yes")
    if not group.can_post:
        return t("I may not write there")
    return t("can post")


def home(t: Words, group: Group, going_on: int, note: Html | None = None) -> Screen:
    """One group: what its admin can do. `going_on` postings are planned or out."""
    text = lines(
        note,
        "" if note else None,
        t("<b>{name}</b>", name=_label(group)),
        cannot(t, group) or t("Ready: choose an offer, see its preview, post it."),
        "",
        t("Texts of the group: {language}. Times: {zone}.",
          language=NAMES[group.language], zone=zone_name(t, group.zone)),
    )  # fmt: skip
    rows = [[button(t.plain("📣 Post an offer"), "gpost", group.id)]] if group.sells else []
    rows += [
        [button(t.plain("Planned and posted ({n})", n=going_on), "gposts", group.id, 0)],
        [button(t.plain("📈 Numbers"), "gcounts", group.id),
         button(t.plain("⚙️ Settings"), "gset", group.id)],
        [button(t.plain("‹ My groups"), "groups"), button(t.plain("‹ Menu"), "menu")],
    ]  # fmt: skip
    return Screen(text, rows)


def cannot(t: Words, group: Group) -> Html | None:
    """Why a group can't post, and what to do; None when it can."""
    if group.approval is Approval.BANNED:
        return t("Our shop has closed this group for offers. Write to /support if that is wrong.")
    if group.standing is Standing.OUT:
        return t("I am not in this group any more. Add me again, then send /promo there.")
    if group.approval is Approval.WAITING:
        return t("Our shop decides which groups post its offers. It has been asked; I write to "
                 "you when it has answered.")  # fmt: skip
    if not group.can_post:
        return t("I may not write there. Give me the right to post messages, then try again.")
    return None


def not_admin(t: Words) -> Screen:
    """To somebody who is no admin of that group."""
    text = t("Telegram does not name you among the admins of this group, so I can't post there "
             "for you. Ask its owner, then try again.")  # fmt: skip
    rows = [[button(t.plain("My groups"), "groups"), button(t.plain("‹ Menu"), "menu")]]
    return Screen(text, rows)


def unknown(t: Words) -> Screen:
    """A link or a button names no group."""
    text = t("I don't know this group any more. Send /promo there, and I answer with a new button.")
    return Screen(text, [[button(t.plain("My groups"), "groups")]])


def away(t: Words, again: Button) -> Screen:
    """Telegram can't be asked for rights."""
    text = t("Telegram does not tell me right now who is an admin there. Please try again soon.")
    return Screen(text, [[again], [button(t.plain("My groups"), "groups")]])


# ---- in private: settings ----------------------------------------------------------------


def settings(t: Words, group: Group, now: datetime, note: Html | None = None) -> Screen:
    """How the bot speaks in a group, and by which clock its posts are planned."""
    text = lines(
        note,
        "" if note else None,
        t("<b>{name}</b>", name=_label(group)),
        t("Language offered first: {language}", language=NAMES[group.language]),
        t("Its clock: {zone}", zone=zone_label(t, group.zone, now)),
    )
    languages = [
        button(("✓ " if code == group.language else "") + label, "glang", group.id, code)
        for code, label in NAMES.items()
    ]
    rows = [
        *grid(languages, 3),
        [button(t.plain("Change the clock"), "gzone", group.id)],
        [button(t.plain("‹ {name}", name=group.title), "group", group.id)],
    ]
    return Screen(text, rows)


def ask_zone(
    t: Words, group: Group, zones: Sequence[str], now: datetime, problem: Html | None = None
) -> Screen:
    """By which city's clock the group lives."""
    text = lines(
        problem,
        "" if problem else None,
        t("By which clock does this group live? Tap a city, or write one."),
    )
    rows = grid([button(zone_label(t, zone, now), "gzn", group.id, zone) for zone in zones], 2)
    return Screen(text, [*rows, [button(t.plain("‹ Back"), "gset", group.id)]])


def no_such_city(t: Words) -> Html:
    """A written city is not known."""
    return t("I don't know that city. Please write a larger one nearby, or an offset: UTC+8.")


# ---- news, in private --------------------------------------------------------------------

_NEWS = {
    "allowed": N_("✅ Our shop has allowed {name} to post its offers. Choose one:"),
    "banned": N_("Our shop has closed {name} for offers. Write to /support if that is wrong."),
    "waiting": N_(
        "Our shop looks at {name} again: what was posted there has ended, what is "
        "planned waits. I write to you when it has decided."
    ),
    "hello": N_("Thank you for adding me to {name}."),
}


def told(t: Words, group: Group, step: str) -> Screen | None:
    """News of a group for its admin; None for news that is outdated."""
    text = _NEWS.get(step)
    if text is None or (step != "hello" and step != group.approval.value):
        return None
    open_ = button(t.plain("Post an offer"), "gpost", group.id)
    rows = [[open_]] if group.sells else [[button(t.plain("My groups"), "groups")]]
    more = cannot(t, group) if step == "hello" else None
    return Screen(lines(t(text, name=t("<b>{name}</b>", name=group.title)), more), rows)
