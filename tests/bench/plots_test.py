"""The pictures: well-formed, and in proportion."""

import re
import unittest
import xml.etree.ElementTree as xml

import made_results  # noqa: F401
from compare.plots import LEFT, PLOT, Bar, bars, decades, dots, short


def parsed(drawing):
    return xml.fromstring(drawing)


def all_of(drawing, name):
    return parsed(drawing).iter("{http://www.w3.org/2000/svg}" + name)


class Plots(unittest.TestCase):
    def test_bars_are_as_long_as_their_values_say(self):
        drawing = bars("A title", "", [Bar("one", 1, 1, 1), Bar("four", 4, 3, 8)])
        widths = [float(each.get("width")) for each in all_of(drawing, "rect")][1:]
        self.assertAlmostEqual(widths[0], PLOT / 8, delta=0.1)
        self.assertAlmostEqual(widths[1], PLOT / 2, delta=0.1)

    def test_names_are_text_and_not_markup(self):
        drawing = bars("a < b", "&", [Bar("<script>", 1, 1, 1)])
        self.assertIn("<script>", [each.text for each in all_of(drawing, "text")])

    def test_equal_factors_are_equal_distances(self):
        drawing = dots("", "", ["a", "b", "c"], {"only": [1, 10, 100]})
        across = [float(each.get("cx")) for each in all_of(drawing, "circle")][1:]
        self.assertAlmostEqual(across[1] - across[0], across[2] - across[1], delta=0.2)
        self.assertTrue(all(LEFT <= x <= LEFT + PLOT for x in across))

    def test_what_was_not_measured_has_no_dot(self):
        drawing = dots("", "", ["a", "b"], {"one": [1, None], "two": [2, 3]})
        self.assertEqual(len(list(all_of(drawing, "circle"))), 2 + 3)  # two in the key

    def test_one_value_alone_can_be_drawn(self):
        self.assertFalse(re.search("nan|inf", dots("", "", ["a"], {"one": [5]})))

    def test_marks_are_round_numbers(self):
        self.assertEqual(list(decades(0.4, 30)), [0.5, 1, 2, 5, 10, 20])

    def test_numbers_have_three_digits(self):
        self.assertEqual([short(number) for number in (0, 0.01234, 1.234, 12.34, 123.4, 1234.5)],
                         ["0", "0.0123", "1.23", "12.3", "123", "1234"])


if __name__ == "__main__":
    unittest.main()
