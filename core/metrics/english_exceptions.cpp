#include "core/metrics/english_exceptions.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/metrics/characters.h"

namespace strata {
namespace {

using Word = std::u32string;
using Parts = std::vector<Word>;
using Words = std::vector<Word>;

Word titled(Word word) {
  word[0] = word[0] - U'a' + U'A';
  return word;
}

/// Every exception with its parts.
class Table {
 public:
  Table() {
    addContractions();
    addNegations();
    addWholeWords();
    addClockTimes();
    add(U"cannot", {U"can", U"not"});
    add(U"gonna", {U"gon", U"na"});
    add(U"gotta", {U"got", U"ta"});
    add(U"let's", {U"let", U"'s"});
    add(U"let’s", {U"let", U"’s"});
    for (const char32_t* word : {U"Ill", U"ill", U"Its", U"its", U"Hell", U"hell", U"Shell", U"shell", U"Shed", U"shed",
                                 U"were", U"Were", U"Well", U"well", U"Whore", U"whore"}) {
      m_parts.erase(word);
    }
  }

  const Parts* find(const Word& word) const {
    const auto found = m_parts.find(word);
    return found == m_parts.end() ? nullptr : &found->second;
  }

 private:
  /// `word` and its form with a capital.
  void add(const Word& word, Parts parts) {
    Parts capital = parts;
    capital[0] = titled(capital[0]);
    m_parts.insert_or_assign(titled(word), std::move(capital));
    m_parts.insert_or_assign(word, std::move(parts));
  }

  /// With either apostrophe and with none: "you'll", "you’ll", "youll".
  void addWithClitics(const Parts& base, const Words& clitics) {
    for (const char32_t* apostrophe : {U"'", U"’", U""}) {
      Parts parts = base;
      Word word;
      for (const Word& part : base) word += part;
      for (const Word& clitic : clitics) {
        parts.push_back(apostrophe + clitic);
        word += parts.back();
      }
      add(word, parts);
    }
  }

  void addContractions() {
    addWithClitics({U"i"}, {U"m"});
    for (const char32_t* word : {U"i", U"you", U"he", U"she", U"it", U"we", U"they"}) {
      for (const char32_t* clitic : {U"ll", U"d"}) {
        addWithClitics({word}, {clitic});
        addWithClitics({word}, {clitic, U"ve"});
      }
    }
    for (const char32_t* word : {U"i", U"you", U"we", U"they"}) addWithClitics({word}, {U"ve"});
    for (const char32_t* word : {U"you", U"we", U"they"}) addWithClitics({word}, {U"re"});
    for (const char32_t* word : {U"he", U"she", U"it"}) addWithClitics({word}, {U"s"});
    for (const char32_t* word :
         {U"who", U"what", U"when", U"where", U"why", U"how", U"there", U"that", U"this", U"these", U"those"}) {
      const Word name = word;
      if (name != U"these" && name != U"those") addWithClitics({name}, {U"s"});
      for (const char32_t* clitic : {U"ll", U"d"}) {
        addWithClitics({name}, {clitic});
        addWithClitics({name}, {clitic, U"ve"});
      }
      if (name == U"that" || name == U"this") continue;
      addWithClitics({name}, {U"re"});
      addWithClitics({name}, {U"ve"});
    }
    for (const char32_t* word : {U"could", U"might", U"must", U"should", U"would"}) addWithClitics({word}, {U"ve"});
  }

  void addNegations() {
    const auto negate = [this](const char32_t* word, bool withHave) {
      for (const Word apostrophe : {U"'", U"’", U""}) {
        Word no = U"n";
        no.append(apostrophe).append(U"t");
        Word whole = word;
        whole += no;
        add(whole, {word, no});
        if (!withHave) continue;
        Word have = apostrophe;
        have += U"ve";
        whole += have;
        add(whole, {word, no, have});
      }
    };
    for (const char32_t* word : {U"ca", U"could", U"do", U"does", U"did", U"had", U"may", U"might", U"must", U"need",
                                 U"ought", U"sha", U"should", U"wo", U"would"}) {
      negate(word, true);
    }
    for (const char32_t* word : {U"ai", U"are", U"is", U"was", U"were", U"have", U"has", U"dare"}) negate(word, false);
  }

  void addWholeWords() {
    for (const char32_t* word :
         {U"Mt.",   U"Ak.",  U"Ala.",    U"Apr.",  U"Ariz.", U"Ark.", U"Aug.", U"Calif.", U"Colo.",  U"Conn.",
          U"Dec.",  U"Del.", U"Feb.",    U"Fla.",  U"Ga.",   U"Ia.",  U"Id.",  U"Ill.",   U"Ind.",   U"Jan.",
          U"Jul.",  U"Jun.", U"Kan.",    U"Kans.", U"Ky.",   U"La.",  U"Mar.", U"Mass.",  U"Mich.",  U"Minn.",
          U"Miss.", U"N.C.", U"N.D.",    U"N.H.",  U"N.J.",  U"N.M.", U"N.Y.", U"Neb.",   U"Nebr.",  U"Nev.",
          U"Nov.",  U"Oct.", U"Okla.",   U"Ore.",  U"Pa.",   U"S.C.", U"Sep.", U"Sept.",  U"Tenn.",  U"Va.",
          U"Wash.", U"Wis.", U"a.m.",    U"Adm.",  U"Bros.", U"co.",  U"Co.",  U"Corp.",  U"D.C.",   U"Dr.",
          U"e.g.",  U"E.g.", U"E.G.",    U"Gen.",  U"Gov.",  U"i.e.", U"I.e.", U"I.E.",   U"Inc.",   U"Jr.",
          U"Ltd.",  U"Md.",  U"Messrs.", U"Mo.",   U"Mont.", U"Mr.",  U"Mrs.", U"Ms.",    U"p.m.",   U"Ph.D.",
          U"Prof.", U"Rep.", U"Rev.",    U"Sen.",  U"St.",   U"vs.",  U"v.s.", U"C++",    U"and/or", U"w/o",
          U"'s",    U"'S",   U"’s",      U"’S",    U"'re",   U"'ll",  U"'ve",  U"'d",     U"'m",     U":)",
          U":(",    U";)",   U":D",      U":-)",   U":-(",   U";-)",  U"=)",   U"(=",     U"):",     U"(:",
          U"<3",    U":1",   U":3",      U":0",    U"8)",    U"''"}) {
      m_parts.insert_or_assign(word, Parts{word});
    }
    for (const char32_t* degrees : {U"c", U"f", U"k", U"C", U"F", U"K"}) {
      m_parts.insert_or_assign(U"°" + Word(degrees) + U".", Parts{U"°", degrees, U"."});
    }
    for (char32_t letter = U'a'; letter <= U'z'; ++letter) {
      const Word word{letter, U'.'};
      m_parts.insert_or_assign(word, Parts{word});
    }
  }

  void addClockTimes() {
    for (int hour = 1; hour <= 12; ++hour) {
      const std::string digits = std::to_string(hour);
      const Word number(digits.begin(), digits.end());
      for (const char32_t* half : {U"am", U"pm", U"a.m.", U"p.m."}) m_parts[number + half] = {number, half};
    }
  }

  std::unordered_map<Word, Parts> m_parts;
};

bool isHostCharacter(char32_t point) {
  return (point < 0x80 && (isLetter(point) || (point >= U'0' && point <= U'9'))) || (point >= 0xA1 && point <= 0xFFFF);
}

/// (label.)+tld, the last part of two lower-case letters or more.
bool isHost(std::u32string_view host) {
  std::size_t labels = 0;
  for (;;) {
    const std::size_t dot = host.find(U'.');
    const std::u32string_view label = host.substr(0, dot);
    if (dot == std::u32string_view::npos) {
      const bool lower = std::all_of(label.begin(), label.end(), isLowerCase);
      return labels > 0 && label.size() >= 2 && label.size() <= 63 && lower;
    }
    if (label.empty() || label.size() > 64 || !isHostCharacter(label.front()) || !isHostCharacter(label.back())) {
      return false;
    }
    for (const char32_t point : label) {
      if (!isHostCharacter(point) && point != U'-' && point != U'_') return false;
    }
    host.remove_prefix(dot + 1);
    ++labels;
  }
}

/// Four numbers of 0-255, the last not 0, of no private network.
bool isNumericHost(std::u32string_view host) {
  std::vector<int> numbers(1, 0);
  std::size_t digits = 0;
  for (const char32_t point : host) {
    if (point == U'.') {
      if (digits == 0) return false;
      numbers.push_back(0);
      digits = 0;
    } else if (point >= U'0' && point <= U'9' && ++digits <= 3) {
      numbers.back() = numbers.back() * 10 + static_cast<int>(point - U'0');
    } else {
      return false;
    }
  }
  if (numbers.size() != 4 || digits == 0) return false;
  if (std::any_of(numbers.begin(), numbers.end(), [](int number) { return number > 255; })) return false;
  const int first = numbers[0], second = numbers[1];
  const bool isPrivate = first == 10 || first == 127 || (first == 169 && second == 254) ||
                         (first == 192 && second == 168) || (first == 172 && second >= 16 && second <= 31);
  return !isPrivate && first >= 1 && first <= 223 && numbers[3] >= 1 && numbers[3] <= 254;
}

}  // namespace

std::optional<Parts> exceptionParts(std::u32string_view word) {
  static const Table table;
  constexpr std::size_t kLongest = 16;
  if (word.size() > kLongest) return std::nullopt;
  const Parts* parts = table.find(Word(word));
  return parts == nullptr ? std::nullopt : std::optional(*parts);
}

bool isAddress(std::u32string_view word) {
  if (const std::size_t scheme = word.find(U"://"); scheme != std::u32string_view::npos && scheme >= 2) {
    word.remove_prefix(scheme + 3);
  }
  std::u32string_view host = word.substr(0, word.find_first_of(U"/?#"));
  if (const std::size_t at = word.find(U'@'); at != std::u32string_view::npos && at > 0) {
    host = word.substr(at + 1);
    host = host.substr(0, host.find_first_of(U"/?#"));
  }
  if (const std::size_t colon = host.find(U':'); colon != std::u32string_view::npos) {
    const std::u32string_view port = host.substr(colon + 1);
    const bool digits = std::all_of(port.begin(), port.end(), [](char32_t c) { return c >= U'0' && c <= U'9'; });
    if (!digits || port.size() < 2 || port.size() > 5) return false;
    host = host.substr(0, colon);
  }
  return isHost(host) || isNumericHost(host);
}

}  // namespace strata
