// PersistentSet: an ordered set that is copied in O(1). Copies share structure; a change copies
// only the path to the changed leaf, and edits in place what no copy shares, so a turn that makes
// many changes copies a path once.
//
// A B-tree with values in the leaves; each node knows how many are below it. Compare is
// transparent: it orders T against T and against any key type that it accepts. Copies may be read
// and dropped on any thread; one set object is used by one thread at a time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

namespace state {

template <typename T, typename Compare>
class PersistentSet {
  struct Node;

  // A counted reference. std::shared_ptr would do, but for use_count(): it orders nothing, and
  // editing in place needs to see all that a reader on another thread did before it let go.
  class NodePtr {
   public:
    NodePtr() = default;
    explicit NodePtr(Node* node) : node_(node) {}
    NodePtr(const NodePtr& other) : node_(other.node_) {
      if (node_ != nullptr) node_->references.fetch_add(1, std::memory_order_relaxed);
    }
    NodePtr(NodePtr&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    NodePtr& operator=(NodePtr other) noexcept {
      std::swap(node_, other.node_);
      return *this;
    }
    ~NodePtr() {
      if (node_ != nullptr && node_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
        delete node_;
    }
    Node* operator->() const { return node_; }
    Node& operator*() const { return *node_; }
    explicit operator bool() const { return node_ != nullptr; }
    bool unique() const { return node_->references.load(std::memory_order_acquire) == 1; }

   private:
    Node* node_ = nullptr;
  };

  static constexpr size_t kMaxItems = 32;  // of a leaf, and children of an inner node
  static constexpr size_t kMinItems = kMaxItems / 4;
  // Room that a full node is given. Doubled each time, a set would hold more room than values.
  static constexpr size_t kGrowth = 4;

  struct Node {
    std::atomic<uint32_t> references{1};
    uint32_t below = 0;             // of an inner node: the values in the leaves below it
    std::vector<T> items;           // leaf: values; inner: the first value below each child
    std::vector<NodePtr> children;  // empty in a leaf

    Node() = default;
    Node(const Node& other) : below(other.below), items(other.items), children(other.children) {}
    bool leaf() const { return children.empty(); }
    size_t size() const { return leaf() ? items.size() : below; }
    void CountBelow() {
      below = 0;
      for (const NodePtr& child : children) below += static_cast<uint32_t>(child->size());
    }
  };

 public:
  // Visits values in order. Valid while the set that made it is unchanged.
  class Iterator {
   public:
    const T& operator*() const { return path_.back().first->items[path_.back().second]; }
    const T* operator->() const { return &**this; }
    Iterator& operator++() {
      ++path_.back().second;
      Settle();
      return *this;
    }
    bool AtEnd() const { return path_.empty(); }
    bool operator!=(std::nullptr_t) const { return !AtEnd(); }

   private:
    friend class PersistentSet;
    // Climbs out of exhausted nodes, then down to the next leaf.
    void Settle() {
      while (!path_.empty()) {
        auto& [node, index] = path_.back();
        if (index >= node->items.size()) {
          path_.pop_back();
          if (!path_.empty()) ++path_.back().second;
        } else if (node->leaf()) {
          return;
        } else {
          path_.emplace_back(&*node->children[index], 0);
        }
      }
    }
    std::vector<std::pair<const Node*, size_t>> path_;
  };

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Null if there is none.
  template <typename K>
  const T* Find(const K& key) const {
    const Node* node = root_ ? &*root_ : nullptr;
    while (node != nullptr) {
      const size_t index = node->leaf() ? LowerBound(*node, key) : ChildIndex(*node, key);
      if (!node->leaf()) {
        node = &*node->children[index];
        continue;
      }
      if (index == node->items.size() || Compare()(key, node->items[index])) return nullptr;
      return &node->items[index];
    }
    return nullptr;
  }

  // The first value that is not less than `key`.
  template <typename K>
  Iterator From(const K& key) const {
    Iterator iterator;
    const Node* node = root_ ? &*root_ : nullptr;
    while (node != nullptr) {
      const size_t index = node->leaf() ? LowerBound(*node, key) : ChildIndex(*node, key);
      iterator.path_.emplace_back(node, index);
      node = node->leaf() ? nullptr : &*node->children[index];
    }
    iterator.Settle();
    return iterator;
  }

  // How many values are less than `key`: a look at the nodes on the way to it.
  template <typename K>
  size_t CountBefore(const K& key) const {
    size_t before = 0;
    const Node* node = root_ ? &*root_ : nullptr;
    while (node != nullptr && !node->leaf()) {
      const size_t index = ChildIndex(*node, key);
      for (size_t i = 0; i < index; ++i) before += node->children[i]->size();
      node = &*node->children[index];
    }
    return node == nullptr ? 0 : before + LowerBound(*node, key);
  }

  Iterator begin() const {
    Iterator iterator;
    if (root_) iterator.path_.emplace_back(&*root_, 0);
    iterator.Settle();
    return iterator;
  }

  // Inserts, or replaces the value that compares equal. True if it was new.
  bool Insert(T value) {
    if (!root_) root_ = NodePtr(new Node());
    NodePtr sibling;
    const bool added = InsertInto(root_, std::move(value), sibling);
    if (sibling) {
      auto* root = new Node();
      root->items = {root_->items.front(), sibling->items.front()};
      root->children = {std::move(root_), std::move(sibling)};
      root->CountBelow();
      root_ = NodePtr(root);
    }
    size_ += added;
    return added;
  }

  // True if it was there.
  template <typename K>
  bool Erase(const K& key) {
    if (Find(key) == nullptr) return false;
    EraseFrom(root_, key);
    if (!root_->leaf() && root_->children.size() == 1) root_ = NodePtr(root_->children.front());
    if (root_->items.empty()) root_ = NodePtr();
    --size_;
    return true;
  }

 private:
  template <typename K>
  static size_t LowerBound(const Node& node, const K& key) {
    const auto less = [](const T& item, const K& wanted) { return Compare()(item, wanted); };
    return static_cast<size_t>(std::lower_bound(node.items.begin(), node.items.end(), key, less) -
                               node.items.begin());
  }

  // The child that holds `key` if any does: the last whose first value is not greater.
  template <typename K>
  static size_t ChildIndex(const Node& node, const K& key) {
    const auto less = [](const K& wanted, const T& item) { return Compare()(wanted, item); };
    const auto after = std::upper_bound(node.items.begin(), node.items.end(), key, less);
    return after == node.items.begin() ? 0 : static_cast<size_t>(after - node.items.begin()) - 1;
  }

  template <typename V>
  static void InsertAt(std::vector<V>& values, size_t index, V value) {
    if (values.size() == values.capacity()) values.reserve(values.size() + kGrowth);
    values.insert(values.begin() + static_cast<ptrdiff_t>(index), std::move(value));
  }

  static void Own(NodePtr& node) {
    if (!node.unique()) node = NodePtr(new Node(*node));
  }

  static bool InsertInto(NodePtr& node, T value, NodePtr& sibling) {
    Own(node);
    bool added = true;
    if (node->leaf()) {
      const size_t index = LowerBound(*node, value);
      added = index == node->items.size() || Compare()(value, node->items[index]);
      if (added) {
        InsertAt(node->items, index, std::move(value));
      } else {
        node->items[index] = std::move(value);
      }
    } else {
      const size_t index = ChildIndex(*node, value);
      NodePtr split;
      added = InsertInto(node->children[index], std::move(value), split);
      node->below += added;
      node->items[index] = node->children[index]->items.front();
      if (split) {
        InsertAt(node->items, index + 1, split->items.front());
        InsertAt(node->children, index + 1, std::move(split));
      }
    }
    if (node->items.size() > kMaxItems) sibling = Split(*node);
    return added;
  }

  // Moves the upper half into a new node, and gives back its room.
  static NodePtr Split(Node& node) {
    auto* upper = new Node();
    const auto half = static_cast<ptrdiff_t>(node.items.size() / 2);
    upper->items.assign(std::make_move_iterator(node.items.begin() + half),
                        std::make_move_iterator(node.items.end()));
    node.items.erase(node.items.begin() + half, node.items.end());
    node.items.shrink_to_fit();
    if (!node.leaf()) {
      upper->children.assign(std::make_move_iterator(node.children.begin() + half),
                             std::make_move_iterator(node.children.end()));
      node.children.erase(node.children.begin() + half, node.children.end());
      node.children.shrink_to_fit();
      node.CountBelow();
      upper->CountBelow();
    }
    return NodePtr(upper);
  }

  template <typename K>
  static void EraseFrom(NodePtr& node, const K& key) {
    Own(node);
    if (node->leaf()) {
      node->items.erase(node->items.begin() + static_cast<ptrdiff_t>(LowerBound(*node, key)));
      return;
    }
    const size_t index = ChildIndex(*node, key);
    EraseFrom(node->children[index], key);
    --node->below;
    if (node->children[index]->items.size() < kMinItems) {
      Merge(*node, index);
    } else {
      node->items[index] = node->children[index]->items.front();
    }
  }

  // Joins a small child with a neighbour, and splits the two again if that is too much for one.
  static void Merge(Node& node, size_t index) {
    if (node.children.size() == 1) {
      if (!node.children[0]->items.empty()) node.items[0] = node.children[0]->items.front();
      return;
    }
    const size_t left = index == 0 ? 0 : index - 1;
    Own(node.children[left]);
    Own(node.children[left + 1]);
    Node& lower = *node.children[left];
    Node& upper = *node.children[left + 1];
    lower.items.insert(lower.items.end(), upper.items.begin(), upper.items.end());
    lower.children.insert(lower.children.end(), upper.children.begin(), upper.children.end());
    if (!lower.leaf()) lower.CountBelow();
    const auto at = static_cast<ptrdiff_t>(left) + 1;
    node.items.erase(node.items.begin() + at);
    node.children.erase(node.children.begin() + at);
    if (lower.items.size() > kMaxItems) {
      NodePtr split = Split(lower);
      node.items.insert(node.items.begin() + at, split->items.front());
      node.children.insert(node.children.begin() + at, std::move(split));
    }
    node.items[left] = node.children[left]->items.front();
  }

  NodePtr root_;
  size_t size_ = 0;
};

}  // namespace state
