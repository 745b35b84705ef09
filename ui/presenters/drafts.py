"""Texts of the settings that are being written: from which revision they began, and whether somebody else was quicker."""

from typing import Literal, cast

from backend.api import settings as st
from backend.api import types as t

FileName = Literal["server.toml", "domains.toml"]


class Drafts:
    """`texts`: by file, only those that differ from what holds. `base`: the revision they were made from."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.base = 0
        self.is_behind = False
        self._began_from: dict[str, str] = {}

    def put(self, file: str, text: str, config: t.Configuration) -> None:
        """What stands in the editor of a file now."""
        if not self.texts:
            self.begin_from(config)
        if text == self._began_from.get(file) and not self.is_behind:
            self.texts.pop(file, None)
        else:
            self.texts[file] = text

    def meet(self, config: t.Configuration) -> None:
        """The settings that hold, read anew. Only a change of a file that is being written here stands in the way."""
        if not self.texts or config.revision == self.base:
            self.is_behind = False
            if not self.texts:
                self.begin_from(config)
            return
        touched = any(config.files.get(file) != self._began_from.get(file) for file in self.texts)
        if touched:
            self.is_behind = True
        else:
            self.begin_from(config)

    def begin_from(self, config: t.Configuration) -> None:
        """Whatever is typed counts from here."""
        self.base = config.revision
        self.is_behind = False
        self._began_from = dict(config.files)

    def clear(self) -> None:
        self.texts.clear()
        self.is_behind = False

    def request(self) -> st.ConfigFiles:
        return st.ConfigFiles(
            files={cast(FileName, file): text for file, text in self.texts.items()}
        )
