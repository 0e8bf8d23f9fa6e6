#pragma once
// How visit() becomes a list of fields. Included by describe.h alone.

namespace strata {
namespace config_detail {

template <class T>
constexpr FieldKind kindOf() {
  if constexpr (IsOptional<T>::value) {
    return kindOf<typename T::value_type>();
  } else if constexpr (std::is_same_v<T, bool>) {
    return FieldKind::flag;
  } else if constexpr (kIsInteger<T>) {
    return FieldKind::whole;
  } else if constexpr (std::is_floating_point_v<T>) {
    return FieldKind::real;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return FieldKind::text;
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    return FieldKind::list;
  } else {
    static_assert(std::is_same_v<T, std::map<std::string, std::string>>, "no field of a config is of this type");
    return FieldKind::pairs;
  }
}

/// All but the values.
struct Describe {
  std::vector<FieldInfo> fields;

  template <class T, class... Description>
  void operator()(const char* name, T&, const Description&... description) {
    fields.push_back({name, metaOf(description...), kindOf<T>(), IsOptional<T>::value, {}, {}});
  }
};

template <class Config>
class HeldConfig final : public AnyConfig {
 public:
  HeldConfig(std::string command, Config config, std::function<Result<void>(const Config&)> check)
      : m_command(std::move(command)), m_config(std::move(config)), m_check(std::move(check)) {}

  std::vector<FieldInfo> fields() const override { return describe(m_config, m_base); }
  Json values() const override { return configToJson(m_config); }
  Result<void> set(const Json& values) override { return configFromJson(values, "The form", m_config); }
  Result<void> setBase(const Json& values) override { return configFromJson(values, "The preset", m_base); }
  Result<void> check() const override { return m_check(m_config); }
  std::string commandLine() const override { return strata::commandLine(m_command, m_config); }

 private:
  std::string m_command;
  Config m_config;
  Config m_base;
  std::function<Result<void>(const Config&)> m_check;
};

}  // namespace config_detail

template <class Config>
std::vector<FieldInfo> describe(Config config, Config base) {
  config_detail::Describe visitor;
  config.visit(visitor);
  const Json values = configToJson(std::move(config));
  const Json bases = configToJson(std::move(base));
  for (FieldInfo& field : visitor.fields) {
    field.value = values.at(field.name);
    field.base = bases.at(field.name);
  }
  return std::move(visitor.fields);
}

template <class Config>
std::vector<FieldInfo> changedFields(const Config& config, const Config& base) {
  std::vector<FieldInfo> fields = describe(config, base);
  std::erase_if(fields, [](const FieldInfo& field) { return !field.isChanged(); });
  return fields;
}

template <class Config>
std::unique_ptr<AnyConfig> anyConfig(std::string command, Config config,
                                     std::function<Result<void>(const Config&)> check) {
  return std::make_unique<config_detail::HeldConfig<Config>>(std::move(command), std::move(config), std::move(check));
}

}  // namespace strata
