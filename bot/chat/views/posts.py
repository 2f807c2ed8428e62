"""A campaign's post as its group reads it, its preview, and news of postings for their admins."""

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.chat.screen import Button, Screen, button, lines
from bot.chat.views.plans import plan_name
from bot.domain.campaigns import Posting, filled
from bot.domain.groups import Group
from bot.domain.posters import Poster, PosterLine
from bot.i18n import N_, Html, Words, words

MOST_CAPTION = 1024
"""As Telegram counts a picture's caption: UTF-16 units of what is read, without the tags."""
_FEW = 3
"""Plans that stay in a caption that is too long."""
_TAG = re.compile(r"<[^>]*>")
_BETWEEN = Html("\n\n· · ·\n\n")


def link_to(bot: str, post_id: str) -> str:
    """What a post's button opens; `bot` is our username."""
    return f"https://t.me/{bot}?start=p{post_id}"


def post(poster: Poster, shop: str, link: str, now: datetime, most: int | None = None) -> Screen:
    """The post, in each of its languages, the admin's sentence once below them.

    Its preview is the same, with any link. Where it is longer than `most`, the sentence is left
    out, then the plans beyond the first few; what is longer still stays as it is.
    """
    screen = _post(poster, shop, link, now)
    shorter = (replace(poster, extra=None), replace(poster, extra=None, lines=poster.lines[:_FEW]))
    for one in shorter:
        if most is None or length(screen.text) <= most:
            break
        screen = _post(one, shop, link, now)
    return screen


def _post(poster: Poster, shop: str, link: str, now: datetime) -> Screen:
    voices = [words(language, poster.zone) for language in poster.languages]
    body = _BETWEEN.join(_body(t, poster, shop, now) for t in voices)
    extra = Html(html.escape(poster.extra, quote=False)) if poster.extra else None
    text = lines(Html(body), *(["", Html(f"💬 {extra}")] if extra else ()))
    labels = [_label(t, poster) for t in voices]
    if None in labels:
        return Screen(text)
    return Screen(text, [[Button(" · ".join(label for label in labels if label), url=link)]])


def length(text: Html) -> int:
    """How long Telegram finds it."""
    read = html.unescape(_TAG.sub("", text))
    return len(read.encode("utf-16-le")) // 2


def _label(t: Words, poster: Poster) -> str | None:
    """What the button says; None where nothing is sold any more."""
    if poster.ended is None:
        return t.plain("Get this offer")
    return t.plain("See our plans") if poster.ended in ("over", "gone") else None


def _body(t: Words, poster: Poster, shop: str, now: datetime) -> Html:
    title = t("<b>{title}</b>", title=_in(t, poster.title))
    if poster.ended == "gone":
        return lines(title, "", t("⛔ All places are taken. If one comes back, this post opens "
                                  "again."))  # fmt: skip
    if poster.ended is not None:
        return lines(title, "", t("⛔ This offer has ended."))
    values = _values(t, poster, shop, now)
    safe = {name: html.escape(value, quote=False) for name, value in values.items()}
    text = filled(html.escape(_in(t, poster.texts), quote=False), safe)
    return lines(
        t("📣 {title}", title=title),
        Html(text.strip()),
        "",
        # Two suppliers may sell what reads the same.
        *dict.fromkeys(plan_line(t, line, poster) for line in poster.lines),
        t("🎁 {n} points with each order", n=t.number(poster.points)) if poster.points else None,
        *limits(t, poster, now),
    )


def _in(t: Words, texts: Mapping[str, str]) -> str:
    return texts.get(t.language) or texts.get("en") or next(iter(texts.values()), "")


def plan_line(t: Words, line: PosterLine, poster: Poster) -> Html:
    """A plan with its price before and after."""
    name = plan_name(t, line.plan)
    if line.before is None or line.after is None:
        if poster.percent:
            return t("• {name}: {percent} % less", name=name, percent=t.number(poster.percent))
        return t("• {name}", name=name)
    if line.bigger is not None:
        return t("• {name} for <b>{after}</b>, the price of {small}",
                 name=plan_name(t, line.bigger), after=t.money(line.after), small=name)  # fmt: skip
    if line.after == line.before:
        return t("• {name}: <b>{after}</b>", name=name, after=t.money(line.after))
    both = t("<s>{before}</s> → <b>{after}</b>",
             before=t.money(line.before), after=t.money(line.after))  # fmt: skip
    # A price before and after is read in one glance: no line ends between them.
    return t("• {name}: {prices}", name=name, prices=Html(both.replace(" ", "\N{NO-BREAK SPACE}")))


def limits(t: Words, poster: Poster, now: datetime) -> list[str]:
    """Places and time that are left."""
    found = list[str]()
    if poster.places is not None:
        found.append(t.n("🎟 {n} place left", "🎟 {n} places left", poster.places))
    if poster.ends_at is not None:
        until = t("⏳ Until {until}", until=_until(t, poster.ends_at, now))
        if poster.days_left == 0:
            until = t("{until} · last day", until=until)
        elif poster.days_left is not None:
            until = t.n("{until} · {n} day left", "{until} · {n} days left", poster.days_left,
                        until=until)  # fmt: skip
        found.append(until)
    return ["", *found] if found else []


def _until(t: Words, ends_at: datetime, now: datetime) -> str:
    """The last minute, with its zone: readers live in several."""
    last = ends_at - timedelta(minutes=1)
    offset = t.stamp(last).rpartition(" ")[2]
    return f"{t.moment(last, now=now)} ({offset})"


def _values(t: Words, poster: Poster, shop: str, now: datetime) -> dict[str, str]:
    """What the placeholders of a text stand for: those of the foremost plan."""
    first = poster.lines[0] if poster.lines else None
    found = {"shop": shop}
    if first is not None:
        found["plan"] = plan_name(t, first.bigger or first.plan)
        if first.before is not None and first.after is not None:
            found |= {"before": t.money(first.before), "after": t.money(first.after)}
            found["saving"] = t.money(first.before - first.after)
    if poster.places is not None:
        found["places"] = t.number(poster.places)
    if poster.ends_at is not None:
        found["until"] = _until(t, poster.ends_at, now)
    return found


# ---- for admins, in private ----------------------------------------------------------------

REASONS = {
    "rooms_away": N_("Telegram does not answer right now. Please try again in a minute."),
    "not_admin": N_("Only admins of the group can post there, and Telegram does not name you."),
    "group_waiting": N_("Our shop does not let this group post for now. I write when that changes, "
                        "then it can go on."),
    "group_banned": N_("Our shop has closed this group for offers."),
    "cannot_post": N_("I may not write there. Give me the right to post, then try again."),
    "bot_out": N_("I am not in the group any more. Add me again, then try again."),
    "cannot_pin": N_("I may not pin there. Give me the right to pin messages, then try again."),
    "topic_closed": N_("The topic is closed. Open it, or choose another one."),
    "campaign_over": N_("This offer has ended. Please choose another one."),
    "campaign_stopped": N_("Our shop has stopped this offer. Please choose another one."),
    "ends_before": N_("This offer ends before that time. Choose an earlier one, or another offer."),
    "campaign_early": N_("This offer has not begun yet. Choose a time after its beginning."),
    "campaign_gone": N_("All places of this offer are taken. Please choose another one."),
    "cap_reached": N_("This offer was posted here as often as our shop allows for now."),
    "cooldown": N_("This offer was posted here a short while ago. Please wait before the next."),
    "extra_private": N_("Please leave long numbers out: nobody's phone or SIM number belongs in a "
                        "group."),
    "person_banned": N_("Our shop's offers are closed to you. Write to /support if that is wrong."),
    "extra_too_long": N_("Your sentence is too long. Please keep it under 200 characters."),
    "missed": N_("I could not post it at its time, and by now it is too late for that. "
                 "You can post it now by hand."),
    "in_past": N_("That time has passed. Please choose a later one."),
    "too_many": N_("There are many plans in this group already. Withdraw one first."),
    "not_waiting": N_("This posting has ended already."),
    "not_posted": N_("Telegram did not take the post. Please post it again."),
    "unsure": N_("Telegram did not say whether the post arrived, so I don't send it again. "
                 "Please look into the group; if it is not there, post it again."),
    "cannot_edit": N_("It has ended, but I can't change it any more. If it still stands in the "
                      "group, please delete it there."),
    "unknown": N_("I don't know this any more. Please choose again."),
}  # fmt: skip
"""Why something can't be posted, by the reason codes of `services.posting`."""


def why_not(t: Words, reason: str, until: datetime | None = None) -> Html:
    """The sentence for a reason, with the moment from which on it no longer holds."""
    text = t(REASONS.get(reason, REASONS["unknown"]))
    if until is None:
        return text
    return t("{text} Possible again: {moment}.", text=text, moment=t.moment(until))


def news(t: Words, posting: Posting, campaign: Mapping[str, str], group: Group, why: str) -> Screen:
    """What became of a posting, for who planned it; `campaign` is its title."""
    named = {"title": _in(t, campaign), "name": group.title}
    head = t("⚠️ <b>{title}</b> in <b>{name}</b> was not posted.", **named)
    if why in ("unsure", "cannot_pin", "cannot_edit"):
        head = t("⚠️ <b>{title}</b> in <b>{name}</b>", **named)
    text = lines(head, why_not(t, why))
    if posting.next_at is not None:
        again = t("Next time: {moment}.", moment=t.moment(posting.next_at))
        text = lines(text, again)
    return Screen(text, [[button(t.plain("Open this group"), "group", group.id)]])
