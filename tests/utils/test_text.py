"""Lists in messages."""

from skau.utils._text import first_few, first_lines


def test_long_lists_say_how_many_more_there_are():
    assert first_few(["a", "b"]) == "a, b"
    assert first_few("abcdefg", 3) == "a, b, c and 4 more"
    assert first_lines(["a: lost", "b: torn"]) == "\n  a: lost\n  b: torn"
    assert first_lines(range(100), 2) == "\n  0\n  1\n  and 98 more"
