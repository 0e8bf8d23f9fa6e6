#pragma once
// The control that holds one field's value: a switch, a list of choices, or a line of text with its unit or a Browse
// button beside it. The keyboard goes to the control inside, which has the name and help for screen readers.

#include <QWidget>
#include <optional>

#include "core/config/describe.h"

namespace strata {

class FieldEditor : public QWidget {
  Q_OBJECT

 public:
  static FieldEditor* make(const FieldInfo& field);

  /// Shows a value; emits nothing.
  virtual void setValue(const Json& value) = 0;
  /// nullopt: what was typed is no value of the field's kind.
  virtual std::optional<Json> value() const = 0;
  /// What a path may well be, by name; a path alone takes them.
  struct Suggestion {
    QString name, value;
    bool operator==(const Suggestion&) const = default;
  };
  virtual void setSuggestions(const QList<Suggestion>& suggestions) { Q_UNUSED(suggestions); }

 Q_SIGNALS:
  /// By the person, at every letter.
  void edited();
  /// The edit is done: a choice at once, a text when it is left or entered.
  void finished();
  void browseRequested();

 protected:
  explicit FieldEditor(const FieldInfo& field) : m_field(field) {}
  /// Lays the control out with what stands beside it, and names it.
  void setControl(QWidget* control, const QList<QWidget*>& beside = {});
  const FieldInfo& field() const { return m_field; }

 private:
  FieldInfo m_field;
};

/// A text of core/config in the window's language.
QString translated(const char* text);
/// What a field takes: "2 to 10,000,000", "cosine, linear, constant"; "": anything of its kind.
QString allowedValues(const FieldInfo& field);
/// "0.5 minutes", "on", "empty".
QString shownValue(const FieldInfo& field, const Json& value);

}  // namespace strata
