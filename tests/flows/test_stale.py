"""Buttons that have outlived what they stood for, and buttons nobody ever showed."""

from tests.flows.people import Town, labels
from tests.flows.steps import BOOM, RECEIPT, US_CARD, to_invoice, to_quote

EARLIER = "from an earlier conversation"

# Well-formed and malformed data that no version of the bot shows, or an old one may have shown.
STRANGE = (
    "nonsense", "", ":", "sim", "sim:", "sim:no-such-sim", "sim:no-such-sim:fresh:more", "sims:abc",
    "sims:-1", "sims:99999999999999999999", "renew:no-such-sim", "plan:a", "plan:a:b:c", "plan:a:b",
    "amt:a:b:1:c", "amt:a:b:1", "amt:a:b:1:99999999999999999999999", "stars", "stars:no-such-quote",
    "voucher", "voucher:no-such-quote", "cancel", "cancel:no-such-order", "order",
    "order:no-such-order", "orders:abc", "orders:-1", "orders:99999999999999999999999", "again",
    "more", "rename", "unname", "remove", "remove_yes", "done", "how", "dn:a", "dn:a:b:c",
    "dates", "rule", "q:1", "q:1:day:20270101", "q:x:y:z", "addn", "addn:x", "addyes", "addyes:1",
    "addask", "addask:1", "addc:1", "addc:1:99", "off", "off:x:y", "off:1", "hr", "hr:x", "hr:99",
    "qt", "qt:x", "qt:9999-0000", "qt:2200-0800-1", "zn", "zn:Mars/Olympus", "urgent", "urgent:x",
    "onoff", "onoff:x", "simrem", "snooze", "snz", "snz:a", "snz:a:b", "snzday", "stop",
    "start_again", "lang:xx", "help:zzz", "answer", "answer:x", "queue:1", "qitem", "qitem:x",
    "qact", "qact:x", "qact:refund:x", "qact!", "qact!:x:y", "qact!:refund:order:x",
)  # fmt: skip


async def test_the_price_of_a_plan_that_has_changed_is_shown_anew(place: Town) -> None:
    emma = place.en
    await emma.say("/renew")
    await emma.press("US Data Card")
    place.change("update plans set version = version + 1 where code = 'us-month-5'")
    answer = await emma.press("USA 5 GB")
    assert "plan has changed" in answer["answer"]["text"]
    assert answer["answer"]["show_alert"]
    assert await emma.count("Your price") == 0
    await emma.press("USA 5 GB")
    await emma.find("Your price")
    place.change("update plans set active = 0 where code = 'us-month-1'")
    await emma.press("Other plan")
    assert not any("USA 1 GB · 30" in text for text in labels(await emma.last()))


async def test_buttons_of_an_order_that_is_done(place: Town) -> None:
    emma = place.en
    message_id = await to_quote(emma)
    price = [place.data_of(emma, label) for label in ("Pay ", "Use a voucher")]
    await emma.press("Pay ")
    unpaid = [place.data_of(emma, label) for label in ("Show invoice", "Cancel the order")]
    await emma.pay()
    for data in (*price, *unpaid):
        await place.tap(emma, message_id, data)
        await emma.find(RECEIPT)
    assert place.topups(US_CARD) == 1
    assert len(await emma.invoices()) == 1


async def test_buttons_of_a_price_that_has_expired(place: Town) -> None:
    emma = place.en
    message_id = await to_invoice(emma)
    unpaid = [place.data_of(emma, label) for label in ("Show invoice", "Other way", "Cancel the")]
    await place.advance(minutes=20)
    for data in unpaid:
        await place.tap(emma, message_id, data)
        await emma.find("price has expired")
    assert len(await emma.invoices()) == 1


async def test_buttons_of_a_removed_sim(place: Town) -> None:
    emma = place.en
    await emma.say("/sims")
    await emma.press("T-Mobile US")
    card = (await emma.last())["message_id"]
    data = [place.data_of(emma, one) for one in ("Renew", "Change dates", "Reminders", "More")]
    await emma.say("/sims")
    await emma.press("T-Mobile US")
    await emma.press("More")
    await emma.press("Remove")
    await emma.press("Yes, remove")
    assert await emma.count("T-Mobile US.*was removed") == 1
    for one in data:
        answer = await place.tap(emma, card, one)
        assert answer is not None
        assert "can't find this SIM among yours" in answer["text"]
    # The card itself, not the message that told of the removal.
    [text] = [m["text"] for m in await emma.from_bot() if m["message_id"] == card]
    assert "T-Mobile" not in text


async def _ids(place: Town) -> dict[str, str]:
    lin = place.zh
    await lin.say("/renew")
    for label in ("boom eSIM", "日本 5 GB", "支付"):
        await lin.press(label)
    [(sim, quote, order)] = place.rows("select sim_id, quote_id, id from orders")
    return {"sim": sim, "quote": quote, "order": order}


async def test_somebody_elses_ids_open_nothing(place: Town) -> None:
    lin, sam = place.zh, place.stranger
    ids = await _ids(place)
    await sam.say("/start")
    message_id = (await sam.last())["message_id"]
    sim, quote, order = ids["sim"], ids["quote"], ids["order"]
    before = place.rows("select * from sims"), place.rows("select id, state from orders")
    data = [f"{verb}:{sim}" for verb in (
        "sim", "renew", "again", "more", "rename", "unname", "remove", "remove_yes", "done", "how",
        "dates", "rule", "simrem", "snooze", "snzday", "stop", "start_again",
    )]  # fmt: skip
    data += [f"sim:{sim}:fresh", f"snz:{sim}:1", f"dn:{sim}:20280101:20270305"]
    data += [f"plan:{sim}:boom-jp-month-5:1", f"amt:{sim}:smart-load:1:5000"]
    data += [f"stars:{quote}", f"stars:{quote}:again", f"voucher:{quote}"]
    data += [f"cancel:{order}", f"order:{order}", f"qitem:order:{order}"]
    data += [f"qact:refund:order:{order}", f"qact!:refund:order:{order}", f"answer:{lin.id}"]
    for one in data:
        answer = await place.tap(sam, message_id, one)
        assert answer is not None, one
        await sam.say("hello")
    shown = "".join(str(message) for message in await sam.from_bot())
    assert "1015" not in shown
    assert "boom" not in shown
    assert "XK-" not in shown
    assert place.topups(BOOM) == 0
    after = place.rows("select * from sims"), place.rows("select id, state from orders")
    assert after == before


async def test_strange_data_is_answered_and_breaks_nothing(place: Town) -> None:
    person = place.operator  # of whom every verb is taken
    await person.say("/start")
    message_id = (await person.last())["message_id"]
    silent = []
    for data in STRANGE:
        answer = await place.tap(person, message_id, data)
        shown = await person.last()
        if answer is None or shown["message_id"] != message_id:
            silent.append((data, shown.get("text", "")[:80]))
    assert silent == []


async def test_a_button_of_an_old_version_says_so(place: Town) -> None:
    emma = place.en
    await emma.say("/start")
    message_id = (await emma.last())["message_id"]
    for data in ("gone:1", "sim", "plan:a"):
        answer = await place.tap(emma, message_id, data)
        assert answer is not None
        assert EARLIER in answer["text"]
        assert labels(await emma.last())
