// Prints IGNORED.md: `ninja -C build ignored` writes it.
#include <iostream>

#include "manifests/ignored.h"

int main() {
  std::cout << manifests::IgnoredFieldsPage(*manifests::Schema::BuiltIn());
  return 0;
}
