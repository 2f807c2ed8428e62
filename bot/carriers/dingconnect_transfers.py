"""What DingConnect's records and errors mean for one of our top-ups."""

from collections.abc import Mapping, Sequence

import structlog

from bot.carriers.dingconnect_wire import Sent, Transfer
from bot.ports import TopUpAnswer, TopUpStatus

log = structlog.get_logger(__name__)

STATES: Mapping[str, TopUpStatus] = {
    "submitted": TopUpStatus.PROCESSING,
    "processing": TopUpStatus.PROCESSING,
    "cancelling": TopUpStatus.PROCESSING,
    "complete": TopUpStatus.SUCCEEDED,
    "completed": TopUpStatus.SUCCEEDED,
    "failed": TopUpStatus.REJECTED,
    "cancelled": TopUpStatus.REJECTED,
}
_TELLING = (
    TopUpStatus.SUCCEEDED,
    TopUpStatus.PROCESSING,
    TopUpStatus.UNKNOWN,
    TopUpStatus.REJECTED,
)


def most_telling(answers: Sequence[TopUpAnswer]) -> TopUpAnswer:
    """Of several transfers with one reference: one that succeeded, else one under way, else one
    whose state is not known. Only when all failed did it fail."""
    return min(answers, key=lambda answer: _TELLING.index(answer.status))


def answer_to(sent: Sent, ref: str, by_receipt: bool) -> TopUpAnswer:
    """The word on a transfer just sent. UNKNOWN wherever record and errors don't agree."""
    if sent.repeated:
        return TopUpAnswer(TopUpStatus.UNKNOWN, reason=sent.reason)
    record = sent.transfer_record
    if record and record.processing_state and record.ref("DistributorRef") in (None, "", ref):
        answer = standing(record, by_receipt)
        if answer.status is TopUpStatus.REJECTED:
            reason = sent.reason if sent.error_codes else answer.reason
            return TopUpAnswer(answer.status, answer.supplier_ref, reason)
        if not sent.refused:
            return answer
        return TopUpAnswer(TopUpStatus.UNKNOWN, answer.supplier_ref, "contradictory")
    refusals = [error.refusal for error in sent.error_codes]
    if sent.refused and refusals and all(refusals):
        return TopUpAnswer(TopUpStatus.REJECTED, reason=refusals[0])
    return TopUpAnswer(TopUpStatus.UNKNOWN, reason=sent.reason)


def standing(transfer: Transfer, by_receipt: bool) -> TopUpAnswer:
    """A transfer's state in our words; of a state that is new to us nothing is known."""
    status = STATES.get(transfer.processing_state.casefold(), TopUpStatus.UNKNOWN)
    ref = transfer.ref("TransferRef")
    if status is TopUpStatus.UNKNOWN:
        log.warning("dingconnect.new_state", state=transfer.processing_state)
        return TopUpAnswer(status, ref, "new_state")
    if status is not TopUpStatus.SUCCEEDED:
        return TopUpAnswer(status, ref, "refused" if status is TopUpStatus.REJECTED else None)
    pin = transfer.param("pin")
    if pin is None and by_receipt:
        pin = transfer.receipt_text
    return TopUpAnswer(
        status,
        ref,
        operator_ref=transfer.param("providerref"),
        delivered=transfer.price.delivered if transfer.price else None,
        pin=pin,
    )
