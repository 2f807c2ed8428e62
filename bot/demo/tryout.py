"""What there is to try in the demo: SIMs, codes and vouchers, the same for the bot and the page."""

from dataclasses import dataclass
from typing import Any

TOKEN = "9000001:DEMO-TOKEN-NOT-A-SECRET"  # noqa: S105  opens nothing but the demo
ZH, EN, ADMIN, OPERATOR, STRANGER, HANT = 1001, 1002, 1003, 1004, 1005, 1006


@dataclass(frozen=True, slots=True)
class StockSim:
    """A managed SIM of the demo's shop; `owner` has claimed it already, or it waits in stock."""

    iccid: str
    supplier_ref: str
    carrier: str
    country: str
    claim_code: str
    owner: int | None = None
    supplier: str = "esim_access"


STOCK = (
    StockSim(
        "89852041000000001015", "25112000000001", "boom eSIM", "JP", "XUKS-J2B3-C4D5-E6F7", ZH
    ),
    StockSim(
        "89852041000000002195", "25112000000002", "US Data Card", "US", "XUKS-M2N3-P4Q5-R6S7", EN
    ),
    StockSim("89852041000000003276", "25112000000003", "boom eSIM", "EU", "XUKS-3F7K-9M2P-Q4TD"),
    StockSim("89852041000000004357", "25112000000004", "boom eSIM", "JP", "XUKS-8H2W-5N6R-V3YC"),
    StockSim(
        "8981040000000010012",
        "8981040000000010012",
        "boom eSIM",
        "JP",
        "XUKS-A2G9-R4C7-E5MX",
        supplier="airalo",
    ),
    StockSim(
        "8901260000000020020",
        "8901260000000020020",
        "US Data Card",
        "US",
        "XUKS-D6A3-T8K2-C9RW",
        supplier="airalo",
    ),
)
VOUCHERS = (
    ("XVKA-BM5G-7D3N-K8PQ", "boom-jp-month-5"),
    ("XVKA-VS5G-4T9X-J6RW", "us-month-5"),
    ("XVKA-P1ST-2C8F-Y5HZ", None),
)
VOUCHER_VALUE = "100 PHP"
CHINA_MOBILE = "898600B1192000000019"
CHINA_UNICOM = "89860119801234567899"
CHINA_TELECOM = "89860317245600000012"
CHINA_NUMBER = "+8613800138000"
UNICOM_NUMBER = "+8613012345678"
SMART_NUMBER = "+639189876543"
TMOBILE_NUMBER = "+13055550142"
ATT_NUMBER = "+12125550188"
ACTIVATION = "LPA:1$rsp.demo.example$XK-7F3K-2M9P"


def page_facts() -> dict[str, Any]:
    """`GET /world`: the bot, and values to click into the composer."""
    rows = [
        ("ICCID of a boom eSIM (Europe)", "boom eSIM 的 ICCID（欧洲）", STOCK[2].iccid,
         "needs its claim code", "需要领取码", "iccid"),
        ("Claim code of the boom eSIM (Europe)", "boom eSIM（欧洲）的领取码",
         STOCK[2].claim_code, "works once", "只能用一次", "code"),
        ("ICCID of a used-up boom eSIM", "流量用完的 boom eSIM", STOCK[3].iccid,
         "needs its claim code", "需要领取码", "iccid"),
        ("Claim code of the used-up boom eSIM", "流量用完的 boom eSIM 的领取码",
         STOCK[3].claim_code, "works once", "只能用一次", "code"),
        ("boom eSIM in its grace period (Airalo)", "宽限期内的 boom eSIM（Airalo）", STOCK[4].iccid,
         "needs its claim code", "需要领取码", "iccid"),
        ("Claim code of the boom eSIM in its grace period", "宽限期内的 boom eSIM 的领取码",
         STOCK[4].claim_code, "works once", "只能用一次", "code"),
        ("US data card (Airalo)", "美国流量卡（Airalo）", STOCK[5].iccid,
         "needs its claim code", "需要领取码", "iccid"),
        ("Claim code of the US data card (Airalo)", "美国流量卡（Airalo）的领取码",
         STOCK[5].claim_code, "works once", "只能用一次", "code"),
        ("ICCID of an unknown operator", "不知道是哪家的 ICCID", CHINA_MOBILE,
         "the bot names the operator", "机器人会认出运营商", "iccid"),
        ("ICCID of a second one", "第二张：不知道是哪家", CHINA_UNICOM, "", "", "iccid"),
        ("ICCID of a third one", "第三张：不知道是哪家", CHINA_TELECOM, "", "", "iccid"),
        ("Smart number (Philippines)", "Smart 号码（菲律宾）", SMART_NUMBER,
         "self-tracked", "自己记录", "number"),
        ("China Mobile number", "中国移动号码", CHINA_NUMBER, "self-tracked", "自己记录", "number"),
        ("China Unicom number", "中国联通号码", UNICOM_NUMBER,
         "self-tracked", "自己记录", "number"),
        ("T-Mobile US number", "T-Mobile 美国号码", TMOBILE_NUMBER,
         "self-tracked", "自己记录", "number"),
        ("AT&T US number", "AT&T 美国号码", ATT_NUMBER, "self-tracked", "自己记录", "number"),
        ("eSIM activation code", "eSIM 激活码", ACTIVATION, "", "", "lpa"),
        ("Voucher: boom eSIM Japan 5 GB", "充值券：boom 日本 5 GB", VOUCHERS[0][0],
         "instead of paying", "可代替付款", "voucher"),
        ("Voucher: USA 5 GB", "充值券：美国 5 GB", VOUCHERS[1][0],
         "instead of paying", "可代替付款", "voucher"),
        ("Voucher: PHP 100 of Smart load", "充值券：Smart 100 比索", VOUCHERS[2][0],
         "instead of paying", "可代替付款", "voucher"),
        ("Code: 10 % off", "优惠码：9 折", "SPRING10",
         "for the price of any plan", "任何套餐可用", "code"),
        ("Code: 5 GB instead of 1 GB", "优惠码：1 GB 升级为 5 GB", "WELCOME",
         "a first order of a 1 GB month", "首单 1 GB 月卡可用", "code"),
        ("Code of which one is left", "只剩一份的优惠码", "LASTONE",
         "whoever orders first", "先到先得", "code"),
    ]  # fmt: skip
    keys = ("title_en", "title_zh", "value", "note_en", "note_zh", "kind")
    return {
        "bot": {"username": "xuka_demo_bot", "name": "续卡 Xuka"},
        "try": [dict(zip(keys, row, strict=True)) for row in rows],
    }
