#include "load/message_pool.hpp"

#include <algorithm>
#include <span>

#include "wire/websocket/deflate.hpp"
#include "wire/websocket/encoder.hpp"

namespace windhover::load {
namespace {

// As many as make a mistake of the order show, and beyond that no more than the processor's cache bears.
constexpr std::size_t least_messages = 4;
constexpr std::size_t most_messages = 64;
constexpr std::size_t wanted_bytes = std::size_t{4} << 20;

std::size_t number_below(std::size_t bound, base::random_source& random) noexcept {
  std::uint64_t number = 0;
  random.fill(std::as_writable_bytes(std::span(&number, 1)));
  return static_cast<std::size_t>(number % bound);
}

std::string random_bytes(std::size_t size, base::random_source& random) {
  std::string bytes(size, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::string random_letters(std::size_t size, base::random_source& random) {
  std::string letters = random_bytes(size, random);
  for (char& each : letters) each = static_cast<char>('a' + static_cast<unsigned char>(each) % 26);
  return letters;
}

// What applications send: records that differ in their values.
std::string random_json(std::size_t size, base::random_source& random) {
  std::string text = "[";
  while (text.size() < size) {
    text += R"({"id":)" + std::to_string(number_below(100'000, random)) + R"(,"symbol":")" + random_letters(4, random) +
            R"(","price":)" + std::to_string(number_below(10'000, random)) + "." +
            std::to_string(number_below(100, random)) + R"(,"volume":)" + std::to_string(number_below(1000, random)) +
            "},";
  }
  text.resize(size);
  return text;
}

std::string deflated(std::string_view payload) {
  wire::deflater engine(15, false);
  std::string compressed(wire::deflate_bound(payload.size()), '\0');
  std::span<const std::byte> in = std::as_bytes(std::span(payload));
  const auto room = std::as_writable_bytes(std::span(compressed));
  compressed.resize(engine.deflate(in, room, wire::deflater::boundary::message).produced);
  return compressed;
}

}  // namespace

message_pool::message_pool(const load_options& options, base::random_source& random) {
  const std::size_t count =
      std::clamp(wanted_bytes / std::max<std::size_t>(options.most_size, 1), least_messages, most_messages);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t size = options.least_size + number_below(options.most_size - options.least_size + 1, random);
    if (options.compress) {
      payloads_.push_back(random_json(size, random));
    } else {
      payloads_.push_back(options.text ? random_letters(size, random) : random_bytes(size, random));
    }
  }
  plain_ = lay_out(payloads_, options.text, false, random);
  if (!options.compress) return;
  std::vector<std::string> contents;
  contents.reserve(count);
  for (const std::string& each : payloads_) contents.push_back(deflated(each));
  compressed_ = lay_out(contents, options.text, true, random);
}

message_pool::laid_out message_pool::lay_out(const std::vector<std::string>& contents, bool text, bool rsv1,
                                             base::random_source& random) const {
  std::size_t room = 0;
  for (const std::string& each : contents) room += wire::maximum_frame_header + each.size();
  laid_out made{base::buffer_ref::allocate(room), {}};
  std::size_t at = 0;
  for (const std::string& each : contents) {
    made.begins.push_back(at);
    const wire::frame_header header{.code = text ? wire::opcode::text : wire::opcode::binary,
                                    .fin = true,
                                    .rsv1 = rsv1,
                                    .mask = wire::make_masking_key(random)};
    at += wire::encode_frame(made.buffer->data() + at, header, std::as_bytes(std::span(each)));
  }
  made.begins.push_back(at);
  return made;
}

message_pool::run message_pool::frames(std::size_t index, std::size_t most, bool compressed) const noexcept {
  const laid_out& from = compressed ? compressed_ : plain_;
  const std::size_t first = index % count();
  const std::size_t behind = std::min(first + most, count());
  const std::size_t begin = from.begins[first];
  return {{from.buffer, from.buffer->data() + begin, from.begins[behind] - begin}, behind - first};
}

}  // namespace windhover::load
