// Certificates are X.509 v3 with a random 128-bit serial number, signed by ECDSA with SHA-256.
// Extensions say what each may do and no more: a CA signs (no CA below it), a server serves, a
// client authenticates. A server's first DNS name or address is its common name, for people to
// read; verifiers look at the alternative names.
#include "base/net/edge/pki.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <memory>
#include <utility>

#include "base/base64.h"
#include "base/net/edge/openssl.h"

namespace base {
namespace {

constexpr int kSerialBits = 127;
constexpr size_t kTokenBytes = 32;
constexpr size_t kDigestBytes = 32;

Status OpenSslFailure(const std::string& what) {
  return Status(Code::kInternal, what + ": " + TakeOpenSslErrors());
}

template <typename Write>
std::string WritePem(Write write) {
  Owned<BIO> bio(BIO_new(BIO_s_mem()));
  CHECK(bio && write(bio.get()) == 1);
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string PemOf(X509* certificate) {
  return WritePem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string PemOf(EVP_PKEY* key) {
  return WritePem([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

Result<Owned<X509>> ParseFirst(const std::string& pem) {
  std::vector<Owned<X509>> certificates = ParseCertificates(pem);
  if (certificates.empty()) return Status(Code::kInvalid, "there is no PEM certificate");
  return std::move(certificates.front());
}

Result<Owned<EVP_PKEY>> NewKey() {
  Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (!key) return OpenSslFailure("cannot make a key");
  return key;
}

struct Signer {
  Owned<X509> certificate;
  Owned<EVP_PKEY> key;
};

Result<Signer> ParseCa(const KeyPair& ca) {
  Signer signer;
  ASSIGN_OR_RETURN(signer.certificate, ParseFirst(ca.cert_pem));
  signer.key = ParseKey(ca.key_pem);
  if (!signer.key || X509_check_private_key(signer.certificate.get(), signer.key.get()) != 1) {
    ERR_clear_error();
    return Status(Code::kInvalid, "the CA's certificate and key do not belong together");
  }
  return signer;
}

bool AddName(X509_NAME* name, int kind, const std::string& text) {
  return X509_NAME_add_entry_by_NID(name, kind, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool SetSubject(X509* certificate, const Subject& subject) {
  X509_NAME* name = X509_get_subject_name(certificate);
  for (const std::string& organization : subject.organizations) {
    if (!AddName(name, NID_organizationName, organization)) return false;
  }
  return AddName(name, NID_commonName, subject.common_name);
}

bool SetTimes(X509* certificate, const Validity& validity) {
  int64_t first = (validity.now - kClockSkew).seconds();
  int64_t last = (validity.now + validity.lifetime).seconds();
  return ASN1_TIME_set(X509_getm_notBefore(certificate), first) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), last) != nullptr;
}

bool SetSerial(X509* certificate) {
  Owned<BIGNUM> number(BN_new());
  return number && BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

// Extensions in OpenSSL's configuration syntax; values are constants or built by us.
using Extensions = std::vector<std::pair<int, std::string>>;

bool AddExtensions(X509* certificate, X509* issuer, const Extensions& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const auto& [kind, value] : extensions) {
    Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) return false;
  }
  return true;
}

// A certificate for `key`; signed by `signer`, or by itself where that is null.
Result<Owned<X509>> Issue(EVP_PKEY* key, EVP_PKEY* signing_key, X509* signer,
                          const Subject& subject, const Validity& validity,
                          const Extensions& extensions) {
  if (subject.common_name.empty()) return Status(Code::kInvalid, "a certificate needs a name");
  Owned<X509> certificate(X509_new());
  X509* issuer = signer != nullptr ? signer : certificate.get();
  bool made = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
              SetSerial(certificate.get()) && SetTimes(certificate.get(), validity) &&
              SetSubject(certificate.get(), subject) &&
              X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer)) == 1 &&
              X509_set_pubkey(certificate.get(), key) == 1 &&
              AddExtensions(certificate.get(), issuer, extensions) &&
              X509_sign(certificate.get(), signing_key, EVP_sha256()) > 0;
  if (!made) return OpenSslFailure("cannot issue a certificate for " + subject.common_name);
  return certificate;
}

Extensions ClientExtensions() {
  return {{NID_basic_constraints, "critical,CA:FALSE"},
          {NID_key_usage, "critical,digitalSignature"},
          {NID_ext_key_usage, "clientAuth"},
          {NID_subject_key_identifier, "hash"},
          {NID_authority_key_identifier, "keyid:always"}};
}

bool IsIpAddress(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> address;
  return inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

// "DNS:a,IP:192.0.2.1". A name with a comma or the like could smuggle another one in.
Result<std::string> AlternativeNames(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    bool is_ip = IsIpAddress(name);
    bool is_dns = !name.empty() && name.find_first_not_of(
                                       "abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789-._*") == std::string::npos;
    if (!is_ip && !is_dns) {
      return Status(Code::kInvalid, "\"" + name + "\" is no DNS name and no IP address");
    }
    list.append(list.empty() ? "" : ",").append(is_ip ? "IP:" : "DNS:").append(name);
  }
  return list;
}

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (char c : bytes) {
    auto byte = static_cast<uint8_t>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace

Result<KeyPair> CreateCa(const std::string& common_name, const Validity& validity) {
  ASSIGN_OR_RETURN(Owned<EVP_PKEY> key, NewKey());
  Extensions extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                           {NID_key_usage, "critical,keyCertSign,cRLSign"},
                           {NID_subject_key_identifier, "hash"}};
  ASSIGN_OR_RETURN(Owned<X509> certificate,
                   Issue(key.get(), key.get(), nullptr, {common_name, {}}, validity, extensions));
  return KeyPair{PemOf(certificate.get()), PemOf(key.get())};
}

Result<KeyPair> IssueServerCertificate(const KeyPair& ca, const std::vector<std::string>& names,
                                       const Validity& validity) {
  if (names.empty()) return Status(Code::kInvalid, "a server's certificate needs a name");
  ASSIGN_OR_RETURN(Signer signer, ParseCa(ca));
  ASSIGN_OR_RETURN(Owned<EVP_PKEY> key, NewKey());
  ASSIGN_OR_RETURN(std::string alternatives, AlternativeNames(names));
  Extensions extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                           {NID_key_usage, "critical,digitalSignature"},
                           {NID_ext_key_usage, "serverAuth"},
                           {NID_subject_key_identifier, "hash"},
                           {NID_authority_key_identifier, "keyid:always"},
                           {NID_subject_alt_name, alternatives}};
  ASSIGN_OR_RETURN(Owned<X509> certificate,
                   Issue(key.get(), signer.key.get(), signer.certificate.get(), {names.front(), {}},
                         validity, extensions));
  return KeyPair{PemOf(certificate.get()), PemOf(key.get())};
}

Result<KeyPair> IssueClientCertificate(const KeyPair& ca, const Subject& subject,
                                       const Validity& validity) {
  ASSIGN_OR_RETURN(Signer signer, ParseCa(ca));
  ASSIGN_OR_RETURN(Owned<EVP_PKEY> key, NewKey());
  ASSIGN_OR_RETURN(Owned<X509> certificate,
                   Issue(key.get(), signer.key.get(), signer.certificate.get(), subject, validity,
                         ClientExtensions()));
  return KeyPair{PemOf(certificate.get()), PemOf(key.get())};
}

Result<SigningRequest> CreateSigningRequest(const std::string& common_name) {
  ASSIGN_OR_RETURN(Owned<EVP_PKEY> key, NewKey());
  Owned<X509_REQ> request(X509_REQ_new());
  bool made = request && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
              AddName(X509_REQ_get_subject_name(request.get()), NID_commonName, common_name) &&
              X509_REQ_set_pubkey(request.get(), key.get()) == 1 &&
              X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0;
  if (!made) return OpenSslFailure("cannot make a certificate request");
  std::string pem = WritePem([&](BIO* bio) { return PEM_write_bio_X509_REQ(bio, request.get()); });
  return SigningRequest{std::move(pem), PemOf(key.get())};
}

Result<std::string> SignRequest(const KeyPair& ca, const std::string& csr_pem,
                                const Subject& subject, const Validity& validity) {
  ASSIGN_OR_RETURN(Signer signer, ParseCa(ca));
  Owned<BIO> reader = ReaderOf(csr_pem);
  Owned<X509_REQ> request(PEM_read_bio_X509_REQ(reader.get(), nullptr, nullptr, nullptr));
  EVP_PKEY* key = request ? X509_REQ_get0_pubkey(request.get()) : nullptr;
  if (key == nullptr || X509_REQ_verify(request.get(), key) != 1) {
    ERR_clear_error();
    return Status(Code::kInvalid,
                  "the certificate request is no PEM, or not signed by its own key");
  }
  ASSIGN_OR_RETURN(Owned<X509> certificate, Issue(key, signer.key.get(), signer.certificate.get(),
                                                  subject, validity, ClientExtensions()));
  return PemOf(certificate.get());
}

Result<CertificateInfo> ReadCertificate(const std::string& pem) {
  ASSIGN_OR_RETURN(Owned<X509> certificate, ParseFirst(pem));
  CertificateInfo info;
  std::vector<std::string> names = SubjectNames(certificate.get(), NID_commonName);
  if (!names.empty()) info.subject.common_name = names.back();
  info.subject.organizations = SubjectNames(certificate.get(), NID_organizationName);
  info.not_before = ToWallTime(X509_get0_notBefore(certificate.get()));
  info.not_after = ToWallTime(X509_get0_notAfter(certificate.get()));
  info.is_ca = X509_check_ca(certificate.get()) == 1;
  info.serial = SerialOf(certificate.get());
  return info;
}

Status VerifyChain(const std::string& pem, const std::string& ca_pem, WallTime now) {
  std::vector<Owned<X509>> chain = ParseCertificates(pem);
  std::vector<Owned<X509>> authorities = ParseCertificates(ca_pem);
  if (chain.empty() || authorities.empty()) {
    return {Code::kUnauthorized, "there is no PEM certificate to verify"};
  }
  Owned<X509_STORE> store(X509_STORE_new());
  for (const Owned<X509>& authority : authorities)
    X509_STORE_add_cert(store.get(), authority.get());
  Owned<STACK_OF(X509)> intermediates(sk_X509_new_null());
  for (const Owned<X509>& certificate : chain) sk_X509_push(intermediates.get(), certificate.get());
  Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), intermediates.get()) !=
      1) {
    return OpenSslFailure("cannot verify a certificate");
  }
  X509_STORE_CTX_set_time(context.get(), 0, now.seconds());
  if (X509_verify_cert(context.get()) == 1) return {};
  ERR_clear_error();
  return {Code::kUnauthorized,
          std::string("the certificate is not trusted: ") +
              X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))};
}

Result<std::string> CertificateDigest(const std::string& pem) {
  ASSIGN_OR_RETURN(Owned<X509> certificate, ParseFirst(pem));
  return "sha256:" + Sha256Hex(DerOf(certificate.get()));
}

Result<std::string> RandomToken() {
  std::array<unsigned char, kTokenBytes> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return Status(Code::kUnavailable, "the system gave no random bytes");
  }
  return Base64UrlEncode(std::string_view(reinterpret_cast<char*>(bytes.data()), bytes.size()));
}

bool EqualInConstantTime(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string Sha256(std::string_view data) {
  std::string digest(kDigestBytes, '\0');
  CHECK(EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(digest.data()),
                   nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

std::string Sha256Hex(std::string_view data) { return Hex(Sha256(data)); }

}  // namespace base
