#include "widgets/help/guide.h"

#include <QFile>
#include <QRegularExpression>
#include <algorithm>

static void loadGuide() {
  Q_INIT_RESOURCE(strata_guide);
}

namespace strata {
namespace {

constexpr int kExcerpt = 90;  // characters

QString contentOf(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

QString titleOf(const QString& markdown) {
  static const QRegularExpression heading(QStringLiteral("^# (.+)$"), QRegularExpression::MultilineOption);
  return heading.match(markdown).captured(1).trimmed();
}

/// What a line says, without its marks.
QString plain(const QString& line) {
  static const QRegularExpression picture(QStringLiteral("!\\[[^\\]]*\\]\\([^)]*\\)")),
      link(QStringLiteral("\\[([^\\]]*)\\]\\([^)]*\\)")), marks(QStringLiteral("^ *(- |\\d+\\. )|\\|?-{3,}\\|?|[*`]+")),
      cells(QStringLiteral(" *\\| *"));
  return QString(line)
      .remove(picture)
      .replace(link, QStringLiteral("\\1"))
      .remove(marks)
      .replace(cells, QStringLiteral("  "))
      .trimmed();
}

struct Section {
  QString heading, text;
  int level = 0;
};

std::vector<Section> sectionsOf(const QString& markdown) {
  static const QRegularExpression mark(QStringLiteral("^(#+) (.+)$"));
  std::vector<Section> sections(1);
  bool inCode = false;
  for (const QString& line : markdown.split(QLatin1Char('\n'))) {
    if (line.startsWith(QLatin1String("```"))) {
      inCode = !inCode;
      continue;
    }
    const QRegularExpressionMatch match = mark.match(line);
    if (!inCode && match.hasMatch()) {
      sections.push_back({plain(match.captured(2)), {}, static_cast<int>(match.captured(1).size())});
    } else {
      sections.back().text += plain(line) + QLatin1Char(' ');
    }
  }
  return sections;
}

QString excerptOf(const QString& text, const QString& word) {
  const qsizetype at = std::max<qsizetype>(0, text.indexOf(word, 0, Qt::CaseInsensitive));
  qsizetype from = at > kExcerpt / 3 ? text.indexOf(QLatin1Char(' '), at - kExcerpt / 3) + 1 : 0;
  if (from <= 0 || from > at) from = 0;
  QString excerpt = text.mid(from, kExcerpt);
  const bool isCut = from + kExcerpt < text.size();
  if (isCut) excerpt.truncate(std::max<qsizetype>(excerpt.lastIndexOf(QLatin1Char(' ')), 1));
  return (from > 0 ? QStringLiteral("… ") : QString()) + excerpt.trimmed() + (isCut ? QStringLiteral(" …") : QString());
}

}  // namespace

const Guide& Guide::shipped() {
  static const Guide guide = [] {
    loadGuide();
    return Guide(QStringLiteral(":/guide"));
  }();
  return guide;
}

Guide::Guide(const QString& folder) : m_folder(folder) {
  static const QRegularExpression link(QStringLiteral("\\]\\(([A-Za-z0-9_-]+)\\.md\\)"));
  const auto add = [this](const QString& id) {
    if (find(id) != nullptr) return;
    const QString markdown = contentOf(m_folder + QLatin1Char('/') + id + QStringLiteral(".md"));
    if (!markdown.isEmpty()) m_pages.push_back({id, titleOf(markdown), markdown});
  };
  add(QString::fromLatin1(kGuideContents));
  if (m_pages.empty()) return;
  const QString contents = m_pages.front().markdown;
  for (auto match = link.globalMatch(contents); match.hasNext();) add(match.next().captured(1));
}

const GuidePage* Guide::find(const QString& id) const {
  const auto found = std::find_if(m_pages.begin(), m_pages.end(), [&](const GuidePage& page) { return page.id == id; });
  return found == m_pages.end() ? nullptr : &*found;
}

QString Guide::pageFor(const QString& windowPage) const {
  return find(windowPage) != nullptr ? windowPage : QString::fromLatin1(kGuideContents);
}

std::vector<GuideHit> Guide::search(const QString& words) const {
  const QStringList wanted = words.simplified().split(QLatin1Char(' '), Qt::SkipEmptyParts);
  std::vector<GuideHit> inHeadings, inText;
  if (wanted.isEmpty()) return {};
  const auto holds = [&](const QString& text) {
    return std::all_of(wanted.begin(), wanted.end(),
                       [&](const QString& word) { return text.contains(word, Qt::CaseInsensitive); });
  };
  for (const GuidePage& page : m_pages) {
    for (const Section& section : sectionsOf(page.markdown)) {
      const bool isHeading = holds(section.heading);
      if (!isHeading && !holds(section.heading + QLatin1Char(' ') + section.text)) continue;
      GuideHit hit{page.id, section.level > 1 ? anchorOf(section.heading) : QString(), page.title,
                   section.level > 1 ? section.heading : QString(),
                   excerptOf(section.text.simplified(), wanted.front())};
      (isHeading ? inHeadings : inText).push_back(std::move(hit));
    }
  }
  inHeadings.insert(inHeadings.end(), inText.begin(), inText.end());
  return inHeadings;
}

QString Guide::anchorOf(const QString& heading) {
  QString anchor;
  for (const QChar letter : heading.toLower()) {
    if (letter.isLetterOrNumber() || letter == QLatin1Char('-') || letter == QLatin1Char('_')) anchor += letter;
    if (letter == QLatin1Char(' ')) anchor += QLatin1Char('-');
  }
  return anchor;
}

}  // namespace strata
