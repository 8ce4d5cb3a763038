// One of plumb's own records of a repository: plumb status tells of the repository instead.
#include "manifests/kinds/kind_facts.h"

namespace manifests {
extern constinit const KindFacts kGitRepositoryFacts = {
    .resource = "gitrepositories.source.toolkit.fluxcd.io",
    .judged = false,
};

}  // namespace manifests
