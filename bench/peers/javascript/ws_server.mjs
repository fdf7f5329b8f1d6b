// npm's ws on Node.js as a peer of the comparison.
//
//   node ws_server.mjs PORT [CERTIFICATE KEY]
//
// /ws echoes, /compressed echoes to clients that offer permessage-deflate, and what anybody sends to /broadcast goes to
// everybody there, as ws's documentation does it. What is sent within one turn of the event loop leaves together: Node's
// streams can be corked, and the socket is ours from the upgrade. With a certificate everything is over TLS; Node prefers
// 256 bits unless it is told that 128 will do, which is what the others agree on.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

import { WebSocketServer } from 'ws';

const plain = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const compressed = new WebSocketServer({ noServer: true, perMessageDeflate: true });
const broadcast = new WebSocketServer({ noServer: true, perMessageDeflate: false });

function echoOn(websockets) {
  websockets.on('connection', (websocket, request) => {
    const { socket } = request;
    let corked = false;
    const uncork = () => {
      corked = false;
      socket.uncork();
    };
    websocket.on('message', (data, isBinary) => {
      if (!corked) {
        corked = true;
        socket.cork();
        process.nextTick(uncork);
      }
      websocket.send(data, { binary: isBinary });
    });
    websocket.on('error', () => websocket.terminate());
  });
}

echoOn(plain);
echoOn(compressed);
broadcast.on('connection', (websocket) => {
  websocket.on('message', (data, isBinary) => {
    for (const each of broadcast.clients) each.send(data, { binary: isBinary });
  });
  websocket.on('error', () => websocket.terminate());
});

const paths = { '/ws': plain, '/compressed': compressed, '/broadcast': broadcast };
const [port, certificate, key] = process.argv.slice(2);
const server = key
  ? createSecureServer({
      cert: readFileSync(certificate),
      key: readFileSync(key),
      ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384',
      minVersion: 'TLSv1.3',
    })
  : createServer();
server.on('upgrade', (request, socket, head) => {
  const websockets = paths[request.url];
  if (!websockets) {
    socket.destroy();
    return;
  }
  socket.setNoDelay(true);
  websockets.handleUpgrade(request, socket, head, (opened) => websockets.emit('connection', opened, request));
});
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
