"""Messages the bot sends: texts, photos, documents, copies, forwards, and "typing…"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.demo.botapi import params as p
from bot.demo.botapi.errors import bad_request
from bot.demo.botapi.keyboards import read_markup
from bot.demo.botapi.models import BOT_ID, BOT_USERNAME, Invoice, Json, Stored
from bot.demo.botapi.params import CHAT_MISSING, SENDING, Method, Params
from bot.demo.botapi.posting import check_bot_may_post, echo, threaded, without_reply
from bot.demo.botapi.texts import CAPTION, PHOTO_CAPTION, TEXT, caption_content, text_content

if TYPE_CHECKING:
    from bot.demo.world import World

COPIED = ("text", "entities", "photo", "document", "caption", "caption_entities")
_ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
    "upload_document", "choose_sticker", "find_location", "record_video_note",
    "upload_video_note",
}  # fmt: skip


def deliver(world: World, params: Params, content: Json, invoice: Invoice | None = None) -> Stored:
    """Send content to the chat of the call, with its keyboard, reply and limits."""
    chat_id = world.writable(params["chat_id"])
    room = world.groups[chat_id] if chat_id < 0 else None
    inline, keyboard = read_markup(params.get("reply_markup"), invoice=invoice is not None)
    if inline is not None:
        content["reply_markup"] = inline
    channel = room is not None and room.type == "channel"
    if channel and keyboard is not None:
        raise bad_request("inline keyboard expected")
    target = None
    if "reply_parameters" in params:
        target = _reply_target(world, chat_id, params["reply_parameters"])
    thread_id = params.get("message_thread_id")
    if room is not None:
        check_bot_may_post(room, content)
        content |= threaded(world, room, thread_id, target, BOT_ID)
    elif thread_id is not None:
        raise bad_request("message thread not found")
    if target is not None:
        content["reply_to_message"] = without_reply(target)
    if params.get("protect_content"):
        content["has_protected_content"] = True
    world.limits.spend(chat_id, paid=bool(params.get("allow_paid_broadcast")))
    stored = world.new_message(chat_id, None if channel else world.bot_user, content)
    stored.invoice, stored.keyboard = invoice, keyboard
    world.announce("message", stored)
    if room is not None and channel:
        stored.author = BOT_ID
        echo(world, room, stored)
    return stored


def _reply_target(world: World, chat_id: int, reply: Any) -> Stored | None:
    if not isinstance(reply, dict) or "message_id" not in reply:
        raise bad_request("can't parse ReplyParameters")
    unknown = reply.keys() - {"message_id", "chat_id", "allow_sending_without_reply"}
    if unknown or reply.get("chat_id", chat_id) != chat_id:
        raise bad_request("the stand-in knows only replies to a message of the same chat")
    target = world.message(chat_id, p.integer("message_id", reply["message_id"]))
    if target is None and not reply.get("allow_sending_without_reply"):
        raise bad_request("message to be replied not found")
    return target


def send_message(world: World, params: Params) -> Json:
    return deliver(world, params, text_content(world, params)).data


def send_photo(world: World, params: Params) -> Json:
    return _send_file(world, params, "photo")


def send_document(world: World, params: Params) -> Json:
    return _send_file(world, params, "document")


def _send_file(world: World, params: Params, kind: str) -> Json:
    caption = caption_content(world, params)
    world.writable(params["chat_id"])
    file = world.files.take(kind, params[kind], params.get("uploads"))
    spoiler: Json = {"has_media_spoiler": True} if params.get("has_spoiler") else {}
    return deliver(world, params, file.as_content() | caption | spoiler).data


def send_chat_action(world: World, params: Params) -> bool:
    chat_id = world.writable(params["chat_id"])
    if params["action"] not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    world.events.emit("chat_action", chat_id=chat_id, action=params["action"])
    return True


def _source(world: World, params: Params, verb: str) -> Stored:
    source = world.message(world.find_chat(params["from_chat_id"]), params["message_id"])
    if source is None:
        raise bad_request(f"message to {verb} not found")
    if source.data.get("has_protected_content") or not is_content(source):
        raise bad_request(f"message can't be {'copied' if verb == 'copy' else 'forwarded'}")
    return source


def is_content(stored: Stored) -> bool:
    """Whether it is a message with content of its own, no service message."""
    return any(kind in stored.data for kind in ("text", "photo", "document", "invoice"))


def copy_message(world: World, params: Params) -> Json:
    source = _source(world, params, "copy")
    if source.invoice is not None:
        raise bad_request("message can't be copied")
    content = {key: source.data[key] for key in COPIED if key in source.data}
    if "caption" in params and "text" not in content:
        for key in ("caption", "caption_entities"):
            content.pop(key, None)
        content |= caption_content(world, params)
    return {"message_id": deliver(world, params, content).message_id}


def forward_message(world: World, params: Params) -> Json:
    source = _source(world, params, "forward")
    stored = deliver(world, params, forwarded(source))
    stored.invoice = payable_copy(source)
    return stored.data


def forwarded(source: Stored) -> Json:
    """The content of a forward of this message, with its origin.

    A forwarded invoice with a start_parameter shows a link to the bot in place of "Pay"
    (sendInvoice, start_parameter).
    """
    data = source.data
    content = {key: data[key] for key in (*COPIED, "invoice") if key in data}
    if "forward_origin" in data:
        content["forward_origin"] = data["forward_origin"]
    else:
        content["forward_origin"] = _origin(data)
    if source.invoice is not None and source.invoice.start_parameter:
        url = f"https://t.me/{BOT_USERNAME}?start={source.invoice.start_parameter}"
        content["reply_markup"] = {"inline_keyboard": [[{"text": "Pay", "url": url}]]}
    return content


def _origin(data: Json) -> Json:
    """The Bot API MessageOrigin of a message that is no forward itself."""
    date = data["date"]
    chat = data.get("sender_chat")
    if chat is None:
        return {"type": "user", "sender_user": data["from"], "date": date}
    if data["chat"]["type"] == "channel":
        message_id = data["message_id"]
        return {"type": "channel", "chat": chat, "message_id": message_id, "date": date}
    return {"type": "chat", "sender_chat": chat, "date": date}


def payable_copy(source: Stored) -> Invoice | None:
    """The invoice that a forward of this message can still pay by itself."""
    invoice = source.invoice
    return None if invoice is None or invoice.start_parameter else invoice


_FORWARDING = {
    "chat_id": p.chat,
    "message_thread_id": p.integer,
    "from_chat_id": p.chat,
    "message_id": p.integer,
    "disable_notification": p.boolean,
    "protect_content": p.boolean,
}
METHODS = {
    "sendMessage": Method(
        send_message,
        {**SENDING, **TEXT},
        ("chat_id", "text"),
        {**CHAT_MISSING, "text": "message text is empty"},
        sends=True,
    ),
    "sendPhoto": Method(
        send_photo,
        {**SENDING, **PHOTO_CAPTION, "photo": p.file, "has_spoiler": p.boolean},
        ("chat_id", "photo"),
        {**CHAT_MISSING, "photo": "there is no photo in the request"},
        sends=True,
    ),
    "sendDocument": Method(
        send_document,
        {**SENDING, **CAPTION, "document": p.file, "disable_content_type_detection": p.boolean},
        ("chat_id", "document"),
        {**CHAT_MISSING, "document": "there is no document in the request"},
        sends=True,
    ),
    "sendChatAction": Method(
        send_chat_action,
        {"chat_id": p.chat, "action": p.string, "message_thread_id": p.integer},
        ("chat_id", "action"),
        CHAT_MISSING,
    ),
    "copyMessage": Method(
        copy_message,
        {**SENDING, **PHOTO_CAPTION, **_FORWARDING},
        ("chat_id", "from_chat_id", "message_id"),
        CHAT_MISSING,
        sends=True,
    ),
    "forwardMessage": Method(
        forward_message,
        _FORWARDING,
        ("chat_id", "from_chat_id", "message_id"),
        CHAT_MISSING,
        sends=True,
    ),
}
