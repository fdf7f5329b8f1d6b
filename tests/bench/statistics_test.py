"""What is made of the figures of several rounds."""

import unittest

import made_results  # noqa: F401
from compare import statistics


class Statistics(unittest.TestCase):
    def test_rounds_that_one_of_the_two_lacks_have_no_ratio(self):
        self.assertEqual(statistics.ratios([1, None, 6], [2, 5, 3]), [0.5, 2.0])
        self.assertEqual(statistics.ratios([1, 2, 4], [2, None]), [0.5])
        self.assertEqual(statistics.ratios([1], [0]), [])

    def test_a_geometric_mean_takes_half_and_double_for_nothing(self):
        self.assertAlmostEqual(statistics.geometric_mean([0.5, 2.0]), 1.0)
        self.assertAlmostEqual(statistics.geometric_mean([1.0, 8.0, 1.0]), 2.0)

    def test_percentiles_lie_between_neighbours(self):
        self.assertEqual(statistics.percentile([10, 20, 30], 0.5), 20)
        self.assertEqual(statistics.percentile([10, 20], 0.25), 12.5)
        self.assertEqual(statistics.percentile([7], 0.975), 7)

    def test_an_interval_holds_the_median_and_nothing_beyond_the_values(self):
        median, low, high = statistics.of_one([0.7, 0.9, 0.8, 0.6, 5.0])
        self.assertEqual(median, 0.8)
        self.assertLessEqual(0.6, low)
        self.assertLess(low, median)
        self.assertLess(median, high)
        self.assertLessEqual(high, 5.0)

    def test_one_round_that_went_wrong_does_not_move_the_interval_of_many(self):
        _, low, high = statistics.of_one([1.0] * 20 + [9.0])
        self.assertEqual((low, high), (1.0, 1.0))

    def test_more_rounds_make_the_interval_narrower(self):
        few, many = [0.8, 1.0, 1.2], [0.8, 1.0, 1.2] * 20

        def width(values):
            _, low, high = statistics.of_one(values)
            return high - low

        self.assertLess(width(many), width(few))

    def test_the_same_rounds_give_the_same_interval(self):
        values = [0.91, 0.87, 1.02, 0.95]
        self.assertEqual(statistics.of_one(values), statistics.of_one(values))

    def test_the_mean_of_many_cells_is_that_of_their_medians(self):
        mean, low, high = statistics.of_many([[0.5, 0.5, 9.0], [2.0, 2.0, 2.0]])
        self.assertAlmostEqual(mean, 1.0)
        self.assertLessEqual(low, mean)
        self.assertLess(mean, high)

    def test_nothing_that_was_measured_is_no_number(self):
        self.assertIsNone(statistics.of_one([]))
        self.assertIsNone(statistics.of_many([[], []]))
        self.assertIsNone(statistics.middle([None, None]))
        self.assertEqual(statistics.middle([None, 3, 5, 4]), 4)


if __name__ == "__main__":
    unittest.main()
