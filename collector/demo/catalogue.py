"""The catalogue: what the shop sells, made up once and the same on every machine.

`products()` yields 480 products in a fixed order. Product and image service both fill their stores from it, as two
teams would from one delivery list; after that they know each other's data only over HTTP.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Category:
    """One shelf of the shop; `kinds` are its sorts of things with a typical price in cents."""

    slug: str
    title: str
    tagline: str
    materials: tuple[str, ...]
    kinds: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """One thing for sale; `price` is in cents, `stock` in pieces."""

    id: int
    name: str
    category: str
    kind: str
    collection: str
    material: str
    price: int
    stock: int
    description: str


CATEGORIES = (
    Category(
        "lighting",
        "Lighting",
        "For the hours after five",
        ("brass", "opal glass", "smoked glass", "black steel"),
        (
            ("table lamp", 8900),
            ("pendant", 12900),
            ("floor lamp", 18900),
            ("reading light", 6400),
            ("wall light", 7900),
            ("lantern", 4500),
        ),
    ),
    Category(
        "seating",
        "Seating",
        "Sit down, stay a while",
        ("oak", "walnut", "ash"),
        (
            ("dining chair", 14900),
            ("stool", 8900),
            ("armchair", 44900),
            ("bench", 21900),
            ("rocking chair", 38900),
            ("footstool", 9900),
        ),
    ),
    Category(
        "ceramics",
        "Ceramics",
        "Thrown by hand, washed by machine",
        ("stoneware", "porcelain", "terracotta"),
        (
            ("mug", 1900),
            ("vase", 4200),
            ("serving bowl", 3800),
            ("teapot", 5400),
            ("jug", 3400),
            ("dinner plate", 2400),
        ),
    ),
    Category(
        "textiles",
        "Textiles",
        "Soft things with good edges",
        ("linen", "wool", "cotton", "mohair"),
        (
            ("throw", 7900),
            ("cushion", 3900),
            ("rug", 24900),
            ("tea towel", 1400),
            ("bedspread", 13900),
            ("curtain", 8900),
        ),
    ),
    Category(
        "plants",
        "Plants",
        "Alive when they leave us",
        ("terracotta", "stoneware", "concrete"),
        (
            ("fern", 2400),
            ("rubber plant", 3900),
            ("snake plant", 2900),
            ("olive tree", 6900),
            ("trailing ivy", 1900),
            ("cactus", 1600),
        ),
    ),
    Category(
        "kitchen",
        "Kitchen",
        "Tools that outlive recipes",
        ("steel", "beech", "cast iron", "copper"),
        (
            ("saucepan", 7400),
            ("chopping board", 4400),
            ("kettle", 6900),
            ("pepper mill", 3900),
            ("skillet", 5900),
            ("canister", 2600),
        ),
    ),
    Category(
        "desk",
        "Desk",
        "Paper, and what belongs near it",
        ("cork", "brass", "oak", "felt"),
        (
            ("notebook", 1600),
            ("pencil pot", 2200),
            ("letter tray", 3600),
            ("desk pad", 4900),
            ("bookend", 3200),
            ("pinboard", 4400),
        ),
    ),
    Category(
        "clocks",
        "Clocks",
        "Quiet ones, mostly",
        ("walnut", "brass", "steel", "porcelain"),
        (
            ("wall clock", 7900),
            ("alarm clock", 4400),
            ("mantel clock", 11900),
            ("kitchen timer", 2400),
            ("station clock", 15900),
            ("travel clock", 5400),
        ),
    ),
    Category(
        "storage",
        "Storage",
        "A place for the rest",
        ("willow", "oak", "canvas", "steel"),
        (
            ("basket", 3400),
            ("crate", 2900),
            ("shelf", 9900),
            ("hook rail", 4200),
            ("trunk", 18900),
            ("shoe rack", 7900),
        ),
    ),
    Category(
        "candles",
        "Candles",
        "Forty hours of evening",
        ("beeswax", "soy wax", "brass", "glass"),
        (
            ("pillar candle", 1400),
            ("scented candle", 3200),
            ("candlestick", 3600),
            ("tealight set", 1200),
            ("candle bowl", 4400),
            ("snuffer", 1900),
        ),
    ),
)

_COLLECTIONS = ("Orrin", "Saltmarsh", "Tindra", "Alder", "Quay", "Hollis", "Merle", "Fenwick")

# Where the shelf's own materials would be odd: nobody sells a chopping board of cast iron.
_FITTING = {
    "chopping board": ("beech", "oak", "walnut"),
    "pepper mill": ("beech", "walnut", "steel"),
    "skillet": ("cast iron", "copper", "steel"),
    "shelf": ("oak", "ash", "steel"),
    "shoe rack": ("oak", "ash", "steel"),
    "hook rail": ("oak", "walnut", "brass"),
    "letter tray": ("oak", "brass", "steel"),
    "pinboard": ("cork", "felt"),
    "pillar candle": ("beeswax", "soy wax"),
    "candle bowl": ("glass", "brass"),
    "snuffer": ("brass",),
}

_OPENINGS = (
    "A {kind} in {material} that does one thing and does it for decades.",
    "{material} with a soft edge: the {kind} most people touch before they look at it.",
    "Drawn by hand, then drawn again until nothing was left to take away.",
    "Made in small runs, so no two of these {kind}s are quite alike.",
)
_CLOSINGS = (
    "Ships flat, repairs easily, ages well.",
    "Wipe with a damp cloth; scratches are part of the plan.",
    "If it breaks in ten years, write to us. We keep the parts.",
    "From a workshop of nine people and one dog.",
)


def products() -> Iterator[Product]:
    """Every product, shuffled as a shop window is: neighbours come from different shelves."""
    # Dice with a fixed seed: the shop must look the same everywhere, and nothing here is a secret.
    dice = random.Random("linden & loft")  # noqa: S311
    places = [
        (category, kind, price, name)
        for category in CATEGORIES
        for kind, price in category.kinds
        for name in _COLLECTIONS
    ]
    dice.shuffle(places)
    for number, (category, kind, price, collection) in enumerate(places, start=1):
        yield _make(number, category, kind, price, collection, dice)


def _make(number: int, category: Category, kind: str, typical: int, collection: str, dice: random.Random) -> Product:
    material = dice.choice(_FITTING.get(kind, category.materials))
    price = round(typical * dice.uniform(0.7, 1.6) / 100) * 100
    opening = dice.choice(_OPENINGS).format(kind=kind, material=material)
    return Product(
        id=number,
        name=f"{collection} {kind}",
        category=category.slug,
        kind=kind,
        collection=collection,
        material=material,
        price=price,
        # One in twenty-five is sold out: the cart then answers 409, an error nobody needs to fix.
        stock=0 if number % 25 == 0 else dice.randint(2, 60),
        description=f"{opening[0].upper()}{opening[1:]} {dice.choice(_CLOSINGS)}",
    )
