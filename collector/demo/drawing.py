"""Drawing: a product's picture as SVG, out of its id, kind, collection and material; the same every time.

The shape says what it is, the material its colour, the collection its accent, the id the light of the room.
"""

import colorsys

from collector.demo.shapes import SHAPES

_MATERIALS = {
    "brass": "#c49a45",
    "opal glass": "#dfe3e0",
    "smoked glass": "#6d6a67",
    "black steel": "#3b3d42",
    "oak": "#c59b6a",
    "walnut": "#7d5438",
    "ash": "#dcc6a0",
    "wool": "#b9a394",
    "stoneware": "#93a39a",
    "porcelain": "#e6e2d9",
    "terracotta": "#c5704b",
    "linen": "#cfc2a8",
    "cotton": "#d8cfc4",
    "mohair": "#a97c86",
    "concrete": "#a3a5a4",
    "steel": "#a8b2b8",
    "beech": "#d9b384",
    "cast iron": "#4a4b4f",
    "copper": "#bd6f49",
    "cork": "#bd9468",
    "felt": "#7f8a94",
    "willow": "#b28a56",
    "canvas": "#c9bda3",
    "beeswax": "#e0b354",
    "soy wax": "#e9dfc9",
    "glass": "#b5cbd0",
}
_ACCENTS = {
    "Orrin": "#2f5d62",
    "Saltmarsh": "#6c8f7d",
    "Tindra": "#c86b5c",
    "Alder": "#8a5a3c",
    "Quay": "#3c6e9e",
    "Hollis": "#d08c3f",
    "Merle": "#4b4a6b",
    "Fenwick": "#9c4a5a",
}
_ROOMS = ("#e9e4da", "#dfe6e2", "#e8dcd4", "#dde3ea", "#ece6cf", "#e3dde8")

_SHEET = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="{size}" height="{size}">\
<title>{title}</title><defs><linearGradient id="w" x2="0" y2="1"><stop stop-color="{wall}"/>\
<stop offset="1" stop-color="{wall_low}"/></linearGradient><radialGradient id="h" cx=".3" cy=".2" r=".8">\
<stop stop-color="#fff" stop-opacity=".55"/><stop offset="1" stop-color="#fff" stop-opacity="0"/></radialGradient></defs>\
<style>.m{{fill:{main}}}.d{{fill:{dark}}}.l{{fill:{light}}}.a{{fill:{accent}}}.g{{fill:#5d7f5b}}.f{{fill:#f2b14a}}\
.s{{fill:none;stroke:{dark};stroke-width:9;stroke-linecap:round;stroke-linejoin:round}}</style>\
<path fill="url(#w)" d="M0 0h400v400H0z"/><path fill="{floor}" d="M0 300h400v100H0z"/>\
<ellipse cx="200" cy="324" rx="138" ry="13" fill="#000" opacity=".13"/>{shape}\
<path fill="url(#h)" d="M0 0h400v400H0z"/></svg>"""


def draw(product_id: int, kind: str, collection: str, material: str, size: int) -> str:
    """The picture, `size` pixels square."""
    main, wall = _MATERIALS[material], room(product_id)
    return _SHEET.format(
        size=size, title=f"{collection} {kind}", shape=SHAPES[kind],
        main=main, dark=_shade(main, 0.72), light=_shade(main, 1.18), accent=_ACCENTS[collection],
        wall=wall, wall_low=_shade(wall, 0.94), floor=_shade(wall, 0.87),
    )  # fmt: skip


def room(product_id: int) -> str:
    """The colour of the picture's wall: what a page shows until the picture is there."""
    return _ROOMS[product_id % len(_ROOMS)]


def _shade(colour: str, factor: float) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    shaded = colorsys.hls_to_rgb(hue, min(lightness * factor, 0.96), saturation)
    return "#" + "".join(f"{round(part * 255):02x}" for part in shaded)
