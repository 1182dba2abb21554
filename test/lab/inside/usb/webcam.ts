/**
 * A USB webcam with a microphone, made of nothing but its answers: the kernel's own drivers (uvcvideo, snd-usb-audio) take it for a
 * real one. Plugged into the kernel's virtual host controller it streams one still picture, and a tone or silence.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { until } from '../../../until.ts';
import { completion, isochronousCompletion, type SetupPacket, type Submission, takeCommand, unlinked } from './usbip-wire.ts';
import {
  endpoints,
  frameIntervals,
  picture,
  readDescriptor,
  sampleRates,
  videoStreamingInterface,
  type WebcamModel,
} from './webcam-descriptors.ts';

export type WebcamMakeup = WebcamModel & {
  /** A JPEG of the camera's size. */
  readonly jpeg: Buffer;
  readonly sound: 'tone' | 'silence';
};

const controller = '/sys/devices/platform/vhci_hcd.0';
const highSpeed = 3;
const plugBoundMs = 20_000;

const requests = { clearFeature: 1, setConfiguration: 9, setInterface: 11, getDescriptor: 6 };
const classRequests = { setCurrent: 0x01, getCurrent: 0x81, getMinimum: 0x82, getMaximum: 0x83, getDefault: 0x87 };
const bulkPayloadBytes = 16_384;
const toneHz = 440;
const toneLoudness = 8000;

/** A webcam in a socket. */
export class PluggedWebcam {
  readonly #makeup: WebcamMakeup;
  readonly #wire: Duplex;
  readonly #pictureRequests: Submission[] = [];
  /** Sound that is due, by the number of its request. */
  readonly #soundTimers = new Map<number, NodeJS.Timeout>();
  #pictureTimer: NodeJS.Timeout | undefined;
  #isOddPicture = false;
  #frameInterval = frameIntervals[0] ?? 0;
  #sampleRate = sampleRates[0] ?? 0;
  #samples = 0;
  #soundDueMs = 0;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(makeup: WebcamMakeup, wire: Duplex) {
    this.#makeup = makeup;
    this.#wire = wire;
    wire.on('data', (chunk: Buffer) => this.#hear(chunk));
    // The kernel hangs up when the controller goes: then it is out of its socket.
    wire.on('error', () => this.#stop());
    wire.on('close', () => this.#stop());
  }

  /** `socket` counts from 1. Resolves when camera and microphone can be used. */
  static async plugIn(makeup: WebcamMakeup, socket: number): Promise<PluggedWebcam> {
    // One end of a pair of sockets stays with us, the other one goes to the kernel: the shell hands it over by number.
    const words = `echo ${socket - 1} 3 ${socket} ${highSpeed} > ${controller}/attach`;
    const child = spawn('sh', ['-c', words], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    const wire = child.stdio[3] as Duplex;
    const webcam = new PluggedWebcam(makeup, wire);
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`expected the controller to take a device into socket ${socket}, the shell ended with ${code}`);
    const has = (part: string, kind: string) => existsSync(`${interfaceOf(socket, part)}/${kind}`);
    await until(`a webcam in socket ${socket}`, plugBoundMs, () => has('0', 'video4linux') && soundCardIn(socket));
    return webcam;
  }

  /** As if its cable were pulled. */
  async pullOut(socket: number): Promise<void> {
    this.#stop();
    this.#wire.destroy();
    await until(`socket ${socket} to be empty`, plugBoundMs, () => !existsSync(deviceIn(socket)));
  }

  #stop(): void {
    clearInterval(this.#pictureTimer);
    for (const timer of this.#soundTimers.values()) clearTimeout(timer);
    this.#soundTimers.clear();
    this.#pictureRequests.length = 0;
  }

  #hear(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    for (let taken = takeCommand(bytes); taken !== null; taken = takeCommand(bytes)) {
      const { command } = taken;
      if (command.kind === 'unlink') this.#say(unlinked(command.sequence, this.#forget(command.submission)));
      else this.#serve(command);
      bytes = Buffer.from(taken.rest);
    }
    this.#rest = bytes;
  }

  #serve(submission: Submission): void {
    if (submission.endpoint === endpoints.video) this.#pictureRequests.push(submission);
    else if (submission.endpoint === endpoints.audio) this.#queueSound(submission);
    else this.#say(completion(submission, this.#control(submission.setup, submission.data)));
  }

  #forget(sequence: number): boolean {
    const timer = this.#soundTimers.get(sequence);
    clearTimeout(timer);
    const at = this.#pictureRequests.findIndex((waiting) => waiting.sequence === sequence);
    if (at >= 0) this.#pictureRequests.splice(at, 1);
    return this.#soundTimers.delete(sequence) || at >= 0;
  }

  /** Null: stalled. */
  #control({ requestType, request, value, index }: SetupPacket, data: Buffer): Buffer | null {
    const nothing = Buffer.alloc(0);
    const kind = requestType & 0x60;
    if (kind === 0) {
      if (request === requests.getDescriptor) return readDescriptor(this.#makeup, value >> 8, value & 0xff);
      if (request === requests.setInterface) this.#soundDueMs = 0;
      const isOrder = [requests.clearFeature, requests.setConfiguration, requests.setInterface].includes(request);
      return isOrder ? nothing : null;
    }
    const isSet = request === classRequests.setCurrent;
    if ((requestType & 0x1f) === 2) return this.#soundControl(isSet, data);
    if ((index & 0xff) === videoStreamingInterface) return this.#videoControl(request, value >> 8, data);
    return null;
  }

  #soundControl(isSet: boolean, data: Buffer): Buffer {
    if (isSet && data.length >= 3) this.#sampleRate = data.readUIntLE(0, 3);
    const answer = Buffer.alloc(3);
    answer.writeUIntLE(this.#sampleRate, 0, 3);
    return answer;
  }

  /** Probe (1) and commit (2) of Video Class 1.0: 26 bytes. */
  #videoControl(request: number, control: number, data: Buffer): Buffer | null {
    if (control !== 1 && control !== 2) return null;
    if (request === classRequests.setCurrent) {
      const wanted = data.length >= 8 ? data.readUInt32LE(4) : 0;
      if (frameIntervals.includes(wanted)) this.#frameInterval = wanted;
      if (control === 2) this.#streamPictures();
      return Buffer.alloc(0);
    }
    const { getCurrent, getMinimum, getMaximum, getDefault } = classRequests;
    if (![getCurrent, getMinimum, getMaximum, getDefault].includes(request)) return null;
    const answer = Buffer.alloc(26);
    answer[2] = 1;
    answer[3] = 1;
    answer.writeUInt32LE(this.#frameInterval, 4);
    answer.writeUInt32LE(picture.longestBytes, 18);
    answer.writeUInt32LE(bulkPayloadBytes, 22);
    return answer;
  }

  /** Who asks for none gets none. */
  #streamPictures(): void {
    clearInterval(this.#pictureTimer);
    this.#pictureTimer = setInterval(() => {
      const request = this.#pictureRequests.shift();
      if (request === undefined) return;
      this.#isOddPicture = !this.#isOddPicture;
      // End of header, end of frame, and which of two frames it is.
      const header = Buffer.from([2, 0x82 | (this.#isOddPicture ? 1 : 0)]);
      this.#say(completion(request, Buffer.concat([header, this.#makeup.jpeg])));
    }, this.#frameInterval / 10_000);
  }

  /** A packet each millisecond, by our clock: the host asks ahead. */
  #queueSound(submission: Submission): void {
    const nowMs = performance.now();
    this.#soundDueMs = Math.max(this.#soundDueMs, nowMs) + submission.packetBytes.length;
    const timer = setTimeout(() => {
      this.#soundTimers.delete(submission.sequence);
      this.#say(
        isochronousCompletion(
          submission,
          submission.packetBytes.map(() => this.#nextPacket()),
        ),
      );
    }, this.#soundDueMs - nowMs);
    this.#soundTimers.set(submission.sequence, timer);
  }

  #nextPacket(): Buffer {
    const packet = Buffer.alloc((this.#sampleRate / 1000) * 2);
    for (let at = 0; this.#makeup.sound === 'tone' && at < packet.length; at += 2) {
      packet.writeInt16LE(Math.round(toneLoudness * Math.sin((2 * Math.PI * toneHz * this.#samples++) / this.#sampleRate)), at);
    }
    return packet;
  }

  #say(reply: Buffer): void {
    if (this.#wire.writable) this.#wire.write(reply);
  }
}

function deviceIn(socket: number): string {
  return `/sys/bus/usb/devices/1-${socket}`;
}

function interfaceOf(socket: number, number: string): string {
  return `${deviceIn(socket)}/1-${socket}:1.${number}`;
}

/** Number of the sound card, null while there is none. */
export function soundCardIn(socket: number): string | null {
  const folder = `${interfaceOf(socket, '2')}/sound`;
  return existsSync(folder) ? (readdirSync(folder).find((name) => name.startsWith('card')) ?? null) : null;
}
