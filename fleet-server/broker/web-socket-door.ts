/** MQTT over WebSocket, at one path of the HTTP server's port. Any other upgrade is refused. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { maxPacketBytes } from '#protocol/topics.ts';

const path = '/mqtt';
/** Registered with IANA for MQTT 3.1.1 and used by clients of 3.1. */
const subprotocols: readonly string[] = ['mqtt', 'mqttv3.1'];

export class WebSocketDoor {
  readonly #server: Server;
  readonly #accept: (stream: Duplex, request: IncomingMessage) => void;
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // A frame may carry less or more than one packet (MQTT 3.1.1, section 6); no client that is ours sends more than one.
    maxPayload: maxPacketBytes,
    handleProtocols: (offered) => subprotocols.find((name) => offered.has(name)) ?? false,
  });
  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head);

  constructor(server: Server, accept: (stream: Duplex, request: IncomingMessage) => void) {
    this.#server = server;
    this.#accept = accept;
  }

  start(): void {
    this.#server.on('upgrade', this.#onUpgrade);
  }

  stop(): void {
    this.#server.off('upgrade', this.#onUpgrade);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    if ((request.url ?? '').split('?', 1)[0] !== path) {
      // An HTTP server lets the other side keep its half open for ever.
      socket.once('finish', () => socket.destroy());
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#accept(createWebSocketStream(webSocket), request);
    });
  }
}
