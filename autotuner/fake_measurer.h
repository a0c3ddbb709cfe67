// A measurer that does what a test tells it to.
#ifndef SEEDTUNE_AUTOTUNER_FAKE_MEASURER_H_
#define SEEDTUNE_AUTOTUNER_FAKE_MEASURER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"

namespace seedtune {

// Takes no time. Not thread-safe.
class FakeMeasurer final : public Measurer {
 public:
  enum class Order {
    kOldestFirst,  // one answer a Wait
    kNewestFirst,  // one answer a Wait
    kAny,          // some of those under way, in an order that `order_seed` decides
  };
  struct Options {
    MeasurerInfo info;
    int capacity = 1;
    Order order = Order::kOldestFirst;
    uint64_t order_seed = 1;
    std::function<Outcome(const MeasureRequest&)> outcome;
    // Called first; an error is what Submit or Wait returns. Empty: never an error.
    std::function<absl::Status(const MeasureRequest&)> on_submit = {};
    std::function<absl::Status()> on_wait = {};
    bool gives_up = false;  // whatever it is asked to
  };
  explicit FakeMeasurer(Options options)
      : options_(std::move(options)), random_(options_.order_seed) {}

  const MeasurerInfo& info() const override { return options_.info; }
  int capacity() const override { return options_.capacity; }

  absl::Status Submit(MeasureRequest request) override {
    if (options_.on_submit) {
      if (absl::Status status = options_.on_submit(request); !status.ok()) return status;
    }
    under_way_.push_back({.id = request.id, .outcome = options_.outcome(request)});
    most_under_way_ = std::max(most_under_way_, under_way_.size());
    requests_.push_back(std::move(request));
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<MeasureReply>> Wait(int64_t /*timeout_ns*/) override {
    if (options_.on_wait) {
      if (absl::Status status = options_.on_wait(); !status.ok()) return status;
    }
    std::vector<MeasureReply> replies;
    size_t answers = under_way_.empty() ? 0 : 1;
    if (options_.order == Order::kAny) answers = random_() % (under_way_.size() + 1);
    for (size_t i = 0; i < answers; ++i) {
      size_t which = 0;
      if (options_.order == Order::kNewestFirst) which = under_way_.size() - 1;
      if (options_.order == Order::kAny) which = random_() % under_way_.size();
      replies.push_back(std::move(under_way_[which]));
      under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(which));
    }
    return replies;
  }

  std::vector<int64_t> GiveUp(std::span<const int64_t> ids) override {
    if (!options_.gives_up) return {};
    std::erase_if(under_way_, [&](const MeasureReply& reply) {
      return std::find(ids.begin(), ids.end(), reply.id) != ids.end();
    });
    return {ids.begin(), ids.end()};
  }

  // Everything submitted, in that order.
  const std::vector<MeasureRequest>& requests() const { return requests_; }
  size_t most_under_way() const { return most_under_way_; }

 private:
  Options options_;
  std::mt19937_64 random_;
  std::deque<MeasureReply> under_way_;
  size_t most_under_way_ = 0;
  std::vector<MeasureRequest> requests_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_FAKE_MEASURER_H_
