#include <type_traits>

#include "core/protocol/messages.h"

namespace strata::protocol {
namespace {

template <class T>
std::string typeName() {
  using namespace config_detail;
  if constexpr (std::is_same_v<T, bool>) {
    return "true or false";
  } else if constexpr (kIsInteger<T>) {
    return "whole number";
  } else if constexpr (std::is_floating_point_v<T>) {
    return "number";
  } else if constexpr (std::is_same_v<T, std::string>) {
    return "text";
  } else if constexpr (IsOptional<T>::value) {
    return typeName<typename T::value_type>() + " or null";
  } else if constexpr (IsVector<T>::value) {
    return "list, each: " + typeName<typename T::value_type>();
  } else if constexpr (Visited<T>) {
    return "object";
  } else if constexpr (std::is_same_v<T, Json>) {
    return "JSON";
  } else {
    return "object of texts";
  }
}

/// The struct inside a field's type, where there is one.
template <class T>
struct Inner {
  using Type = T;
};
template <class T>
struct Inner<std::optional<T>> : Inner<T> {};
template <class T>
struct Inner<std::vector<T>> : Inner<T> {};

/// One bullet a field, those of structs inside indented below.
struct Bullets {
  std::string text;
  std::string indent;

  template <class T, class... Description>
  void operator()(const char* name, T&, const Description&... description) {
    const char* const help = metaOf(description...).help;
    text += indent + "- `" + name + "` (" + typeName<T>() + ")";
    if (*help != '\0') text += std::string(": ") + help;
    text += "\n";
    using Struct = typename Inner<T>::Type;
    if constexpr (config_detail::Visited<Struct>) {
      Struct inside{};
      Bullets below{{}, indent + "  "};
      inside.visit(below);
      text += below.text;
    }
  }
};

template <class T>
std::string fieldsOf() {
  T value{};
  Bullets bullets;
  value.visit(bullets);
  return bullets.text.empty() ? "nothing\n" : bullets.text;
}

}  // namespace

std::string describeMessages() {
  std::string text = "## Requests\n";
  forEachMethod([&]<class M>() {
    text += std::string("\n### ") + M::kName + "\n\n" + M::kHelp + ".\n\nParameters:\n\n" +
            fieldsOf<typename M::Params>() + "\nAnswer:\n\n" + fieldsOf<typename M::Answer>();
  });
  text += "\n## Notifications of the engine\n";
  forEachNotification(
      [&]<class N>() { text += std::string("\n### ") + N::kName + "\n\n" + N::kHelp + ".\n\n" + fieldsOf<N>(); });
  return text;
}

}  // namespace strata::protocol
