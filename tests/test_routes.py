"""Routes: learned, bounded, and the same after a restart."""

from pathlib import Path

import pytest

from collector.routes import MAX_ROUTES, OTHER, RouteBook, Routes, write_learned


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/products", "/products"),
        ("/products/42", "/products/:id"),
        ("/products/42/reviews/7/", "/products/:id/reviews/:id/"),
        ("/u/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "/u/:id"),
        ("/commit/9fceb02d0ae598e95dc970b74767f19372d61af8", "/commit/:id"),
        ("/deadbeef", "/deadbeef"),
        ("/v2/items", "/v2/items"),
        ("/a/iPhone15-pro", "/a/iPhone15-pro"),
        ("/s/Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5", "/s/:id"),
        ("/how-we-made-our-checkout-page-faster", "/how-we-made-our-checkout-page-faster"),
        ("/products/:id", "/products/:id"),
    ],
)
def test_variables_at_first_sight(path: str, route: str) -> None:
    assert Routes().template(path) == route


def titles(n: int) -> list[str]:
    return [f"/blog/{chr(97 + i // 26)}{chr(97 + i % 26)}-title" for i in range(n)]


def test_names_under_one_place_become_slugs_when_there_are_many() -> None:
    routes = Routes()
    found = [routes.template(f"{title}/comments") for title in titles(80)]
    assert found[0] == "/blog/aa-title/comments"
    assert found[-1] == "/blog/:slug/comments"
    assert routes.template("/blog/aa-title/comments") == "/blog/:slug/comments"
    assert routes.template("/about/aa-title") == "/about/aa-title"


def test_the_budget_of_routes_is_kept_and_memory_with_it() -> None:
    routes = Routes()
    letters = "abcdefghijklmno"
    found = {routes.template(f"/{a}x/{b}y/{c}z") for a in letters for b in letters for c in letters}
    assert len(found) == MAX_ROUTES + 1
    assert OTHER in found
    assert routes.template("/ax/ay/az") == "/ax/ay/az"
    assert Routes().template("/" + "x" * 5_000) == "/" + "x" * 255


def test_what_was_learned_is_the_same_after_a_restart_and_behind_another_door(tmp_path: Path) -> None:
    first = Routes()
    for title in titles(80):
        first.template(title)
    write_learned(tmp_path / "routes.json", {"shop": sorted(first.known | {"/users/:id"})})
    book = RouteBook(tmp_path / "routes.json")
    book.refresh()
    assert book.of("shop").template("/blog/zz-title") == "/blog/:slug"
    assert "/users/:id" in book.of("shop").known
    (tmp_path / "routes.json").write_text("half a fi")
    book.refresh()
    assert book.of("shop").template("/blog/zz-title") == "/blog/:slug"
