"""A campaign's post in words, and on its way: picture, topic, edits, refusals."""

import html
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from telegram.error import TimedOut
from telegram.ext import ExtBot

from bot.chat.messenger import TelegramMessenger
from bot.chat.notices import Renderer
from bot.chat.shop import Merchant
from bot.chat.views import posts as views
from bot.domain.campaigns import Post, PostState
from bot.domain.groups import Approval
from bot.domain.posters import Poster, PosterLine
from bot.i18n import Html, words
from bot.ports import Delivery, Notice, Outcome
from bot.services import notices
from bot.services.posters import showing
from tests.unit.chat.chat_house import Answer, Telegram, refused
from tests.unit.services.posting_house import ADMIN, GROUP, SPRING, Square, square
from tests.unit.services.promo_house import BIG, usd
from tests.unit.store.samples import NOW, OPEN_PLAN, PLAN, days

PNG = b"\x89PNG\r\n\x1a\n"
LINK = "https://t.me/xuka_bot?start=p"
METHODS = ("sendPhoto", "sendMessage", "editMessageText", "editMessageCaption")


def poster(**changes: Any) -> Poster:
    """10 % off one plan, in English."""
    line = PosterLine(PLAN, usd(1290), usd(1161))
    return replace(
        Poster("spring", 1, ("en",), "UTC", {"en": "Spring", "zh_Hans": "春季", "zh_Hant": "春季"},
               {"en": "{plan}: {after}, not {before}. {places} at {shop} until {until}; {saving}.",
                "zh_Hans": "{plan}只要{after}", "zh_Hant": "{plan}只要{after}"},
               (line,), places=3, ends_at=days(10)),
        **changes,
    )  # fmt: skip


def read(one: Poster) -> list[str]:
    return str(views.post(one, "A & B", LINK, NOW).text).split("\n")


# ---- words ---------------------------------------------------------------------------------


def test_the_post_in_english() -> None:
    screen = views.post(poster(extra="Use <b>it</b> & enjoy"), "A & B", LINK + "x", NOW)
    assert str(screen.text).split("\n") == [
        "📣 <b>Spring</b>",
        "5 GB, 30 days: $11.61, not $12.90. 3 at A &amp; B until 30 Nov 11:59 (UTC); $1.29.",
        "",
        "• 5 GB, 30 days: <s>$12.90</s>\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}<b>$11.61</b>",
        "",
        "🎟 3 places left",
        "⏳ Until 30 Nov 11:59 (UTC)",
        "",
        "💬 Use &lt;b&gt;it&lt;/b&gt; &amp; enjoy",
    ]
    [[button]] = screen.rows
    assert (button.label, button.url, button.data) == ("Get this offer", LINK + "x", None)


def test_the_post_in_both_languages_says_it_twice_with_one_button() -> None:
    screen = views.post(poster(languages=("zh_Hans", "en"), extra="好"), "S", LINK, NOW)
    text = str(screen.text)
    assert text.index("春季") < text.index("Spring")
    assert text.count("💬 好") == 1
    [[button]] = screen.rows
    assert button.label.endswith(" · Get this offer")


def test_the_end_is_told_in_the_groups_zone_and_counted() -> None:
    late = poster(zone="Asia/Shanghai", ends_at=days(3), days_left=3)
    assert "⏳ Until 23 Nov 19:59 (UTC+8) · 3 days left" in read(late)
    assert "⏳ Until 23 Nov 11:59 (UTC) · last day" in read(replace(late, zone="UTC", days_left=0))
    assert "🎟 1 place left" in read(poster(places=1))
    unlimited = poster(places=None, ends_at=None)
    assert not any(line.startswith(("🎟", "⏳")) for line in read(unlimited))


def test_other_kinds_of_promos() -> None:
    bigger = PosterLine(PLAN, usd(1290), usd(1290), BIG)
    assert "• 10 GB, 30 days for <b>$12.90</b>, the price of 5 GB, 30 days" in read(
        poster(lines=(bigger,))
    )
    points = poster(lines=(PosterLine(PLAN, usd(1290), usd(1290)),), points=1000)
    assert "• 5 GB, 30 days: <b>$12.90</b>" in read(points)
    assert "🎁 1,000 points with each order" in read(points)
    any_amount = poster(lines=(PosterLine(OPEN_PLAN),), percent=SPRING.earns_percent + 5)
    assert "• Any amount: 5 % less" in read(any_amount)
    twice = poster(lines=(PosterLine(PLAN, usd(9), usd(8)), PosterLine(PLAN, usd(9), usd(8))))
    assert len([line for line in read(twice) if line.startswith("•")]) == 1


@pytest.mark.parametrize("language", ["en", "zh_Hans", "zh_Hant"])
@pytest.mark.parametrize("ended", ["over", "gone", "stopped", "withdrawn", "banned"])
def test_an_ended_post_says_so_and_sells_nothing(language: str, ended: str) -> None:
    screen = views.post(poster(languages=(language,), ended=ended), "S", LINK, NOW)
    text = str(screen.text)
    assert "⛔" in text
    assert "$" not in text
    labels = [button.label for row in screen.rows for button in row]
    t = words(language)
    assert labels == ([t.plain("See our plans")] if ended in ("over", "gone") else [])


def test_telegram_counts_what_is_read() -> None:
    assert views.length(Html("<b>a&amp;b</b> 🎟")) == 6


@pytest.mark.parametrize("language", ["en", "zh_Hans", "zh_Hant"])
@pytest.mark.parametrize("why", sorted(views.REASONS))
def test_every_reason_has_words(language: str, why: str) -> None:
    t = words(language)
    assert str(views.why_not(t, why))
    if language != "en":
        assert t.plain(views.REASONS[why]) != views.REASONS[why]


def lines_of(count: int) -> tuple[PosterLine, ...]:
    """So many plans that read differently."""
    return tuple(PosterLine(PLAN, usd(1290 + n), usd(1161)) for n in range(count))


def test_what_is_too_long_leaves_out_the_sentence_first_then_plans_beyond_three() -> None:
    def shown(one: Poster, most: int | None = views.MOST_CAPTION) -> str:
        return str(views.post(one, "S", LINK, NOW, most).text)

    long = poster(lines=lines_of(4), texts={"en": "w" * 800}, extra="e" * 200)
    assert views.length(Html(shown(long, None))) > views.MOST_CAPTION
    assert ("💬" in shown(long), shown(long).count("• ")) == (False, 4)
    longer = replace(long, lines=lines_of(12))
    assert ("💬" in shown(longer), shown(longer).count("• ")) == (False, 3)
    assert views.length(Html(shown(longer))) <= views.MOST_CAPTION
    short = poster(extra="For us")
    assert shown(short) == shown(short, None)


# ---- on their way --------------------------------------------------------------------------


class Desk:
    """The real messenger, over a scripted Telegram."""

    def __init__(self, at: Square) -> None:
        self.at = at
        self.telegram = Telegram()
        self.bot = ExtBot("1:a", request=self.telegram, get_updates_request=self.telegram)
        renderer = Renderer(at.database, at.clock, {}, Merchant("Shop"))
        self.messenger = TelegramMessenger(self.bot, at.database, at.clock, renderer)

    async def send(self, *answers: Answer) -> Delivery:
        """The next notice goes out; Telegram answers so, whatever is asked."""
        for method in METHODS:
            self.telegram.answers[method] = list(answers)
        return await self.messenger.deliver(await self.next())

    async def next(self) -> Notice:
        async with self.at.database.write() as tx:
            [notice] = await tx.outbox.claim(self.at.clock.now(), 1, by="t")
        return notice

    def calls(self) -> list[str]:
        return [name for name, _ in self.telegram.calls if name in METHODS]

    def last(self) -> dict[str, Any]:
        return next(given for name, given in reversed(self.telegram.calls) if name in METHODS)


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    async with square(tmp_path) as at:
        async with at.database.write() as tx:
            await tx.campaigns.apply([replace(SPRING, picture="a.png")], {"spring": PNG})
        found = Desk(at)
        await found.bot.initialize()
        yield found


def photo(file_id: str, message_id: int = 50) -> Answer:
    """Telegram took a photo."""
    size = {"file_id": file_id, "file_unique_id": "u", "width": 9, "height": 9}
    chat = {"id": GROUP, "type": "supergroup", "title": "SIM talk"}
    body = {"message_id": message_id, "date": 0, "chat": chat, "photo": [size]}
    return 200, {"ok": True, "result": body}


async def test_a_post_is_a_picture_with_its_words_in_its_topic(desk: Desk) -> None:
    posting = await desk.at.plan(thread_id=7, extra="For us")
    sent = await desk.send(photo("F1"))
    [post] = await desk.at.posts(posting.id)
    given = desk.last()
    assert (sent.outcome, sent.message_id) == (Outcome.SENT, 50)
    assert (given["chat_id"], given["message_thread_id"]) == (GROUP, 7)
    assert "<s>$12.90</s>\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}<b>$11.61</b>" in given["caption"]
    assert "💬 For us" in given["caption"]
    [[button]] = given["reply_markup"]["inline_keyboard"]
    assert button["url"] == f"https://t.me/xuka_bot?start=p{post.id}"
    async with desk.at.database.read() as tx:
        shown = await showing(tx, post, NOW)
        assert await tx.campaigns.picture("spring") == (PNG, "F1")
    assert shown is not None
    assert sent.detail == f"photo:{shown.poster(NOW).mark()}"


async def test_telegrams_own_picture_is_used_again_until_it_is_gone(desk: Desk) -> None:
    async with desk.at.database.write() as tx:
        await tx.campaigns.keep_file("spring", "F0")
    await desk.at.plan()
    gone = refused(400, "Bad Request: wrong file identifier/HTTP URL specified")
    sent = await desk.send(gone, photo("F1"))
    assert (sent.outcome, desk.calls()) == (Outcome.SENT, ["sendPhoto", "sendPhoto"])
    async with desk.at.database.read() as tx:
        assert (await tx.campaigns.picture("spring"))[1] == "F1"


async def test_where_pictures_are_not_allowed_words_go_alone(desk: Desk) -> None:
    await desk.at.plan()
    no = refused(400, "Bad Request: not enough rights to send photos to the chat")
    for method, answers in (("sendPhoto", [no]), ("sendMessage", [])):
        desk.telegram.answers[method] = list(answers)
    sent = await desk.messenger.deliver(await desk.next())
    assert (sent.outcome, desk.calls()) == (Outcome.SENT, ["sendPhoto", "sendMessage"])
    assert (sent.detail or "").startswith("text:")
    assert "→" in desk.last()["text"]


@pytest.mark.parametrize("answer", [TimedOut(), refused(403, "Forbidden: bot was kicked")])
async def test_a_post_is_tried_in_no_other_form_when_it_may_be_there(
    desk: Desk, answer: Answer
) -> None:
    await desk.at.plan()
    sent = await desk.send(answer)
    unsure = isinstance(answer, BaseException)
    assert sent.outcome is (Outcome.AMBIGUOUS if unsure else Outcome.BLOCKED)
    assert desk.calls() == ["sendPhoto"]


async def test_without_a_picture_and_in_the_general_topic(desk: Desk) -> None:
    await desk.at.plan(picture=False, thread_id=1)
    assert (await desk.send()).outcome is Outcome.SENT
    assert desk.calls() == ["sendMessage"]
    assert "message_thread_id" not in desk.last()


async def test_words_too_long_for_a_caption_go_without_the_picture(desk: Desk) -> None:
    async with desk.at.database.write() as tx:
        texts = {"en": "long " * 210}
        await tx.campaigns.apply([replace(SPRING, texts=texts)], {"spring": PNG})
    await desk.at.plan()
    await desk.send()
    assert desk.calls() == ["sendMessage"]


@pytest.mark.parametrize("why", ["withdrawn", "banned", "over", "gone"])
async def test_what_is_not_wanted_any_more_is_not_sent(desk: Desk, why: str) -> None:
    posting = await desk.at.plan()
    if why == "withdrawn":
        await desk.at.postings.withdraw(posting.id, ADMIN)
    elif why == "banned":
        await desk.at.set_group(approval=Approval.BANNED)
    else:
        await desk.at.offer(**({"ends_at": NOW} if why == "over" else {"total": 0}))
    assert (await desk.send()).outcome is Outcome.DROPPED
    assert desk.calls() == []


async def standing(desk: Desk, extra: str | None = None, **changes: Any) -> Post:
    """A post that has been out for a while and shows something outdated."""
    posting = await desk.at.plan(extra=extra)
    await desk.next()
    [post] = await desk.at.posts(posting.id)
    seen = {"message_id": 50, "photo": True, "shown": "old", "posted_at": NOW, **changes}
    async with desk.at.database.write() as tx:
        await tx.posts.move(post.id, PostState.QUEUED, PostState.POSTED, "sent", NOW, **seen)
        await tx.outbox.settle(1, Outcome.SENT, NOW)
        await tx.outbox.add(notices.post_edit(post.id, GROUP, 0))
    return await desk.at.post(post.id)


@pytest.mark.parametrize("captioned", [True, False])
async def test_an_edit_changes_the_caption_or_the_text(desk: Desk, captioned: bool) -> None:
    await standing(desk, photo=captioned)
    desk.at.clock.at += timedelta(days=31)
    sent = await desk.send()
    assert (sent.outcome, sent.message_id) == (Outcome.SENT, 50)
    method, words_ = ("editMessageCaption", "caption") if captioned else ("editMessageText", "text")
    assert desk.calls() == [method]
    assert "ended" in html.unescape(desk.last()[words_])


@pytest.mark.parametrize("captioned", [True, False])
async def test_a_caption_that_grew_too_long_is_shortened(desk: Desk, captioned: bool) -> None:
    await standing(desk, photo=captioned, extra="For us")
    async with desk.at.database.write() as tx:
        texts = {"en": "long " * 180}
        await tx.campaigns.apply([replace(SPRING, texts=texts)], {"spring": PNG})
    assert (await desk.send()).outcome is Outcome.SENT
    given = desk.last()["caption" if captioned else "text"]
    assert ("For us" in given, views.length(Html(given)) <= views.MOST_CAPTION) == (
        not captioned, captioned,
    )  # fmt: skip


async def test_an_edit_that_changes_nothing_is_done(desk: Desk) -> None:
    await standing(desk)
    same = refused(400, "Bad Request: message is not modified: specified new message content")
    assert (await desk.send(same)).outcome is Outcome.SENT


async def test_an_edit_of_what_is_true_is_not_sent(desk: Desk) -> None:
    post = await standing(desk)
    async with desk.at.database.write() as tx:
        shown = await showing(tx, post, NOW)
        assert shown is not None
        await tx.posts.set(post.id, shown=shown.poster(NOW).mark())
    assert (await desk.send()).outcome is Outcome.DROPPED


async def test_a_deleted_post_is_never_sent_anew(desk: Desk) -> None:
    await standing(desk)
    gone = refused(400, "Bad Request: message to edit not found")
    sent = await desk.send(gone)
    assert sent.outcome is Outcome.FAILED
    assert desk.calls() == ["editMessageCaption"]


async def test_an_edit_without_an_answer_is_repeated(desk: Desk) -> None:
    await standing(desk)
    assert (await desk.send(TimedOut())).outcome is Outcome.RETRY


async def test_the_greeting_of_a_group(desk: Desk) -> None:
    async with desk.at.database.write() as tx:
        await tx.outbox.add(notices.group_greeting("grp1", GROUP))
    assert (await desk.send()).outcome is Outcome.SENT
    assert "/promo" in desk.last()["text"]


async def test_news_of_a_posting_goes_to_its_admin_in_their_language(desk: Desk) -> None:
    posting = await desk.at.plan()
    await desk.next()
    async with desk.at.database.write() as tx:
        await tx.outbox.add(notices.post_news(posting.id, ADMIN, "topic_closed", "1"))
    assert (await desk.send()).outcome is Outcome.SENT
    given = desk.last()
    assert given["chat_id"] == ADMIN
    assert "春季" in given["text"]
    assert words("zh_Hans").plain(views.REASONS["topic_closed"]) in given["text"]
    [[button]] = given["reply_markup"]["inline_keyboard"]
    assert button["callback_data"] == "group:grp1"
