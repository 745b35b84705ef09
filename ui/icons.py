"""Icons drawn from the shared SVG files in the palette's colours, sharp at every scale.

`icon("mail")` follows light, dark, disabled and selected by itself; `icon("circle-check", "ok")` has a token's colour.
"""

from functools import cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

import resources
from ui import palette


@cache
def _source(name: str) -> str:
    return resources.text(f"icons/{name}.svg")


def paint(name: str, painter: QPainter, rect: QRectF, tint: str) -> None:
    """Draws an icon in a colour given as `#RRGGBB`."""
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", tint).encode()))
    renderer.render(painter, rect)


class _TintedEngine(QIconEngine):
    """Paints one SVG; the colour is looked up at painting time, so a change of the scheme needs no new icon."""

    def __init__(self, name: str, token: str) -> None:
        super().__init__()
        self._name = name
        self._token = token

    def _tint(self, mode: QIcon.Mode) -> str:
        if mode == QIcon.Mode.Disabled:
            return palette.theme().colors.hex("field_border")
        return palette.theme().colors.hex(self._token)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint(self._name, painter, QRectF(rect), self._tint(mode))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return QPixmap.fromImage(image)

    def clone(self) -> QIconEngine:
        return _TintedEngine(self._name, self._token)


def icon(name: str, tint: str = "text") -> QIcon:
    return QIcon(_TintedEngine(name, tint))


def pixmap(name: str, token: str, side: int, device_pixel_ratio: float) -> QPixmap:
    pixels = round(side * device_pixel_ratio)
    image = QImage(pixels, pixels, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    paint(name, painter, QRectF(0, 0, pixels, pixels), palette.theme().colors.hex(token))
    painter.end()
    image.setDevicePixelRatio(device_pixel_ratio)
    return QPixmap.fromImage(image)


@cache
def product_mark() -> QIcon:
    mark = QIcon()
    renderer = QSvgRenderer(QByteArray(_source("gatepost").encode()))
    for side in (16, 22, 24, 32, 48, 64, 128, 256):
        image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        mark.addPixmap(QPixmap.fromImage(image))
    return mark
