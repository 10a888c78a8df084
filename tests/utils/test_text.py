"""Lists in messages."""

from skau.utils._text import first_few, first_lines


def test_long_lists_say_how_many_more_there_are():
    assert first_few(["a", "b"]) == "a, b"
    assert first_few("abcdefg", 3) == "a, b, c and 4 more"
    assert first_lines(["a: lost", "b: torn"]) == "\n  a: lost\n  b: torn"
    *first, last = first_lines(range(100)).split("\n  ")
    assert first == ["", *map(str, range(20))]
    assert last == "and 80 more"
