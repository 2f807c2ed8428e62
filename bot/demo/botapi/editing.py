"""Messages the bot changes or deletes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.demo.botapi import params as p
from bot.demo.botapi.errors import NOT_MODIFIED, bad_request
from bot.demo.botapi.keyboards import read_markup
from bot.demo.botapi.models import BOT_ID, Json, Stored
from bot.demo.botapi.params import CHAT_MISSING, EDITING, Method, Params
from bot.demo.botapi.posting import SERVICE, echo_edit
from bot.demo.botapi.texts import CAPTION, PHOTO_CAPTION, TEXT, caption_content, text_content

if TYPE_CHECKING:
    from bot.demo.world import World

DELETE_SECONDS = 48 * 3600
_SHOWN = (
    "text",
    "entities",
    "link_preview_options",
    "photo",
    "document",
    "caption",
    "caption_entities",
    "show_caption_above_media",
    "has_media_spoiler",
    "reply_markup",
)


def _editable(world: World, params: Params) -> tuple[int, Stored]:
    chat_id = world.writable(params["chat_id"])
    stored = world.message(chat_id, params["message_id"])
    if stored is None:
        raise bad_request("message to edit not found")
    if not _may_edit(world, chat_id, stored):
        raise bad_request("message can't be edited")
    return chat_id, stored


def _may_edit(world: World, chat_id: int, stored: Stored) -> bool:
    """Its own messages; in a channel all posts by the right to edit, its own by that to post."""
    if "forward_origin" in stored.data or not SERVICE.isdisjoint(stored.data):
        return False
    room = world.groups.get(chat_id)
    if room is None or room.type != "channel":
        return stored.from_bot
    if room.may(BOT_ID, "can_edit_messages"):
        return True
    return stored.from_bot and room.may(BOT_ID, "can_post_messages")


def _apply(world: World, params: Params, stored: Stored, content: Json) -> Json:
    """Replace what is shown by `content` and the call's keyboard; ApiError 400 if it is the same.

    As in Telegram, an edit without reply_markup takes the keyboard away.
    """
    invoice = stored.invoice is not None
    inline, keyboard = read_markup(params.get("reply_markup"), invoice=invoice)
    if keyboard is not None:
        raise bad_request("inline keyboard expected")
    if inline is not None:
        content["reply_markup"] = inline
    before = stored.data
    if all(before.get(key) == content.get(key) for key in _SHOWN):
        raise bad_request(NOT_MODIFIED)
    world.limits.spend(before["chat"]["id"], edit=True)
    kept = {key: value for key, value in before.items() if key not in _SHOWN}
    only_markup = all(before.get(key) == content.get(key) for key in _SHOWN[:-1])
    if not only_markup:
        kept["edit_date"] = world.unix_time()
        stored.edited = True
    stored.data = {**kept, **content}
    world.announce("edited", stored)
    room = world.groups.get(before["chat"]["id"])
    if room is not None:
        echo_edit(world, room, stored)
    return stored.data


def edit_message_text(world: World, params: Params) -> Json:
    _, stored = _editable(world, params)
    if "text" not in stored.data:
        raise bad_request("there is no text in the message to edit")
    return _apply(world, params, stored, text_content(world, params))


def edit_message_caption(world: World, params: Params) -> Json:
    _, stored = _editable(world, params)
    if "photo" not in stored.data and "document" not in stored.data:
        raise bad_request("there is no caption in the message to edit")
    media = ("photo", "document", "has_media_spoiler")
    content = {key: stored.data[key] for key in media if key in stored.data}
    return _apply(world, params, stored, content | caption_content(world, params))


def edit_message_reply_markup(world: World, params: Params) -> Json:
    _, stored = _editable(world, params)
    content = {key: stored.data[key] for key in _SHOWN[:-1] if key in stored.data}
    return _apply(world, params, stored, content)


def edit_message_media(world: World, params: Params) -> Json:
    _, stored = _editable(world, params)
    media: Any = params["media"]
    if not isinstance(media, dict) or media.get("type") not in ("photo", "document"):
        raise bad_request("can't parse InputMedia: the stand-in knows photo and document")
    kind = media["type"]
    takes = {**CAPTION, "type": p.string, "media": p.file}
    if kind == "photo":
        takes |= {**PHOTO_CAPTION, "has_spoiler": p.boolean}
    given = Method(edit_message_media, takes).read(media)
    if stored.invoice is not None:
        raise bad_request("message can't be edited")
    file = world.files.take(kind, given.get("media"), params.get("uploads"))
    content = file.as_content() | caption_content(world, given)
    if given.get("has_spoiler"):
        content["has_media_spoiler"] = True
    return _apply(world, params, stored, content)


def delete_message(world: World, params: Params) -> bool:
    chat_id = world.find_chat(params["chat_id"])
    stored = world.message(chat_id, params["message_id"])
    if stored is None:
        raise bad_request("message to delete not found")
    if not _may_delete(world, chat_id, stored):
        raise bad_request("message can't be deleted")
    _delete(world, stored)
    return True


def delete_messages(world: World, params: Params) -> bool:
    """Delete what can be deleted of up to 100 messages; the others are skipped."""
    ids = params["message_ids"]
    if not isinstance(ids, list) or not 1 <= len(ids) <= 100:
        raise bad_request("between 1 and 100 message identifiers are needed")
    chat_id = world.find_chat(params["chat_id"])
    for message_id in ids:
        stored = world.message(chat_id, p.integer("message_ids", message_id))
        if stored is not None and _may_delete(world, chat_id, stored):
            _delete(world, stored)
    return True


def _may_delete(world: World, chat_id: int, stored: Stored) -> bool:
    """Only within 48 hours; others' messages only in private chats or with the right to."""
    if world.unix_time() - stored.data["date"] >= DELETE_SECONDS:
        return False
    room = world.groups.get(chat_id)
    if room is None:
        return True
    if not room.has(BOT_ID):
        return False
    if room.is_admin(BOT_ID) and room.may(BOT_ID, "can_delete_messages"):
        return True
    if room.type == "channel":
        return stored.from_bot and room.may(BOT_ID, "can_post_messages")
    return stored.from_bot


def _delete(world: World, stored: Stored) -> None:
    stored.deleted = True
    world.announce("deleted", stored)


_TARGET = ("chat_id", "message_id")
METHODS = {
    "editMessageText": Method(
        edit_message_text,
        {**EDITING, **TEXT},
        (*_TARGET, "text"),
        {**CHAT_MISSING, "text": "message text is empty"},
    ),
    "editMessageCaption": Method(
        edit_message_caption, {**EDITING, **PHOTO_CAPTION}, _TARGET, CHAT_MISSING
    ),
    "editMessageReplyMarkup": Method(edit_message_reply_markup, EDITING, _TARGET, CHAT_MISSING),
    "editMessageMedia": Method(
        edit_message_media, {**EDITING, "media": p.structure}, (*_TARGET, "media"), CHAT_MISSING
    ),
    "deleteMessage": Method(
        delete_message, {"chat_id": p.chat, "message_id": p.integer}, _TARGET, CHAT_MISSING
    ),
    "deleteMessages": Method(
        delete_messages,
        {"chat_id": p.chat, "message_ids": p.structure},
        ("chat_id", "message_ids"),
        CHAT_MISSING,
    ),
}
