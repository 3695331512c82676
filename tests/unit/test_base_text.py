"""Texts for messages and for the terminal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brnn.base.text import bytes_in_words, closest, count_in, counted, short_repr, shortened, text_table


@pytest.mark.parametrize(
    ("text", "length", "said"),
    [
        ("", 10, ""),
        ("ten of them", 11, "ten of them"),
        ("ten of them", 10, "ten of ..."),
        ("two  blanks stay", 60, "two  blanks stay"),
        ("a\n   b \r\n\n c\n", 60, "a b c"),
        ("\n", 60, ""),
        ("x" * 61, 60, "x" * 57 + "..."),
    ],
)
def test_shortened(text: str, length: int, said: str) -> None:
    assert shortened(text, length) == said


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "1_0", " 1", "1\n", "\u00b2", "\u0663", "9" * 5000])
def test_what_is_no_count(text: str) -> None:
    assert count_in(text) is None


def test_counts() -> None:
    assert [count_in(text) for text in ("0", "007", "12", "9" * 300)] == [0, 7, 12, 10**300 - 1]


@given(st.text(), st.integers(3, 100))
def test_shortened_is_one_line_of_that_length(text: str, length: int) -> None:
    said = shortened(text, length)
    assert len(said) <= length
    assert len(said.splitlines()) <= 1
    if len(text.splitlines()) == 1 and text.splitlines()[0] == text and len(text) <= length:
        assert said == text


def test_short_repr_of_an_array_is_one_line() -> None:
    assert short_repr(np.zeros((2, 2))) == "array([[0., 0.], [0., 0.]])"
    assert short_repr("a\nb") == r"'a\nb'"
    assert short_repr(list(range(100)), 12) == "[0, 1, 2,..."


def test_closest() -> None:
    assert closest("sigmiod", ["linear", "sigmoid"]) == "; did you mean 'sigmoid'?"
    assert closest("linaer", iter(("linear", "sigmoid"))) == "; did you mean 'linear'?"
    assert closest("quadratic", ["linear", "sigmoid"]) == ""
    assert closest("x", []) == ""


def test_counted() -> None:
    assert [counted(k, "cell") for k in (0, 1, 2)] == ["0 cells", "1 cell", "2 cells"]


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (2**20, "1.05 MB"), (3.2e9, "3.2 GB"), (5e15, "5e+03 TB")],
)
def test_bytes_in_words(size: float, words: str) -> None:
    assert bytes_in_words(size) == words


ROWS = [("a", "1"), "across all columns", ("long name", "22")]


def test_columns_are_as_wide_as_their_widest_text() -> None:
    assert text_table(ROWS, ("name", "x")) == "name       x\na          1\nacross all columns\nlong name  22"
    assert text_table([("", "no blank at the end", "")]) == "  no blank at the end"


def test_indent_rule_and_the_right() -> None:
    text = text_table(ROWS, ("name", "x"), indent="> ", rule=True, right=True)
    assert text.splitlines() == [
        "> name        x",
        "> ---------  --",
        "> a           1",
        "across all columns",
        "> long name  22",
    ]


def test_texts_of_several_lines() -> None:
    text = text_table([("one\ntwo and three", "1", "x\ny\nz"), ("four", "22", "")], ("n", "", "k"))
    assert text.splitlines() == [
        "n                  k",
        "one            1   x",
        "two and three      y",
        "                   z",
        "four           22",
    ]


def test_the_last_column_is_wrapped() -> None:
    text = text_table([("a", "word " * 10), ("b", "in-divisible")], ("", "text"), width=36)
    assert text.splitlines() == [
        "   text",
        "a  word word word word word word",
        "   word word word word",
        "b  in-divisible",
    ]
    assert max(map(len, text_table([("a" * 30, "word " * 20)], width=40).splitlines())) > 40  # some room is left
    assert text_table([("a", "x" * 99)], width=40) == "a  " + "x" * 99


def test_tables_of_nothing() -> None:
    assert text_table([]) == ""
    assert text_table(["only a line"]) == "only a line"
    assert text_table([], ("name", "x"), rule=True) == "name  x\n----  -"
