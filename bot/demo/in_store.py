"""The demo shop's wallet and its account for transfers, with a collection code to scan."""

import json
from pathlib import Path

import segno

_CODE = "Xuka demo: this code collects no money"
_FILE = "collection-code.png"


def in_store(home: Path) -> dict[str, str]:
    """Settings of the ways to pay that no provider stands behind; the code's picture is made in
    `home`."""
    picture = home / _FILE
    if not picture.exists():
        segno.make(_CODE, error="m").save(str(picture), kind="png", scale=8, border=4)
    accounts = [
        {
            "label": {"en": "Alipay (demo)", "zh": "支付宝（演示）", "zh_Hant": "支付寶（示範）"},
            "details": "shop@xuka.example · 续卡演示店 Xuka Demo Shop",
            "currency": "CNY",
            "qr": str(picture),
        }
    ]
    return {
        "XUKA_WALLET__ENABLED": "true",
        "XUKA_WALLET__AMOUNTS": '{"USD": [5, 10, 20, 50], "PHP": [300, 500, 1000]}',
        "XUKA_TRANSFER__ACCOUNTS": json.dumps(accounts, ensure_ascii=False),
    }
