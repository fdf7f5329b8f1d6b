// The offer and the answer have the same form, so both are read by the same functions; what they mean differs.
#include "wire/websocket/deflate_negotiation.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/text.hpp"

namespace windhover::wire {

namespace {

constexpr std::string_view extension_name = "permessage-deflate";
constexpr std::string_view server_no_context_takeover = "server_no_context_takeover";
constexpr std::string_view client_no_context_takeover = "client_no_context_takeover";
constexpr std::string_view server_max_window_bits = "server_max_window_bits";
constexpr std::string_view client_max_window_bits = "client_max_window_bits";

constexpr int largest_window = 15;
constexpr int smallest_deflate_window = 9;  // of zlib

// Reads the grammar of RFC 6455, section 9.1, from the front. White space may stand between any two parts.
class extension_reader {
 public:
  explicit extension_reader(std::string_view text) noexcept : rest_(text) {}

  // One member of the list: extension-token *( ";" extension-param ).
  std::optional<extension> read_extension() {
    const auto name = read_token();
    if (!name) return std::nullopt;
    extension result{*name, {}};
    while (skip(';')) {
      auto parameter = read_parameter();
      if (!parameter) return std::nullopt;
      result.parameters.push_back(*std::move(parameter));
    }
    return result;
  }

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

 private:
  // token [ "=" ( token | quoted-string ) ]
  std::optional<extension::parameter> read_parameter() {
    const auto name = read_token();
    if (!name) return std::nullopt;
    if (!skip('=')) return extension::parameter{*name, std::nullopt};
    auto value = rest_.starts_with('"') ? read_quoted() : read_token();
    if (!value) return std::nullopt;
    return extension::parameter{*name, std::string(*value)};
  }

  std::optional<std::string_view> read_token() {
    const std::string_view token = rest_.substr(0, rest_.find_first_of(" \t;=\""));
    if (!base::is_token(token)) return std::nullopt;
    take(token.size());
    return token;
  }

  // What stands between the quotes and is a token. The view is valid until the next call.
  std::optional<std::string_view> read_quoted() {
    unquoted_.clear();
    for (std::size_t at = 1; at < rest_.size(); ++at) {
      if (rest_[at] == '"') {
        take(at + 1);
        return base::is_token(unquoted_) ? std::optional<std::string_view>(unquoted_) : std::nullopt;
      }
      if (rest_[at] == '\\' && ++at == rest_.size()) break;
      unquoted_ += rest_[at];
    }
    return std::nullopt;
  }

  bool skip(char separator) noexcept {
    if (!rest_.starts_with(separator)) return false;
    take(1);
    return true;
  }

  void take(std::size_t count) noexcept { rest_ = base::trim(rest_.substr(count)); }

  std::string_view rest_;
  std::string unquoted_;
};

// The four parameters as one end named them.
struct named_parameters {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::optional<int> server_max_window_bits;
  std::optional<int> client_max_window_bits;  // 15 if it is named without a value
  bool client_window_comes_first = false;     // before client_no_context_takeover
};

// "A decimal integer value without leading zeroes between 8 to 15, inclusive" (RFC 7692, section 7.1.2).
std::optional<int> window_bits_of(const std::optional<std::string>& value) noexcept {
  if (!value) return std::nullopt;
  if (*value == "8" || *value == "9") return value->front() - '0';
  if (value->size() == 2 && value->front() == '1' && value->back() >= '0' && value->back() <= '5')
    return 10 + (value->back() - '0');
  return std::nullopt;
}

// Takes one parameter; false if it is unknown, comes for the second time or has a value that it must not have.
bool take_parameter(named_parameters& named, const extension::parameter& parameter, bool is_offer) {
  const auto& value = parameter.value;
  if (parameter.name == server_no_context_takeover)
    return !value && !std::exchange(named.server_no_context_takeover, true);
  if (parameter.name == client_no_context_takeover)
    return !value && !std::exchange(named.client_no_context_takeover, true);
  if (parameter.name == server_max_window_bits)
    return !std::exchange(named.server_max_window_bits, window_bits_of(value)) && named.server_max_window_bits;
  if (parameter.name != client_max_window_bits) return false;
  // Only a client may leave the value out: it has no limit of its own then (section 7.1.2.2).
  const auto window_bits = is_offer && !value ? largest_window : window_bits_of(value);
  named.client_window_comes_first = !named.client_no_context_takeover;
  return !std::exchange(named.client_max_window_bits, window_bits) && named.client_max_window_bits;
}

std::optional<named_parameters> read_parameters(const extension& from, bool is_offer) {
  named_parameters named;
  const bool all_taken = std::all_of(from.parameters.begin(), from.parameters.end(),
                                     [&](const auto& parameter) { return take_parameter(named, parameter, is_offer); });
  return all_taken ? std::optional(named) : std::nullopt;
}

// Whether both ends can live with the offer.
bool acceptable(const named_parameters& offer, const deflate_options& options) noexcept {
  if (offer.server_max_window_bits.value_or(largest_window) < smallest_deflate_window) return false;
  return offer.client_max_window_bits || options.client_max_window_bits == largest_window;
}

deflate_parameters agreed_parameters(const named_parameters& offer, const deflate_options& options) noexcept {
  return {.server_no_context_takeover = offer.server_no_context_takeover || !options.server_context_takeover,
          .client_no_context_takeover = offer.client_no_context_takeover || !options.client_context_takeover,
          .server_max_window_bits =
              std::min(offer.server_max_window_bits.value_or(largest_window), options.server_max_window_bits),
          .client_max_window_bits =
              std::min(offer.client_max_window_bits.value_or(largest_window), options.client_max_window_bits)};
}

void append(std::string& out, std::string_view name) { out.append("; ").append(name); }

void append(std::string& out, std::string_view name, int window_bits) {
  out.append("; ").append(name).append("=").append(std::to_string(window_bits));
}

// The client's parameters in the order of the offer, then the server's: the order of ASP.NET Core.
std::string response_text(const named_parameters& offer, const deflate_parameters& agreed) {
  std::string text(extension_name);
  const auto append_client_window = [&] {
    if (offer.client_max_window_bits) append(text, client_max_window_bits, agreed.client_max_window_bits);
  };
  if (offer.client_window_comes_first) append_client_window();
  if (agreed.client_no_context_takeover) append(text, client_no_context_takeover);
  if (!offer.client_window_comes_first) append_client_window();
  if (agreed.server_no_context_takeover) append(text, server_no_context_takeover);
  if (offer.server_max_window_bits || agreed.server_max_window_bits != largest_window)
    append(text, server_max_window_bits, agreed.server_max_window_bits);
  return text;
}

// The window that a client with these options deflates with.
int own_client_window(const deflate_options& options) noexcept {
  return std::max(options.client_max_window_bits, smallest_deflate_window);
}

}  // namespace

std::optional<std::vector<extension>> parse_extensions(std::string_view text) {
  std::vector<extension> extensions;
  while (const auto member = base::take_list_member(text)) {
    extension_reader reader(*member);
    auto read = reader.read_extension();
    if (!read || !reader.at_end()) return std::nullopt;
    extensions.push_back(*std::move(read));
  }
  return extensions;
}

std::optional<deflate_agreement> negotiate_deflate(std::string_view offers, const deflate_options& options) {
  const auto extensions = parse_extensions(offers);
  if (!extensions) return std::nullopt;
  for (const extension& each : *extensions) {
    if (each.name != extension_name) continue;
    const auto offer = read_parameters(each, true);
    if (!offer || !acceptable(*offer, options)) continue;
    const deflate_parameters agreed = agreed_parameters(*offer, options);
    return deflate_agreement{agreed, response_text(*offer, agreed)};
  }
  return std::nullopt;
}

std::string offer_deflate(const deflate_options& options) {
  std::string text(extension_name);
  if (!options.server_context_takeover) append(text, server_no_context_takeover);
  if (!options.client_context_takeover) append(text, client_no_context_takeover);
  if (options.server_max_window_bits != largest_window)
    append(text, server_max_window_bits, options.server_max_window_bits);
  if (own_client_window(options) == largest_window)
    append(text, client_max_window_bits);
  else
    append(text, client_max_window_bits, own_client_window(options));
  return text;
}

std::optional<deflate_parameters> accept_deflate_response(std::string_view response, const deflate_options& offered) {
  const auto extensions = parse_extensions(response);
  if (!extensions || extensions->size() != 1 || extensions->front().name != extension_name) return std::nullopt;
  const auto answer = read_parameters(extensions->front(), false);
  if (!answer) return std::nullopt;

  const int own_window = own_client_window(offered);
  const deflate_parameters agreed{
      .server_no_context_takeover = answer->server_no_context_takeover,
      .client_no_context_takeover = answer->client_no_context_takeover || !offered.client_context_takeover,
      .server_max_window_bits = answer->server_max_window_bits.value_or(largest_window),
      .client_max_window_bits = answer->client_max_window_bits.value_or(own_window)};
  // What the offer demands of the server must be in the answer (sections 7.1.1.1 and 7.1.2.1); what it says about the
  // client is a bound.
  if (!offered.server_context_takeover && !agreed.server_no_context_takeover) return std::nullopt;
  if (agreed.server_max_window_bits > offered.server_max_window_bits) return std::nullopt;
  if (agreed.client_max_window_bits > own_window) return std::nullopt;
  return agreed;
}

}  // namespace windhover::wire
