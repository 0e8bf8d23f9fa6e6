#include "softmax_cross_entropy_cases.h"

namespace strata::kernels::testing {
namespace {

class SoftmaxCrossEntropy : public KernelTest {
 protected:
  SoftmaxCases cases() const {
    return {isReference() ? &reference::softmaxCrossEntropy : &kernels::softmaxCrossEntropy, element(), isReference()};
  }
};

TEST_P(SoftmaxCrossEntropy, IsExactAndTheSameForAnySplit) {
  const TargetsScope scope(targetsOf(version()));
  for (const std::int64_t vocab : {1, 2, 15, 64, 65, 127, 500}) {
    cases().check(1, vocab, 0);
    cases().check(3, vocab, 2);
    cases().check(300, vocab, 2);
  }
  for (const std::int64_t vocab : {4097, 32000}) cases().check(3, vocab, 0);
}

TEST_P(SoftmaxCrossEntropy, KeepsItsDigitsOverTheLargestVocabulary) {
  const TargetsScope scope(targetsOf(version()));
  cases().check(1, 151937, 2);
}

TEST_P(SoftmaxCrossEntropy, KeepsItsDigitsWhereManyAreAlike) {
  const TargetsScope scope(targetsOf(version()));
  cases().keepsItsDigitsWhereManyAreAlike();
}

TEST_P(SoftmaxCrossEntropy, OfOneChoiceIsZero) {
  const TargetsScope scope(targetsOf(version()));
  cases().ofOneChoiceIsZero();
}

TEST_P(SoftmaxCrossEntropy, TakesLogitsWhoseExponentialsOverflow) {
  const TargetsScope scope(targetsOf(version()));
  cases().takesLogitsWhoseExponentialsOverflow();
}

TEST_P(SoftmaxCrossEntropy, AnswersNaNAndInfinityWithALossThatIsNotFinite) {
  const TargetsScope scope(targetsOf(version()));
  cases().answersNaNAndInfinityWithALossThatIsNotFinite();
}

TEST_P(SoftmaxCrossEntropy, GivesAMaskedLogitNoProbability) {
  const TargetsScope scope(targetsOf(version()));
  cases().givesAMaskedLogitNoProbability();
}

TEST_P(SoftmaxCrossEntropy, AnswersATargetOutOfRangeWithNaN) {
  const TargetsScope scope(targetsOf(version()));
  cases().answersATargetOutOfRangeWithNaN();
}

STRATA_ALL_VERSIONS(SoftmaxCrossEntropy);

}  // namespace
}  // namespace strata::kernels::testing
