#include "wire/websocket/handshake.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/base64.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"
#include "wire/http1/grammar.hpp"

namespace windhover::wire {

namespace {

constexpr std::string_view supported_version = "13";

// Fields of one name that come more than once are one list (RFC 9110, section 5.3).
bool lists_member(const headers& fields, std::string_view name, std::string_view member) {
  bool found = false;
  fields.for_each(name, [&](std::string_view value) { found = found || base::list_contains(value, member); });
  return found;
}

// The value of a field that must not come more than once.
std::optional<std::string_view> only_value(const headers& fields, std::string_view name) {
  return fields.count(name) == 1 ? fields.find(name) : std::nullopt;
}

void refuse(bool refused, std::string_view what, std::string_view value) {
  if (!refused) return;
  std::string message("WebSocket handshake: ");
  message.append(what).append(": ").append(value);
  throw std::invalid_argument(message);
}

// Fields that the handshake writes itself, or that would give it a body.
bool is_decided_by_handshake(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 5> names{"Host", "Upgrade", "Connection", "Content-Length",
                                                  "Transfer-Encoding"};
  constexpr std::string_view own_prefix = "Sec-WebSocket-";
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view decided) { return base::equals_ignoring_case(decided, name); }) ||
         base::equals_ignoring_case(name.substr(0, own_prefix.size()), own_prefix);
}

void check_protocols(std::span<const std::string_view> protocols) {
  for (std::size_t position = 0; position < protocols.size(); ++position) {
    const std::string_view protocol = protocols[position];
    refuse(!base::is_token(protocol), "this sub-protocol is no token", protocol);
    refuse(select_protocol(protocols.first(position), protocol).has_value(), "this sub-protocol is named twice",
           protocol);
  }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

// A field with nothing in it chooses nothing.
bool chooses_an_extension(const headers& fields) {
  bool chooses = false;
  fields.for_each("Sec-WebSocket-Extensions", [&](std::string_view value) {
    base::for_each_list_member(value, [&](std::string_view) { chooses = true; });
  });
  return chooses;
}

std::string joined(std::span<const std::string_view> members) {
  std::string list;
  for (const std::string_view member : members) {
    if (!list.empty()) list.append(", ");
    list.append(member);
  }
  return list;
}

}  // namespace

bool is_websocket_request(const handshake_request& request) {
  const headers& fields = request.fields;
  if (request.http_major == 2) {
    return request.method == "CONNECT" && base::equals_ignoring_case(request.connect_protocol, "websocket") &&
           lists_member(fields, "Sec-WebSocket-Version", supported_version);
  }
  const auto key = only_value(fields, "Sec-WebSocket-Key");
  return request.http_major == 1 && request.http_minor >= 1 && !request.has_body &&
         base::equals_ignoring_case(request.method, "GET") &&
         lists_member(fields, "Sec-WebSocket-Version", supported_version) &&
         lists_member(fields, "Upgrade", "websocket") && lists_member(fields, "Connection", "Upgrade") && key &&
         is_handshake_key(*key);
}

bool names_unsupported_version(const headers& fields) {
  return fields.contains("Sec-WebSocket-Version") && !lists_member(fields, "Sec-WebSocket-Version", supported_version);
}

// 16 octets are 22 characters and two of padding. The four bits that the 22nd has too many of are not looked at: the
// example in RFC 6455, section 4.1, has some of them set.
bool is_handshake_key(std::string_view key) noexcept {
  constexpr std::string_view padding = "==";
  constexpr std::size_t characters = 22;
  return key.size() == characters + padding.size() && key.ends_with(padding) &&
         std::all_of(key.begin(), key.begin() + characters, base::is_base64_character);
}

std::string accept_key(std::string_view key) {
  std::string text(key);
  text.append("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  return base::base64_encode(base::sha1(std::as_bytes(std::span(text))));
}

std::vector<std::string_view> requested_protocols(const headers& fields) {
  std::vector<std::string_view> protocols;
  fields.for_each("Sec-WebSocket-Protocol", [&](std::string_view value) {
    base::for_each_list_member(value, [&](std::string_view member) { protocols.push_back(member); });
  });
  return protocols;
}

std::optional<std::string_view> select_protocol(std::span<const std::string_view> requested,
                                                std::string_view chosen) noexcept {
  const auto found = std::find_if(requested.begin(), requested.end(), [&](std::string_view protocol) {
    return base::equals_ignoring_case(protocol, chosen);
  });
  return found == requested.end() ? std::nullopt : std::optional(*found);
}

std::string make_handshake_key(base::random_source& random) {
  std::array<std::byte, 16> nonce;
  random.fill(nonce);
  return base::base64_encode(nonce);
}

headers client_handshake_fields(const client_handshake& handshake) {
  refuse(!handshake.target.starts_with('/') || !http1::is_request_target(handshake.target),
         "this is no path with an optional query", handshake.target);
  refuse(handshake.host.empty() || !http1::is_host(handshake.host), "this is no host", handshake.host);
  check_protocols(handshake.protocols);
  headers fields{{"Sec-WebSocket-Version", supported_version}};
  if (!handshake.protocols.empty()) fields.add("Sec-WebSocket-Protocol", joined(handshake.protocols));
  if (!handshake.extensions.empty()) fields.add("Sec-WebSocket-Extensions", handshake.extensions);
  if (handshake.further_fields == nullptr) return fields;
  for (const headers::field field : *handshake.further_fields) {
    refuse(is_decided_by_handshake(field.name), "this field is not the caller's to set", field.name);
    fields.add(field.name, field.value);
  }
  return fields;
}

std::string encode_client_handshake(const client_handshake& handshake) {
  const headers fields = client_handshake_fields(handshake);
  refuse(!is_handshake_key(handshake.key), "this is no key", handshake.key);
  std::string text("GET ");
  text.append(handshake.target).append(" HTTP/1.1\r\n");
  append_field(text, "Host", handshake.host);
  append_field(text, "Upgrade", "websocket");
  append_field(text, "Connection", "Upgrade");
  append_field(text, "Sec-WebSocket-Key", handshake.key);
  for (const headers::field field : fields) append_field(text, field.name, field.value);
  return text.append("\r\n");
}

handshake_outcome verify_server_handshake(int status, const headers& fields, std::string_view key,
                                          std::span<const std::string_view> offered,
                                          const deflate_options* offered_compression) {
  if (status != 101) return {handshake_failure::status_not_101, {}};
  const auto upgrade = only_value(fields, "Upgrade");
  if (!upgrade || !base::equals_ignoring_case(*upgrade, "websocket")) return {handshake_failure::upgrade_missing, {}};
  if (!lists_member(fields, "Connection", "Upgrade")) return {handshake_failure::connection_missing, {}};
  if (!fields.contains("Sec-WebSocket-Accept")) return {handshake_failure::accept_missing, {}};
  if (only_value(fields, "Sec-WebSocket-Accept") != accept_key(key)) return {handshake_failure::accept_wrong, {}};
  return verify_server_choices(fields, offered, offered_compression);
}

handshake_outcome verify_server_choices(const headers& fields, std::span<const std::string_view> offered,
                                        const deflate_options* offered_compression) {
  handshake_outcome outcome;
  if (chooses_an_extension(fields)) {
    if (offered_compression == nullptr) return {handshake_failure::extension_not_offered, {}};
    outcome.compression = accept_deflate_response(fields.joined("Sec-WebSocket-Extensions"), *offered_compression);
    if (!outcome.compression) return {handshake_failure::extension_wrong, {}};
  }

  if (!fields.contains("Sec-WebSocket-Protocol")) return outcome;
  const auto answered = only_value(fields, "Sec-WebSocket-Protocol");
  const auto protocol = answered ? select_protocol(offered, *answered) : std::nullopt;
  if (!protocol) return {handshake_failure::protocol_not_offered, {}};
  outcome.protocol = *protocol;
  return outcome;
}

std::string_view describe(handshake_failure failure) noexcept {
  switch (failure) {
    case handshake_failure::none:
      return "no failure";
    case handshake_failure::status_not_101:
      return "the server did not answer with status 101";
    case handshake_failure::upgrade_missing:
      return "the server's Upgrade field is not 'websocket'";
    case handshake_failure::connection_missing:
      return "the server's Connection field does not hold 'Upgrade'";
    case handshake_failure::accept_missing:
      return "the server sent no Sec-WebSocket-Accept";
    case handshake_failure::accept_wrong:
      return "the server's Sec-WebSocket-Accept does not answer the key";
    case handshake_failure::extension_not_offered:
      return "the server chose an extension that was not offered";
    case handshake_failure::extension_wrong:
      return "the server's Sec-WebSocket-Extensions is no answer to the compression that was offered";
    case handshake_failure::protocol_not_offered:
      return "the server chose a sub-protocol that was not offered";
  }
  return "";
}

}  // namespace windhover::wire
