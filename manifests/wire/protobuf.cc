// A message is written in the order of its fields' names, which is the order of the document: a
// reader must take fields in any order. An inlined message is a message of its own on the wire; its
// members are picked from the parent object in a second walk.
//
// The envelope: "k8s\0", then a message {1: {1: apiVersion, 2: kind}, 2: raw, 3: contentEncoding,
// 4: contentType}; both of the last are empty for protobuf. A list is {1: ListMeta, 2: items}.
#include "manifests/wire/protobuf.h"

#include <algorithm>
#include <bit>

#include "base/base64.h"
#include "base/time.h"
#include "base/timestamp.h"
#include "base/utf8.h"
#include "manifests/wire/wire_format.h"

namespace manifests {
namespace {

using base::Value;

constexpr std::string_view kMagic("k8s\0", 4);
constexpr int64_t kNanosPerMicro = 1'000;

// The numbers of the envelope's fields, and of a list's and a watch event's.
constexpr uint32_t kTypeMeta = 1, kRaw = 2, kContentEncoding = 3, kContentType = 4;
constexpr uint32_t kApiVersion = 1, kKind = 2;
constexpr uint32_t kListMetadata = 1, kListItems = 2;
constexpr uint32_t kEventType = 1, kEventObject = 2;

bool IsNumber(const Value& value) {
  return value.type() == Value::Type::kInt || value.type() == Value::Type::kDouble;
}

class Encoder {
 public:
  explicit Encoder(std::string& out) : out_(out), writer_(out) {}

  void Fields(const Message& message, const Value& object) {
    auto field = message.fields.begin();
    for (const auto& [key, value] : object.Members()) {
      while (field != message.fields.end() && field->name < key) ++field;
      if (field == message.fields.end()) break;
      if (field->name == key && !field->inlined && field->number != 0) Whole(*field, value);
    }
    for (const Field& inlined : message.fields) {
      if (inlined.inlined && inlined.number != 0) Inlined(inlined, object);
    }
  }

 private:
  void Inlined(const Field& field, const Value& object) {
    const size_t before = out_.size();
    const size_t open = writer_.Open(field.number);
    Fields(*field.message, object);
    if (out_.size() == open) {
      out_.resize(before);
    } else {
      writer_.Close(open);
    }
  }

  void Whole(const Field& field, const Value& value) {
    switch (field.shape) {
      case Shape::kSingle: One(field, field.number, value); return;
      case Shape::kList:
        for (const Value element : value.Elements()) One(field, field.number, element);
        return;
      case Shape::kMap:
        for (const auto& [key, element] : value.Members()) {
          const size_t open = writer_.Open(field.number);
          writer_.Bytes(1, key);
          One(field, 2, element);
          writer_.Close(open);
        }
        return;
    }
  }

  void One(const Field& field, uint32_t number, const Value& value) {
    switch (field.scalar) {
      case Scalar::kString:
        if (value.IsString()) writer_.Bytes(number, value.AsString());
        return;
      case Scalar::kBool:
        if (value.type() == Value::Type::kBool) writer_.Varint(number, value.AsBool() ? 1 : 0);
        return;
      case Scalar::kInt32:
      case Scalar::kInt64:
        if (IsNumber(value)) writer_.Varint(number, value.AsInt());
        return;
      case Scalar::kDouble:
        if (IsNumber(value)) writer_.Fixed64(number, std::bit_cast<uint64_t>(value.AsDouble()));
        return;
      case Scalar::kBytes: {
        const auto bytes = base::Base64Decode(value.AsString(), base::Base64Form::kLenient);
        if (value.IsString() && bytes.ok()) writer_.Bytes(number, *bytes);
        return;
      }
      case Scalar::kMessage:
        if (value.IsObject()) {
          const size_t open = writer_.Open(number);
          Fields(*field.message, value);
          writer_.Close(open);
        }
        return;
      default: break;
    }
    if (value.IsNull()) return;
    const size_t before = out_.size();
    const size_t open = writer_.Open(number);
    if (Wrapped(field.scalar, value)) {
      writer_.Close(open);
    } else {
      out_.resize(before);
    }
  }

  // The inside of a scalar that is a message on the wire. False if the value does not fit.
  bool Wrapped(Scalar scalar, const Value& value) {
    switch (scalar) {
      case Scalar::kQuantity:
        if (!value.IsString() && !IsNumber(value)) return false;
        writer_.Bytes(1, value.IsString() ? value.AsString() : value.Bytes());
        return true;
      case Scalar::kTime:
      case Scalar::kMicroTime: return Time(scalar, value);
      case Scalar::kDuration: {
        const auto duration = base::Duration::Parse(value.AsString());
        if (!duration.ok()) return false;
        writer_.Varint(1, duration->nanos());
        return true;
      }
      case Scalar::kIntOrString:
        if (!value.IsString() && !IsNumber(value)) return false;
        writer_.Varint(1, value.IsString() ? 1 : 0);
        writer_.Varint(2, value.AsInt());
        writer_.Bytes(3, value.AsString());
        return true;
      default: writer_.Bytes(1, value.Bytes()); return true;  // any
    }
  }

  bool Time(Scalar scalar, const Value& value) {
    const auto time = base::Timestamp::Parse(value.AsString());
    if (!time.ok()) return false;
    writer_.Varint(1, time->seconds);
    writer_.Varint(2,
                   scalar == Scalar::kMicroTime ? time->nanos - time->nanos % kNanosPerMicro : 0);
    return true;
  }

  std::string& out_;
  WireWriter writer_;
};

// The envelope up to the message's bytes; CloseEnvelope with what it gives.
size_t OpenEnvelope(std::string_view api_version, std::string_view kind, std::string& out) {
  out += kMagic;
  WireWriter writer(out);
  const size_t type = writer.Open(kTypeMeta);
  writer.Bytes(kApiVersion, api_version);
  writer.Bytes(kKind, kind);
  writer.Close(type);
  return writer.Open(kRaw);
}

void CloseEnvelope(size_t open, std::string& out) {
  WireWriter writer(out);
  writer.Close(open);
  writer.Bytes(kContentEncoding, "");
  writer.Bytes(kContentType, "");
}

}  // namespace

bool HasWireForm(const Message& message) {
  return std::all_of(message.fields.begin(), message.fields.end(),
                     [](const Field& field) { return field.number != 0; });
}

void EncodeMessage(const Message& message, Value object, std::string& out) {
  Encoder(out).Fields(message, object);
}

std::string EncodeBody(std::string_view api_version, std::string_view kind, const Message& message,
                       Value object) {
  std::string out;
  out.reserve(object.Bytes().size());  // names and quotes are more than tags and lengths
  const size_t open = OpenEnvelope(api_version, kind, out);
  EncodeMessage(message, object, out);
  CloseEnvelope(open, out);
  return out;
}

ProtobufList::ProtobufList(std::string_view api_version, std::string_view kind,
                           size_t expected_bytes) {
  out_.reserve(expected_bytes);
  raw_ = OpenEnvelope(api_version, kind, out_);
}

void ProtobufList::SetMetadata(const Message& list_meta, const base::Json& metadata) {
  WireWriter writer(out_);
  const size_t open = writer.Open(kListMetadata);
  EncodeMessage(list_meta, base::Document(metadata).root(), out_);
  writer.Close(open);
}

void ProtobufList::Add(const Message& message, Value object) {
  WireWriter writer(out_);
  const size_t open = writer.Open(kListItems);
  EncodeMessage(message, object, out_);
  writer.Close(open);
}

std::string ProtobufList::Finish() && {
  CloseEnvelope(raw_, out_);
  return std::move(out_);
}

base::Result<ProtobufBody> OpenBody(std::string_view bytes) {
  using base::Code;
  if (!bytes.starts_with(kMagic)) {
    return {Code::kBadRequest, "the body is no protobuf of Kubernetes: it does not begin with k8s"};
  }
  ProtobufBody body;
  std::string_view encoding, type;
  for (WireReader reader(bytes.substr(kMagic.size())); !reader.AtEnd();) {
    ASSIGN_OR_RETURN(const WireField field, reader.Next());
    if (field.type != WireType::kBytes) continue;
    switch (field.number) {
      case kRaw: body.raw = field.bytes; break;
      case kContentEncoding: encoding = field.bytes; break;
      case kContentType: type = field.bytes; break;
      case kTypeMeta:
        for (WireReader meta(field.bytes); !meta.AtEnd();) {
          ASSIGN_OR_RETURN(const WireField part, meta.Next());
          if (part.number == kApiVersion) body.api_version = part.bytes;
          if (part.number == kKind) body.kind = part.bytes;
        }
        break;
      default: break;
    }
  }
  if (!encoding.empty() || (!type.empty() && type != kProtobufType)) {
    return {Code::kBadRequest, "the body's protobuf envelope holds another form; send it as it is"};
  }
  if (!base::IsUtf8(body.api_version) || !base::IsUtf8(body.kind))
    return {Code::kBadRequest, "the protobuf envelope's apiVersion or kind is not UTF-8"};
  return body;
}

base::Result<base::Json> DecodeBody(const Message& message, std::string_view bytes) {
  ASSIGN_OR_RETURN(const ProtobufBody body, OpenBody(bytes));
  ASSIGN_OR_RETURN(base::Json object, DecodeMessage(message, body.raw));
  if (!body.api_version.empty()) object.Set("apiVersion", body.api_version);
  if (!body.kind.empty()) object.Set("kind", body.kind);
  return object;
}

std::string EncodeWatchEvent(std::string_view type, std::string_view body) {
  std::string frame(4, '\0');
  frame.reserve(body.size() + 32);
  WireWriter writer(frame);
  writer.Bytes(kEventType, type);
  const size_t open = writer.Open(kEventObject);
  writer.Bytes(1, body);  // RawExtension
  writer.Close(open);
  const size_t size = frame.size() - 4;
  for (int i = 0; i < 4; ++i) frame[i] = static_cast<char>(size >> (24 - 8 * i));
  return frame;
}

}  // namespace manifests
