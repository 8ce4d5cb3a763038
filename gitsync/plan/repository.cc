#include "gitsync/plan/repository.h"

namespace gitsync {

using base::Json;

state::Key GitRepositoryKey(std::string_view source) {
  return state::Key{std::string(kGitRepositories), std::string(kSystemNamespace),
                    std::string(source)};
}

std::vector<std::string> SourceNames(const state::View& view) {
  std::vector<std::string> names;
  for (const state::ObjectPtr& object : view.List(kGitRepositories, kSystemNamespace)) {
    names.push_back(object->key.name);
  }
  return names;
}

std::string BranchOf(const state::View& view, std::string_view repository) {
  const state::ObjectPtr source = view.Get(kGitRepositories, kSystemNamespace, repository);
  return source == nullptr ? "" : std::string(BranchIn(*source));
}

std::string_view BranchIn(const state::Object& source) {
  const std::string_view branch = source["spec"]["ref"]["branch"].AsString();
  return branch.empty() ? "main" : branch;
}

std::string RevisionText(std::string_view branch, std::string_view commit) {
  return std::string(branch) + "@sha1:" + std::string(commit);
}

base::Status CreateRepository(state::Draft& draft, const std::string& name,
                              const RepositorySettings& settings, const std::string& url) {
  if (draft.view().Get("namespaces", "", kSystemNamespace) == nullptr) {
    RETURN_IF_ERROR(draft
                        .Create(Json::MakeObject(
                            {{"apiVersion", "v1"},
                             {"kind", "Namespace"},
                             {"metadata", Json::MakeObject({{"name", kSystemNamespace}})}}))
                        .status());
  }
  const Json metadata = Json::MakeObject({{"name", name}, {"namespace", kSystemNamespace}});
  RETURN_IF_ERROR(
      draft
          .Create(Json::MakeObject(
              {{"apiVersion", "source.toolkit.fluxcd.io/v1"},
               {"kind", "GitRepository"},
               {"metadata", metadata},
               {"spec",
                Json::MakeObject({{"url", url},
                                  {"interval", "10m"},
                                  {"ref", Json::MakeObject({{"branch", settings.branch}})}})}}))
          .status());
  Json kustomization = Json::MakeObject(
      {{"apiVersion", "kustomize.toolkit.fluxcd.io/v1"},
       {"kind", "Kustomization"},
       {"metadata", metadata},
       {"spec", Json::MakeObject({{"interval", "10m"},
                                  {"prune", true},
                                  {"sourceRef", Json::MakeObject({{"kind", "GitRepository"},
                                                                  {"name", name}})}})}});
  Json& annotations = kustomization["metadata"]["annotations"];
  annotations.Set(kDefaultNamespaceAnnotation, settings.scope.default_namespace);
  std::string namespaces;
  for (const std::string& ns : settings.scope.namespaces) {
    namespaces += (namespaces.empty() ? "" : ",") + ns;
  }
  if (!namespaces.empty()) annotations.Set(kNamespacesAnnotation, namespaces);
  return draft.Create(std::move(kustomization)).status();
}

}  // namespace gitsync
