<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>MapEdits</name>
    <message numerus="yes">
        <source>%n layer(s)</source>
        <translation>
            <numerusform>%n layer</numerusform>
            <numerusform>%n layers</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 read(s) %2</source>
        <translation>
            <numerusform>%1 reads %2</numerusform>
            <numerusform>%1 read %2</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>MapQuality</name>
    <message numerus="yes">
        <source>Measured%1 on %2 token(s), against the full map on the same text.</source>
        <translation>
            <numerusform>Measured%1 on %2 token, against the full map on the same text.</numerusform>
            <numerusform>Measured%1 on %2 tokens, against the full map on the same text.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The sum of the costs of single reads; it was off by %1 on the %n map(s) measured so far.</source>
        <translation>
            <numerusform>The sum of the costs of single reads; it was off by %1 on the %n map measured so far.</numerusform>
            <numerusform>The sum of the costs of single reads; it was off by %1 on the %n maps measured so far.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::AnswerFoot</name>
    <message numerus="yes">
        <source>cut at %1 token(s)</source>
        <translation>
            <numerusform>cut at %1 token</numerusform>
            <numerusform>cut at %1 tokens</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::BorrowedBars</name>
    <message numerus="yes">
        <source>%n step(s)</source>
        <translation>
            <numerusform>%n step</numerusform>
            <numerusform>%n steps</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::BudgetSection</name>
    <message numerus="yes">
        <source>%1: %2 · %3 tokens · %4 chat(s)</source>
        <translation>
            <numerusform>%1: %2 · %3 tokens · %4 chat</numerusform>
            <numerusform>%1: %2 · %3 tokens · %4 chats</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1: %2, too big · %3 tokens · %4 chat(s)</source>
        <translation>
            <numerusform>%1: %2, too big · %3 tokens · %4 chat</numerusform>
            <numerusform>%1: %2, too big · %3 tokens · %4 chats</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Predicted for %1 tokens × %n chat(s), with the longest context of as many chats and the most chats of that context. ▸ marks the drawn map&apos;s size.</source>
        <translation>
            <numerusform>Predicted for %1 tokens × %n chat, with the longest context of as many chats and the most chats of that context. ▸ marks the drawn map&apos;s size.</numerusform>
            <numerusform>Predicted for %1 tokens × %n chats, with the longest context of as many chats and the most chats of that context. ▸ marks the drawn map&apos;s size.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::ChatListModel</name>
    <message numerus="yes">
        <source>%1 question(s)</source>
        <translation>
            <numerusform>%1 question</numerusform>
            <numerusform>%1 questions</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::ChatPage</name>
    <message numerus="yes">
        <source>%n oldest turn(s) dropped. The whole chat is still in the list.</source>
        <translation>
            <numerusform>%n oldest turn dropped. The whole chat is still in the list.</numerusform>
            <numerusform>%n oldest turns dropped. The whole chat is still in the list.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::ComparisonChooser</name>
    <message numerus="yes">
        <source>%1 answer(s)</source>
        <translation>
            <numerusform>%1 answer</numerusform>
            <numerusform>%1 answers</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::ConfigForm</name>
    <message numerus="yes">
        <source>%n changed</source>
        <translation>
            <numerusform>%n changed</numerusform>
            <numerusform>%n changed</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>More (%n changed)</source>
        <translation>
            <numerusform>More (%n changed)</numerusform>
            <numerusform>More (%n changed)</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Shows %n more field(s)</source>
        <translation>
            <numerusform>Shows %n more field</numerusform>
            <numerusform>Shows %n more fields</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Hides %n field(s)</source>
        <translation>
            <numerusform>Hides %n field</numerusform>
            <numerusform>Hides %n fields</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::DataPage</name>
    <message numerus="yes">
        <source>%1 row(s) to train on.</source>
        <translation>
            <numerusform>%1 row to train on.</numerusform>
            <numerusform>%1 rows to train on.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::DataResult</name>
    <message numerus="yes">
        <source>%1. Ready to train on; the median row has %2 token(s), the longest %3.</source>
        <translation>
            <numerusform>%1. Ready to train on; the median row has %2 token, the longest %3.</numerusform>
            <numerusform>%1. Ready to train on; the median row has %2 tokens, the longest %3.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::DataSummary</name>
    <message numerus="yes">
        <source>%n row(s)</source>
        <translation>
            <numerusform>%n row</numerusform>
            <numerusform>%n rows</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n row(s) are longer than a sequence and cut</source>
        <translation>
            <numerusform>%n row are longer than a sequence and cut</numerusform>
            <numerusform>%n rows are longer than a sequence and cut</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::DroppedTable</name>
    <message numerus="yes">
        <source>%1 record(s), of which the first %2 are listed.</source>
        <translation>
            <numerusform>%1 record, of which the first %2 are listed.</numerusform>
            <numerusform>%1 records, of which the first %2 are listed.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 of %2 record(s).</source>
        <translation>
            <numerusform>%1 of %2 record.</numerusform>
            <numerusform>%1 of %2 records.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::EngineClient</name>
    <message numerus="yes">
        <source>%1; it stopped %n time(s) in a row: read its log, then restart it.</source>
        <translation>
            <numerusform>%1; it stopped %n time in a row: read its log, then restart it.</numerusform>
            <numerusform>%1; it stopped %n times in a row: read its log, then restart it.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 is not opened again: the engine stopped %n time(s) while opening it.</source>
        <translation>
            <numerusform>%1 is not opened again: the engine stopped %n time while opening it.</numerusform>
            <numerusform>%1 is not opened again: the engine stopped %n times while opening it.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>A message was set aside: the engine stopped %n time(s) while storing it. It is kept in the window&apos;s journal.</source>
        <translation>
            <numerusform>A message was set aside: the engine stopped %n time while storing it. It is kept in the window&apos;s journal.</numerusform>
            <numerusform>A message was set aside: the engine stopped %n times while storing it. It is kept in the window&apos;s journal.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::EvaluationSetup</name>
    <message numerus="yes">
        <source>%n model(s)</source>
        <translation>
            <numerusform>%n model</numerusform>
            <numerusform>%n models</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n map(s)</source>
        <translation>
            <numerusform>%n map</numerusform>
            <numerusform>%n maps</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 question(s)</source>
        <translation>
            <numerusform>%1 question</numerusform>
            <numerusform>%1 questions</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::HeldMemory</name>
    <message numerus="yes">
        <source>%n chat(s)</source>
        <translation>
            <numerusform>%n chat</numerusform>
            <numerusform>%n chats</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::JobsStrip</name>
    <message numerus="yes">
        <source>No job is running; %n finished.</source>
        <translation>
            <numerusform>No job is running; %n finished.</numerusform>
            <numerusform>No job is running; %n finished.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source> (and %n more)</source>
        <translation>
            <numerusform> (and %n more)</numerusform>
            <numerusform> (and %n more)</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::LengthsChart</name>
    <message numerus="yes">
        <source>%1 row(s) of %2 to %3 tokens, most of them %4 to %5</source>
        <translation>
            <numerusform>%1 row of %2 to %3 tokens, most of them %4 to %5</numerusform>
            <numerusform>%1 rows of %2 to %3 tokens, most of them %4 to %5</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 to %2 tokens: %3 row(s)</source>
        <translation>
            <numerusform>%1 to %2 tokens: %3 row</numerusform>
            <numerusform>%1 to %2 tokens: %3 rows</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::MapDocument</name>
    <message numerus="yes">
        <source>%1 is made for %2 layer(s); this model has %3.</source>
        <translation>
            <numerusform>%1 is made for %2 layer; this model has %3.</numerusform>
            <numerusform>%1 is made for %2 layers; this model has %3.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::MapLibrary</name>
    <message numerus="yes">
        <source>%1 of %2 layers keep their own keys and values.</source>
        <translation>
            <numerusform>%1 of %2 layers keeps its own keys and values.</numerusform>
            <numerusform>%1 of %2 layers keep their own keys and values.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 of %2 question(s)</source>
        <translation>
            <numerusform>%1 of %2 question</numerusform>
            <numerusform>%1 of %2 questions</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::MapView</name>
    <message numerus="yes">
        <source>%n layer(s)</source>
        <translation>
            <numerusform>%n layer</numerusform>
            <numerusform>%n layers</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 read(s) %2</source>
        <translation>
            <numerusform>%1 reads %2</numerusform>
            <numerusform>%1 read %2</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 read(s) %2_</source>
        <translation>
            <numerusform>%1 reads %2_</numerusform>
            <numerusform>%1 read %2_</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n layer(s) selected</source>
        <translation>
            <numerusform>%n layer selected</numerusform>
            <numerusform>%n layers selected</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::MapsPopup</name>
    <message numerus="yes">
        <source>Maps for %n layer(s)</source>
        <translation>
            <numerusform>Maps for %n layer</numerusform>
            <numerusform>Maps for %n layers</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n owner(s) of %1 layers: %2</source>
        <translation>
            <numerusform>%n owner of %1 layers: %2</numerusform>
            <numerusform>%n owners of %1 layers: %2</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::MatrixTable</name>
    <message numerus="yes">
        <source>%1: %2 %3 of %4 question(s)</source>
        <translation>
            <numerusform>%1: %2 %3 of %4 question</numerusform>
            <numerusform>%1: %2 %3 of %4 questions</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::MeasureSection</name>
    <message numerus="yes">
        <source>%1, %n owner(s)</source>
        <translation>
            <numerusform>%1, %n owner</numerusform>
            <numerusform>%1, %n owners</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::MemoryInspector</name>
    <message numerus="yes">
        <source>%1 tokens × %n chat(s) at %2</source>
        <translation>
            <numerusform>%1 tokens × %n chat at %2</numerusform>
            <numerusform>%1 tokens × %n chats at %2</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::ModelCardView</name>
    <message numerus="yes">
        <source>%1 token(s)</source>
        <translation>
            <numerusform>%1 token</numerusform>
            <numerusform>%1 tokens</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::ModelTree</name>
    <message numerus="yes">
        <source>%1, %2 layer(s), %3 parameters</source>
        <translation>
            <numerusform>%1, %2 layer, %3 parameters</numerusform>
            <numerusform>%1, %2 layers, %3 parameters</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::ParetoSection</name>
    <message numerus="yes">
        <source>%n map(s) measured. Click a point to draw its map, or right-click it.</source>
        <translation>
            <numerusform>%n map measured. Click a point to draw its map, or right-click it.</numerusform>
            <numerusform>%n maps measured. Click a point to draw its map, or right-click it.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n more map(s) of models that cannot be read.</source>
        <translation>
            <numerusform>%n more map of models that cannot be read.</numerusform>
            <numerusform>%n more maps of models that cannot be read.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::PlotTicks</name>
    <message numerus="yes">
        <source>%1 token(s)</source>
        <translation>
            <numerusform>%1 token</numerusform>
            <numerusform>%1 tokens</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::PromptCount</name>
    <message numerus="yes">
        <source>%1 of %2 token(s)</source>
        <translation>
            <numerusform>%1 of %2 token</numerusform>
            <numerusform>%1 of %2 tokens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The prompt has %1 token(s) and the context is %2.</source>
        <translation>
            <numerusform>The prompt has %1 token and the context is %2.</numerusform>
            <numerusform>The prompt has %1 tokens and the context is %2.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::ResultsView</name>
    <message numerus="yes">
        <source>%1 question(s)</source>
        <translation>
            <numerusform>%1 question</numerusform>
            <numerusform>%1 questions</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Adjusted by Holm&apos;s method for %n comparison(s): %1.</source>
        <translation>
            <numerusform>Adjusted by Holm&apos;s method for %n comparison: %1.</numerusform>
            <numerusform>Adjusted by Holm&apos;s method for %n comparisons: %1.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 question(s) answered by one side alone are left out.</source>
        <translation>
            <numerusform>%1 question answered by one side alone are left out.</numerusform>
            <numerusform>%1 questions answered by one side alone are left out.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::RoutingPicture</name>
    <message numerus="yes">
        <source>When a layer borrows, it reads one of the %n layer(s) before it in %1 of draws.</source>
        <translation>
            <numerusform>When a layer borrows, it reads one of the %n layer before it in %1 of draws.</numerusform>
            <numerusform>When a layer borrows, it reads one of the %n layers before it in %1 of draws.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n draw(s)</source>
        <translation>
            <numerusform>%n draw</numerusform>
            <numerusform>%n draws</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::RowPreview</name>
    <message numerus="yes">
        <source>Row %1: %2 token(s), %3 trained on</source>
        <translation>
            <numerusform>Row %1: %2 token, %3 trained on</numerusform>
            <numerusform>Row %1: %2 tokens, %3 trained on</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>… the row goes on; its first %1 character(s) are shown.</source>
        <translation>
            <numerusform>… the row goes on; its first %1 character are shown.</numerusform>
            <numerusform>… the row goes on; its first %1 characters are shown.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::RunCard</name>
    <message numerus="yes">
        <source>%n step(s)</source>
        <translation>
            <numerusform>%n step</numerusform>
            <numerusform>%n steps</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 for the checkpoints of %n run(s)</source>
        <translation>
            <numerusform>%1 for the checkpoints of %n run</numerusform>
            <numerusform>%1 for the checkpoints of %n runs</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::RunComparison</name>
    <message numerus="yes">
        <source>%n different setting(s); all others are the same.</source>
        <translation>
            <numerusform>%n different setting; all others are the same.</numerusform>
            <numerusform>%n different settings; all others are the same.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::RunList</name>
    <message numerus="yes">
        <source>Reading the settings of %n run(s)…</source>
        <translation>
            <numerusform>Reading the settings of %n run…</numerusform>
            <numerusform>Reading the settings of %n runs…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n run(s) waiting</source>
        <translation>
            <numerusform>%n run waiting</numerusform>
            <numerusform>%n runs waiting</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::RunWizard</name>
    <message numerus="yes">
        <source>%n changed</source>
        <translation>
            <numerusform>%n changed</numerusform>
            <numerusform>%n changed</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n run(s), one for each routing probability</source>
        <translation>
            <numerusform>%n run, one for each routing probability</numerusform>
            <numerusform>%n runs, one for each routing probability</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::SeriesPlot</name>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>and %n more</numerusform>
            <numerusform>and %n more</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::ShownRuns</name>
    <message numerus="yes">
        <source>Sweep of %n, best: %1</source>
        <translation>
            <numerusform>Sweep of %n, best: %1</numerusform>
            <numerusform>Sweep of %n, best: %1</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::SidePicker</name>
    <message numerus="yes">
        <source>This map does not fit a model of %n layer(s).</source>
        <translation>
            <numerusform>This map does not fit a model of %n layer.</numerusform>
            <numerusform>This map does not fit a model of %n layers.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Map %1: a KV cache of %2, for chats of %3 token(s) (%4 at once).</source>
        <translation>
            <numerusform>Map %1: a KV cache of %2, for chats of %3 token (%4 at once).</numerusform>
            <numerusform>Map %1: a KV cache of %2, for chats of %3 tokens (%4 at once).</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::SidesBar</name>
    <message numerus="yes">
        <source>chat(s)</source>
        <translation>
            <numerusform>chat</numerusform>
            <numerusform>chats</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 token(s)</source>
        <translation>
            <numerusform>%1 token</numerusform>
            <numerusform>%1 tokens</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>strata::StatusBar</name>
    <message numerus="yes">
        <source>Notices: %n new problem(s)</source>
        <translation>
            <numerusform>Notices: %n new problem</numerusform>
            <numerusform>Notices: %n new problems</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1: %2 request(s) answered, %3 under way</source>
        <translation>
            <numerusform>%1: %2 request answered, %3 under way</numerusform>
            <numerusform>%1: %2 requests answered, %3 under way</numerusform>
        </translation>
    </message>
</context>
</TS>
