"""Renewals that pay by themselves, in the chat: agreed to, told, charged, stopped."""

from tests.flows.people import Person, Town, labels
from tests.flows.steps import RECEIPT, US_CARD
from tests.flows.test_providers import on_page, settled


async def fill(person: Person) -> None:
    """Twenty dollars into the wallet."""
    await person.say("/wallet")
    await person.press("Top up")
    await person.press("$20")
    await person.press("Telegram Stars · ")
    assert (await person.pay())["status"] == "paid"


async def to_way(person: Person, sim: str, auto: str, plan: str) -> None:
    """From the SIM's card to the ways to pay."""
    await person.say("/sims")
    await person.press(sim)
    await person.press(auto)
    await person.press(plan)


async def test_a_wallet_renews_a_sim_and_is_stopped(place: Town) -> None:
    emma = place.en
    await fill(emma)
    await to_way(emma, "US Data Card", "Auto-renew", "USA 5 GB · 30 days · $8.50")
    await emma.press("Wallet")
    assert "The limit has to be $8.50 or more." in (await emma.say("5"))["text"]
    await emma.press("$17")
    terms = (await emma.find("what you agree to"))["text"]
    for said in ("USA 5 GB", "3 days before each expiry", "Wallet", "never more than $17",
                 "3 days before each charge", "twice more within 48 hours"):  # fmt: skip
        assert said in terms
    await emma.press("Accept")
    shown = (await emma.find("Auto-renew is on"))["text"]
    assert "Next charge: " in shown
    assert "Auto-renew is on for 1 SIM." in (await emma.say("/start"))["text"]
    await emma.say("/sims")
    await emma.press("US Data Card")
    assert "Auto-renew is on: we renew it on" in (await emma.find("🔔"))["text"]
    while not await emma.count(RECEIPT):
        assert place.topups(US_CARD) == 0
        await place.advance(days=1)
    assert await emma.count("🔁 On .* I renew US Data Card") == 1
    assert place.topups(US_CARD) == 1
    assert "Balance: $11.50" in (await emma.say("/wallet"))["text"]
    await emma.say("/sims")
    await emma.press("US Data Card")
    await emma.press("Auto-renew")
    await emma.press("Stop auto-renew")
    await emma.press("Yes, stop")
    await emma.find("Auto-renew is off")
    [(state, next_at)] = place.rows("SELECT state, next_at FROM agreements")
    assert (state, next_at) == ("cancelled", None)


async def test_a_wallet_renews_in_chinese_and_a_short_one_is_told(place: Town) -> None:
    lin = place.zh
    await to_way(lin, "boom", "自动续费", "日本 1 GB · 30 天")
    await lin.press("钱包余额")
    await lin.press("US$2.50")
    terms = (await lin.find("请确认以下约定"))["text"]
    for said in ("日本 1 GB", "每次到期前 3 天", "30 天内最多扣", "48 小时内再试两次"):
        assert said in terms
    await lin.press("同意")
    assert "下次扣款" in (await lin.find("自动续费已开启"))["text"]
    for _ in range(40):
        if await lin.count("没有续上。.*钱包"):
            break
        await place.advance(days=1)
    assert await lin.count("将为 boom") == 1
    told = (await lin.find("没有续上。.*钱包"))["text"]
    assert "再试一次" in told
    await lin.press("现在付款")
    assert "日本 1 GB" in (await lin.find("请确认价格"))["text"]
    await lin.say("/sims")
    await lin.press("boom")
    await lin.press("自动续费")
    await lin.press("停止自动续费")
    await lin.press("停止")
    await lin.find("自动续费已关闭")


async def test_a_card_is_kept_by_the_first_payment_and_charged_for_the_next(place: Town) -> None:
    emma = place.en
    await to_way(emma, "US Data Card", "Auto-renew", "USA 5 GB · 30 days · $8.50")
    await emma.press("Card")
    await emma.press("$8.50")
    assert "your card is saved" in (await emma.find("what you agree to"))["text"]
    await emma.press("Accept and pay the first one")
    await emma.find("Waiting for your payment")
    await on_page(emma, "pay")
    await settled(place, emma, 1)
    assert "3 days before, with the price" in (await emma.find("Auto-renew is on for"))["text"]
    [(method, saved)] = place.rows("SELECT method, saved_id FROM agreements WHERE state = 'active'")
    assert (method, saved is None) == ("card", False)
    for _ in range(45):
        if place.topups(US_CARD) == 2:
            break
        await place.advance(days=1)
    assert place.topups(US_CARD) == 2
    assert await emma.count("🔁 On .* I renew US Data Card") == 1
    assert place.rows("SELECT state FROM runs") == [("paid",)]
    await emma.say("/sims")
    await emma.press("US Data Card")
    await emma.press("Auto-renew")
    await emma.press("Remove this card")
    assert "Auto-renew for US Data Card" in (await emma.find("Remove Visa"))["text"]
    await emma.press("Yes, remove it")
    await emma.find("Visa ···· 4242 is removed")
    await place.advance(seconds=5)
    assert place.demo.providers.stripe.deleted
    assert all(card.customer is None for card in place.demo.providers.stripe.cards)
    assert place.rows("SELECT state FROM agreements") == [("cancelled",)]
    assert place.rows("SELECT 1 FROM removals") == []


async def test_a_kept_card_is_removed_under_privacy_in_chinese(place: Town) -> None:
    lin = place.zh
    await to_way(lin, "boom", "自动续费", "日本 1 GB · 30 天")
    await lin.press("银行卡")
    await lin.press("US$2.50")
    await lin.press("同意，并付第一次")
    await on_page(lin, "pay", "zh-CN")
    for _ in range(10):
        if await lin.count("已续费，并在 SIM 卡上核实"):
            break
        await place.advance(seconds=20)
    await lin.say("/privacy")
    await lin.press("💳 移除")
    assert "boom" in (await lin.find("要移除"))["text"]
    await lin.press("确定移除")
    await lin.find("已移除")
    await place.advance(seconds=5)
    assert place.demo.providers.stripe.deleted
    assert not any("移除" in label for label in labels(await lin.say("/privacy")))


async def test_a_subscription_in_stars_renews_every_month_until_it_is_stopped(place: Town) -> None:
    emma = place.en
    await to_way(emma, "US Data Card", "Auto-renew", "USA 5 GB · 30 days · $8.50")
    await emma.press("Telegram Stars")
    await emma.press("$8.50")
    await emma.press("Accept and pay the first one")
    waiting = await emma.find("Waiting for your payment")
    rows = waiting["reply_markup"]["inline_keyboard"]
    [link] = [cell["url"] for row in rows for cell in row if "url" in cell]
    await emma.post("pay", {"link": link})
    await emma.idle()
    assert place.topups(US_CARD) == 1
    await emma.find("Auto-renew is on for")
    for _ in range(32):
        if place.topups(US_CARD) == 2:
            break
        await place.advance(days=1)
    assert place.topups(US_CARD) == 2
    assert await emma.count("Telegram charges your subscription") == 1
    await emma.say("/sims")
    await emma.press("US Data Card")
    await emma.press("Auto-renew")
    await emma.press("Stop auto-renew")
    await emma.press("Yes, stop")
    [subscription] = place.demo.world.subscriptions.values()
    assert subscription.cancelled
    assert place.kept() == 2
