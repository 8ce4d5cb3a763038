#include "base/net/edge/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctime>

namespace base {

Owned<BIO> ReaderOf(const std::string& text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::vector<Owned<X509>> ParseCertificates(const std::string& pem) {
  std::vector<Owned<X509>> certificates;
  Owned<BIO> reader = ReaderOf(pem);
  while (X509* certificate = PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  ERR_clear_error();  // the loop ends with "no start line"
  return certificates;
}

Owned<EVP_PKEY> ParseKey(const std::string& pem) {
  // An encrypted key must fail, not ask the terminal for its password.
  auto no_password = [](char*, int, int, void*) { return -1; };
  Owned<BIO> reader = ReaderOf(pem);
  Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(reader.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return key;
}

std::vector<std::string> SubjectNames(X509* certificate, int kind) {
  std::vector<std::string> names;
  X509_NAME* subject = X509_get_subject_name(certificate);
  for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, kind, i)) >= 0;) {
    unsigned char* text = nullptr;
    int length =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
    if (length < 0) continue;
    names.emplace_back(reinterpret_cast<char*>(text), static_cast<size_t>(length));
    OPENSSL_free(text);
  }
  return names;
}

WallTime ToWallTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return WallTime();
  return WallTime::FromSeconds(timegm(&parts));
}

std::string SerialOf(X509* certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  const Owned<BIGNUM> owned(number);
  char* digits = owned ? BN_bn2hex(number) : nullptr;
  std::string text = digits != nullptr ? digits : "";
  OPENSSL_free(digits);
  return text;
}

std::string DerOf(X509* certificate) {
  unsigned char* der = nullptr;
  int size = i2d_X509(certificate, &der);
  if (size < 0) return {};
  std::string text(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return text;
}

std::string TakeOpenSslErrors() {
  std::string text;
  while (unsigned long error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    if (!text.empty()) text += "; ";
    text += reason != nullptr ? reason : "error " + std::to_string(error);
  }
  return text.empty() ? "no details" : text;
}

}  // namespace base
