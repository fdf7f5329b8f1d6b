#include "http/static_files.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "http/byte_ranges.hpp"
#include "http/folder_files.hpp"
#include "http/preconditions.hpp"
#include "net/event_loop.hpp"
#include "wire/http_date.hpp"
#include <windhover/run_blocking.hpp>

namespace windhover::http {
namespace {

// What is read at a time: large enough that the way to the worker pool and back costs little beside the copying.
constexpr std::size_t piece_size = std::size_t{64} << 10;

static_file_options checked(static_file_options options) {
  const std::string& prefix = options.request_path;
  if (prefix.empty()) return options;
  const auto path = to_static_path(prefix, {});
  if (!path || path->below_root.empty() || path->names_folder) {
    throw std::invalid_argument("the request path '" + prefix + "' of static files must look like '/files'");
  }
  return options;
}

bool is_get(const exchange& with) { return with.request().method() == "GET"; }

void report_shorter(exchange& with) {
  if (logger* const log = with.transport().loop().log(); log != nullptr) {
    log->write(log_level::warning, "http",
               "the static file for " + std::string(with.request().path()) + " became shorter while it was sent");
  }
}

}  // namespace

// Copies the options: whether an argument is moved from before another is made of it is up to the compiler.
static_files::static_files(const static_file_options& options)
    : static_files(std::make_unique<folder_files>(options.root), options) {}

static_files::static_files(std::span<const embedded_file> files, static_file_options options)
    : static_files(std::make_unique<embedded_files>(files), std::move(options)) {}

static_files::static_files(std::unique_ptr<file_store> files, static_file_options options)
    : options_(checked(std::move(options))), types_(options_.content_types), files_(std::move(files)) {
  if (files_->blocks() && options_.max_open_files > 0) open_ = std::make_shared<net::limit>(options_.max_open_files);
}

std::optional<static_path> static_files::path_of(const exchange& with) const noexcept {
  return to_static_path(with.request().path(), options_.request_path);
}

bool static_files::may_serve(const exchange& with) const noexcept {
  const std::string_view method = with.request().method();
  return (method == "GET" || method == "HEAD") && !with.upgradable() && path_of(with);
}

// ----- Finding

std::optional<static_files::found_file> static_files::open(const std::string& path) const {
  std::optional<stored_file> file = files_->open(path);
  if (!file) return std::nullopt;
  std::string_view type = file->content_type();
  if (type.empty()) {
    const std::string_view unknown = options_.serve_unknown_types ? "application/octet-stream" : "";
    type = types_.find(path).value_or(unknown);
  }
  if (type.empty()) return std::nullopt;
  return found_file{std::move(*file), std::string(type), false};
}

std::optional<static_files::found_file> static_files::look_up(const static_path& path) const {
  const std::string name(path.below_root);
  if (!path.names_folder) {
    if (auto found = open(name)) return found;
  }
  if (!files_->has_folder(name)) return std::nullopt;
  const std::string inside = name.empty() ? name : name + "/";
  for (const std::string& document : options_.default_documents) {
    auto found = open(std::string(inside).append(document));
    if (!found) continue;
    found->wants_slash = !path.names_folder;
    return found;
  }
  return std::nullopt;
}

// ----- Answering

task<bool> static_files::serve(exchange& with) const {
  const auto path = path_of(with);
  if (!path) co_return false;
  std::optional<found_file> found;
  if (files_->blocks()) {
    const auto look = [this, &path] { return look_up(*path); };
    found = co_await run_blocking(look);
  } else {
    found = look_up(*path);
  }
  if (!found) co_return false;
  // A file of one piece is not open while its client is waited for.
  const bool stays_open = found->file.size() > piece_size;
  const std::optional<net::place> place = net::limit::enter(stays_open ? open_ : nullptr);
  if (!place) {
    with.response().status(503);
    with.response().header("Retry-After", "1");
  } else if (found->wants_slash) {
    redirect(with);
  } else {
    co_await answer(with, *found);
  }
  co_return true;
}

// To the path with a slash, so that the page's relative links work. Made of the decoded path, which has no empty
// segments:
// "//elsewhere/..//folder" as the client wrote it would lead a browser to another host (RFC 3986, section 4.2).
void static_files::redirect(exchange& with) const {
  const http_request& request = with.request();
  std::string location = encode_path(request.path()) + "/";
  if (request.target().find('?') != std::string_view::npos) {
    location += '?';
    location += request.query();
  }
  with.response().status(301);
  with.response().header("Location", location);
}

task<> static_files::answer(exchange& with, found_file& found) const {
  const headers& request = with.request().headers();
  http_response& response = with.response();
  validators state = found.file.state();
  if (state.last_modified) {
    // A date in the future would be none that this server can vouch for (RFC 9110, section 8.8.2.1).
    const auto now = std::chrono::floor<std::chrono::seconds>(with.transport().loop().wall_now());
    state.last_modified = std::min(*state.last_modified, now);
    response.header("Last-Modified", wire::http_date(*state.last_modified));
  }
  response.header("ETag", state.entity_tag);
  response.header("Accept-Ranges", "bytes");
  if (!options_.cache_control.empty()) response.header("Cache-Control", options_.cache_control);

  const precondition outcome = evaluate(request, state);
  if (outcome != precondition::proceed) {
    response.status(outcome == precondition::not_modified ? 304 : 412);
    co_return;
  }
  const std::uint64_t size = found.file.size();
  range_selection range;
  // Ranges are defined for GET alone, and a second Range field makes both void (RFC 9110, section 14.2).
  if (is_get(with) && request.count("Range") == 1 && range_applies(request, state)) {
    range = select_range(*request.find("Range"), size);
  }
  if (range.what == range_selection::kind::unsatisfiable) {
    response.status(416);
    response.header("Content-Range", unsatisfied_content_range(size));
    co_return;
  }
  if (range.what == range_selection::kind::part) response.header("Content-Range", content_range(range.part, size));
  const bool whole = range.what == range_selection::kind::whole;
  const byte_range sent = whole ? byte_range{0, size} : range.part;
  response.status(whole ? 200 : 206);
  response.content_type(found.content_type);
  response.header("Content-Length", std::to_string(sent.length));
  if (is_get(with)) co_await send(with, found.file, sent.first, sent.length);
}

// Ends early when the client has gone, or when the file has become shorter: then less than the Content-Length was
// written, so the connection is broken off and the client does not take the part for the whole. The file is closed
// before its last piece is waited for.
task<> static_files::send(exchange& with, stored_file& file, std::uint64_t first, std::uint64_t length) const {
  const std::size_t room = static_cast<std::size_t>(std::min<std::uint64_t>(length, piece_size));
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(room);
  const std::uint64_t end = first + length;
  for (std::uint64_t at = first; at < end;) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(end - at, room));
    const std::span<std::byte> into(buffer.get(), wanted);
    const auto read = [&file, at, into] { return file.read(at, into); };
    std::size_t count = 0;
    if (files_->blocks()) {
      count = co_await run_blocking(read);
    } else {
      count = read();
    }
    if (count == 0) {
      report_shorter(with);
      co_return;
    }
    at += count;
    if (at == end) file.close();
    const bool connected = co_await with.response().write(std::span<const std::byte>(into.first(count)));
    if (!connected) co_return;
  }
}

}  // namespace windhover::http
