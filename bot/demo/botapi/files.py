"""Files: kept in memory, named by file_id, given back by getFile and the download path."""

from __future__ import annotations

import mimetypes
import secrets
import struct
from typing import TYPE_CHECKING

from bot.demo.botapi.errors import ApiError, bad_request
from bot.demo.botapi.models import Json, StoredFile
from bot.demo.botapi.params import MAX_UPLOAD, Method, Params, Upload, string

if TYPE_CHECKING:
    from bot.demo.world import World

PHOTO_LIMIT = 10 * 1024 * 1024
DOWNLOAD_LIMIT = 20 * 1024 * 1024


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, GIF, WebP or JPEG picture; None for anything else."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return width, height
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X" and len(data) >= 30:
        low = (
            struct.unpack("<I", data[24:27] + b"\0")[0],
            struct.unpack("<I", data[27:30] + b"\0")[0],
        )
        return low[0] + 1, low[1] + 1
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8 " and len(data) >= 30:
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8L" and len(data) >= 25:
        bits = struct.unpack("<I", data[21:25])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return _jpeg_size(data) if data[:2] == b"\xff\xd8" else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    position = 2
    while position + 9 < len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        position += 2 + int(struct.unpack(">H", data[position + 2 : position + 4])[0])
    return None


class FileStore:
    """All files by file_id and by unique id."""

    def __init__(self) -> None:
        self.by_id: dict[str, StoredFile] = {}
        self.by_unique: dict[str, StoredFile] = {}

    def add(self, kind: str, upload: Upload) -> StoredFile:
        """Keep an upload as a "photo" or "document"; ApiError 400/413 for what Telegram refuses."""
        data = upload.data
        if not data:
            raise bad_request("file must be non-empty")
        if len(data) > MAX_UPLOAD:
            raise ApiError(413, "Request Entity Too Large")
        width = height = 0
        if kind == "photo":
            width, height = _photo_size(data)
        number = len(self.by_id)
        suffix = mimetypes.guess_extension(upload.mime_type) or ""
        if "." in upload.name:
            suffix = "." + upload.name.rpartition(".")[2]
        file = StoredFile(
            file_id=("AgACAgUAAx" if kind == "photo" else "BQACAgUAAx") + secrets.token_urlsafe(30),
            unique_id="AQAD" + secrets.token_urlsafe(9),
            kind=kind,
            path=f"{kind}s/file_{number}{suffix}",
            name=upload.name,
            mime_type=_mime_type(upload),
            data=data,
            width=width,
            height=height,
        )
        self.keep(file)
        return file

    def keep(self, file: StoredFile) -> None:
        self.by_id[file.file_id] = file
        self.by_unique[file.unique_id] = file

    def take(self, kind: str, given: object, uploads: dict[str, Upload] | None) -> StoredFile:
        """The file a parameter means: an upload, "attach://name", or the file_id of this kind."""
        if isinstance(given, Upload):
            return self.add(kind, given)
        if not isinstance(given, str) or not given:
            raise bad_request(f"there is no {kind} in the request")
        if given.startswith("attach://"):
            upload = (uploads or {}).get(given.removeprefix("attach://"))
            if upload is None:
                raise bad_request(f"there is no {kind} in the request")
            return self.add(kind, upload)
        file = self.by_id.get(given)
        if file is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if file.kind != kind:
            names = file.kind.capitalize(), kind.capitalize()
            raise bad_request("can't use file of type {} as {}".format(*names))
        return file

    def shown_in(self, message: Json) -> StoredFile | None:
        """The file of a photo or document message."""
        if photo := message.get("photo"):
            return self.by_id.get(photo[-1]["file_id"])
        if document := message.get("document"):
            return self.by_id.get(document["file_id"])
        return None

    def by_path(self, path: str) -> StoredFile | None:
        return next((file for file in self.by_id.values() if file.path == path), None)


def _photo_size(data: bytes) -> tuple[int, int]:
    if len(data) > PHOTO_LIMIT:
        raise bad_request(
            f"file of size {len(data)} bytes is too big for a photo; "
            f"the maximum size is {PHOTO_LIMIT} bytes"
        )
    size = image_size(data)
    if size is None:
        raise bad_request("IMAGE_PROCESS_FAILED")
    width, height = size
    shorter, longer = min(size), max(size)
    if shorter < 1 or width + height > 10000 or longer > 20 * shorter:
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    return width, height


def _mime_type(upload: Upload) -> str:
    if upload.mime_type != "application/octet-stream":
        return upload.mime_type
    return mimetypes.guess_type(upload.name)[0] or upload.mime_type


def get_file(world: World, params: Params) -> Json:
    file = world.files.by_id.get(params["file_id"])
    if file is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if len(file.data) > DOWNLOAD_LIMIT:
        raise bad_request("file is too big")
    return file.as_file() | {"file_path": file.path}


METHODS = {"getFile": Method(get_file, {"file_id": string}, ("file_id",))}
