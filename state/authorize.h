// Who may do what: one rule for every door: REST, Git, plumb's own commands, nodes' frames, and
// what a push asks for. Pure: roles come with the identity's groups, and a node's rights from the
// View. docs/roles.md has the table for people.
//
//   plumb:admin, system:masters   everything
//   plumb:deployer                reads everything, of Secrets only those of one namespace at a
//                                 time, and none of plumb-system; writes what stands in namespaces,
//                                 but not in kube-* and plumb-system, and neither Secrets, quotas
//                                 and limits nor bindings; fetches and pushes, and asks for syncs
//   plumb:viewer                  reads everything but Secrets, and logs; fetches from repositories
//                                 that allow it
//   system:nodes                  what system:node:NAME needs to run the pods bound to NAME
//   any user                      discovery, OpenAPI
//   nobody                        /version, /healthz, /livez, /readyz
//
// A credential may be bound to less than its owner's role: see base::CredentialBounds.
#pragma once

#include <string>
#include <string_view>

#include "base/identity.h"
#include "base/json.h"
#include "base/status.h"
#include "state/object.h"
#include "state/view.h"

namespace state {

inline constexpr std::string_view kAdminGroup = "plumb:admin";
inline constexpr std::string_view kMastersGroup = "system:masters";
inline constexpr std::string_view kDeployerGroup = "plumb:deployer";
inline constexpr std::string_view kViewerGroup = "plumb:viewer";
inline constexpr std::string_view kNodesGroup = "system:nodes";
inline constexpr std::string_view kAnonymous = "system:anonymous";

// Verbs are Kubernetes' ("get", "list", "watch", "create", "update", "patch", "delete",
// "deletecollection"; of no resource the HTTP method in lower case), and these of plumb's:
inline constexpr std::string_view kFetch = "fetch";      // of a GitRepository: git fetch, git clone
inline constexpr std::string_view kPush = "push";        // of a GitRepository
inline constexpr std::string_view kSync = "sync";        // of a Kustomization: to apply it now
inline constexpr std::string_view kSuspend = "suspend";  // of a Kustomization; to resume, too

inline constexpr std::string_view kGitRepositoryResource =
    "gitrepositories.source.toolkit.fluxcd.io";
inline constexpr std::string_view kKustomizationResource =
    "kustomizations.kustomize.toolkit.fluxcd.io";
// Tokens of people and of joining nodes: plumb's own, no kind of the API.
inline constexpr std::string_view kTokenResource = "tokens.plumb.dev";

// On a GitRepository, "true": viewers may fetch from it, manifests of Secrets included.
inline constexpr std::string_view kViewersFetchAnnotation = "plumb.dev/viewers-may-fetch";

// What something is done to.
struct AccessObject {
  Key key = {};  // an empty name: all there are, in the namespace or in all
  std::string subresource = {};
  std::string on_node = {};  // of a list of pods: the node whose pods it is confined to
  std::string path = {};     // of what is no resource, "/version"; the key is empty then
};

// OK, or kForbidden as Kubernetes words it.
base::Status Authorize(const base::Identity& identity, std::string_view verb,
                       const AccessObject& object, const View& view);

// The same without what the credential is bound to: what a push asks for, whose repository and
// branch were looked at before.
base::Status AuthorizeByRole(const base::Identity& identity, std::string_view verb,
                             const AccessObject& object, const View& view);

// The GitRepository of plumb-system, for kFetch and kPush.
AccessObject RepositoryObject(std::string_view name);
// The Kustomization of plumb-system, for kSync and kSuspend.
AccessObject ApplicationObject(std::string_view name);

// "system:node:NODE", and back: empty for what is no node's.
std::string NodeUser(std::string_view node);
std::string_view NodeOfUser(std::string_view user);
// The node's name; empty if this is no node, or an administrator as well.
std::string_view NodeOf(const base::Identity& identity);

}  // namespace state
