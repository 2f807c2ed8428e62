"""Stripe's section of the settings. It does not load Stripe's package, which takes 10 MB: a shop
without Stripe need not carry it."""

from dataclasses import replace
from typing import Annotated, Self

from pydantic import BeforeValidator, SecretStr, model_validator
from pydantic_settings import NoDecode

from bot.domain.quotes import Terms
from bot.domain.sales import Method
from bot.payments.asking import SafeUrl
from bot.payments.charging import Charging
from bot.payments.stripe_money import NOT_CHARGED, STEPS

METHODS = (Method.CARD, Method.ALIPAY, Method.WECHAT)
"""The ways to pay that it offers us."""


def _names(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.replace(";", ",").split(",") if part.strip())
    return value


def _known(value: object) -> object:
    names = _names(value)
    if isinstance(names, tuple | list) and not (names and all(name in METHODS for name in names)):
        raise ValueError("write card, alipay or wechat, with commas between them")
    return names


class StripeSettings(Charging):
    """The section of the settings that switches these methods on."""

    secret_key: SecretStr
    """sk_live_… or a restricted key (rk_…); with sk_test_… no money moves."""
    webhook_secret: SecretStr | None = None
    """whsec_…: signs its calls; without it they are refused, and payments are noticed by asking."""
    base_url: SafeUrl = "https://api.stripe.com"
    methods: Annotated[tuple[Method, ...], NoDecode, BeforeValidator(_known)] = (Method.CARD,)
    """Which of card, alipay and wechat; each has to be switched on in Stripe's Dashboard too."""

    @model_validator(mode="after")
    def _chargeable(self) -> Self:
        if refused := sorted(NOT_CHARGED.intersection(self.currencies)):
            raise ValueError(f"Stripe is not asked to charge in {', '.join(refused)}")
        return self

    def terms(self) -> Terms:
        """As the quote needs them: totals that Stripe can charge exactly."""
        return replace(super().terms(), steps=STEPS)
