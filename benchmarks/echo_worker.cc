// A worker of docs/worker-protocol.md that does nothing: it answers at once, or, with --sleep,
// after times that are no two alike, up to four compiles beside a run. It reads of a request only
// what it needs, so that what external_worker_benchmark measures is the other side.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;

constexpr char kMillion[] =
    "{\"name\":\"a\",\"values\":[0,1,2,3,4,5,6,7,8,9]},{\"name\":\"b\",\"values\":[0,1,2,3,4,5,6,7,"
    "8,"
    "9]},{\"name\":\"c\",\"values\":[0,1,2,3,4,5,6,7,8,9]},{\"name\":\"d\",\"values\":[0,1,2,3,4,5,"
    "6,"
    "7,8,9]},{\"name\":\"e\",\"values\":[0,1,2,3,4,5,6,7,8,9]},{\"name\":\"f\",\"values\":[0,1,2,3,"
    "4,"
    "5,6,7,8,9]}";

class Worker {
 public:
  explicit Worker(bool sleeps) : sleeps_(sleeps) {}

  // Until goodbye or the end of input.
  void Serve() {
    std::string received;
    while (true) {
      for (size_t end; (end = received.find('\n')) != std::string::npos;) {
        if (!Take(std::string_view(received).substr(0, end))) return;
        received.erase(0, end + 1);
      }
      int wait_ms = -1;
      if (!due_.empty()) {
        const auto left = due_.begin()->first - Clock::now();
        wait_ms = std::max<int>(
            0, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count()));
      }
      pollfd input = {STDIN_FILENO, POLLIN, 0};
      poll(&input, 1, wait_ms);
      while (!due_.empty() && due_.begin()->first <= Clock::now()) {
        Print(due_.begin()->second);
        due_.erase(due_.begin());
      }
      if (input.revents == 0) continue;
      char chunk[1 << 16];
      const ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));
      if (n <= 0) return;
      received.append(chunk, static_cast<size_t>(n));
    }
  }

 private:
  static void Print(const std::string& line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
  }

  // Answers at once, or after some time between the two.
  void Reply(const std::string& id, const std::string& body) { Print("{\"id\":" + id + body); }
  void ReplyLater(const std::string& id, double from_s, double to_s, const std::string& body) {
    const double seconds = std::uniform_real_distribution<double>(from_s, to_s)(random_);
    const auto at = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                       std::chrono::duration<double>(seconds));
    const size_t place = body.find('#');
    std::string text = body;
    if (place != std::string::npos) text.replace(place, 1, std::to_string(seconds * 1e9));
    due_.emplace(at, "{\"id\":" + id + text);
  }

  // False: it is time to go.
  bool Take(std::string_view line) {
    const size_t begin = line.find("\"id\":") + 5;
    const std::string id(line.substr(begin, line.find(',', begin) - begin));
    const size_t kind_begin = line.find('"', begin) + 1;
    const std::string_view kind = line.substr(kind_begin, line.find('"', kind_begin) - kind_begin);
    if (kind == "hello") {
      Reply(
          id,
          std::string(",\"hello\":{\"protocol_version\":1,\"name\":\"echo\",\"version\":\"1\","
                      "\"code_generator\":\"none\",\"device\":{\"info\":{\"kind\":\"CPU\",\"name\":"
                      "\"none\"}},\"checks_results\":true") +
              (sleeps_ ? ",\"max_compiles\":4,\"compiles_while_running\":true" : "") + "}}\n");
    } else if (kind == "space") {
      Reply(id,
            std::string(",\"space\":{\"name\":\"million\",\"parameters\":[") + kMillion + "]}}\n");
    } else if (kind == "compile") {
      if (sleeps_) {
        ReplyLater(id, 0.04, 0.2, ",\"compile\":{}}\n");
      } else {
        Reply(id, ",\"compile\":{}}\n");
      }
    } else if (kind == "run") {
      if (sleeps_) {
        ReplyLater(id, 0.02, 0.1, ",\"run\":{\"samples_ns\":[#],\"checked\":true}}\n");
      } else {
        Reply(id, ",\"run\":{\"samples_ns\":[1,2,3,4,5],\"checked\":true}}\n");
      }
    } else {
      Reply(id, ",\"" + std::string(kind) + "\":{}}\n");
    }
    return kind != "goodbye";
  }

  const bool sleeps_;
  std::mt19937_64 random_{std::random_device()()};
  std::multimap<Clock::time_point, std::string> due_;
};

}  // namespace

int main(int argc, char** argv) {
  Worker(argc > 1 && std::string_view(argv[1]) == "--sleep").Serve();
  return 0;
}
