/** Asks nginx over its unix socket: statistics, and throwing out a publisher. */
import { request } from 'node:http';
import { relayApplication } from '#fleet-server/relay/nginx-config.ts';

const timeoutMs = 1000;
/** About 400 bytes a connection: ten times what the relay's 2000 connections come to. */
const maxAnswerBytes = 8_388_608;

export class NginxControl {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** The statistics as XML. */
  statistics(): Promise<string> {
    return this.#get('/stat');
  }

  /** Ends whoever publishes under this name; nobody is no error. */
  async dropPublisher(name: string): Promise<void> {
    await this.#get(`/control/drop/publisher?app=${relayApplication}&name=${encodeURIComponent(name)}`);
  }

  #get(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { socketPath: this.#socketPath, path, agent: false, timeout: timeoutMs, headers: { host: 'relay' } },
        (answer) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          answer.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > maxAnswerBytes) asked.destroy(new Error(`expected at most ${maxAnswerBytes} bytes from nginx, got more`));
            else chunks.push(chunk);
          });
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            if (answer.statusCode !== undefined && answer.statusCode < 300) resolve(text);
            else reject(new Error(`expected 200 from nginx for ${path.split('?')[0]}, got ${answer.statusCode}`));
          });
          answer.on('error', reject);
        },
      );
      asked.on('timeout', () => asked.destroy(new Error(`expected nginx to answer within ${timeoutMs} ms`)));
      asked.on('error', reject);
      asked.end();
    });
  }
}
