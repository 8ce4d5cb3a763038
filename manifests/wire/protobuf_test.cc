#include "manifests/wire/protobuf.h"

#include <gtest/gtest.h>

#include <set>

#include "base/base64.h"
#include "base/rng.h"
#include "base/testing/random_json.h"
#include "base/time.h"
#include "manifests/wire/wire_format.h"

namespace manifests {
namespace {

using base::Json;

const Message& MessageOf(std::string_view group, std::string_view name) {
  const Message* message = Schema::BuiltIn()->FindMessage(group, name);
  CHECK(message != nullptr);
  return *message;
}

Json Parsed(std::string_view text) {
  auto json = base::ParseJson(text);
  CHECK(json.ok());
  return *std::move(json);
}

std::string Encoded(const Message& message, const Json& json) {
  std::string bytes;
  EncodeMessage(message, base::Document(json).root(), bytes);
  return bytes;
}

std::string Shown(const base::Result<Json>& json) {
  return json.ok() ? json->ToString() : std::string(json.status().message());
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  std::string digits;
  for (const char c : hex) {
    if (c == ' ' || c == '\n') continue;
    digits += c;
    if (digits.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
    digits.clear();
  }
  return bytes;
}

std::string ToHex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<uint8_t>(c) >> 4];
    hex += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

// What there is of each message on the wire: random objects of it.
class Generator {
 public:
  explicit Generator(uint64_t seed) : rng_(seed) {}

  Json Object(const Message& message, int depth) {
    Json object = Json::MakeObject();
    Fill(message, depth, object);
    return object;
  }
  base::Rng& rng() { return rng_; }

 private:
  void Fill(const Message& message, int depth, Json& object) {
    for (const Field& field : message.fields) {
      if (field.number == 0) continue;
      if (field.inlined) {
        Fill(*field.message, depth, object);
      } else if (rng_.Chance(depth > 0 ? 1 : 2, depth > 0 ? 2 : 3) &&
                 (depth > 0 || field.scalar != Scalar::kMessage)) {
        object.Set(field.name, Shaped(field, depth));
      }
    }
  }

  Json Shaped(const Field& field, int depth) {
    if (field.shape == Shape::kSingle) return Value(field, depth);
    Json many = field.shape == Shape::kList ? Json::MakeArray() : Json::MakeObject();
    const uint64_t size = 1 + rng_.Below(3);
    for (uint64_t i = 0; i < size; ++i) {
      if (field.shape == Shape::kList) {
        many.Append(Value(field, depth));
      } else {
        many.Set(Text(), Value(field, depth));
      }
    }
    return many;
  }

  std::string Text() {
    static constexpr std::string_view kTexts[] = {"a", "web", "größe", "\xF0\x9F\x90\xB3", "x/y"};
    return std::string(kTexts[rng_.Below(5)]) + std::to_string(rng_.Below(1000));
  }

  // No zero where a zero is no value.
  bool MayBeZero(const Field& field) {
    return (field.presence || field.shape != Shape::kSingle) && rng_.Chance(1, 4);
  }

  Json Value(const Field& field, int depth) {
    if (field.scalar == Scalar::kMessage) return Object(*field.message, depth - 1);
    const bool zero = MayBeZero(field);
    const auto digits = static_cast<int64_t>(rng_.Next());
    switch (field.scalar) {
      case Scalar::kString: return zero ? "" : Text();
      case Scalar::kBool: return !zero;
      case Scalar::kInt32: return zero ? 0 : int64_t{static_cast<int32_t>(digits | 1)};
      case Scalar::kInt64: return zero ? 0 : digits | 1;
      case Scalar::kDouble: return zero ? 0.0 : static_cast<double>(digits % 1000) + 0.25;
      case Scalar::kBytes: return zero ? "" : base::Base64Encode(Text());
      case Scalar::kQuantity: return std::to_string(rng_.Below(5000)) + "m";
      case Scalar::kTime: return Time().ToString();
      case Scalar::kMicroTime: return Time().ToMicroString();
      case Scalar::kDuration: return base::Duration::Millis(digits % 1'000'000'000).ToString();
      case Scalar::kIntOrString:
        if (rng_.Chance(1, 2)) return zero ? 0 : int64_t{static_cast<int32_t>(digits | 1)};
        return zero ? "" : Text();
      default: break;
    }
    return Json::MakeObject({{"any", base::RandomJson(rng_, 3)}});
  }

  // Before and after 1970.
  base::WallTime Time() {
    return base::WallTime::FromSeconds(static_cast<int64_t>(rng_.Below(8'000'000'000)) -
                                       4'000'000'000) +
           base::Duration::Micros(static_cast<int64_t>(rng_.Below(1'000'000)));
  }

  base::Rng rng_;
};

TEST(ProtobufTest, EveryMessageOfTheTablesComesBackAsItWas) {
  Generator generator(1);
  size_t messages = 0;
  for (const auto& message : Schema::BuiltIn()->messages()) {
    for (int i = 0; i < 20; ++i) {
      const Json object = generator.Object(*message, 4);
      const base::Result<Json> back = DecodeMessage(*message, Encoded(*message, object));
      ASSERT_EQ(Shown(back), object.ToString()) << message->group << "." << message->name;
    }
    ++messages;
  }
  EXPECT_GT(messages, 250u);
}

// A kind that is served as protobuf loses nothing in it.
TEST(ProtobufTest, NothingInAKindWithAWireFormLacksANumber) {
  std::set<const Message*> seen;
  std::string without;
  const auto visit = [&](const auto& self, const Message& message) -> void {
    if (!seen.insert(&message).second) return;
    for (const Field& field : message.fields) {
      if (field.number == 0) without += message.name + "." + field.name + " ";
      if (field.message != nullptr) self(self, *field.message);
    }
  };
  size_t kinds = 0;
  for (const Kind* kind : Schema::BuiltIn()->kinds()) {
    if (!HasWireForm(*kind->root)) continue;
    visit(visit, *kind->root);
    ++kinds;
  }
  EXPECT_EQ(without, "");
  EXPECT_GE(kinds, 14u);
}

TEST(ProtobufTest, ASmallMessageByHand) {
  const Message& spec = MessageOf("autoscaling/v1", "Scale");
  const Json scale = Parsed(
      R"({"metadata":{"name":"web","creationTimestamp":"1970-01-01T00:00:01Z"},
          "spec":{"replicas":300},"status":{"replicas":-1}})");
  EXPECT_EQ(ToHex(Encoded(spec, scale)),
            "0a0b"  // metadata, 11 bytes
            "42040801"
            "1000"        // creationTimestamp: 1 s, 0 ns
            "0a03776562"  // name
            "1203"
            "08ac02"  // spec: replicas 300
            "1a0b"
            "08ffffffffffffffffff01");  // status: replicas -1, in ten bytes
}

// What kubectl 1.35.2 sends for "create deployment web --image=example/web:1 --replicas=0": zeros
// of pointers stay, all others vanish.
TEST(ProtobufTest, ReadsTheDeploymentOfKubectl) {
  const std::string body = FromHex(
      "6b3873000a150a07617070732f7631120a4465706c6f796d656e7412b6010a230a0377656212001a0473"
      "686f7022002a003200380042005a0a0a0361707012037765621280010800120c0a0a0a03617070120377"
      "65621a660a1c0a0012001a0022002a003200380042005a0a0a036170701203776562124612280a037765"
      "62120d6578616d706c652f7765623a312a0042006a007200800100880100900100a201001a0032004200"
      "4a0052005800600068008201008a01009a0100c2010022020a00280038001a0c08001000180020002800"
      "38001a002200");
  EXPECT_EQ(
      Shown(DecodeBody(MessageOf("apps/v1", "Deployment"), body)),
      "{\"apiVersion\":\"apps/"
      "v1\",\"kind\":\"Deployment\",\"metadata\":{\"labels\":{\"app\":\"web\"},"
      "\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{\"replicas\":0,\"selector\":{"
      "\"matchLabels\":{"
      "\"app\":\"web\"}},\"strategy\":{},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},"
      "\"spec\":{\"containers\":[{\"image\":\"example/"
      "web:1\",\"name\":\"web\",\"resources\":{}}]}}},"
      "\"status\":{}}");
}

// "create quota q --hard=pods=3,limits.cpu=1500m", "create service clusterip s --tcp=80:http".
TEST(ProtobufTest, ReadsMapsAmountsAndPortsOfKubectl) {
  const std::string quota = FromHex(
      "6b3873000a130a027631120d5265736f7572636551756f7461123f0a150a017112001a0473686f702200"
      "2a0032003800420012240a150a0a6c696d6974732e63707512070a05313530306d0a0b0a04706f647312"
      "030a01331a001a002200");
  EXPECT_EQ(Shown(DecodeBody(MessageOf("core/v1", "ResourceQuota"), quota)),
            "{\"apiVersion\":\"v1\",\"kind\":\"ResourceQuota\",\"metadata\":{\"name\":\"q\","
            "\"namespace\":\"shop\"},\"spec\":{\"hard\":{\"limits.cpu\":\"1500m\",\"pods\":\"3\"}},"
            "\"status\":{}}");
  const std::string service = FromHex(
      "6b3873000a0d0a027631120753657276696365126a0a1f0a017312001a0473686f7022002a0032003800"
      "42005a080a0361707012017312430a1e0a0738302d6874747012035443501850220a080110001a046874"
      "7470280012080a036170701201731a002209436c757374657249503a00420052005a00600068001a020a"
      "001a002200");
  EXPECT_EQ(Shown(DecodeBody(MessageOf("core/v1", "Service"), service)),
            "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"labels\":{\"app\":\"s\"},"
            "\"name\":\"s\",\"namespace\":\"shop\"},\"spec\":{\"ports\":[{\"name\":\"80-http\","
            "\"port\":80,"
            "\"protocol\":\"TCP\",\"targetPort\":\"http\"}],\"selector\":{\"app\":\"s\"},\"type\":"
            "\"ClusterIP\"},\"status\":{\"loadBalancer\":{}}}");
}

TEST(ProtobufTest, ABodyHasAnEnvelope) {
  const Json object =
      Parsed(R"({"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1"},"metadata":{"name":"c"}})");
  const std::string body = EncodeBody("v1", "ConfigMap", MessageOf("core/v1", "ConfigMap"),
                                      base::Document(object).root());
  EXPECT_EQ(ToHex(body),
            "6b387300"  // k8s, NUL
            "0a0f"
            "0a027631"
            "1209436f6e6669674d6170"  // v1, ConfigMap
            "120d"                    // the message: metadata and data by name
            "1206"
            "0a0161"
            "120131"
            "0a03"
            "0a0163"
            "1a00"
            "2200");  // neither encoding nor type
  EXPECT_EQ(Shown(DecodeBody(MessageOf("core/v1", "ConfigMap"), body)), object.ToString());
}

TEST(ProtobufTest, AListIsItsItemsAndItsMetadata) {
  const Message& message = MessageOf("core/v1", "ConfigMap");
  ProtobufList list("v1", "ConfigMapList", 100);
  list.SetMetadata(MessageOf("meta/v1", "ListMeta"), Parsed(R"({"resourceVersion":"7"})"));
  const std::string big(300, 'x');
  for (const char* name : {"one", "two"}) {
    list.Add(message,
             base::Document(Json::MakeObject({{"metadata", Json::MakeObject({{"name", name}})},
                                              {"data", Json::MakeObject({{"a", big}})}}))
                 .root());
  }
  const std::string bytes = std::move(list).Finish();
  const auto body = OpenBody(bytes);
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(body->api_version + " " + body->kind, "v1 ConfigMapList");
  std::string seen;
  for (WireReader reader(body->raw); !reader.AtEnd();) {
    const auto field = reader.Next();
    ASSERT_TRUE(field.ok());
    const auto part = DecodeMessage(field->number == 1 ? MessageOf("meta/v1", "ListMeta") : message,
                                    field->bytes);
    seen += std::to_string(field->number) + Shown(part) + "\n";
  }
  EXPECT_EQ(seen, "1{\"resourceVersion\":\"7\"}\n2{\"data\":{\"a\":\"" + big +
                      "\"},\"metadata\":{\"name\":\"one\"}}\n2{\"data\":{\"a\":\"" + big +
                      "\"},\"metadata\":{\"name\":\"two\"}}\n");
}

TEST(ProtobufTest, AWatchEventIsAFrame) {
  EXPECT_EQ(ToHex(EncodeWatchEvent("ADDED", "body")),
            "0000000f"
            "0a054144444544"
            "1206"
            "0a04626f6479");
}

TEST(ProtobufTest, ZerosWithoutPresenceAreNoValues) {
  const Message& spec = MessageOf("apps/v1", "DeploymentSpec");
  EXPECT_EQ(Shown(DecodeMessage(spec, FromHex("0800 2800 3800"))), R"({"replicas":0})");
  EXPECT_EQ(Shown(DecodeMessage(MessageOf("core/v1", "ContainerStateTerminated"), FromHex("0800"))),
            R"({"exitCode":0})");
  // Required ones stay, for the validation to speak of.
  EXPECT_EQ(Shown(DecodeMessage(MessageOf("core/v1", "ContainerPort"), FromHex("0a00 1800"))),
            R"({"containerPort":0})");
  // A later value counts, a zero too.
  EXPECT_EQ(Shown(DecodeMessage(spec, FromHex("2805 2800"))), "{}");
  EXPECT_EQ(Shown(DecodeMessage(MessageOf("meta/v1", "ObjectMeta"), FromHex("4200 0a00"))), "{}");
}

TEST(ProtobufTest, UnknownFieldsAreSkippedAndPiecesAreMerged) {
  const Message& map = MessageOf("core/v1", "ConfigMap");
  EXPECT_EQ(Shown(DecodeMessage(map, FromHex("a00605 a1060102030405060708 a2060161 a50601020304"
                                             "12060a01621201320a030a0163 1206 0a0161120131"
                                             "1206 0a0162120133 0a05 1a03736f70"))),
            R"({"data":{"a":"1","b":"3"},"metadata":{"name":"c","namespace":"sop"}})");
  // {5: 1 2 300} packed, then 7 alone.
  EXPECT_EQ(Shown(DecodeMessage(MessageOf("core/v1", "PodSecurityContext"),
                                FromHex("2204 0102ac02 2007"))),
            R"({"supplementalGroups":[1,2,300,7]})");
}

TEST(ProtobufTest, WhatDoesNotReadIsSaidWithItsPath) {
  const Message& pod = MessageOf("core/v1", "Pod");
  const auto said = [&](std::string_view hex) { return Shown(DecodeMessage(pod, FromHex(hex))); };
  EXPECT_EQ(said("0a"), "a number goes beyond the message's end");
  EXPECT_EQ(said("0a05 0a01"), "field 1 has 5 bytes, but only 2 are left");
  EXPECT_EQ(said("0a03 0a01ff"), "metadata.name: the text is not UTF-8");
  EXPECT_EQ(said("0a02 0801"), "metadata.name: wire type 0 does not fit the field");
  EXPECT_EQ(said("0801"), "metadata: wire type 0 does not fit the field");
  EXPECT_EQ(said("00"), "0 is no field number");
  EXPECT_EQ(said("0b0c"), "field 1 has wire type 3, which is not served");
  EXPECT_EQ(said("ffffffffffffffffffffff"), "a number has more than ten bytes");
  EXPECT_EQ(said("0a0b 420908ffffffffffffff7f"),
            "metadata.creationTimestamp: the time is not of the years 1 to 9999");
  EXPECT_EQ(
      said("0a09 8a0106 3a040a027b5d"),
      "metadata.managedFields.fieldsV1: the raw bytes are no JSON: line 1, column 2: a key in "
      "double quotes should be here");
}

TEST(ProtobufTest, AnEnvelopeThatIsNoneIsRefused) {
  const Message& map = MessageOf("core/v1", "ConfigMap");
  EXPECT_EQ(Shown(DecodeBody(map, "{}")),
            "the body is no protobuf of Kubernetes: it does not begin with k8s");
  EXPECT_EQ(Shown(DecodeBody(map, FromHex("6b387300 1a04677a6970"))),
            "the body's protobuf envelope holds another form; send it as it is");
  EXPECT_EQ(Shown(DecodeBody(map, FromHex("6b387300 0a03 0a01ff"))),
            "the protobuf envelope's apiVersion or kind is not UTF-8");
  EXPECT_EQ(Shown(DecodeBody(map, FromHex("6b387300"))), "{}");
}

// Hostile depth, and more of it by raw JSON inside.
TEST(ProtobufTest, DepthHasALimit) {
  auto schema = Schema::Load({{"t.yaml",
                               "package: t\nmessages:\n  Node:\n"
                               "    child: {number: 1, type: Node}\n"
                               "    many: {number: 2, type: list Node}\n"
                               "    raw: {number: 3, type: any}\n"}});
  ASSERT_TRUE(schema.ok()) << schema.status().ToString();
  const Message& node = *(*schema)->FindMessage("t", "Node");
  const auto nested = [](uint32_t number, int levels, std::string bytes) {
    for (int i = 0; i < levels; ++i) {
      std::string outer;
      WireWriter(outer).Bytes(number, bytes);
      bytes = outer;
    }
    return bytes;
  };
  EXPECT_TRUE(DecodeMessage(node, nested(1, 99, "")).ok());
  EXPECT_TRUE(Shown(DecodeMessage(node, nested(1, 100, ""))).ends_with("more than 100 levels"));
  EXPECT_TRUE(DecodeMessage(node, nested(2, 49, "")).ok());
  EXPECT_FALSE(DecodeMessage(node, nested(2, 50, "")).ok());
  std::string raw;
  const size_t open = WireWriter(raw).Open(3);
  WireWriter(raw).Bytes(1, std::string(20, '[') + std::string(20, ']'));
  WireWriter(raw).Close(open);
  EXPECT_TRUE(DecodeMessage(node, nested(1, 70, raw)).ok());
  EXPECT_TRUE(Shown(DecodeMessage(node, nested(1, 90, raw))).ends_with("more than 100 levels"));
}

// Whatever comes, there is an answer; and what is taken can be sent again, and is the same.
TEST(ProtobufTest, DamagedMessagesNeverHurt) {
  Generator generator(2);
  size_t refused = 0, taken = 0;
  for (const Kind* kind : Schema::BuiltIn()->kinds()) {
    if (!HasWireForm(*kind->root)) continue;
    for (int i = 0; i < 100; ++i) {
      const Json object = generator.Object(*kind->root, 4);
      std::string body = EncodeBody("v1", "T", *kind->root, base::Document(object).root());
      body = base::Damaged(generator.rng(), std::move(body));
      const base::Result<Json> read = DecodeBody(*kind->root, body);
      ++(read.ok() ? taken : refused);
      if (!read.ok()) {
        EXPECT_EQ(read.status().code(), base::Code::kBadRequest) << read.status().ToString();
        continue;
      }
      const std::string again =
          EncodeBody((*read)["apiVersion"].AsString(), (*read)["kind"].AsString(), *kind->root,
                     base::Document(*read).root());
      EXPECT_EQ(Shown(DecodeBody(*kind->root, again)), read->ToString());
    }
  }
  EXPECT_GT(refused, 100u);
  EXPECT_GT(taken, 20u);
}

TEST(ProtobufTest, TimesOfAllYearsAreKept) {
  const Message& lease = MessageOf("coordination.k8s.io/v1", "Lease");
  for (const char* time : {"0001-01-01T00:00:02.000000Z", "9999-12-31T23:59:59.999999Z"}) {
    const Json object = Json::MakeObject({{"spec", Json::MakeObject({{"renewTime", time}})}});
    const base::Result<Json> read = DecodeMessage(lease, Encoded(lease, object));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ((*read)["spec"]["renewTime"].AsString(), time);
  }
}

}  // namespace
}  // namespace manifests
