#pragma once
// AdamW (Loshchilov & Hutter, arXiv 1711.05101) over named fp32 parameters, with one step count per parameter: one that
// no gradient reached in a step is left alone, its decay and count included.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace strata {

struct NamedParameter {
  std::string name;
  at::Tensor value;    // F32, whose gradient is its grad()
  bool decays = true;  // weights do, norms and biases do not
};

struct AdamWSettings {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weightDecay = 0.1;  // on parameters that decay
};

class AdamW {
 public:
  AdamW(std::vector<NamedParameter> parameters, const AdamWSettings& settings);

  /// L2 norm over all gradients there are: a scalar F32 on the parameters' device, no host read.
  at::Tensor gradientNorm() const;
  /// What the gradients are multiplied with so that their norm is at most `clip` (0: any): clip / (norm + 1e-6), or 1.
  static double clipFactor(double norm, double clip);
  /// The moments of parameters that have a gradient and none yet: what of step() may run out of memory.
  void makeMoments();
  /// One update with the gradients times `factor`, which costs no pass over them of its own.
  void step(double learningRate, double factor = 1);

  struct State {
    at::Tensor m, v;   // like the parameter; undefined before its first update
    at::Tensor steps;  // scalar F32
  };
  const std::vector<NamedParameter>& parameters() const { return m_parameters; }
  std::vector<State>& states() { return m_states; }

 private:
  std::vector<NamedParameter> m_parameters;
  AdamWSettings m_settings;
  std::vector<State> m_states;
};

}  // namespace strata
