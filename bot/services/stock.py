"""What the operator puts on the shelf: SIMs with their claim codes, and vouchers (F52).

A code exists in clear only in what these methods return, once; the store has its digest.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from bot.domain.codes import digest, make_code
from bot.domain.identify import Identified, Kind, identify
from bot.domain.money import Money
from bot.domain.sales import Voucher, VoucherState
from bot.domain.sims import Sim, SimForm, Tracking
from bot.ports import AuditRow, Carrier, Clock, Store, SupplierUnavailable, Tx
from bot.services.catalogue import Country
from bot.services.files import FileRefused, Problem, Row, read_rows
from bot.services.ids import new_id

CODE_LASTS = timedelta(days=365)
"""How long a claim code handed out with a SIM can be used."""
MOST_VOUCHERS = 10_000

_RANDOM = 12  # characters left to chance, after the mark
SIM_MARK, _VOUCHER_MARK = "XUKS", "XUKP"


class StockRefused(Exception):
    """A request that can't be met; the message says why, in English, for the command line."""


def _kind(text: str, kind: Kind, example: str) -> str:
    found = identify(text)
    if not isinstance(found, Identified) or found.kind is not kind:
        raise ValueError(f"not understood; it looks like {example}")
    return found.value


def _iccid(text: str) -> str:
    return _kind(text, Kind.ICCID, "89852022000000000015")


def _number(text: str) -> str:
    return _kind(text, Kind.NUMBER, "+639181234567")


def _activation(text: str) -> str:
    return _kind(text, Kind.ACTIVATION, "LPA:1$rsp.example.com$ABC-123")


class SimRow(BaseModel):
    """One SIM of the shop's stock."""

    model_config = ConfigDict(extra="forbid")

    iccid: Annotated[str, AfterValidator(_iccid)] | None = None
    msisdn: Annotated[str, AfterValidator(_number)] | None = None
    activation_code: Annotated[str, AfterValidator(_activation)] | None = None
    carrier: str
    supplier: str
    supplier_ref: str | None = None
    country: Country | None = None
    form: SimForm = SimForm.ESIM

    @model_validator(mode="after")
    def _named(self) -> "SimRow":
        if self.iccid is None and self.msisdn is None:
            raise ValueError("needs an iccid or an msisdn")
        return self

    @property
    def label(self) -> str:
        """What names the row in messages."""
        return self.iccid or self.msisdn or ""


@dataclass(frozen=True, slots=True)
class Coded:
    """A SIM and a code in clear that proves who holds it."""

    sim: Sim
    code: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: the new SIMs with their codes, and those that were there before."""

    new: tuple[Coded, ...]
    known: tuple[Sim, ...]


@dataclass(frozen=True, slots=True)
class Issued:
    """A voucher and its code in clear."""

    voucher: Voucher
    code: str


class Stock:
    """SIMs, claim codes and vouchers, as the operator adds them."""

    def __init__(
        self, store: Store, clock: Clock, carriers: Mapping[str, Carrier], pepper: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self._pepper = pepper.encode()

    # ---- SIMs ----------------------------------------------------------------------------

    async def import_sims(self, path: Path, actor: str) -> Imported:
        """Add a file's SIMs to the stock, all or none; those in it already are left alone.

        A SIM without its supplier's reference is looked up there by its ICCID. Raises
        FileRefused, OSError.
        """
        rows = read_rows(path, "sims", SimRow, ("iccid", "msisdn"))
        self._known(path, rows, self._carriers)
        now = self._clock.now()
        async with self._store.read() as tx:
            known = [await _in_stock(tx, row.value) for row in rows]
        fresh = [row for row, sim in zip(rows, known, strict=True) if sim is None]
        sims = await self._resolved(path, fresh, now)
        async with self._store.write() as tx:
            for sim in sims:
                if not await tx.sims.add(sim):
                    raise StockRefused(f"{sim.iccid or sim.msisdn} was added a moment ago")
            new = tuple([await self._code(tx, sim, now + CODE_LASTS) for sim in sims])
            details = {"file": path.name, "count": len(new)}
            await tx.audit.add(AuditRow(now, actor, "sims_imported", "stock", details))
        return Imported(new, tuple(sim for sim in known if sim is not None))

    def _known(self, path: Path, rows: Sequence[Row[SimRow]], suppliers: Collection[str]) -> None:
        problems = [
            Problem(row.line, row.value.label, "supplier", "not switched on in the settings")
            for row in rows
            if row.value.supplier not in suppliers
        ]
        if problems:
            raise FileRefused(path, problems)

    async def _resolved(self, path: Path, rows: Sequence[Row[SimRow]], now: datetime) -> list[Sim]:
        sims, problems = [], []
        for row in rows:
            sim = _sim(row.value, now)
            carrier = self._carriers[sim.supplier]
            if sim.supplier_ref is None and carrier.capabilities.reads:
                try:
                    found = await carrier.resolve(iccid=sim.iccid, msisdn=sim.msisdn)
                except SupplierUnavailable as error:
                    text = f"the supplier can't be asked ({error.reason}); try again"
                    problems.append(Problem(row.line, row.value.label, "supplier_ref", text))
                    continue
                if found is None:
                    text = "the supplier does not know this SIM; give its reference"
                    problems.append(Problem(row.line, row.value.label, "supplier_ref", text))
                    continue
                sim = replace(
                    sim,
                    supplier_ref=found.supplier_ref,
                    msisdn=sim.msisdn or found.msisdn,
                    activation_code=sim.activation_code or found.activation_code,
                )
            sims.append(sim)
        if problems:
            raise FileRefused(path, problems)
        return sims

    # ---- claim codes ---------------------------------------------------------------------

    async def new_codes(
        self, names: Sequence[str], actor: str, lasts: timedelta = CODE_LASTS
    ) -> list[Coded]:
        """One new code for each SIM, named by its id, ICCID or number; older codes stay valid.

        Raises StockRefused for a name that is no managed SIM; then there are no codes at all.
        """
        now = self._clock.now()
        async with self._store.write() as tx:
            sims = [await _named(tx, name) for name in names]
            coded = [await self._code(tx, sim, now + lasts) for sim in sims]
            details = {"sims": [sim.id for sim in sims]}
            await tx.audit.add(AuditRow(now, actor, "codes_made", "stock", details))
        return coded

    async def _code(self, tx: Tx, sim: Sim, expires_at: datetime) -> Coded:
        code = make_code(secrets.token_bytes(_RANDOM), SIM_MARK)
        await tx.claims.add_code(digest(code, self._pepper), sim.id, expires_at)
        return Coded(sim, code)

    # ---- vouchers ------------------------------------------------------------------------

    async def new_vouchers(
        self,
        count: int,
        *,
        value: Money | None = None,
        plan_code: str | None = None,
        expires_at: datetime | None,
        batch: str,
        actor: str,
    ) -> list[Issued]:
        """Vouchers for one plan, or for an order of exactly their value. Raises StockRefused."""
        if not 1 <= count <= MOST_VOUCHERS:
            raise StockRefused(f"make 1 to {MOST_VOUCHERS} vouchers at a time")
        now = self._clock.now()
        if expires_at is not None and expires_at <= now:
            raise StockRefused("these vouchers would have expired already")
        async with self._store.write() as tx:
            worth = await _worth(tx, value, plan_code)
            issued = []
            for _ in range(count):
                code = make_code(secrets.token_bytes(_RANDOM), _VOUCHER_MARK)
                voucher = Voucher(
                    id=new_id(10),
                    state=VoucherState.UNUSED,
                    value=worth,
                    hint=code[-4:],
                    plan_code=plan_code,
                    expires_at=expires_at,
                )
                await tx.vouchers.add(voucher, digest(code, self._pepper), batch)
                issued.append(Issued(voucher, code))
            details = {
                "count": count,
                "minor": worth.minor,
                "currency": worth.currency,
                "plan": plan_code,
            }
            await tx.audit.add(AuditRow(now, actor, "vouchers_made", f"batch:{batch}", details))
        return issued


async def _worth(tx: Tx, value: Money | None, plan_code: str | None) -> Money:
    if (value is None) == (plan_code is None):
        raise StockRefused("give either a value or a plan")
    if value is not None:
        return value
    plan = await tx.catalogue.get(plan_code or "")
    if plan is None or not plan.active:
        raise StockRefused(f"there is no plan {plan_code} on sale; see `xuka plans check`")
    if plan.price is None:
        raise StockRefused(f"plan {plan_code} has an open amount; give a value instead")
    return plan.price


async def _in_stock(tx: Tx, row: SimRow) -> Sim | None:
    """The SIM that is managed already, by the identifier the row names first."""
    return await tx.sims.stock(iccid=row.iccid, msisdn=None if row.iccid else row.msisdn)


async def _named(tx: Tx, name: str) -> Sim:
    sim = await tx.sims.get(name)
    found = identify(name) if sim is None else None
    if isinstance(found, Identified):
        iccid = found.value if found.kind is Kind.ICCID else None
        msisdn = found.value if found.kind is Kind.NUMBER else None
        sim = await tx.sims.stock(iccid=iccid, msisdn=msisdn)
    if sim is None or sim.tracking is not Tracking.MANAGED:
        raise StockRefused(f"{name} is no SIM of this shop's stock")
    return sim


def _sim(row: SimRow, now: datetime) -> Sim:
    return Sim(
        id=new_id(),
        version=1,
        owner_id=None,
        tracking=Tracking.MANAGED,
        form=row.form,
        carrier=row.carrier,
        supplier=row.supplier,
        supplier_ref=row.supplier_ref,
        country=row.country,
        iccid=row.iccid,
        msisdn=row.msisdn,
        activation_code=row.activation_code,
        created_at=now,
    )
