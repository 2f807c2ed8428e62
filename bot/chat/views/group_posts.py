"""What an admin reads of postings: what is planned, what is out, what came of it (F44)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views.posting import named, when
from bot.chat.views.posts import REASONS, why_not
from bot.domain.campaigns import OPEN_POSTS, Campaign, Post, PostCounts, Posting, PostingState
from bot.domain.groups import Account, Group
from bot.domain.money import Money
from bot.i18n import N_, NAMES, Html, Words, words

PAGE = 8
"""Postings on one page."""
_LISTED = 6
"""The newest posts of a posting are counted one by one."""
_GOING_ON = frozenset({PostingState.ACTIVE, PostingState.PAUSED, PostingState.HELD})
_STATES = {
    PostingState.ACTIVE: N_("🟢 goes on"),
    PostingState.PAUSED: N_("⏸ paused"),
    PostingState.HELD: N_("⚠️ held"),
    PostingState.DONE: N_("✔️ done"),
    PostingState.STOPPED: N_("⏹ withdrawn"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """A posting with all that is told of it; posts newest first."""

    posting: Posting
    campaign: Campaign
    group: Group
    posts: Sequence[Post]
    counts: Mapping[str, PostCounts]
    """By post."""
    pins: bool = False
    """Whether the bot may pin there."""


def added(counts: Iterable[PostCounts]) -> PostCounts:
    """Several posts together."""
    opened = quoted = paid = 0
    amounts: dict[str, int] = {}
    for one in counts:
        opened, quoted, paid = opened + one.opened, quoted + one.quoted, paid + one.paid
        for currency, minor in one.amounts.items():
            amounts[currency] = amounts.get(currency, 0) + minor
    return PostCounts(opened, quoted, paid, amounts)


def counts_line(t: Words, counts: PostCounts) -> Html:
    """Opened and quoted; paid and how much: two lines that fit a phone."""
    money = _moneys(t, counts.amounts)
    seen = t("👀 {opened} opened · 💬 {quoted} saw a price",
             opened=t.number(counts.opened), quoted=t.number(counts.quoted))  # fmt: skip
    paid = t("✅ {paid} paid", paid=t.number(counts.paid))
    return lines(seen, t("{paid} · 💰 {money}", paid=paid, money=money) if money else paid)


def _moneys(t: Words, amounts: Mapping[str, int]) -> Html | None:
    shown = [t.money(Money(minor, currency)) for currency, minor in sorted(amounts.items())]
    return t.join(shown) if shown else None


def state(t: Words, posting: Posting) -> Html:
    """Where a posting stands."""
    return t(_STATES[posting.state])


def all_of(
    t: Words, group: Group, wishes: Sequence[tuple[Posting, Campaign]], page: int, now: datetime
) -> Screen:
    """Everything planned and posted in a group, newest first."""
    back = [button(t.plain("‹ {name}", name=group.title), "group", group.id)]
    if not wishes:
        text = lines(
            t("<b>{name}</b>", name=group.title), t("Nothing is planned or posted here yet.")
        )
        post = [[button(t.plain("📣 Post an offer"), "gpost", group.id)]] if group.sells else []
        return Screen(text, [*post, back])
    shown = wishes[page * PAGE : (page + 1) * PAGE]
    parts = [
        t("{state} · <b>{title}</b> · {when}", state=state(t, posting),
          title=named(t, campaign.title), when=when(t, posting.timing, now))
        for posting, campaign in shown
    ]  # fmt: skip
    rows = [
        [button(f"{state(t, posting).split(' ')[0]} {named(t, campaign.title)} · "
                f"{t.date(posting.next_at or posting.created_at, now=now)}", "gwish", posting.id)]
        for posting, campaign in shown
    ]  # fmt: skip
    turn = []
    if page > 0:
        turn.append(button(t.plain("‹ Newer"), "gposts", group.id, page - 1))
    if len(wishes) > (page + 1) * PAGE:
        turn.append(button(t.plain("Older ›"), "gposts", group.id, page + 1))
    head = t("<b>Planned and posted in {name}</b>", name=group.title)
    return Screen(lines(head, "", *parts), [*rows, *([turn] if turn else []), back])


def wish(t: Words, one: Wish, now: datetime, note: Html | None = None) -> Screen:
    """One posting: where it stands, what came of it, what can be done. Moments are by the group's
    clock, as its timing is."""
    here = words(t.language, one.group.zone)
    posting, newest = one.posting, next(iter(one.posts), None)
    reason = posting.reason if posting.state is PostingState.HELD else None
    out = sum(post.state in OPEN_POSTS for post in one.posts)
    text = lines(
        note,
        "" if note else None,
        t("<b>{title}</b> in {name}", title=named(t, one.campaign.title), name=one.group.title),
        t("{state} · {when}", state=state(t, posting), when=when(t, posting.timing, now)),
        why_not(t, reason) if reason in REASONS else None,
        t("Next: {moment}", moment=here.moment(posting.next_at, now=now))
        if posting.next_at
        else None,
        t("Language: {languages}", languages=t.join(NAMES[code] for code in posting.languages)),
        t("Your sentence: {text}", text=posting.extra) if posting.extra else None,
        t.n("Posted {n} time, {out} still open", "Posted {n} times, {out} still open",
            len(one.posts), out=t.number(out)) if one.posts else None,
        "",
        counts_line(t, added(one.counts.values())) if one.posts else None,
        *(_one_post(here, post, one.counts[post.id], now) for post in one.posts[:_LISTED]
          if len(one.posts) > 1),
    )  # fmt: skip
    rows = _steps(t, posting, out=out > 0)
    if newest is not None and newest.state in OPEN_POSTS and newest.message_id is not None:
        if newest.pinned:
            rows.append([button(t.plain("Unpin it"), "gpin", newest.id, 0)])
        elif one.pins:
            rows.append([button(t.plain("📌 Pin it"), "gpin", newest.id, 1)])
    if posting.state in _GOING_ON or out:
        rows.append([button(t.plain("Withdraw it"), "gout", posting.id)])
    rows.append([
        button(t.plain("‹ Planned and posted"), "gposts", one.group.id, 0),
        button(t.plain("‹ {name}", name=one.group.title), "group", one.group.id),
    ])  # fmt: skip
    return Screen(text, rows)


def _one_post(t: Words, post: Post, counts: PostCounts, now: datetime) -> Html:
    """The same for one of several posts."""
    return t("{moment}: 👀 {opened} · 💬 {quoted} · ✅ {paid}",
             moment=t.moment(post.created_at, now=now), opened=t.number(counts.opened),
             quoted=t.number(counts.quoted), paid=t.number(counts.paid))  # fmt: skip


def _steps(t: Words, posting: Posting, *, out: bool) -> list[list[Button]]:
    """What can be changed while a posting goes on, or a post of it is out."""
    if posting.state not in _GOING_ON:
        return [[button(t.plain("Change the sentence"), "gsay", posting.id)]] if out else []
    if posting.state is PostingState.ACTIVE:
        step = button(t.plain("⏸ Pause"), "gpause", posting.id)
    else:
        step = button(t.plain("▶️ Go on"), "gresume", posting.id)
    change = [
        button(t.plain("Change the sentence"), "gsay", posting.id),
        button(t.plain("Change the time"), "gtime", posting.id),
    ]
    return [[step], change]


def ask_withdraw(t: Words, one: Wish) -> Screen:
    """Before it is withdrawn, which can't be taken back."""
    text = t("Withdraw <b>{title}</b>? It is not posted any more, and what is out says that the "
             "offer has ended.", title=named(t, one.campaign.title))  # fmt: skip
    rows = [
        [button(t.plain("Yes, withdraw it"), "gout!", one.posting.id)],
        [button(t.plain("‹ Back"), "gwish", one.posting.id)],
    ]
    return Screen(text, rows)


def ask_sentence(t: Words, one: Wish, most: int, problem: Html | None = None) -> Screen:
    """Another sentence for a posting; a minus for none."""
    text = lines(
        problem,
        "" if problem else None,
        t("Write the sentence that stands below this offer, up to {n} characters; a minus (-) for "
          "none. What is posted already changes too.", n=most),
        t("Now: {text}", text=one.posting.extra) if one.posting.extra else None,
    )  # fmt: skip
    return Screen(text, [[button(t.plain("‹ Back"), "gwish", one.posting.id)]])


def numbers(
    t: Words, group: Group, counts: PostCounts, posts: int, accounts: Sequence[Account]
) -> Screen:
    """What all posts of a group brought, and what this admin has earned by them."""
    points = sum(one.points for one in accounts)
    money: dict[str, int] = {}
    for one in accounts:
        for amount in one.money:
            money[amount.currency] = money.get(amount.currency, 0) + amount.minor
    # Below zero after a refund of what is paid out already: the next orders make up for it.
    owed: list[str] = [t.n("{n} point", "{n} points", points)] if points > 0 else []
    owed += [
        t.money(Money(minor, currency)) for currency, minor in sorted(money.items()) if minor > 0
    ]
    text = lines(
        t("<b>Numbers of {name}</b>", name=group.title),
        t.n("{n} post", "{n} posts", posts),
        "",
        counts_line(t, counts),
        "",
        t("You have earned {owed}; our shop pays it out.", owed=t.join(owed))
        if owed
        else t("Nothing is to be paid out to you right now."),
        t("Orders whose money went back are not counted."),
    )  # fmt: skip
    rows = [
        [button(t.plain("📈 30 days as a picture"), "gplot", group.id)],
        [button(t.plain("‹ {name}", name=group.title), "group", group.id)],
    ]
    return Screen(text, rows)
