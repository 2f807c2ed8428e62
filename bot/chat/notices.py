"""Puts the outbox's facts into words at the moment they are sent, or drops what is outdated."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from bot.chat import broadcasting
from bot.chat.agreements import deal_in
from bot.chat.screen import Button, Screen, button, lines
from bot.chat.shop import Merchant
from bot.chat.views import (
    activation,
    assist,
    earnings,
    group_desk,
    groups,
    handover,
    orders,
    posts,
    queue,
    reminders,
    renewals,
    renewing,
    requests,
)
from bot.chat.views import transfer as transfers
from bot.chat.views import wallet as wallets
from bot.chat.views.paying import waiting
from bot.chat.views.sale import Sale
from bot.chat.views.sims import title
from bot.chat.wallets import filling_of
from bot.domain.chats import Chat
from bot.domain.cycles import cycle_of
from bot.domain.groups import Approval
from bot.domain.money import Money
from bot.domain.orders import RUNNING_ORDERS, OrderState, PaymentState
from bot.domain.reminders import still_true
from bot.domain.rules import Pack
from bot.domain.sims import Sim
from bot.domain.stages import Stage
from bot.i18n import Html, Words, words
from bot.ports import Carrier, Clock, Notice, Store, Tx, Wait
from bot.services import benefits, notices
from bot.services.keeping import rule_in


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready to go. `edits` is the message it replaces; `order_id` the order whose
    message it is from then on. `photo` or `file` is Telegram's id of what goes with it, above the
    words; `alone` is said when Telegram does not have it any more."""

    screen: Screen
    edits: int | None = None
    order_id: str | None = None
    photo: str | None = None
    file: str | None = None
    alone: Screen | None = None
    broadcast_id: str | None = None
    """The broadcast whose message it is from then on, for who sends it."""


class Renderer:
    """One function per kind of notice."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        carriers: Mapping[str, Carrier],
        merchant: Merchant,
        packs: Mapping[str, Pack] = MappingProxyType({}),
    ) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self.merchant = merchant
        self._packs = packs
        self._kinds: Mapping[str, Callable[[Tx, Chat, Notice], Awaitable[Rendered | None]]] = {
            notices.ORDER: self._order,
            notices.ORDER_ENDED: self._ended,
            notices.REMINDER: self._reminder,
            notices.DIGEST: self._digest,
            notices.PAYMENT_WAITS: self._payment_waits,
            notices.QUEUE: self._queue,
            notices.CLAIM: self._claim,
            notices.ACTIVATION: self._activation,
            notices.HANDOVER: self._handover,
            notices.REQUEST: self._request,
            notices.RENEWAL: self._renewal,
            notices.ASSISTED: self._assisted,
            notices.DEPOSIT: self._deposit,
            notices.PROOF: self._proof,
            notices.GROUP_NEWS: self._group_news,
            notices.POST_NEWS: self._post_news,
            notices.BROADCAST: self._broadcast,
            notices.BROADCAST_PROGRESS: self._broadcast_progress,
            notices.BROADCAST_ENDED: self._broadcast_progress,
            notices.PAID_OUT: self._paid_out,
            notices.LETTER: self._letter,
            notices.LATER: self._later,
        }

    async def render(self, notice: Notice) -> Rendered | None:
        """The message of a notice; None when there is nothing left to say."""
        async with self._store.read() as tx:
            chat = await tx.chats.get(notice.chat_id)
            if chat is None:
                return None
            return await self._kinds[notice.kind](tx, chat, notice)

    async def _order(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        sale = await sale_of(tx, notice.data["order_id"], self.merchant)
        if sale is None:
            return None
        screen = orders.order_screen(_words(chat), sale, self._clock.now())
        return Rendered(screen, edits=sale.order.message_id, order_id=sale.order.id)

    async def _ended(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        sale = await sale_of(tx, notice.data["order_id"], self.merchant)
        return None if sale is None else Rendered(orders.ended(_words(chat), sale))

    async def _reminder(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        data = notice.data
        sim = await self._still(tx, chat, data)
        if sim is None:
            return None
        also = Stage.parse(data["also"]) if data.get("also") else None
        screen = reminders.reminder(
            _words(chat),
            sim,
            Stage.parse(data["stage"]),
            also,
            self._clock.now(),
            after_expiry=self._after_expiry(sim),
            rule=await rule_in(tx, self._packs, sim),
        )
        return Rendered(await self._with_renewal(tx, chat, sim, screen))

    async def _with_renewal(self, tx: Tx, chat: Chat, sim: Sim, screen: Screen) -> Screen:
        """A reminder of a SIM that renews by itself says so."""
        agreement = await tx.renewals.of_sim(sim.id)
        if agreement is None or agreement.chat_id != chat.id:
            return screen
        deal = await deal_in(tx, agreement, sim, self._carriers, self._clock.now())
        said = renewals.on_line(_words(chat), deal, self._clock.now())
        return Screen(lines(screen.text, said), screen.rows)

    async def _renewal(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        data, now = notice.data, self._clock.now()
        agreement = await tx.renewals.get(data["agreement_id"])
        sim = await tx.sims.get(agreement.sim_id) if agreement is not None else None
        if agreement is None or sim is None:
            return None
        run = await tx.renewals.run(data["run_id"]) if data["run_id"] else None
        deal = await deal_in(tx, agreement, sim, self._carriers, now)
        screen = renewing.told(_words(chat), deal, run, data["step"], now)
        return Rendered(screen) if screen is not None else None

    async def _digest(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        items = []
        for item in notice.data["items"]:
            sim = await self._still(tx, chat, item)
            if sim is not None:
                also = Stage.parse(item["also"]) if item.get("also") else None
                items.append((sim, Stage.parse(item["stage"]), also))
        if not items:
            return None
        closed = {sim.id for sim, _, _ in items if not self._after_expiry(sim)}
        return Rendered(reminders.digest(_words(chat), items, self._clock.now(), closed))

    async def _payment_waits(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        sale = await sale_of(tx, notice.data["order_id"], self.merchant)
        if sale is None or sale.order.state is not OrderState.AWAITING_PAYMENT or sale.proved:
            return None
        if sale.order.expires_at != notice.expires_at:
            return None  # it waits longer by now, of which another notice tells
        t = _words(chat)
        return Rendered(waiting(t, sale, t("⏳ This order still waits for your payment.")))

    async def _still(self, tx: Tx, chat: Chat, data: Mapping[str, Any]) -> Sim | None:
        """The SIM if its reminder is still true: theirs, not renewed, lapsed, stopped or paid."""
        sim, now = await tx.sims.get(data["sim_id"]), self._clock.now()
        if sim is None or sim.owner_id != chat.id or sim.removed_at or sim.reminders_stopped:
            return None
        if not chat.preferences.on or (sim.snoozed_until is not None and sim.snoozed_until > now):
            return None
        if cycle_of(sim, data["stage"]) != data["cycle"]:
            return None
        if not still_true(sim, Stage.parse(data["stage"]), now):
            return None
        if await tx.orders.of_sim(sim.id, tuple(RUNNING_ORDERS)):
            return None
        return sim

    def _after_expiry(self, sim: Sim) -> bool:
        carrier = self._carriers.get(sim.supplier)
        return carrier is None or carrier.capabilities.after_expiry

    async def _queue(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        data = notice.data
        amount = Money(*data["amount"]) if "amount" in data else None
        screen = queue.note(_words(chat), data["subject"], data["why"], amount)
        kind, _, name = data["subject"].partition(":")
        if kind == "group":
            return await self._group_asks(tx, chat, name)
        proof = await tx.proofs.get(name) if kind == "proof" else None
        if proof is None:
            return Rendered(screen)
        photo, file = (proof.file_id, None) if proof.photo else (None, proof.file_id)
        return Rendered(screen, photo=photo, file=file, alone=screen)

    async def _group_asks(self, tx: Tx, chat: Chat, group_id: str) -> Rendered | None:
        group = await tx.groups.get(group_id)
        if group is None or group.approval is not Approval.WAITING:
            return None
        adder = await tx.chats.get(group.added_by) if group.added_by is not None else None
        return Rendered(group_desk.asked(_words(chat), group, adder))

    async def _group_news(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        group = await tx.groups.get(notice.data["group_id"])
        screen = groups.told(_words(chat), group, notice.data["step"]) if group else None
        return None if screen is None else Rendered(screen)

    async def _deposit(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        one = await filling_of(tx, notice.data["deposit_id"])
        if one is None:
            return None
        screen = wallets.filling(_words(chat), one, self._clock.now())
        return Rendered(screen, edits=one.deposit.message_id)

    async def _proof(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        proof = await tx.proofs.get(notice.data["proof_id"])
        payment = await tx.payments.get(proof.payment_id) if proof is not None else None
        if proof is None or payment is None:
            return None
        t, again = _words(chat), None
        order = await tx.orders.get(payment.order_id) if payment.order_id else None
        if payment.deposit_id is not None:
            again = button(t.plain("Send it again"), "dtransfer", payment.deposit_id)
        elif order is not None and order.state is OrderState.AWAITING_PAYMENT:
            again = button(t.plain("Send it again"), "transfer", order.quote_id)
        return Rendered(transfers.declined(t, proof, again))

    async def _activation(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        watch = await tx.activations.get(notice.data["watch_id"])
        sim = await tx.sims.get(watch.sim_id) if watch else None
        if watch is None or sim is None or watch.state != notice.data["state"]:
            return None
        if sim.owner_id != chat.id:
            return None
        view = activation.active if watch.state is Wait.ACTIVE else activation.waiting
        return Rendered(view(_words(chat), sim, self._clock.now()))

    async def _claim(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        claim = await tx.claims.get(notice.data["claim_id"])
        sim = await tx.sims.get(claim.sim_id) if claim else None
        if claim is None or sim is None:
            return None
        t = _words(chat)
        if claim.state == "approved":
            text = t("✅ Our shop has confirmed that <b>{title}</b> is yours.", title=title(t, sim))
            return Rendered(Screen(text, [[button(t.plain("Show this SIM"), "sim", sim.id)]]))
        text = t("Our shop could not confirm that this SIM is yours. Write to /support if it is.")
        return Rendered(Screen(text, [[button(t.plain("My SIMs"), "sims")]]))

    async def _assisted(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        sale = await sale_of(tx, notice.data["order_id"], self.merchant)
        screen = assist.prepared(_words(chat), sale, self._clock.now()) if sale else None
        return None if screen is None else Rendered(screen, order_id=notice.data["order_id"])

    async def _request(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        request = await tx.requests.get(notice.data["request_id"])
        sale = await sale_of(tx, request.order_id, self.merchant) if request else None
        if request is None or sale is None:
            return None
        refund = await tx.refunds.get(request.refund_id) if request.refund_id else None
        gone = await benefits.taken_with(tx, refund, request.order_id) if refund else 0
        return Rendered(requests.told(_words(chat), sale, request, refund, gone))

    async def _handover(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        one = await tx.handovers.get(notice.data["handover_id"])
        if one is None or one.to_chat is None:
            return None
        t, now = _words(chat), self._clock.now()
        if chat.id == one.to_chat:
            sim = await tx.sims.get(one.new_sim_id) if one.new_sim_id else None
            return Rendered(handover.decided(t, sim))
        sim, asker = await tx.sims.get(one.sim_id), await tx.chats.get(one.to_chat)
        if sim is None or asker is None or not one.waits_at(now):
            return None
        return Rendered(handover.ask_owner(t, one, sim, asker, now))

    async def _post_news(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        posting = await tx.posts.posting(notice.data["posting_id"])
        group = await tx.groups.get(posting.group_id) if posting is not None else None
        campaign = await tx.campaigns.get(posting.campaign_id) if posting is not None else None
        if posting is None or group is None or campaign is None:
            return None
        t, why = _words(chat), notice.data["why"]
        return Rendered(posts.news(t, posting, campaign.title, group, why))

    async def _broadcast(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        found = await broadcasting.news_of(tx, chat, notice)
        if found is None:
            return None
        one, screen = found
        return Rendered(screen, photo=one.photo, alone=screen if one.photo else None)

    async def _broadcast_progress(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        found = await broadcasting.progress_of(tx, chat, notice, self._clock)
        if found is None:
            return None
        one, screen = found
        if notice.kind == notices.BROADCAST_ENDED:
            return Rendered(screen)
        return Rendered(screen, edits=one.message_id, broadcast_id=one.id)

    async def _paid_out(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        group, data = await tx.groups.get(notice.data["group_id"]), notice.data
        if group is None:
            return None
        money = [Money(*one) for one in data["money"]]
        return Rendered(earnings.paid_out(_words(chat), group, data["points"], money))

    async def _letter(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        writer = await tx.chats.get(notice.data["from"])
        t = _words(chat)
        if notice.data["answer"]:
            text = lines(t("<b>Our shop answers:</b>"), "", t("{text}", text=notice.data["text"]))
            screen = Screen(text, [[button(t.plain("Write back"), "support")]])
            return _with_picture(t, notice, screen)
        name = (writer.first_name if writer else None) or str(notice.data["from"])
        written = t("{text}", text=notice.data["text"])
        text = lines(t("<b>{name} writes:</b>", name=name), "", written)
        screen = Screen(text, [[button(t.plain("Answer"), "answer", notice.data["from"])]])
        return _with_picture(t, notice, screen)

    async def _later(self, tx: Tx, chat: Chat, notice: Notice) -> Rendered | None:
        edits = notice.data["edits"]
        for order in await tx.orders.of_chat(chat.id, 5) if edits is not None else ():
            moved = order.fulfilled_at or order.paid_at
            if order.message_id == edits and moved and moved.timestamp() >= notice.data["at"]:
                return None  # it would stand over what the order's message tells since
        rows = [[Button(*cell) for cell in row] for row in notice.data["rows"]]
        return Rendered(Screen(Html(notice.data["text"]), rows), edits=notice.data["edits"])


def _with_picture(t: Words, notice: Notice, screen: Screen) -> Rendered:
    """A letter, with the picture that came with it."""
    photo, file = notice.data.get("photo"), notice.data.get("file")
    if photo is None and file is None:
        return Rendered(screen)
    gone = t("⚠️ A picture came with this, but Telegram no longer hands it over. Ask for it again.")
    alone = Screen(lines(screen.text, "", gone), screen.rows)
    return Rendered(screen, photo=photo, file=file, alone=alone)


def _words(chat: Chat) -> Words:
    return words(chat.language, chat.preferences.zone)


async def sale_of(tx: Tx, order_id: str, merchant: Merchant) -> Sale | None:
    """All that an order's message tells."""
    order = await tx.orders.get(order_id)
    sim = await tx.sims.get(order.sim_id) if order else None
    if order is None or sim is None:
        return None
    if sim.owner_id != order.chat_id:
        # It was handed on: what its next holder calls it, and its dates now, are theirs.
        sim = replace(sim, nickname=None, expiry=order.new_expiry)
    topups = await tx.topups.of_order(order_id)
    attempts = await tx.payments.of_order(order_id)
    paid = sorted((p for p in attempts if p.charge_id), key=lambda p: p.method is not order.method)
    opened = [p for p in attempts if p.state in (PaymentState.CREATED, PaymentState.PENDING)]
    proof = await tx.proofs.waiting_of(opened[-1].id) if opened else None
    return Sale(
        order=order,
        sim=sim,
        topup=topups[-1] if topups else None,
        payment=paid[0] if paid else None,
        merchant=merchant,
        attempt=next(iter([*opened[::-1], *attempts[::-1]]), None),
        proved=proof is not None,
        quote=await tx.quotes.get(order.quote_id),
        refunds=tuple(await tx.refunds.of_payment(paid[0].id)) if paid else (),
        request=await tx.requests.of_order(order_id),
    )
