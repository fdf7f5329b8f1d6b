// The server's side of the opening handshake (RFC 6455, section 4.2) against its rules written down a second time, and
// the answer to whatever is accepted, as a client judges it. Input: options (HTTP version, body, method), header fields
// as lines.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "fields.hpp"
#include "input.hpp"
#include "wire/websocket/handshake.hpp"

namespace windhover::fuzz {

namespace {

using wire::handshake_failure;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), base::to_lower);
  return result;
}

// The members of a list, over all fields of that name (RFC 9110, sections 5.3, 5.6.1 and 5.6.4).
std::vector<std::string> members(const headers& fields, std::string_view name) {
  std::vector<std::string> found;
  for (const headers::field each : fields) {
    if (lower(each.name) != lower(name)) continue;
    std::string member;
    bool quoted = false;
    bool escaped = false;
    const auto end_member = [&] {
      const std::size_t first = member.find_first_not_of(" \t");
      if (first != std::string::npos) found.push_back(member.substr(first, member.find_last_not_of(" \t") - first + 1));
      member.clear();
    };
    for (const char character : each.value) {
      if (character == ',' && !quoted) {
        end_member();
        continue;
      }
      member += character;
      if (!escaped && character == '"') quoted = !quoted;
      escaped = quoted && !escaped && character == '\\';
    }
    end_member();
  }
  return found;
}

bool lists(const headers& fields, std::string_view name, std::string_view wanted) {
  const auto all = members(fields, name);
  return std::any_of(all.begin(), all.end(), [wanted](const std::string& each) { return lower(each) == wanted; });
}

bool holds_one_key(const headers& fields) {
  if (fields.count("Sec-WebSocket-Key") != 1) return false;
  // The last character before the padding may have bits too many (the key of the standard's own example has); without
  // them it must be base64 of 16 octets.
  std::string key(*fields.find("Sec-WebSocket-Key"));
  constexpr std::size_t last = 21;
  if (key.size() != last + 3) return false;
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t value = alphabet.find(key[last]);
  if (value == std::string_view::npos) return false;
  key[last] = alphabet[value & ~std::size_t{15}];
  const auto decoded = base::base64_decode(key);
  return decoded && decoded->size() == 16;
}

void try_protocols(const headers& fields) {
  const auto requested = wire::requested_protocols(fields);
  const auto expected = members(fields, "Sec-WebSocket-Protocol");
  require(std::equal(requested.begin(), requested.end(), expected.begin(), expected.end()),
          "the sub-protocols are the members of their fields");
  for (const std::string_view each : requested) {
    std::string spelt(each);
    for (char& character : spelt)
      if (character >= 'a' && character <= 'z') character = static_cast<char>(character - 'a' + 'A');
    const auto chosen = wire::select_protocol(requested, spelt);
    require(chosen && lower(*chosen) == lower(each), "what was requested can be chosen, in any case");
  }
}

// The answer as the server would send it; any change of the accept value is noticed.
void try_answer(const headers& request) {
  const std::string_view key = *request.find("Sec-WebSocket-Key");
  const std::string accept = wire::accept_key(key);
  const auto digest = base::base64_decode(accept);
  require(digest && digest->size() == 20, "the accept value is base64 of a digest");

  const auto requested = wire::requested_protocols(request);
  headers answer{{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", accept}};
  if (!requested.empty()) answer.add("Sec-WebSocket-Protocol", requested.back());
  const auto outcome = wire::verify_server_handshake(101, answer, key, requested);
  require(outcome.failure == handshake_failure::none, "the client takes the server's answer");
  require(lower(outcome.protocol) == (requested.empty() ? "" : lower(requested.back())), "with its sub-protocol");

  std::string other(accept);
  other[5] = other[5] == 'A' ? 'B' : 'A';
  answer.set("Sec-WebSocket-Accept", other);
  require(wire::verify_server_handshake(101, answer, key, requested).failure == handshake_failure::accept_wrong,
          "the client notices another accept value");
}

}  // namespace

void try_input(input in) {
  constexpr std::array<std::string_view, 4> methods{"GET", "get", "POST", ""};
  const std::uint8_t options = in.octet();
  const std::string_view method = methods[options & 3];
  const int minor = (options & 4) == 0 ? 1 : 0;
  const int major = (options & 8) == 0 ? 1 : 2;
  const bool has_body = (options & 16) != 0;
  const headers fields = take_fields(in);

  const bool names_version = lists(fields, "Sec-WebSocket-Version", "13");
  const bool expected = lower(method) == "get" && major == 1 && minor == 1 && !has_body && names_version &&
                        lists(fields, "Upgrade", "websocket") && lists(fields, "Connection", "upgrade") &&
                        holds_one_key(fields);
  const bool accepted = wire::is_websocket_request(
      {.method = method, .http_major = major, .http_minor = minor, .fields = fields, .has_body = has_body});
  require(accepted == expected, "a request is one for a WebSocket when section 4.2.1 says so");
  require(wire::names_unsupported_version(fields) == (fields.contains("Sec-WebSocket-Version") && !names_version),
          "another version is noticed");
  try_protocols(fields);
  if (accepted) try_answer(fields);
}

}  // namespace windhover::fuzz
