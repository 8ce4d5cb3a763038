// Reading: every length is checked against the message, and a compression pointer must lead to an
// earlier place than the one it was read from, so that a name cannot go round in circles. Anything
// after the records that we read is not looked at.
//
// Writing: a name is compressed against the names written before it, in their exact case: some
// clients vary the case of a question and check that it comes back.
#include "servicemesh/dns/dns_message.h"

#include <algorithm>
#include <map>
#include <utility>

namespace servicemesh {
namespace {

constexpr size_t kHeaderBytes = 12;
constexpr uint16_t kResponseBit = 0x8000;
constexpr uint16_t kAuthoritativeBit = 0x0400;
constexpr uint16_t kTruncatedBit = 0x0200;
constexpr uint16_t kRecursionDesiredBit = 0x0100;
constexpr uint16_t kRecursionAvailableBit = 0x0080;
constexpr size_t kMaxPointerTarget = 0x3fff;
constexpr int kMaxRecords = 512;  // read from one section
// Our zone changes when it likes, so secondaries' timers mean little; RFC 1912 gives such values.
constexpr uint32_t kSoaRefresh = 7200;
constexpr uint32_t kSoaRetry = 1800;
constexpr uint32_t kSoaExpire = 86'400;

base::Status Malformed(const char* what) {
  return base::Status(base::Code::kBadRequest, std::string("DNS message: ") + what);
}

void AppendEscaped(std::string& name, std::string_view label) {
  for (const char c : label) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '.' && c != '\\') {
      name += c;
      continue;
    }
    name += '\\';
    for (const int unit : {100, 10, 1}) name += static_cast<char>('0' + byte / unit % 10);
  }
}

// Takes the first label off `name` and unescapes it.
std::string TakeLabel(std::string_view& name) {
  std::string label;
  size_t i = 0;
  for (; i < name.size() && name[i] != '.'; ++i) {
    if (name[i] != '\\' || i + 3 >= name.size()) {
      label += name[i];
      continue;
    }
    const int code = (name[i + 1] - '0') * 100 + (name[i + 2] - '0') * 10 + (name[i + 3] - '0');
    label += static_cast<char>(code);
    i += 3;
  }
  name.remove_prefix(std::min(i + 1, name.size()));
  return label;
}

class Reader {
 public:
  explicit Reader(std::string_view message) : message_(message) {}

  bool ok() const { return ok_; }
  size_t position() const { return at_; }
  void MoveTo(size_t at) { at_ = at; }

  uint8_t Byte() {
    if (at_ >= message_.size()) return Fail();
    return static_cast<uint8_t>(message_[at_++]);
  }
  uint16_t Short() {
    const uint16_t high = Byte();
    return static_cast<uint16_t>(high << 8 | Byte());
  }
  uint32_t Long() {
    const uint32_t high = Short();
    return high << 16 | Short();
  }
  std::string Bytes(size_t count) {
    if (!ok_ || count > message_.size() - std::min(at_, message_.size())) {
      Fail();
      return {};
    }
    at_ += count;
    return std::string(message_.substr(at_ - count, count));
  }

  std::string Name() {
    std::string name;
    size_t wire = 1;
    size_t limit = at_;  // pointers must lead before this
    size_t resume = 0;
    while (ok_) {
      const uint8_t length = Byte();
      if (length == 0) break;
      if ((length & 0xc0) == 0xc0) {
        const size_t target = static_cast<size_t>(length & 0x3f) << 8 | Byte();
        if (!ok_ || target >= limit) {
          Fail();
          return {};
        }
        if (resume == 0) resume = at_;
        limit = at_ = target;
        continue;
      }
      wire += length + size_t{1};
      if (length > kMaxDnsLabel || wire > kMaxDnsName) Fail();
      const std::string label = Bytes(ok_ ? length : 0);
      if (!name.empty()) name += '.';
      AppendEscaped(name, label);
    }
    if (resume != 0) at_ = resume;
    return name;
  }

 private:
  uint8_t Fail() {
    ok_ = false;
    return 0;
  }

  std::string_view message_;
  size_t at_ = 0;
  bool ok_ = true;
};

class Writer {
 public:
  std::string& out() { return out_; }
  void Byte(unsigned value) { out_ += static_cast<char>(value); }
  void Short(unsigned value) {
    Byte(value >> 8 & 0xff);
    Byte(value & 0xff);
  }
  void Long(uint32_t value) {
    Short(value >> 16);
    Short(value & 0xffff);
  }

  // A name that cannot be written (only data of ours could be such) becomes the root.
  void Name(std::string_view name) {
    if (!EncodeName(name).ok()) name = {};
    while (!name.empty()) {
      const auto [known, added] = names_.emplace(std::string(name), out_.size());
      if (!added) {
        Short(static_cast<unsigned>(0xc000 | known->second));
        return;
      }
      if (out_.size() > kMaxPointerTarget) names_.erase(known);
      const std::string label = TakeLabel(name);
      Byte(static_cast<unsigned>(label.size()));
      out_ += label;
    }
    Byte(0);
  }

  void Record(const DnsRecord& record) {
    Name(record.name);
    Short(static_cast<unsigned>(record.type));
    Short(1);
    Long(record.ttl);
    const size_t length_at = out_.size();
    Short(0);
    Data(record);
    const size_t length = out_.size() - length_at - 2;
    out_[length_at] = static_cast<char>(length >> 8);
    out_[length_at + 1] = static_cast<char>(length & 0xff);
  }

  void CutTo(size_t size) {
    out_.resize(size);
    std::erase_if(names_, [&](const auto& entry) { return entry.second >= size; });
  }

 private:
  void Data(const DnsRecord& record) {
    switch (record.type) {
      case DnsType::kA: return Long(record.ip.bits);
      case DnsType::kNs:
      case DnsType::kCname:
      case DnsType::kPtr: return Name(record.target);
      case DnsType::kTxt: {
        const std::string_view text = std::string_view(record.data).substr(0, 255);
        Byte(static_cast<unsigned>(text.size()));
        out_ += text;
        return;
      }
      case DnsType::kSrv: {
        Short(record.priority);
        Short(record.weight);
        Short(record.port);
        // RFC 2782: not compressed.
        const base::Result<std::string> target = EncodeName(record.target);
        out_ += target.ok() ? *target : std::string(1, '\0');
        return;
      }
      case DnsType::kSoa:
        Name(record.target);
        Name(record.mailbox);
        for (const uint32_t value :
             {record.serial, kSoaRefresh, kSoaRetry, kSoaExpire, record.negative_ttl})
          Long(value);
        return;
      case DnsType::kAaaa:
      case DnsType::kOpt:
      case DnsType::kAny: out_ += record.data; return;
    }
    out_ += record.data;
  }

  std::string out_;
  std::map<std::string, size_t> names_;
};

struct Header {
  uint16_t id, flags, questions, answers, authority, additional;
};

Header ReadHeader(Reader& reader) {
  Header header{};
  header.id = reader.Short();
  header.flags = reader.Short();
  header.questions = reader.Short();
  header.answers = reader.Short();
  header.authority = reader.Short();
  header.additional = reader.Short();
  return header;
}

DnsQuestion ReadQuestion(Reader& reader) {
  DnsQuestion question;
  question.name = reader.Name();
  question.type = static_cast<DnsType>(reader.Short());
  question.klass = reader.Short();
  return question;
}

struct RawRecord {
  DnsRecord record;
  uint16_t klass;
};

RawRecord ReadRecord(Reader& reader) {
  RawRecord raw{};
  DnsRecord& record = raw.record;
  record.name = reader.Name();
  record.type = static_cast<DnsType>(reader.Short());
  raw.klass = reader.Short();
  record.ttl = reader.Long();
  const uint16_t length = reader.Short();
  const size_t start = reader.position();
  record.data = reader.Bytes(length);
  if (!reader.ok()) return raw;
  const size_t end = reader.position();
  reader.MoveTo(start);
  switch (record.type) {
    case DnsType::kA: record.ip = {reader.Long()}; break;
    case DnsType::kNs:
    case DnsType::kCname:
    case DnsType::kPtr: record.target = reader.Name(); break;
    case DnsType::kTxt: record.data = reader.Bytes(reader.Byte()); break;
    case DnsType::kSrv:
      record.priority = reader.Short();
      record.weight = reader.Short();
      record.port = reader.Short();
      record.target = reader.Name();
      break;
    case DnsType::kSoa:
      record.target = reader.Name();
      record.mailbox = reader.Name();
      record.serial = reader.Long();
      for (int i = 0; i < 3; ++i) reader.Long();
      record.negative_ttl = reader.Long();
      break;
    default: break;
  }
  reader.MoveTo(end);
  return raw;
}

std::vector<DnsRecord> ReadSection(Reader& reader, int count) {
  std::vector<DnsRecord> records;
  for (int i = 0; i < std::min(count, kMaxRecords) && reader.ok(); ++i)
    records.push_back(ReadRecord(reader).record);
  return records;
}

void SetShort(std::string& out, size_t at, unsigned value) {
  out[at] = static_cast<char>(value >> 8);
  out[at + 1] = static_cast<char>(value & 0xff);
}

// The OPT record: 11 bytes, kept room for whatever else is left off.
void WriteOpt(Writer& writer, DnsCode code) {
  writer.Byte(0);
  writer.Short(static_cast<unsigned>(DnsType::kOpt));
  writer.Short(kEdnsUdpSize);
  writer.Byte(static_cast<unsigned>(code) >> 4);
  writer.Byte(0);  // version
  writer.Short(0);
  writer.Short(0);
}
constexpr size_t kOptBytes = 11;

}  // namespace

std::string LowerName(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

base::Result<std::string> EncodeName(std::string_view name) {
  std::string wire;
  for (std::string_view rest = name; !rest.empty();) {
    const bool last_is_dot = rest.size() > 1 && rest.find('.') == rest.size() - 1;
    const std::string label = TakeLabel(rest);
    if (label.empty() || label.size() > kMaxDnsLabel || last_is_dot)
      return base::Status(base::Code::kInvalid, "\"" + std::string(name) + "\" is no DNS name");
    wire += static_cast<char>(label.size());
    wire += label;
  }
  wire += '\0';
  if (wire.size() > kMaxDnsName)
    return base::Status(base::Code::kInvalid, "\"" + std::string(name) + "\" is too long a name");
  return wire;
}

std::optional<uint16_t> DnsId(std::string_view message) {
  if (message.size() < kHeaderBytes || (message[2] & 0x80) != 0) return std::nullopt;
  return Reader(message).Short();
}

base::Result<DnsQuery> ParseQuery(std::string_view message) {
  Reader reader(message);
  const Header header = ReadHeader(reader);
  if (!reader.ok()) return Malformed("shorter than a header");
  if ((header.flags & kResponseBit) != 0) return Malformed("a response where a query should be");
  if (header.questions != 1) return Malformed("not one question");
  DnsQuery query;
  query.id = header.id;
  query.opcode = static_cast<uint8_t>(header.flags >> 11 & 15);
  query.recursion_desired = (header.flags & kRecursionDesiredBit) != 0;
  query.question = ReadQuestion(reader);
  if (!reader.ok()) return Malformed("the question is cut off or its name is malformed");
  const int skip = header.answers + header.authority;
  for (int i = 0; i < std::min(skip + header.additional, kMaxRecords); ++i) {
    const RawRecord raw = ReadRecord(reader);
    if (!reader.ok()) return Malformed("a record is cut off");
    if (i < skip || raw.record.type != DnsType::kOpt) continue;
    if (query.has_edns) return Malformed("two OPT records");
    query.has_edns = true;
    query.edns_version = static_cast<uint8_t>(raw.record.ttl >> 16 & 0xff);
    query.udp_size = std::max<uint16_t>(512, raw.klass);
  }
  return query;
}

std::string BuildResponse(const DnsQuery& query, const DnsAnswer& answer, size_t max_bytes) {
  Writer writer;
  unsigned flags = kResponseBit | static_cast<unsigned>(query.opcode) << 11 |
                   (static_cast<unsigned>(answer.code) & 15);
  if (answer.authoritative) flags |= kAuthoritativeBit;
  if (answer.truncated) flags |= kTruncatedBit;
  if (query.recursion_desired) flags |= kRecursionDesiredBit;
  if (answer.recursion_available) flags |= kRecursionAvailableBit;
  writer.Short(query.id);
  writer.Short(0);
  for (int i = 0; i < 4; ++i) writer.Short(0);
  writer.Name(query.question.name);
  writer.Short(static_cast<unsigned>(query.question.type));
  writer.Short(query.question.klass);
  SetShort(writer.out(), 4, 1);

  const size_t room = max_bytes - std::min(max_bytes, query.has_edns ? kOptBytes : 0);
  bool full = false;
  size_t count_at = 6;
  unsigned additional = 0;
  for (const auto* section : {&answer.answers, &answer.authority, &answer.additional}) {
    unsigned count = 0;
    for (const DnsRecord& record : *section) {
      const size_t before = writer.out().size();
      if (!full) writer.Record(record);
      if (full || writer.out().size() > room) {
        writer.CutTo(before);
        full = true;
        if (section != &answer.additional) flags |= kTruncatedBit;
        break;
      }
      ++count;
    }
    SetShort(writer.out(), count_at, count);
    count_at += 2;
    additional = count;
  }
  if (query.has_edns) {
    WriteOpt(writer, answer.code);
    SetShort(writer.out(), 10, additional + 1);
  }
  SetShort(writer.out(), 2, flags);
  return std::move(writer.out());
}

std::string BuildFormatError(uint16_t id) {
  Writer writer;
  writer.Short(id);
  writer.Short(kResponseBit | static_cast<unsigned>(DnsCode::kFormErr));
  for (int i = 0; i < 4; ++i) writer.Short(0);
  return std::move(writer.out());
}

std::string BuildQuery(uint16_t id, const DnsQuestion& question) {
  Writer writer;
  writer.Short(id);
  writer.Short(kRecursionDesiredBit);
  writer.Short(1);
  writer.Short(0);
  writer.Short(0);
  writer.Short(1);
  writer.Name(question.name);
  writer.Short(static_cast<unsigned>(question.type));
  writer.Short(question.klass);
  WriteOpt(writer, DnsCode::kNoError);
  return std::move(writer.out());
}

base::Result<DnsReply> ParseReply(std::string_view message) {
  Reader reader(message);
  const Header header = ReadHeader(reader);
  if (!reader.ok()) return Malformed("shorter than a header");
  if ((header.flags & kResponseBit) == 0) return Malformed("a query where a response should be");
  DnsReply reply;
  reply.id = header.id;
  if (header.questions > 1) return Malformed("more than one question");
  if (header.questions == 1) reply.question = ReadQuestion(reader);
  DnsAnswer& answer = reply.answer;
  answer.code = static_cast<DnsCode>(header.flags & 15);
  answer.authoritative = (header.flags & kAuthoritativeBit) != 0;
  answer.recursion_available = (header.flags & kRecursionAvailableBit) != 0;
  answer.truncated = (header.flags & kTruncatedBit) != 0;
  answer.answers = ReadSection(reader, header.answers);
  answer.authority = ReadSection(reader, header.authority);
  answer.additional = ReadSection(reader, header.additional);
  if (!reader.ok()) return Malformed("a record is cut off");
  for (const DnsRecord& record : answer.additional) {
    if (record.type == DnsType::kOpt)
      answer.code = static_cast<DnsCode>((record.ttl >> 24) << 4 | (header.flags & 15));
  }
  std::erase_if(answer.additional, [](const DnsRecord& r) { return r.type == DnsType::kOpt; });
  return reply;
}

std::string DnsRecord::ToString() const {
  switch (type) {
    case DnsType::kA: return name + " A " + ip.ToString();
    case DnsType::kCname: return name + " CNAME " + target;
    case DnsType::kPtr: return name + " PTR " + target;
    case DnsType::kNs: return name + " NS " + target;
    case DnsType::kTxt: return name + " TXT " + data;
    case DnsType::kSrv:
      return name + " SRV " + std::to_string(priority) + " " + std::to_string(weight) + " " +
             std::to_string(port) + " " + target;
    case DnsType::kSoa: return name + " SOA " + target + " " + std::to_string(serial);
    default:
      return name + " TYPE" + std::to_string(static_cast<int>(type)) + " " +
             std::to_string(data.size()) + " bytes";
  }
}

}  // namespace servicemesh
