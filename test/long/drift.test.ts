/** Sound and picture with clocks of their own, in real time. */
import { createSocket } from 'node:dgram';
import { expect, onTestFinished, test } from 'vitest';
import * as capture from '#device/plan/capture.ts';
import { startHost } from '../device/media/supervised-host.ts';
import { testPlan } from '../device/media/test-plan.ts';
import { description, moving, picture, use } from '../device/media-host/content-pipeline.ts';
import { until } from '../until.ts';

/**
 * A source whose clock is 0.15 % too fast, over the network of this machine: 15 ms each ten seconds.
 * Eight hours of a tenth of a per cent are in drift-servo.test.ts, faster than real time.
 */
test('sound from a wrong clock keeps to the picture, and would not without correction', { timeout: 150_000 }, async () => {
  const withClock = async (change: (audio: string) => string) => {
    const port = await sendSound(16_024);
    const audio = capture.elementSound(`udpsrc port=${port} caps="audio/x-raw,format=S16LE,rate=16000,channels=1,layout=interleaved"`, use);
    const host = await startHost();
    expect(await host.supervisor.apply(testPlan({ picture, description: description(moving, change(audio)) }))).toEqual({
      kind: 'applied',
    });
    return () => host.supervisor.status()?.figures?.audioVideoDriftMs;
  };
  const [corrected, left] = await Promise.all([
    withClock((audio) => audio),
    // Nobody knows this name, so nobody tells it another rate.
    withClock((audio) => audio.replace('name=soundclock', 'name=untold')),
  ]);
  const seen: number[] = [];
  await until('a drift of 80 ms without correction', 130_000, () => {
    seen.push(corrected() ?? 0);
    return Math.abs(left() ?? 0) >= 80;
  });
  expect(Math.max(...seen.map(Math.abs))).toBeLessThan(40);
});

/** A tone in packets of ten milliseconds; the port it goes to. */
async function sendSound(samplesPerSecond: number): Promise<number> {
  const place = createSocket('udp4').bind(0, '127.0.0.1');
  await new Promise((resolve) => place.once('listening', resolve));
  const { port } = place.address();
  await new Promise<void>((resolve) => place.close(resolve));
  const socket = createSocket('udp4');
  const packet = Buffer.alloc(320);
  for (let sample = 0; sample < 160; sample += 1) packet.writeInt16LE(Math.round(3000 * Math.sin((sample * Math.PI) / 20)), sample * 2);
  const begin = performance.now();
  let sent = 0;
  const sending = setInterval(() => {
    for (; sent + 160 <= ((performance.now() - begin) * samplesPerSecond) / 1000; sent += 160) socket.send(packet, port, '127.0.0.1');
  }, 10);
  onTestFinished(() => {
    clearInterval(sending);
    socket.close();
  });
  return port;
}
