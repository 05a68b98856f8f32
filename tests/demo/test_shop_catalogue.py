"""What the shop sells is the same everywhere, and everything has a picture."""

import xml.etree.ElementTree as ElementTree

from collector.demo.catalogue import CATEGORIES, products
from collector.demo.drawing import draw
from collector.demo.reviews import reviews_of
from collector.demo.shapes import SHAPES


def test_the_catalogue_never_changes() -> None:
    goods = list(products())
    assert goods == list(products())
    assert len(goods) == len({product.name for product in goods}) == 480
    assert (goods[0].name, goods[0].price, goods[-1].id) == ("Merle stool", 13700, 480)
    assert {product.category for product in goods} == {category.slug for category in CATEGORIES}


def test_prices_and_stock_are_believable() -> None:
    goods = list(products())
    assert all(500 <= product.price <= 90_000 and product.price % 100 == 0 for product in goods)
    assert sum(product.stock == 0 for product in goods) == 19


def test_every_product_has_a_picture_and_every_shape_a_product() -> None:
    goods = list(products())
    for product in goods:
        ElementTree.fromstring(draw(product.id, product.kind, product.collection, product.material, 640))
    assert {product.kind for product in goods} == set(SHAPES)


def test_reviews_are_by_different_people_in_different_words() -> None:
    for product in products():
        reviews = reviews_of(product)
        assert len({review.author for review in reviews}) == len({review.words for review in reviews}) == len(reviews)
