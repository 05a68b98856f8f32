"""Reviews: what customers wrote about a product, made up from its id and always the same."""

import random
from dataclasses import dataclass

from collector.demo.catalogue import Product

_AUTHORS = ("Ines", "Tomasz", "Rukmini", "Bo", "Halima", "Jorge", "Wanjiru", "Siobhan", "Kenji", "Marit", "Ada", "Luca")
_WORDS = {
    5: (
        "Looks better than the picture.",
        "Bought one, then two more.",
        "The {kind} my grandmother would have kept.",
        "Arrived a day early and has been admired since.",
    ),
    4: (
        "Lovely, though the box was bigger than the {kind}.",
        "Does what it should. The colour is a shade warmer.",
        "Good weight, good finish, small label I had to scrub off.",
    ),
    3: ("Fine. I expected a little more {material} for the money.", "It is a {kind}. It does {kind} things."),
    2: ("Wobbles on my floor, which may be my floor.", "Two weeks late, and no word about it."),
}
_STARS = (5, 5, 5, 4, 4, 3, 2)


@dataclass(frozen=True, slots=True)
class Review:
    """One customer's opinion, in one to five `stars`."""

    author: str
    stars: int
    words: str


def reviews_of(product: Product) -> list[Review]:
    """None to six reviews, by different people, no sentence twice."""
    dice = random.Random(product.id)  # noqa: S311 - made-up people need no secrecy
    authors = dice.sample(_AUTHORS, dice.randint(0, 6))
    seen: set[str] = set()
    found = []
    for author in authors:
        stars = dice.choice(_STARS)
        words = dice.choice(_WORDS[stars]).format(kind=product.kind, material=product.material)
        if words not in seen:
            seen.add(words)
            found.append(Review(author, stars, words))
    return found
