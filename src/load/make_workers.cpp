#include <memory>
#include <vector>

#include "load/broadcast_worker.hpp"
#include "load/connecting_workers.hpp"
#include "load/echo_worker.hpp"
#include "load/worker.hpp"

namespace windhover::load {
namespace {

// Places for messages that are under way: with a rate, as many as may gather before it is said that the server does not
// keep up.
constexpr std::size_t gathered_at_most = 65'536;

std::unique_ptr<worker> make_worker(const load_plan& plan, std::size_t connections, double share,
                                    const std::shared_ptr<broadcast_board>& board, bool sends) {
  switch (plan.options.scenario) {
    case scenario::echo:
      return std::make_unique<echo_worker>(plan, connections, share);
    case scenario::broadcast:
      return std::make_unique<broadcast_worker>(plan, connections, share, board, sends);
    case scenario::idle:
      return std::make_unique<idle_worker>(plan, connections, share);
    case scenario::churn:
      return std::make_unique<churn_worker>(plan, connections, share);
    case scenario::storm:
      return std::make_unique<storm_worker>(plan, connections, share);
  }
  return nullptr;
}

}  // namespace

std::vector<std::unique_ptr<worker>> make_workers(const load_plan& plan) {
  const load_options& options = plan.options;
  const std::size_t count = options.threads;
  std::shared_ptr<broadcast_board> board;
  if (options.scenario == scenario::broadcast) {
    board = std::make_shared<broadcast_board>(count, options.rate == 0 ? options.in_flight : gathered_at_most);
  }
  std::vector<std::unique_ptr<worker>> made;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t connections = options.connections / count + (i < options.connections % count ? 1 : 0);
    const double share = static_cast<double>(connections) / static_cast<double>(options.connections);
    made.push_back(make_worker(plan, connections, share, board, i == 0));
  }
  return made;
}

}  // namespace windhover::load
