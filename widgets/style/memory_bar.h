#pragma once
// Memory as a bar and in words: weights | KV | other of what the device has; amber from 80 %, red from 90 %.

#include <QWidget>
#include <cstdint>
#include <optional>

namespace strata {

/// Bytes; what is not known is absent.
struct MemoryParts {
  std::optional<std::int64_t> weights;
  std::optional<std::int64_t> kv;
  std::optional<std::int64_t> other;
  std::optional<std::int64_t> total;  // of the device
  std::int64_t used() const { return weights.value_or(0) + kv.value_or(0) + other.value_or(0); }
  bool known() const { return weights || kv || other; }
};

enum class MemoryLevel { normal, high, full };

MemoryLevel levelOf(const MemoryParts& parts);
/// "weights 1.10 GiB, KV 36.0 MiB, other 12.0 MiB, of 15.6 GiB"
QString describe(const MemoryParts& parts);

class MemoryBar : public QWidget {
  Q_OBJECT

 public:
  explicit MemoryBar(QWidget* parent = nullptr);

  void setParts(const MemoryParts& parts);
  const MemoryParts& parts() const { return m_parts; }
  /// Writes "1.15 of 15.6 GiB" at its right; without, the bar alone.
  void setTextShown(bool shown);
  /// Names weights, KV and other below the bar, with their bytes.
  void setLegendShown(bool shown);

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QString text() const;
  MemoryParts m_parts;
  bool m_textShown = true;
  bool m_legendShown = false;
};

}  // namespace strata
