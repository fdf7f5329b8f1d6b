#include "net/tls_transport.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "net/tls_sessions.hpp"

namespace windhover::net {
namespace {

// The most that one record carries (RFC 8446, section 5.1).
constexpr std::size_t record_size = 16384;
// Handshake messages and alerts behind the handshake, in both directions. An honest peer needs a handful in an hour.
constexpr std::uint32_t most_messages_in_a_second = 100;
// For the peer to end its stream after ours.
constexpr duration linger_timeout = std::chrono::seconds(5);

// What records are put together in and opened to; one of a loop serves all its connections.
struct scratch {
  struct room {
    std::array<std::byte, record_size> bytes;
  };
  std::unique_ptr<room> spare;
};

// A loan of it. TLS within TLS borrows while it is lent, and gets another one.
class borrowed_room {
 public:
  explicit borrowed_room(event_loop& loop) : from_(*loop.local<scratch>()), room_(std::move(from_.spare)) {
    if (!room_) room_ = std::make_unique_for_overwrite<scratch::room>();
  }
  borrowed_room(const borrowed_room&) = delete;
  borrowed_room& operator=(const borrowed_room&) = delete;
  ~borrowed_room() { from_.spare = std::move(room_); }

  std::span<std::byte> bytes() const noexcept { return room_->bytes; }

 private:
  scratch& from_;
  std::unique_ptr<scratch::room> room_;
};

class tls_transport;

// What the transport below owns. It outlives the TLS above, and then sees to it that the transport ends.
class tls_foot final : public driver {
 public:
  tls_foot(transport& below, tls_transport& above) noexcept
      : below_(below),
        above_(&above),
        timer_(this, [](void* self) noexcept { static_cast<tls_foot*>(self)->time_out(); }) {}
  ~tls_foot() override;

  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_writable() noexcept override;
  void on_end() noexcept override;
  void on_failure(const failure& why) noexcept override;
  bool finished() const noexcept override { return above_ == nullptr; }
  void drain() noexcept override {}  // what is above is asked by itself
  std::string describe() const override;

  transport& below() const noexcept { return below_; }
  // TLS has ended: what is still queued goes out, what arrives is dropped, and then there is no more.
  void linger() noexcept;
  void leave() noexcept {
    above_ = nullptr;
    below_.set_sink(*this);
    below_.driver_finished();
  }

 private:
  void time_out() noexcept;

  transport& below_;
  tls_transport* above_;
  std::size_t queued_ = 0;  // when the timer was armed
  timer timer_;
  bool lingering_ = false;
};

class tls_transport final : public layered_transport, public sink {
 public:
  tls_transport(event_loop& loop, std::shared_ptr<const server_tls::contexts> contexts, openssl::session session,
                event_loop::driver_factory upper, duration handshake_timeout);
  ~tls_transport() override;

  void stand_on(tls_foot& foot) noexcept;
  transport& below() const noexcept { return foot_->below(); }
  // The foot is gone before this object: the transport below could not be made, or everything ends.
  void lose_foot() noexcept {
    foot_ = nullptr;
    abort();
  }

  // transport
  endpoint local_endpoint() const override { return foot_ != nullptr ? below().local_endpoint() : endpoint{}; }
  endpoint remote_endpoint() const override { return foot_ != nullptr ? below().remote_endpoint() : endpoint{}; }
  std::size_t queued_bytes() const noexcept override {
    return layered_transport::queued_bytes() + (foot_ != nullptr ? below().queued_bytes() : 0);
  }
  void set_water_marks(std::size_t high, std::size_t low) noexcept override;
  const tls_info* tls() const noexcept override { return info_.get(); }

  // loop_object
  void flush() noexcept override;
  void drain() noexcept override;

  // sink, for what comes from below
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_writable() noexcept override;
  void on_end() noexcept override;
  void on_failure(const failure& why) noexcept override { die(&why); }

 private:
  // layered_transport
  void fetch() noexcept override;
  void died(const failure* why) noexcept override;
  bool full_below() const noexcept override { return foot_ != nullptr && below().above_high_water(); }
  std::string kind() const override { return "a TLS handshake with " + remote_endpoint().to_string(); }

  bool shake_hands() noexcept;
  void open_records();
  bool open_record(std::span<std::byte> into) noexcept;
  void seal_output();
  bool seal(std::span<const std::byte> bytes) noexcept;
  void fail() noexcept;
  void make_info();
  template <class Act>
  void die_without_memory(Act&& act) noexcept;

  static const bio_method_st* bio_method();
  static void on_message(int sent, int version, int type, const void* bytes, std::size_t size, ssl_st* of,
                         void* unused) noexcept;
  bool floods() const noexcept { return messages_ > most_messages_in_a_second; }
  static int read_below(bio_st* of, char* into, int room) noexcept;
  static int write_below(bio_st* of, const char* bytes, int size) noexcept;

  std::shared_ptr<const server_tls::contexts> contexts_;
  openssl::session session_;
  event_loop::driver_factory upper_;  // until the handshake has succeeded
  tls_foot* foot_ = nullptr;
  std::span<const std::byte> input_;  // during on_bytes
  std::unique_ptr<tls_info> info_;
  timer timer_;                 // of the handshake
  std::uint32_t messages_ = 0;  // of the protocol itself behind the handshake, within the second
  std::int64_t second_ = 0;
  bool open_ = false;
  bool says_why_ = false;  // an alert that is to reach the peer
};

// ----- The foot

tls_foot::~tls_foot() {
  if (above_ != nullptr) above_->lose_foot();
}

std::size_t tls_foot::on_bytes(std::span<const std::byte> bytes) noexcept {
  if (lingering_ || above_ == nullptr) return bytes.size();
  below_.set_sink(*above_);
  return above_->on_bytes(bytes);
}

void tls_foot::on_writable() noexcept {
  if (!lingering_ && above_ != nullptr) above_->on_writable();
}

void tls_foot::on_end() noexcept {
  if (!lingering_ && above_ != nullptr) above_->on_end();
}

void tls_foot::on_failure(const failure& why) noexcept {
  timer_.cancel();
  if (!lingering_ && above_ != nullptr) above_->on_failure(why);
  if (above_ == nullptr) below_.driver_finished();
}

std::string tls_foot::describe() const {
  return above_ != nullptr ? above_->describe() : "the end of TLS with " + below_.remote_endpoint().to_string();
}

void tls_foot::linger() noexcept {
  lingering_ = true;
  below_.set_sink(*this);
  below_.resume_reading();
  queued_ = below_.queued_bytes();
  below_.loop().arm(timer_, linger_timeout);
}

// A peer that takes what was sent, however slowly, has its time.
void tls_foot::time_out() noexcept {
  const std::size_t before = std::exchange(queued_, below_.queued_bytes());
  if (queued_ < before) return below_.loop().arm(timer_, linger_timeout);
  below_.abort();
}

// ----- Between OpenSSL and the transport below

const bio_method_st* tls_transport::bio_method() {
  static const std::unique_ptr<BIO_METHOD, openssl::freed_by<BIO_meth_free>> made = [] {
    std::unique_ptr<BIO_METHOD, openssl::freed_by<BIO_meth_free>> method(
        BIO_meth_new(BIO_TYPE_SOURCE_SINK, "windhover"));
    if (!method) throw std::bad_alloc();
    BIO_meth_set_read(method.get(), &tls_transport::read_below);
    BIO_meth_set_write(method.get(), &tls_transport::write_below);
    BIO_meth_set_ctrl(method.get(), [](BIO*, int command, long, void*) noexcept -> long {
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
    return method;
  }();
  return made.get();
}

// In both directions. Behind the handshake there are few: tickets, and requests for new keys, each of which costs more
// than its 27 octets say and has an answer.
void tls_transport::on_message(int, int, int type, const void*, std::size_t, ssl_st* of, void*) noexcept {
  if (type != SSL3_RT_HANDSHAKE && type != SSL3_RT_ALERT) return;
  tls_transport& self = *static_cast<tls_transport*>(BIO_get_data(SSL_get_rbio(of)));
  if (!self.open_) return;
  const auto since = self.loop().now().time_since_epoch();
  const std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  if (std::exchange(self.second_, second) != second) self.messages_ = 0;
  ++self.messages_;
}

int tls_transport::read_below(bio_st* of, char* into, int room) noexcept {
  tls_transport& self = *static_cast<tls_transport*>(BIO_get_data(of));
  std::span<const std::byte>& input = self.input_;
  BIO_clear_retry_flags(of);
  if (self.floods()) return -1;  // for good: OpenSSL would read them all before it returns
  if (input.empty()) {
    BIO_set_retry_read(of);
    return -1;
  }
  const std::size_t count = std::min(input.size(), static_cast<std::size_t>(room));
  std::memcpy(into, input.data(), count);
  input = input.subspan(count);
  return static_cast<int>(count);
}

int tls_transport::write_below(bio_st* of, const char* bytes, int size) noexcept {
  tls_transport& self = *static_cast<tls_transport*>(BIO_get_data(of));
  BIO_clear_retry_flags(of);
  if (self.foot_ != nullptr) self.below().queue_copy(std::as_bytes(std::span(bytes, static_cast<std::size_t>(size))));
  return size;
}

// ----- The life of it

tls_transport::tls_transport(event_loop& loop, std::shared_ptr<const server_tls::contexts> contexts,
                             openssl::session session, event_loop::driver_factory upper, duration handshake_timeout)
    : layered_transport(loop, flush_layer::encryption),
      contexts_(std::move(contexts)),
      session_(std::move(session)),
      upper_(std::move(upper)),
      timer_(this, [](void* self) noexcept {
        const failure late{failure::cause::tls, 0, "the handshake took too long"};
        static_cast<tls_transport*>(self)->die(&late);
      }) {
  BIO* const both_ways = BIO_new(bio_method());
  if (both_ways == nullptr) throw std::bad_alloc();
  BIO_set_data(both_ways, this);
  BIO_set_init(both_ways, 1);
  SSL_set_bio(session_.get(), both_ways, both_ways);
  SSL_set_msg_callback(session_.get(), &tls_transport::on_message);
  if (handshake_timeout > duration::zero()) loop.arm(timer_, handshake_timeout);
}

tls_transport::~tls_transport() {
  release_drivers();
  if (foot_ != nullptr) foot_->leave();
}

void tls_transport::stand_on(tls_foot& foot) noexcept { foot_ = &foot; }

void tls_transport::set_water_marks(std::size_t high, std::size_t low) noexcept {
  layered_transport::set_water_marks(high, low);
  if (foot_ != nullptr) below().set_water_marks(high, low);
}

void tls_transport::drain() noexcept {
  if (!has_driver()) return abort();
  layered_transport::drain();
}

// With a failure of TLS the peer is told why before the end; after both sides have ended, the transport below ends by
// itself. Anything else is sudden.
void tls_transport::died(const failure* why) noexcept {
  timer_.cancel();
  if (foot_ == nullptr) return;
  if (why != nullptr && !says_why_) return below().abort();
  below().close();
  foot_->linger();
}

template <class Act>
void tls_transport::die_without_memory(Act&& act) noexcept {
  try {
    act();
  } catch (const std::bad_alloc&) {
    const failure no_memory{failure::cause::receive_failed, ENOMEM};
    die(&no_memory);
  }
}

// OpenSSL has queued the alert, if there is one to send.
void tls_transport::fail() noexcept {
  if (floods()) {
    const failure flood{failure::cause::tls, 0, "the peer asks again and again for what is no data, such as new keys"};
    return die(&flood);
  }
  const bool refused = ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED;
  const char* const general = openssl::last_error();
  const long verified = SSL_get_verify_result(session_.get());
  const failure why{failure::cause::tls, 0, refused ? X509_verify_cert_error_string(verified) : general};
  says_why_ = true;
  die(&why);
}

// True when the handshake has succeeded.
bool tls_transport::shake_hands() noexcept {
  openssl::forget_errors();
  const int outcome = SSL_do_handshake(session_.get());
  if (outcome != 1) {
    if (SSL_get_error(session_.get(), outcome) != SSL_ERROR_WANT_READ) fail();
    return false;
  }
  open_ = true;
  timer_.cancel();
  die_without_memory([this] {
    make_info();
    if (has_driver()) {
      tell_writable();
    } else {
      set_driver(std::exchange(upper_, nullptr)(*this));
    }
  });
  if (!dead()) loop().flush_later(*this);
  return !dead();
}

void tls_transport::make_info() {
  const auto text = [](const char* found) { return std::string(found != nullptr ? found : ""); };
  SSL* const session = session_.get();
  auto made = std::make_unique<tls_info>();
  made->protocol = text(SSL_get_version(session));
  made->cipher_suite = text(SSL_CIPHER_standard_name(SSL_get_current_cipher(session)));
  made->server_name = text(SSL_get_servername(session, TLSEXT_NAMETYPE_host_name));
  made->session_resumed = SSL_session_reused(session) == 1;
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(session, &protocol, &size);
  if (size > 0) made->application_protocol.assign(reinterpret_cast<const char*>(protocol), size);
  if (X509* const peer = SSL_get0_peer_certificate(session)) made->peer_certificate = net::describe(peer);
  info_ = std::move(made);
}

// ----- Input

std::size_t tls_transport::on_bytes(std::span<const std::byte> bytes) noexcept {
  if (dead()) return bytes.size();
  input_ = bytes;
  if (open_ || shake_hands()) die_without_memory([this] { open_records(); });
  const std::size_t left = std::exchange(input_, {}).size();
  return dead() ? bytes.size() : bytes.size() - left;
}

void tls_transport::open_records() {
  const borrowed_room room(loop());
  // Where no input is left there is no whole record either: each is taken out as soon as it is there.
  while (!dead() && !reading_paused() && !input_.empty() && open_record(room.bytes())) {
  }
}

// False when there is no whole record, or none to come.
bool tls_transport::open_record(std::span<std::byte> into) noexcept {
  openssl::forget_errors();
  const int count = SSL_read(session_.get(), into.data(), static_cast<int>(into.size()));
  if (count > 0) return deliver(into.first(static_cast<std::size_t>(count)));
  switch (SSL_get_error(session_.get(), count)) {
    case SSL_ERROR_WANT_READ:
      return false;
    case SSL_ERROR_ZERO_RETURN:
      // What the peer sends behind its end means nothing.
      input_ = {};
      deliver_end();
      return false;
    default:
      fail();
      return false;
  }
}

// An end without TLS's own is taken for one: each protocol above knows where its messages end.
void tls_transport::on_end() noexcept {
  if (dead()) return;
  if (open_) return deliver_end();
  const failure early{failure::cause::tls, 0, "the peer ended the connection during the handshake"};
  die(&early);
}

void tls_transport::fetch() noexcept {
  if (foot_ != nullptr && !reading_paused()) below().resume_reading();
}

// ----- Output

void tls_transport::on_writable() noexcept {
  if (dead()) return;
  loop().flush_later(*this);
  room_below();
}

void tls_transport::flush() noexcept {
  if (dead() || foot_ == nullptr) return;
  if (!open_) {
    // The client speaks first.
    if (!upper_) shake_hands();
    return;
  }
  die_without_memory([this] { seal_output(); });
  if (dead() || !closing() || shut_down() || layered_transport::queued_bytes() > 0) return;
  openssl::forget_errors();
  SSL_shutdown(session_.get());
  below().close();
  note_shut_down();
}

// Small slices are put together to whole records; one that is alone lies together already. What the transport below has
// no room for waits here.
void tls_transport::seal_output() {
  const std::span<base::slice> queued = queued_output();
  if (queued.empty()) return;
  const borrowed_room room(loop());
  std::size_t handed_down = 0;
  std::size_t taken = 0;
  std::size_t gathered = 0;
  const auto seal_gathered = [&] {
    const std::size_t count = std::exchange(gathered, 0);
    return count == 0 || seal(room.bytes().first(count));
  };
  while (handed_down < queued.size() && !full_below()) {
    base::slice& next = queued[handed_down];
    const bool is_last = handed_down + 1 == queued.size();
    if (gathered == 0 && (is_last || next.size >= record_size)) {
      const std::size_t count = std::min(next.size, record_size);
      if (!seal(next.bytes().first(count))) return;
      taken += count;
      next.data += count;
      next.size -= count;
    } else {
      const std::size_t count = std::min(next.size, record_size - gathered);
      std::memcpy(room.bytes().data() + gathered, next.data, count);
      gathered += count;
      taken += count;
      next.data += count;
      next.size -= count;
      if (gathered == record_size && !seal_gathered()) return;
    }
    if (next.size == 0) ++handed_down;
  }
  if (!seal_gathered()) return;
  output_handed_down(handed_down);
  output_taken(taken);
}

bool tls_transport::seal(std::span<const std::byte> bytes) noexcept {
  openssl::forget_errors();
  // All of it, in as many records as the peer wants: the transport below takes everything.
  const int size = static_cast<int>(bytes.size());
  if (SSL_write(session_.get(), bytes.data(), size) == size) return true;
  fail();
  return false;
}

// Puts TLS on a transport.
std::unique_ptr<driver> put_on(transport& below, std::unique_ptr<tls_transport> made, tls_transport*& added) {
  auto foot = std::make_unique<tls_foot>(below, *made);
  tls_transport& above = *made;
  above.set_token(below.loop().add(std::move(made)));
  above.stand_on(*foot);
  added = &above;
  return foot;
}

}  // namespace

std::unique_ptr<driver> serve_tls(transport& below, const server_tls& with, event_loop::driver_factory upper) {
  auto contexts = with.current();
  openssl::session session = contexts->new_session(below.loop());
  const duration limit = contexts->handshake_timeout();
  auto made =
      std::make_unique<tls_transport>(below.loop(), std::move(contexts), std::move(session), std::move(upper), limit);
  tls_transport* added = nullptr;
  return put_on(below, std::move(made), added);
}

event_loop::driver_factory over_tls(std::shared_ptr<const server_tls> with, event_loop::driver_factory upper) {
  return
      [with = std::move(with), upper = std::move(upper)](transport& below) { return serve_tls(below, *with, upper); };
}

std::unique_ptr<driver> connect_tls(transport& below, const client_tls& with, const std::string& host,
                                    const event_loop::driver_factory& upper) {
  const client_tls::context& context = with.current();
  auto made = std::make_unique<tls_transport>(below.loop(), nullptr, context.new_session(host), nullptr,
                                              context.handshake_timeout());
  tls_transport* added = nullptr;
  auto foot = put_on(below, std::move(made), added);
  added->set_driver(upper(*added));
  below.loop().flush_later(*added);
  return foot;
}

}  // namespace windhover::net
