// What the files over OpenSSL share: ownership, PEM, names, errors. Only edge .cc files include
// this.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"

namespace base {

struct OpenSslDeleter {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(X509_REQ* request) const { X509_REQ_free(request); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
template <typename T>
using Owned = std::unique_ptr<T, OpenSslDeleter>;

// A BIO that reads `text`, which must outlive it.
Owned<BIO> ReaderOf(const std::string& text);

// All certificates of a PEM text, in order; empty if there is none.
std::vector<Owned<X509>> ParseCertificates(const std::string& pem);
Owned<EVP_PKEY> ParseKey(const std::string& pem);  // null if there is none

// The subject's entries of one kind (NID_commonName, ...), as UTF-8, in order.
std::vector<std::string> SubjectNames(X509* certificate, int kind);

WallTime ToWallTime(const ASN1_TIME* time);

// Upper-case hexadecimal.
std::string SerialOf(X509* certificate);

// The certificate in DER.
std::string DerOf(X509* certificate);

// OpenSSL's queued errors of this thread as one line; the queue is empty afterwards.
std::string TakeOpenSslErrors();

}  // namespace base
