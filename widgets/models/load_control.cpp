#include "widgets/models/load_control.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QProgressBar>
#include <algorithm>

#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kProgressSteps = 1000;

void chooseData(QComboBox& box, const std::string& value) {
  const QSignalBlocker quiet(box);
  const int found = box.findData(QString::fromStdString(value));
  if (found >= 0) box.setCurrentIndex(found);
}

}  // namespace

LoadControl::LoadControl(Session& session, QWidget* parent)
    : QWidget(parent),
      m_session(session),
      m_device(new QComboBox(this)),
      m_dtype(new QComboBox(this)),
      m_button(makeButton(tr("Load"), ButtonKind::plain, this)),
      m_bar(new QProgressBar),
      m_stage(new Label(QString(), TextRole::caption, Tone::second)),
      m_stop(makeButton(tr("Stop"))),
      m_running(rowOf({m_bar, m_stage, m_stop}, this)) {
  m_device->setWhatsThis(tr("The device that computes with the model."));
  m_dtype->setWhatsThis(tr("The precision of weights and KV cache. bfloat16 takes half the memory of float32."));
  setObjectName("loadControl");
  m_device->setObjectName("loadDevice");
  m_device->setAccessibleName(tr("Device to load the model to"));
  m_dtype->setObjectName("loadDtype");
  m_dtype->setAccessibleName(tr("Precision to load the model in"));
  m_dtype->addItem(tr("as stored"), QString());
  m_dtype->addItem("float32", "float32");
  m_dtype->addItem("bfloat16", "bfloat16");
  for (QComboBox* box : {m_device, m_dtype}) box->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
  m_button->setObjectName("loadButton");
  m_running->setObjectName("loadRunning");
  m_bar->setObjectName("loadProgress");
  m_bar->setAccessibleName(tr("Progress of loading"));
  m_bar->setTextVisible(false);
  m_stage->setObjectName("loadStage");
  m_stop->setObjectName("loadStop");
  m_stop->setAccessibleName(tr("Stop loading"));

  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(kGapRelated);
  layout->addWidget(m_button);
  layout->addWidget(m_device);
  layout->addWidget(m_dtype);
  layout->addWidget(m_running, 8);
  layout->addStretch(1);

  connect(m_button, &QPushButton::clicked, this, [this] { loaded() != nullptr ? unload() : load(); });
  connect(m_stop, &QPushButton::clicked, this, [this] { stop(); });
  const auto opened = [this] {
    m_ref.device = m_device->currentData().toString().toStdString();
    m_ref.dtype = m_dtype->currentData().toString().toStdString();
    Q_EMIT refChanged();
    refresh();
  };
  connect(m_device, &QComboBox::activated, this, opened);
  connect(m_dtype, &QComboBox::activated, this, opened);
  connect(&m_session.engine(), &EngineClient::stateChanged, this, [this] {
    fillDevices();
    refresh();
  });
  connect(&m_session.engine(), &EngineClient::loadedChanged, this, &LoadControl::refresh);
  m_session.engine().on<protocol::Progress>(this, [this](const protocol::Progress& progress) {
    if (m_ticket != 0 && progress.request == Json(m_ticket)) showProgress(progress);
  });
  fillDevices();
  refresh();
}

void LoadControl::fillDevices() {
  const QString chosen = m_device->currentData().toString();
  m_device->clear();
  for (const protocol::Device& device : m_session.engine().engine().devices) {
    if (!device.usable) continue;
    m_device->addItem(QString::fromStdString(device.name), QString::fromStdString(device.name));
    m_device->setItemData(m_device->count() - 1, tipOf(QString::fromStdString(device.description)), Qt::ToolTipRole);
  }
  if (m_device->count() == 0) m_device->addItem("cpu", "cpu");
  chooseData(*m_device, chosen.isEmpty() ? m_ref.device : chosen.toStdString());
}

void LoadControl::setModel(const std::string& model, const std::string& adapter) {
  m_ref = {};
  m_ref.model = model;
  m_ref.adapter = adapter;
  m_ref.device = m_device->currentData().toString().toStdString();
  const auto take = [&](const protocol::ModelRef& known) {
    if (known.model != model || known.adapter != adapter) return false;
    m_ref = known;
    return true;
  };
  const auto& open = m_session.engine().loaded();
  if (std::none_of(open.begin(), open.end(), [&](const auto& loaded) { return take(loaded.ref); })) {
    for (const Which which : {Which::b, Which::a}) {
      if (const auto& side = m_session.side(which); side && take(side->ref)) break;
    }
  }
  chooseData(*m_device, m_ref.device);
  chooseData(*m_dtype, m_ref.dtype);
  refresh();
}

const protocol::LoadedModel* LoadControl::loaded() const {
  const auto& open = m_session.engine().loaded();
  const auto found = std::find_if(open.begin(), open.end(), [&](const auto& one) { return one.ref == m_ref; });
  return found == open.end() ? nullptr : &*found;
}

void LoadControl::load() {
  if (m_ticket != 0 || m_ref.model.empty()) return;
  m_loading = m_ref;
  m_bar->setRange(0, 0);
  m_stage->setText(m_session.engine().ready() ? tr("Reading the weights") : tr("Waits for the engine"));
  m_ticket =
      m_session.engine().call<protocol::LoadModel>({m_ref}, this, [this](const Result<protocol::LoadedModel>& answer) {
        m_ticket = 0;
        if (answer) {
          m_session.announce(
              tr("%1 is loaded, in %2.").arg(QString::fromStdString(answer->name), formatSeconds(answer->seconds)));
        } else if (answer.error().code != ErrorCode::cancelled) {
          Q_EMIT failed(answer.error());
        }
        refresh();
        Q_EMIT finished();
      });
  refresh();
}

void LoadControl::unload() {
  m_session.engine().call<protocol::UnloadModel>({m_ref}, this, [this](const Result<protocol::Nothing>& answer) {
    if (!answer) Q_EMIT failed(answer.error());
    refresh();
    Q_EMIT finished();
  });
}

bool LoadControl::stop() {
  if (m_ticket == 0) return false;
  m_stage->setText(tr("Stopping"));
  m_session.engine().cancel(m_ticket);
  return true;
}

void LoadControl::showProgress(const protocol::Progress& progress) {
  const QString stage = QString::fromStdString(progress.stage);
  if (progress.total <= 0) {
    m_bar->setRange(0, 0);
    m_stage->setText(stage);
    return;
  }
  const double part = static_cast<double>(progress.done) / static_cast<double>(progress.total);
  m_bar->setRange(0, kProgressSteps);
  m_bar->setValue(static_cast<int>(part * kProgressSteps));
  m_stage->setText(tr("%1, %2").arg(stage, formatPercent(part)));
}

void LoadControl::refresh() {
  const bool open = loaded() != nullptr, busy = m_ticket != 0;
  m_button->setText(open ? tr("Unload") : tr("Load"));
  m_button->setAccessibleName(open ? tr("Unload the model") : tr("Load the model"));
  m_button->setToolTip(open ? tr("Frees its memory; an answer that is being made ends")
                            : tr("Reads the weights into memory now; the first question would do it too"));
  m_button->setVisible(!busy);
  m_device->setVisible(!busy && !open && m_device->count() > 1);
  m_dtype->setVisible(!busy && !open);
  m_running->setVisible(busy);
  if (busy && m_loading != m_ref) m_stage->setToolTip(tipOf(tr("Loading %1").arg(Session::shortName(m_loading))));
}

}  // namespace strata
