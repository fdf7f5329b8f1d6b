// Bun as a peer of the comparison: its server is uWebSockets, the library.
//
//   bun bun_server.mjs PORT [compressed | CERTIFICATE KEY]
//
// /ws echoes, and what anybody sends to /broadcast goes to everybody there, as a publication to a topic. Compression is a
// switch of the whole server: with `compressed` it is on, for clients that offer it, and /compressed echoes. With a
// certificate everything is over TLS.

const [port, certificate, key] = process.argv.slice(2);
const compressed = certificate === 'compressed';
const topic = 'everybody';

const server = Bun.serve({
  port: Number(port),
  hostname: '127.0.0.1',
  tls: key && { cert: Bun.file(certificate), key: Bun.file(key) },
  fetch(request, to) {
    const { pathname } = new URL(request.url);
    if (to.upgrade(request, { data: { broadcast: pathname === '/broadcast' } })) return undefined;
    return new Response('a WebSocket is wanted', { status: 400 });
  },
  websocket: {
    // A context for each socket, in both directions, as the other servers have it.
    perMessageDeflate: compressed && { compress: 'dedicated', decompress: 'dedicated' },
    idleTimeout: 120,
    maxPayloadLength: 16 * 1024 * 1024,
    backpressureLimit: 16 * 1024 * 1024,
    open(socket) {
      if (socket.data.broadcast) socket.subscribe(topic);
    },
    message(socket, message) {
      if (socket.data.broadcast) server.publish(topic, message);
      else socket.send(message, compressed);
    },
  },
});
