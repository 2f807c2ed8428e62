"""What the bot says of itself: names, descriptions, commands by scope and language, menu button."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.demo.botapi.errors import bad_request
from bot.demo.botapi.models import Json
from bot.demo.botapi.params import Method, Params, chat, integer, string, structure

if TYPE_CHECKING:
    from bot.demo.world import World

ScopeKey = tuple[str, int, int]
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_CHAT_SCOPES = ("chat", "chat_administrators", "chat_member")
_WIDE_SCOPES = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")


@dataclass(slots=True)
class BotProfile:
    """Texts by language code ("" is the default), commands by (scope, language)."""

    name: str = "续卡 Xuka"
    names: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    short_descriptions: dict[str, str] = field(default_factory=dict)
    commands: dict[tuple[ScopeKey, str], list[Json]] = field(default_factory=dict)
    menu_button: Json = field(default_factory=lambda: {"type": "default"})
    menu_buttons: dict[int, Json] = field(default_factory=dict)

    def commands_for(self, scopes: list[ScopeKey], language: str) -> list[Json]:
        """The menu of the first scope that has one, the person's language before the default."""
        for scope in scopes:
            for code in (language, ""):
                if found := self.commands.get((scope, code)):
                    return found
        return []

    def text_for(self, texts: dict[str, str], language: str) -> str:
        return texts.get(language) or texts.get("", "")


def _language(params: Params) -> str:
    code = str(params.get("language_code", ""))
    if code and not _LANGUAGE.fullmatch(code):
        raise bad_request("invalid language code specified")
    return code


def _scope(world: World, params: Params) -> ScopeKey:
    scope = params.get("scope") or {"type": "default"}
    kind = scope.get("type") if isinstance(scope, dict) else None
    if kind in _WIDE_SCOPES:
        return (kind, 0, 0)
    if kind not in _CHAT_SCOPES:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    chat_id = world.find_chat(chat("chat_id", scope.get("chat_id")))
    if kind != "chat" and chat_id > 0:
        raise bad_request("can't change commands of administrators in private chats")
    user_id = integer("user_id", scope.get("user_id")) if kind == "chat_member" else 0
    return (kind, chat_id, user_id)


def set_my_commands(world: World, params: Params) -> bool:
    commands = params["commands"]
    if not isinstance(commands, list):
        raise bad_request("can't parse commands: expected an Array of BotCommand")
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    checked = [_command(command) for command in commands]
    key = (_scope(world, params), _language(params))
    if checked:
        world.bot.commands[key] = checked
    else:
        world.bot.commands.pop(key, None)
    world.events.emit("commands")
    return True


def _command(command: Any) -> Json:
    if not isinstance(command, dict) or command.keys() != {"command", "description"}:
        raise bad_request("can't parse BotCommand: command and description are needed")
    name, description = str(command["command"]).removeprefix("/"), command["description"]
    if not _COMMAND.fullmatch(name):
        raise bad_request("BOT_COMMAND_INVALID")
    if not isinstance(description, str) or not 1 <= len(description.strip()) <= 256:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}


def get_my_commands(world: World, params: Params) -> list[Json]:
    return world.bot.commands.get((_scope(world, params), _language(params)), [])


def delete_my_commands(world: World, params: Params) -> bool:
    world.bot.commands.pop((_scope(world, params), _language(params)), None)
    world.events.emit("commands")
    return True


def _set_text(texts: dict[str, str], params: Params, name: str, limit: int) -> bool:
    text = str(params.get(name, ""))
    if len(text) > limit:
        raise bad_request(f"{name} must be at most {limit} characters long")
    texts[_language(params)] = text
    return True


def set_my_name(world: World, params: Params) -> bool:
    return _set_text(world.bot.names, params, "name", 64)


def set_my_description(world: World, params: Params) -> bool:
    return _set_text(world.bot.descriptions, params, "description", 512)


def set_my_short_description(world: World, params: Params) -> bool:
    return _set_text(world.bot.short_descriptions, params, "short_description", 120)


def get_my_name(world: World, params: Params) -> Json:
    return {"name": world.bot.text_for(world.bot.names, _language(params)) or world.bot.name}


def get_my_description(world: World, params: Params) -> Json:
    return {"description": world.bot.text_for(world.bot.descriptions, _language(params))}


def get_my_short_description(world: World, params: Params) -> Json:
    texts = world.bot.short_descriptions
    return {"short_description": world.bot.text_for(texts, _language(params))}


def set_chat_menu_button(world: World, params: Params) -> bool:
    button = params.get("menu_button") or {"type": "default"}
    if not isinstance(button, dict) or button.get("type") not in ("commands", "default"):
        raise bad_request("the stand-in knows the menu buttons commands and default only")
    if "chat_id" in params:
        world.bot.menu_buttons[_private(world, params["chat_id"])] = button
    else:
        world.bot.menu_button = button
    return True


def get_chat_menu_button(world: World, params: Params) -> Json:
    if "chat_id" in params:
        chat_id = _private(world, params["chat_id"])
        return world.bot.menu_buttons.get(chat_id, world.bot.menu_button)
    return world.bot.menu_button


def _private(world: World, chat_id: int) -> int:
    if chat_id not in world.people:
        raise bad_request("chat not found")
    return chat_id


def get_me(world: World, _params: Params) -> Json:
    flags = {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }
    return world.bot_user | flags


def menu_scopes(chat_id: int, person_id: int, *, admin: bool) -> list[ScopeKey]:
    """The scopes Telegram looks through for this person, first one first.

    Order: https://core.telegram.org/bots/api#determining-list-of-commands
    """
    if chat_id > 0:
        return [("chat", chat_id, 0), ("all_private_chats", 0, 0), ("default", 0, 0)]
    scopes: list[ScopeKey] = [("chat_member", chat_id, person_id)]
    if admin:
        scopes.append(("chat_administrators", chat_id, 0))
    scopes.append(("chat", chat_id, 0))
    if admin:
        scopes.append(("all_chat_administrators", 0, 0))
    return [*scopes, ("all_group_chats", 0, 0), ("default", 0, 0)]


_SCOPED = {"scope": structure, "language_code": string}
METHODS = {
    "getMe": Method(get_me),
    "setMyCommands": Method(set_my_commands, {"commands": structure, **_SCOPED}, ("commands",)),
    "getMyCommands": Method(get_my_commands, _SCOPED),
    "deleteMyCommands": Method(delete_my_commands, _SCOPED),
    "setMyName": Method(set_my_name, {"name": string, "language_code": string}),
    "getMyName": Method(get_my_name, {"language_code": string}),
    "setMyDescription": Method(
        set_my_description, {"description": string, "language_code": string}
    ),
    "getMyDescription": Method(get_my_description, {"language_code": string}),
    "setMyShortDescription": Method(
        set_my_short_description, {"short_description": string, "language_code": string}
    ),
    "getMyShortDescription": Method(get_my_short_description, {"language_code": string}),
    "setChatMenuButton": Method(
        set_chat_menu_button, {"chat_id": integer, "menu_button": structure}
    ),
    "getChatMenuButton": Method(get_chat_menu_button, {"chat_id": integer}),
}
