#pragma once
// Whether two models differ on the same questions: McNemar's exact test, Holm's correction where several maps are
// tested at once, and the difference that a sample can show.

#include <cstdint>
#include <vector>

namespace strata {

/// The two-sided p of McNemar's exact test (McNemar 1947; Edwards 1948 for the binomial form): of `onlyA` + `onlyB`
/// questions that one side alone has right, each side has each with probability 1/2. 1 where there are none.
double mcnemarP(std::int64_t onlyA, std::int64_t onlyB);

/// p-values of several tests, adjusted so that one false alarm in all of them has the probability of one in a single
/// test (Holm 1979). In the order given.
std::vector<double> holmAdjusted(const std::vector<double>& p);

/// The paired difference that a test at 5 % (two-sided) finds in 80 % of samples, given the standard error of the
/// difference: (1.96 + 0.84) x error.
double detectableDifference(double standardError);
/// The standard error of a paired difference of scores of 0 … 1 that nothing is known of: both sides right on half of
/// the questions, and not on the same ones: sqrt(1 / 2n).
double worstDifferenceError(std::int64_t questions);

}  // namespace strata
