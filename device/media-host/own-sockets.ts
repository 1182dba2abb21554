/** The TCP connections of this process that Node made, and by which nothing of GStreamer's goes. */
import type { AddressInfo, Socket } from 'node:net';

/** From the moment in which they have a port until they are closed. */
const sockets = new Set<Socket>();

export function keepOwnSocket(socket: Socket): void {
  // It is told just before; and who asks a socket for its port before it has one gets none for ever.
  socket.on('connectionAttempt', () => process.nextTick(() => sockets.add(socket)));
  socket.once('close', () => sockets.delete(socket));
}

/** Our own side's, of all that are under way or open. */
export function ownPorts(): ReadonlySet<number> {
  return new Set([...sockets].flatMap((socket) => ('port' in socket.address() ? (socket.address() as AddressInfo).port : [])));
}
