"""Why something can't be done, in one sentence that also says what to do."""

from bot.i18n import N_, Html, Words

REASONS = {
    # plans and quotes
    "expired": N_(
        "This eSIM has expired, and its supplier tops up only before expiry. "
        "Write to /support for a replacement."
    ),
    "no_topups_left": N_(
        "This eSIM has used all the top-ups its supplier allows. Write to /support for a new one."
    ),
    "not_sold_now": N_("The supplier does not sell this plan for this SIM right now."),
    "price_moved": N_("The supplier changed its price; our shop is updating this plan."),
    "supplier_off": N_("This plan's supplier is switched off in our shop right now."),
    "plan_inactive": N_("This plan is no longer sold. Please choose another one."),
    "plan_changed": N_("This plan has changed since. Here are the plans of today."),
    "amount_needed": N_("Please choose an amount first."),
    "amount_out_of_range": N_("That amount is outside the range or not on a step."),
    "supplier_away": N_("The supplier can't be reached right now. Please try again in a minute."),
    "operator_down": N_("This network takes no top-ups right now. Please try again later."),
    "operator_timeout": N_("This network did not answer. Please try again later."),
    "maintenance": N_("This network is being serviced. Please try again later."),
    "busy": N_("The supplier is very busy. Please try again in a minute."),
    "recharged_lately": N_(
        "This number was topped up a moment ago. Please try again in 2 minutes."
    ),
    "number_refused": N_("The carrier didn't accept this number. Please check it under My SIMs."),
    "recycled": N_("This eSIM no longer exists at its supplier. Write to /support."),
    "unknown_sim": N_("The supplier does not know this SIM. Write to /support."),
    "not_allowed": N_("The supplier does not allow a top-up of this SIM now. Write to /support."),
    "reversed": N_("The supplier took the top-up back."),
    # orders
    "quote_expired": N_("This price has expired. Nothing was charged. Please choose again."),
    "running": N_("A renewal of this SIM is already paid and running. Nothing was charged again."),
    "not_waiting": N_("This order is no longer waiting for a payment."),
    "unknown": N_("This button is from an earlier conversation. Here is where things stand."),
    "method_off": N_("This way to pay is switched off right now. Please choose another one."),
    "provider_away": N_("The payment provider can't be reached right now. Please try again soon."),
    "too_small": N_("This amount is too small for this way to pay. Please choose another one."),
    "too_large": N_("This amount is too large for this way to pay. Please choose another one."),
    "currency": N_("This way to pay does not take this currency. Please choose another one."),
    "amount_uneven": N_("This way to pay can't take this exact amount. Please choose another one."),
    "declined": N_("The payment was declined and nothing was charged. Please choose another way."),
    "insufficient_funds": N_(
        "There was not enough money on it and nothing was charged. Please choose another way."
    ),
    "card_expired": N_("The card has expired and nothing was charged. Please choose another way."),
    "saved_gone": N_("What you had kept to pay with is gone. Please choose how to pay."),
    "needs_confirmation": N_("Your bank wants you to confirm. Please tap Pay and confirm there."),
    "already_paid": N_("This order is paid already. You were not charged again."),
    "cancelled": N_("This order was cancelled. Nothing was charged. Send /renew to start again."),
    "not_yours": N_("This invoice was made for someone else. Nothing was charged."),
    "amount_moved": N_("The amount no longer fits this order. Nothing was charged."),
    # vouchers and claim codes
    "voucher_unknown": N_("We don't know this voucher code. Check it and send it again."),
    "voucher_unread": N_("I can't read a voucher's code in this picture. Please write the code."),
    "voucher_used": N_("This voucher was used before. Send another code, or choose another way."),
    "voucher_over": N_("This voucher has expired. Send another code, or choose another way."),
    "voucher_other_plan": N_("This voucher is for another plan. Choose that plan, then use it."),
    "voucher_value": N_(
        "This voucher's value is not the price of this plan. Choose the plan with its value."
    ),
    # wallets and transfers
    "wallet_short": N_("Your wallet does not hold enough for this order. Nothing was charged."),
    "deposit_spent": N_("This top-up was spent, or is on its way back already."),
    "not_a_number": N_("That is no transaction number. It has 6 digits or more; or leave it out."),
    "no_money_arrived": N_("No transfer with this reference and amount has arrived."),
    "unreadable": N_("The picture does not show the amount, the time and the receiver."),
    "used_before": N_("This proof belongs to another payment."),
    # promos and points
    "promo_unknown": N_("We don't know this code. Check it and send it again."),
    "promo_over": N_("This offer is over. Send another code, or go on without one."),
    "promo_early": N_("This offer has not begun yet. Keep the code and try again later."),
    "promo_other_plan": N_(
        "This code is for other plans. Choose one of those, or go on without a code."
    ),
    "promo_too_little": N_(
        "This plan costs too little for this code. Choose a bigger one, or go on without a code."
    ),
    "promo_new_only": N_(
        "This code is for a first order only, of a new customer and a new SIM. Send another one, "
        "or go on without."
    ),
    "promo_banned": N_("Our offers are not open to you. If that is a mistake, write to /support."),
    "promo_used": N_("You have used this code as often as it allows. Send another one."),
    "promo_gone": N_(
        "All places of this offer are taken, and nothing was charged. Choose the plan again for "
        "today's price."
    ),
    "promo_worse": N_(
        "The offer on this price saves you more than this code, and the two do not go together. "
        "Keep the code for another time."
    ),
    "promo_not_delivered": N_(
        "The supplier can't deliver this offer right now. Please try again later, or go on "
        "without a code."
    ),
    "points_gone": N_(
        "Your points have changed since, and nothing was charged. Choose the plan again for "
        "today's price."
    ),
    "promo_late": N_(
        "Your payment came after the order had ended, and its offer or points are used up."
    ),
    "claim_unknown": N_("This claim code is not right. Check the card that came with the SIM."),
    "claim_locked": N_("Too many wrong codes. Please try again in an hour, or write to /support."),
    "claim_taken": N_("This SIM can't be added with that code. Please write to /support."),
    # identifiers
    "empty": N_("Please send the number of your SIM."),
    "sim_exists": N_("You have this SIM already."),
    "not_yours_sim": N_("I can't find this SIM among yours. Here are your SIMs."),
    "nothing_to_return": N_("Of this order there is no money that could go back."),
    "too_much": N_("That is not less than what was paid. Please write a smaller amount."),
    "words_needed": N_("Please write a few words."),
    "receipt_bad": N_("A receipt number has letters, digits and - . / only, at most 32 of them."),
    "receipt_used": N_("This receipt number was used before. Please check it."),
    "nothing_waits": N_("This has been settled already."),
    # suppliers
    "refused": N_("The supplier refused it."),
    "no_money": N_("Our shop can't top up this SIM right now."),
    "late_money": N_("Your payment came after the order had ended."),
    "sim_gone": N_("Your payment came after the order had ended."),
    "line_gone": N_("Telegram charged a subscription of a SIM that is no longer yours here."),
    "agreement_over": N_("Telegram charged a subscription that had ended."),
    "no_answer": N_("The payment provider did not answer, and nothing was charged."),
    "cap_low": N_("The limit is below the price. Please choose a higher one."),
}
_UNKNOWN = N_("The supplier refused it.")


def because(t: Words, reason: str | None) -> Html:
    """The sentence for a reason code; a supplier's own code gets a plain one."""
    return t(REASONS.get(reason or "", _UNKNOWN))


def known(t: Words, reason: str | None) -> Html | None:
    """The sentence for one of our own reason codes; None for any other."""
    text = REASONS.get(reason or "")
    return t(text) if text else None
