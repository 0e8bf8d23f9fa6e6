#include "widgets/style/theme.h"

#include <QApplication>
#include <QDir>
#include <QFontDatabase>
#include <QPalette>
#include <QToolTip>
#include <QWidget>
#include <algorithm>

#include "widgets/style/checkable_accessible.h"
#include "widgets/style/focus_ring.h"
#include "widgets/style/strata_style.h"
#include "widgets/style/system_appearance.h"

namespace strata {
namespace {

const auto kTextFamily = QStringLiteral("Inter");
const auto kMonoFamily = QStringLiteral("JetBrains Mono");

void loadFamily(const QString& family, const QString& folder, const QString& pattern) {
  if (QFontDatabase::hasFamily(family)) return;
  const QDir fonts(folder);
  for (const QString& file : fonts.entryList({pattern}, QDir::Files)) {
    QFontDatabase::addApplicationFont(fonts.filePath(file));
  }
}

/// `fallback`: the system's font, used where the family is not installed.
QFont fontAt(const QString& family, const QFont& fallback, int pixels, int percent, QFont::Weight weight) {
  QFont font = fallback;
  if (QFontDatabase::hasFamily(family)) font.setFamilies({family});
  font.setPixelSize((pixels * percent + 50) / 100);
  font.setWeight(weight);
  font.setHintingPreference(QFont::PreferVerticalHinting);
  return font;
}

Fonts fontsAt(int percent) {
  const QFont text = QFontDatabase::systemFont(QFontDatabase::GeneralFont);
  const QFont mono = QFontDatabase::systemFont(QFontDatabase::FixedFont);
  Fonts fonts;
  fonts.body = fontAt(kTextFamily, text, kTextBody, percent, QFont::Normal);
  fonts.strong = fontAt(kTextFamily, text, kTextBody, percent, QFont::DemiBold);
  fonts.caption = fontAt(kTextFamily, text, kTextCaption, percent, QFont::Normal);
  fonts.section = fontAt(kTextFamily, text, kTextSection, percent, QFont::DemiBold);
  fonts.title = fontAt(kTextFamily, text, kTextTitle, percent, QFont::DemiBold);
  fonts.mono = fontAt(kMonoFamily, mono, kTextBody, percent, QFont::Normal);
  fonts.monoCaption = fontAt(kMonoFamily, mono, kTextCaption, percent, QFont::Normal);
  return fonts;
}

QPalette paletteOf(const Colors& c) {
  QPalette palette;
  palette.setColor(QPalette::Window, c.window);
  palette.setColor(QPalette::WindowText, c.text);
  palette.setColor(QPalette::Base, c.surface);
  palette.setColor(QPalette::AlternateBase, c.surface);
  palette.setColor(QPalette::Text, c.text);
  palette.setColor(QPalette::Button, c.surface);
  palette.setColor(QPalette::ButtonText, c.text);
  palette.setColor(QPalette::BrightText, c.bad);
  palette.setColor(QPalette::ToolTipBase, c.raised);
  palette.setColor(QPalette::ToolTipText, c.text);
  palette.setColor(QPalette::PlaceholderText, c.second);
  palette.setColor(QPalette::Highlight, c.accent);
  palette.setColor(QPalette::HighlightedText, c.onAccent);
  palette.setColor(QPalette::Link, c.accent);
  palette.setColor(QPalette::LinkVisited, c.accent);
  palette.setColor(QPalette::Light, c.raised);
  palette.setColor(QPalette::Midlight, c.raised);
  palette.setColor(QPalette::Mid, c.line);
  palette.setColor(QPalette::Dark, c.edge);
  palette.setColor(QPalette::Shadow, c.edge);
  const QColor off = mixed(c.second, c.window, 0.7);
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::PlaceholderText}) {
    palette.setColor(QPalette::Disabled, role, off);
  }
  palette.setColor(QPalette::Disabled, QPalette::Base, c.window);
  palette.setColor(QPalette::Disabled, QPalette::Button, c.window);
  palette.setColor(QPalette::Disabled, QPalette::Highlight, c.line);
  palette.setColor(QPalette::Disabled, QPalette::HighlightedText, off);
  return palette;
}

}  // namespace

Look lookOf(Scheme scheme, int textPercent) {
  return {scheme, textPercent, colorsOf(scheme), fontsAt(textPercent), metricsAt(textPercent)};
}

Theme::Theme(QApplication& application) : QObject(&application) {
  loadFamily(kTextFamily, QStringLiteral("/usr/share/fonts/opentype/inter"), QStringLiteral("Inter-*.otf"));
  loadFamily(kMonoFamily, QStringLiteral("/usr/share/fonts/truetype/jetbrains-mono"),
             QStringLiteral("JetBrainsMono-*.ttf"));
  m_systemDark = QApplication::palette().color(QPalette::Window).lightnessF() < 0.5;
  QApplication::setStyle(new StrataStyle(this));
  installCheckableAccessible();
  showFocusRings(application);
  auto* system = new SystemAppearance(QDBusConnection::sessionBus(), this);
  connect(system, &SystemAppearance::schemeReported, this, [this](bool dark) { setSystem(dark, m_systemContrast); });
  connect(system, &SystemAppearance::contrastReported, this, [this](bool high) { setSystem(m_systemDark, high); });
  apply();
}

void Theme::setChoice(Choice choice) {
  if (choice == m_choice) return;
  m_choice = choice;
  apply();
}

void Theme::setTextPercent(int percent) {
  percent = std::clamp(percent, 100, 200);
  if (percent == m_textPercent) return;
  m_textPercent = percent;
  apply();
}

void Theme::setSystem(bool dark, bool contrast) {
  if (dark == m_systemDark && contrast == m_systemContrast) return;
  m_systemDark = dark;
  m_systemContrast = contrast;
  apply();
}

Scheme Theme::scheme() const {
  const bool dark = m_choice == Choice::dark || (m_choice != Choice::light && m_systemDark);
  const bool contrast = m_choice == Choice::contrast || m_systemContrast;
  if (contrast) return dark ? Scheme::darkContrast : Scheme::lightContrast;
  return dark ? Scheme::dark : Scheme::light;
}

void Theme::apply() {
  StrataStyle* style = strataStyle();
  if (style == nullptr) return;
  style->setLook(lookOf(scheme(), m_textPercent));
  QApplication::setPalette(paletteOf(style->look().colors));
  QToolTip::setPalette(QApplication::palette());
  QApplication::setFont(style->look().fonts.body);
  QToolTip::setFont(style->look().fonts.body);
  Q_EMIT changed();
  // Sizes come from the style as well as from the font, and what is painted by hand asks no palette.
  for (QWidget* widget : QApplication::allWidgets()) {
    widget->updateGeometry();
    widget->update();
  }
}

const Look& look() {
  if (const StrataStyle* style = strataStyle()) return style->look();
  static const Look kLight = lookOf(Scheme::light, 100);
  return kLight;
}

int scaled(int pixels) {
  return pixels * look().textPercent / 100;
}

void followTheme(QObject* context, std::function<void()> apply) {
  apply();
  const StrataStyle* style = strataStyle();
  if (style != nullptr && style->theme() != nullptr) {
    QObject::connect(style->theme(), &Theme::changed, context, std::move(apply));
  }
}

}  // namespace strata
