"""Carriers by the names their own customers use; a carrier without one here keeps its only name."""

from bot.i18n import Words

# (simplified, traditional) as each company writes itself.
_CHINESE = {
    "China Mobile": ("中国移动", "中國移動"),
    "China Unicom": ("中国联通", "中國聯通"),
    "China Telecom": ("中国电信", "中國電信"),
    "China Broadnet": ("中国广电", "中國廣電"),
    "China Mobile Hong Kong": ("中国移动香港", "中國移動香港"),
    "China Unicom Hong Kong": ("中国联通香港", "中國聯通香港"),
    "3 Hong Kong": ("3 香港", "3 香港"),
    "SmarTone": ("数码通", "數碼通"),
}
_SPELT = {name: english for english, names in _CHINESE.items() for name in names} | {
    "移动": "China Mobile",
    "移動": "China Mobile",
    "联通": "China Unicom",
    "聯通": "China Unicom",
    "电信": "China Telecom",
    "電信": "China Telecom",
    "广电": "China Broadnet",
    "廣電": "China Broadnet",
}


def carrier_name(t: Words, carrier: str) -> str:
    """A carrier in the reader's language."""
    names = _CHINESE.get(carrier)
    if names is None or not t.language.startswith("zh"):
        return carrier
    return names[0] if t.language == "zh_Hans" else names[1]


def carrier_meant(text: str) -> str:
    """The carrier a written name means, as plans and rules spell it; else the text itself."""
    return _SPELT.get(text, text)
