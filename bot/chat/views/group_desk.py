"""What operators read of groups: who may post, what came of it, what is to be paid out (F42)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views.group_posts import counts_line
from bot.chat.views.groups import CHANNEL, state_of
from bot.chat.views.posting import named
from bot.chat.views.zones import zone_name
from bot.domain.campaigns import Campaign, PostCounts
from bot.domain.chats import Chat
from bot.domain.groups import Account, Approval, Group
from bot.domain.money import Money
from bot.i18n import N_, NAMES, Html, Words
from bot.services.payouts import How, Paid

PAGE = 10
"""Groups on one page."""
_MARKS = {Approval.WAITING: "❔", Approval.ALLOWED: "🟢", Approval.BANNED: "⛔"}
_STEPS = {
    Approval.ALLOWED: N_("✅ Allow it to post"),
    Approval.BANNED: N_("⛔ Ban it"),
    Approval.WAITING: N_("Take the permission back"),
}
_DONE = {
    Approval.ALLOWED: N_("✓ It may post; its admin hears of it."),
    Approval.BANNED: N_("✓ Banned: nothing is posted there any more, and what is out ends."),
    Approval.WAITING: N_("✓ It may not post for now: what is out ends, what is planned is held."),
}
_HOW = {
    How.WALLET: N_("Pay out to the wallet: {what}"),
    How.POINTS: N_("Pay out as points: {what}"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """A group as an operator sees it."""

    group: Group
    adder: Chat | None
    counts: PostCounts
    posts: int
    going_on: int
    campaigns: Sequence[Campaign]
    accounts: Sequence[tuple[Account, Chat | None]]
    """What is not paid out, with whose it is."""


def all_of(t: Words, groups: Sequence[Group], page: int, now: datetime) -> Screen:
    """Every group, those that wait for a decision first."""
    below = [button(t.plain("My groups"), "groups"), button(t.plain("‹ Menu"), "menu")]
    if not groups:
        text = lines(t("<b>Groups and channels</b>"), "", t("Nobody has added me to a group yet."))
        return Screen(text, [below])
    shown = groups[page * PAGE : (page + 1) * PAGE]
    waiting = sum(one.approval is Approval.WAITING for one in groups)
    text = lines(
        t("<b>Groups and channels</b>"),
        t.n("{n} waits for your decision.", "{n} wait for your decision.", waiting)
        if waiting
        else None,
        "",
        *(t("{mark} {name} · {state}", mark=_MARKS[one.approval], name=one.title,
            state=state_of(t, one)) for one in shown),
    )  # fmt: skip
    rows = [[button(f"{_MARKS[one.approval]} {one.title}", "gd", one.id)] for one in shown]
    turn = [button(t.plain("‹ Back"), "gdesk", page - 1)] if page else []
    if len(groups) > (page + 1) * PAGE:
        turn.append(button(t.plain("More ›"), "gdesk", page + 1))
    return Screen(text, [*rows, *([turn] if turn else []), below])


def asked(t: Words, group: Group, adder: Chat | None) -> Screen:
    """A note: a group is new, and waits for a decision."""
    kind = t("channel") if group.kind == CHANNEL else t("group")
    who = adder.first_name if adder is not None else None
    text = lines(
        t("📋 A new {kind} would like to post your offers:", kind=kind),
        t("<b>{name}</b>", name=group.title),
        _address(t, group),
        t("Added by, or first to ask: {name}", name=who) if who else None,
    )
    rows = [*_decisions(t, group), [button(t.plain("All groups of the shop"), "gdesk", 0)]]
    return Screen(text, rows)


def _address(t: Words, group: Group) -> Html | None:
    return t("Public: @{name}", name=group.username) if group.username else None


def _decisions(t: Words, group: Group) -> list[list[Button]]:
    """One button for each decision that changes something; each carries what it sets."""
    steps = [one for one in _STEPS if one is not group.approval]
    if group.approval is Approval.BANNED:
        steps.remove(Approval.WAITING)
    verbs = {one: "gd" + one.value for one in steps}
    if group.approval is Approval.ALLOWED:
        # Its posts would end for good: asked once more.
        verbs |= {Approval.BANNED: "gdban", Approval.WAITING: "gdwait"}
    return [[button(t.plain(_STEPS[one]), verb, group.id)] for one, verb in verbs.items()]


def ask_ban(t: Words, group: Group) -> Screen:
    """Before an allowed group is banned."""
    text = t("Ban <b>{name}</b>? Nothing more is posted there, and what is out ends for good.",
             name=group.title)  # fmt: skip
    rows = [
        [button(t.plain("Yes, ban it"), "gdbanned", group.id)],
        [button(t.plain("‹ Back"), "gd", group.id)],
    ]
    return Screen(text, rows)


def ask_wait(t: Words, group: Group) -> Screen:
    """Before the permission of an allowed group is taken back."""
    text = t("Take the permission of <b>{name}</b> back? What is out there ends for good, what is "
             "planned is held until you allow it again.", name=group.title)  # fmt: skip
    rows = [
        [button(t.plain("Yes, take it back"), "gdwaiting", group.id)],
        [button(t.plain("‹ Back"), "gd", group.id)],
    ]
    return Screen(text, rows)


def one(t: Words, facts: Facts, note: Html | None = None) -> Screen:
    """One group with its caps, counts and what it earned."""
    group = facts.group
    adder = facts.adder.first_name if facts.adder is not None else None
    owed = [(_owed(t, one), _name(t, who), one) for one, who in facts.accounts if not one.empty]
    text = lines(
        note,
        "" if note else None,
        t("<b>{name}</b>", name=group.title),
        _address(t, group),
        t("{mark} {state}", mark=_MARKS[group.approval], state=state_of(t, group)),
        t("Added by, or first to ask: {name}", name=adder) if adder else None,
        t(
            "Language: {language}. Times: {zone}.",
            language=NAMES[group.language],
            zone=zone_name(t, group.zone),
        ),
        "",
        *(_cap(t, campaign) for campaign in facts.campaigns),
        "" if facts.campaigns else None,
        t.n("{n} post", "{n} posts", facts.posts),
        counts_line(t, facts.counts) if facts.posts else None,
        "",
        *(t("To pay out to {name}: {owed}", name=name, owed=what) for what, name, _ in owed),
        t("Nothing is to be paid out.") if facts.accounts and not owed else None,
    )
    rows = _decisions(t, group)
    rows += [
        [
            button(
                t.plain("Pay out {owed} · {name}", owed=what, name=name), "gdowed", group.id, one.by
            )
        ]
        for what, name, one in owed
    ]
    if facts.posts:
        rows.append([button(t.plain("📈 30 days as a picture"), "gdplot", group.id)])
    return Screen(text, [*rows, [button(t.plain("‹ All groups"), "gdesk", 0)]])


def done(t: Words, approval: Approval) -> Html:
    """A decision was made."""
    return t(_DONE[approval])


def _cap(t: Words, campaign: Campaign) -> Html:
    """How often a group may post it, and what that earns."""
    days = max(campaign.within.days, 1)
    text = t.n("📣 {title}: at most {most} posts in {n} day",
               "📣 {title}: at most {most} posts in {n} days", days,
               title=named(t, campaign.title), most=t.number(campaign.most_posts))  # fmt: skip
    earns = []
    if campaign.earns_percent:
        earns.append(t("{percent} %", percent=t.number(campaign.earns_percent)))
    if campaign.earns_points:
        earns.append(t.n("{n} point", "{n} points", campaign.earns_points))
    return t("{text}, earns {earns}", text=text, earns=t.join(earns)) if earns else text


def _name(t: Words, person: Chat | None) -> str:
    return (person.first_name if person is not None else None) or t.plain("deleted customer")


def _owed(t: Words, account: Account) -> str:
    return _sum(t, account.points, account.money)


def _sum(t: Words, points: int, money: Sequence[Money]) -> str:
    parts: list[str] = [t.n("{n} point", "{n} points", points)] if points else []
    return str(t.join([*parts, *(t.money(amount) for amount in money)]) or t.number(0))


def pay_out(
    t: Words, group: Group, account: Account, person: Chat | None, ways: Sequence[tuple[How, Paid]]
) -> Screen:
    """How a person's earnings are paid out: the tap does it."""
    name = _name(t, person)
    text = lines(
        t("<b>{name}</b> has earned {owed} with posts in {group}.", name=name,
          owed=_owed(t, account), group=group.title),
        t("Pay it out? It can't be taken back.")
        if ways
        else t("It can't be paid out: your shop has neither points nor wallets."),
    )  # fmt: skip
    rows = [
        [button(t.plain(_HOW[how], what=_sum(t, paid.points, paid.money)), "gdpay!", group.id,
                account.by, account.rows, how.value)]
        for how, paid in ways
    ]  # fmt: skip
    return Screen(text, [*rows, [button(t.plain("‹ Back"), "gd", group.id)]])


def paid_out(t: Words, paid: Paid) -> Html:
    """It was paid out."""
    return t("✓ Paid out: {what}. They hear of it.", what=_sum(t, paid.points, paid.money))
