#include "tests/support/redis_cluster.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <stdexcept>

#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"

namespace llm_edge_cache::test {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

RedisCluster::RedisCluster(const MutualTls& tls) : is_tls_(tls.is_on()) {
  for (std::size_t i = 0; i < 2 * kPrimaries; ++i) {
    RedisServerOptions options{.cluster_bus = true,
                               .extra_args = {"--cluster-enabled", "yes", "--cluster-node-timeout",
                                              "1000", "--repl-diskless-sync-delay", "0"}};
    tls.apply_to(options, i);
    nodes_.push_back(std::make_unique<RedisServer>(std::move(options)));
    ids_.push_back(node(i).command({"CLUSTER", "MYID"}));
  }
  std::vector<std::string> create = {LEC_REDIS_CLI, "--cluster", "create"};
  for (std::size_t i = 0; i < nodes_.size(); ++i) create.push_back(address(i));
  create.insert(create.end(), {"--cluster-replicas", "1", "--cluster-yes"});
  if (is_tls_) {
    const Certificate& client = tls.certificates.back();
    create.insert(create.end(), {"--tls", "--cacert", tls.ca_file, "--cert",
                                 client.certificate_file, "--key", client.key_file});
  }
  ChildProcess cli({.argv = create});
  if (cli.wait() != 0) throw std::runtime_error("redis-cli: " + cli.output() + cli.error_output());
  if (!eventually([this] { return is_whole() && agrees_on_epochs(); })) {
    throw std::runtime_error("the cluster did not become whole");
  }
}

void RedisCluster::be_patient() {
  for (const auto& server : nodes_) {
    server->command({"CONFIG", "SET", "cluster-node-timeout", "60000"});
  }
}

std::string RedisCluster::url() const {
  return (is_tls_ ? "rediss+cluster://" : "redis+cluster://") + address(0) + "," + address(1) +
         "," + address(2);
}

bool RedisCluster::is_primary(std::size_t index) {
  return node(index).command({"ROLE"}).starts_with("master");
}

std::size_t RedisCluster::primary_of(const std::string& key) {
  const int slot = std::stoi(node(0).command({"CLUSTER", "KEYSLOT", key}));
  const std::vector<std::string> slots = words_of(node(0).command({"CLUSTER", "SLOTS"}));
  // first last host port id .. : a range begins with two numbers in front of a host.
  for (std::size_t i = 0; i + 4 < slots.size(); ++i) {
    if (slots[i + 2] != "127.0.0.1" || slots[i].size() > 5 || slots[i + 1].size() > 5) continue;
    if (slots[i].find('.') != std::string::npos || slots[i + 1].find('.') != std::string::npos) {
      continue;
    }
    if (slot < std::stoi(slots[i]) || slot > std::stoi(slots[i + 1])) continue;
    const auto found = std::find(ids_.begin(), ids_.end(), slots[i + 4]);
    if (found != ids_.end()) return static_cast<std::size_t>(found - ids_.begin());
  }
  throw std::runtime_error("nobody serves the slot");
}

std::size_t RedisCluster::replica_of(std::size_t primary) {
  const std::string port = std::to_string(node(primary).port());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const std::vector<std::string> role = words_of(node(i).command({"ROLE"}));
    if (role.size() > 2 && role[0] == "slave" && role[2] == port) return i;
  }
  throw std::runtime_error("the primary has no replica");
}

void RedisCluster::fail_over_to(std::size_t replica) {
  node(replica).command({"CLUSTER", "FAILOVER"});
  if (!eventually([&] { return is_primary(replica); })) {
    throw std::runtime_error("the replica did not take over");
  }
}

void RedisCluster::move_slot(int slot, std::size_t from, std::size_t to) {
  begin_move(slot, from, to);
  move_keys(slot, from, to);
  end_move(slot, from, to);
}

void RedisCluster::begin_move(int slot, std::size_t from, std::size_t to) {
  const std::string number = std::to_string(slot);
  set_slot(to, number, {"IMPORTING", ids_[from]});
  set_slot(from, number, {"MIGRATING", ids_[to]});
}

void RedisCluster::move_keys(int slot, std::size_t from, std::size_t to) {
  const std::string number = std::to_string(slot);
  const std::string port = std::to_string(node(to).port());
  for (;;) {
    const std::string key = node(from).command({"CLUSTER", "GETKEYSINSLOT", number, "1"});
    if (key.empty()) return;
    node(from).command({"MIGRATE", "127.0.0.1", port, key, "0", "5000", "REPLACE"});
  }
}

void RedisCluster::end_move(int slot, std::size_t from, std::size_t to) {
  for (const std::size_t index : {to, from}) {
    set_slot(index, std::to_string(slot), {"NODE", ids_[to]});
  }
  // A node that has not heard of another's newest epoch takes none above it for its next slot, and
  // loses that to an older claim: no move may begin before all have heard of this one.
  if (!eventually([&] { return owns(to, slot) && !owns(from, slot) && agrees_on_epochs(); })) {
    throw std::runtime_error("the slot did not move");
  }
}

// As the node itself sees it.
bool RedisCluster::owns(std::size_t index, int slot) {
  std::istringstream lines(node(index).command({"CLUSTER", "NODES"}));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("myself") == std::string::npos) continue;
    const std::vector<std::string> words = words_of(line);
    return std::any_of(words.begin() + 8, words.end(), [slot](const std::string& range) {
      const std::size_t dash = range.find('-');
      if (range.front() == '[') return false;
      const int first = std::stoi(range);
      return first <= slot &&
             slot <= (dash == std::string::npos ? first : std::stoi(range.substr(dash + 1)));
    });
  }
  return false;
}

void RedisCluster::set_slot(std::size_t index, const std::string& slot,
                            const std::vector<std::string>& state) {
  std::vector<std::string> command = {"CLUSTER", "SETSLOT", slot};
  command.insert(command.end(), state.begin(), state.end());
  const std::string answer = node(index).command(command);
  if (answer != "OK") throw std::runtime_error("SETSLOT: " + answer);
}

bool RedisCluster::is_whole() {
  return std::all_of(nodes_.begin(), nodes_.end(), [](const auto& server) {
    const std::string role = server->command({"ROLE"});
    return server->command({"CLUSTER", "INFO"}).find("cluster_state:ok") != std::string::npos &&
           (role.starts_with("master") || role.find("connected") != std::string::npos);
  });
}

bool RedisCluster::agrees_on_epochs() {
  std::set<std::string> views;
  for (const auto& server : nodes_) {
    std::istringstream lines(server->command({"CLUSTER", "NODES"}));
    std::set<std::string> epochs;  // ID EPOCH of every node
    for (std::string line; std::getline(lines, line);) {
      const std::vector<std::string> words = words_of(line);
      if (words.size() > 6) epochs.insert(words[0] + " " + words[6] + " " + words[3]);
    }
    std::string view;
    for (const std::string& epoch : epochs) view += epoch + "\n";
    views.insert(view);
  }
  return views.size() == 1;
}

bool RedisCluster::tells_replicas() {
  return std::all_of(nodes_.begin(), nodes_.end(), [this](const auto& server) {
    const std::string slots = server->command({"CLUSTER", "SLOTS"});
    return std::all_of(ids_.begin(), ids_.end(),
                       [&](const std::string& id) { return slots.find(id) != std::string::npos; });
  });
}

std::string RedisCluster::address(std::size_t index) const {
  return "127.0.0.1:" + std::to_string(nodes_[index]->port());
}

}  // namespace llm_edge_cache::test
