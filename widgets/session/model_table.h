#pragma once
// The models that can be opened, as the engine lists them: those of the project, its runs, the user's folders, the
// Hugging Face cache, and adapters of them. Asked for once for the whole window.

#include <QStringList>
#include <optional>

#include "core/protocol/messages.h"
#include "widgets/client/engine_client.h"
#include "widgets/session/rows.h"
#include "widgets/session/settings.h"

namespace strata {

/// What opens an entry of the engine's list: the model, or the model with its adapter.
protocol::ModelRef refOf(const protocol::ModelEntry& entry);
/// Tells entries apart in one text, by which pages show them: what a request names, of an adapter its folder.
const std::string& keyOf(const protocol::ModelEntry& entry);
const std::string& keyOf(const protocol::ModelRef& ref);
/// "novels", of an adapter "squad on novels".
QString nameOf(const protocol::ModelEntry& entry);

class ModelTable : public Rows<protocol::ModelEntry> {
  Q_OBJECT

 public:
  ModelTable(EngineClient& engine, Settings& settings, QObject* parent = nullptr);

  int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : 1; }
  QVariant data(const QModelIndex& index, int role) const override;

  /// Those that can be opened.
  std::vector<protocol::ModelEntry> usable() const;
  /// The Hugging Face cache's folder.
  const QString& hub() const { return m_hub; }
  /// Whether a list has come since the project was opened.
  bool isKnown() const { return m_known; }
  bool isListing() const { return m_listing != 0; }
  /// Why the last list did not come; cancelled: it was stopped.
  const std::optional<Error>& problem() const { return m_problem; }

  /// Asks the engine again. What is asked while an answer is on its way is one more request behind it.
  void refresh();
  void stop();
  /// Another project's models are not known yet.
  void forget();

  /// The user's further folders, of the settings.
  QStringList folders() const;
  void setFolders(const QStringList& folders);

 Q_SIGNALS:
  /// A list came, or did not come.
  void changed();
  void progressed(double done, double total);

 protected:
  std::string keyOf(const protocol::ModelEntry& row) const override { return strata::keyOf(row); }

 private:
  EngineClient& m_engine;
  Settings& m_settings;
  QString m_hub;
  std::optional<Error> m_problem;
  EngineClient::Ticket m_listing = 0;
  bool m_again = false, m_known = false;
  int m_age = 0;  // counts forget(): an answer to before is late
};

}  // namespace strata
