#include "servicemesh/edge/nft_dataplane.h"

#include <nftables/libnftables.h>

#include <mutex>
#include <string_view>
#include <utility>

#include "servicemesh/edge/conntrack.h"
#include "servicemesh/edge/netns.h"

namespace servicemesh {
namespace {

struct ContextDeleter {
  void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};
using Context = std::unique_ptr<nft_ctx, ContextDeleter>;

// The first line that says what is wrong; the rest quotes our own text.
std::string FirstLine(const char* text) {
  const std::string_view all = text == nullptr ? "" : text;
  return std::string(all.substr(0, all.find('\n')));
}

// The context's socket belongs to the namespace that the thread is in now.
base::Status RunScript(const std::string& script) {
  // The library promises nothing about two contexts at once, and keeps tables of its own.
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  const Context context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (context == nullptr || nft_ctx_buffer_error(context.get()) != 0)
    return base::Status(base::Code::kInternal, "nftables: cannot make a context");
  if (nft_run_cmd_from_buffer(context.get(), script.c_str()) == 0) return {};
  return base::Status(base::Code::kUnavailable,
                      "nftables refused the rules of table ip plumb: " +
                          FirstLine(nft_ctx_get_error_buffer(context.get())) +
                          "; the kernel keeps what it had, and all of it is written anew next");
}

void Remember(const std::vector<Element>& elements, std::vector<Ipv4>& node_ips) {
  for (const Element& element : elements) {
    if (element.map == MapId::kNodeIps) node_ips.push_back(element.at.ip);
  }
}

}  // namespace

NftDataplane::NftDataplane(base::Loop& loop, std::string network_namespace)
    : loop_(loop), network_namespace_(std::move(network_namespace)) {}

void NftDataplane::Offload(std::function<base::Status()> work, Done done) {
  CHECK(!busy_);
  busy_ = true;
  loop_.Offload([this, tie = lifeline_.tie(), path = network_namespace_, work = std::move(work),
                 done = std::move(done)]() -> base::Loop::Task {
    const auto scope = ScopedNetns::Enter(path);
    const base::Status status = scope.ok() ? work() : scope.status();
    return tie.Wrap([this, done, status] {
      busy_ = false;
      done(status);
    });
  });
}

void NftDataplane::Replace(std::shared_ptr<const RuleSet> rules, Done done) {
  node_ips_.clear();
  Remember(rules->elements, node_ips_);
  Offload([rules] { return RunScript(ToNft(*rules)); }, std::move(done));
}

void NftDataplane::Apply(std::shared_ptr<const RuleDelta> delta, Done done) {
  for (const Element& element : delta->delete_elements) {
    if (element.map == MapId::kNodeIps) std::erase(node_ips_, element.at.ip);
  }
  Remember(delta->add_elements, node_ips_);
  Offload([delta] { return delta->empty() ? base::Status() : RunScript(ToNft(*delta)); },
          std::move(done));
}

void NftDataplane::FlushUdp(std::vector<ConntrackFlush> stale, Done done) {
  Offload([stale = std::move(stale),
           node_ips = node_ips_] { return DeleteStaleUdp(stale, node_ips).status(); },
          std::move(done));
}

base::Status NftDataplane::RemoveTable(const std::string& network_namespace) {
  const auto scope = ScopedNetns::Enter(network_namespace);
  RETURN_IF_ERROR(scope.status());
  return RunScript("add table ip plumb\ndelete table ip plumb\n");
}

}  // namespace servicemesh
