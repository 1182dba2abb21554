/** When it is opened; no-signal-card.test.ts has real ones that come back. */
import { expect, test } from 'vitest';
import { MicrophoneProbe } from '#device/media-host/microphone-probe.ts';
import { until } from '../../until.ts';
import { manualClock } from '../manual-clock.ts';

/** A probe, and what it has told. */
function listening() {
  const clock = manualClock();
  const told = { backs: 0, faults: [] as string[] };
  const onBack = () => {
    told.backs += 1;
  };
  return { clock, told, probe: new MicrophoneProbe(clock, onBack, (said) => told.faults.push(said)) };
}

test('a microphone whose number another one has is not opened, and it is said why', async () => {
  const { clock, told, probe } = listening();
  let away: string | null = 'it is not there any more';
  // It would give sound at once.
  const description = 'audiotestsrc name=microphone ! appsink name=sound sync=false max-buffers=1 drop=true';
  probe.start(description, 1, () => away);
  await clock.advance(5000);
  expect(new Set(told.faults)).toEqual(new Set([away]));
  expect(told.backs).toBe(0);
  away = null;
  await clock.advance(1000);
  await until('the microphone back', 20_000, () => told.backs === 1);
  expect(new Set(told.faults).size).toBe(1);
  probe.stop();
});

test('one that changes between two sockets is heard at each', async () => {
  const { clock, told, probe } = listening();
  for (let time = 0; time < 12; time++) {
    probe.start(`audiotestsrc name=card${time % 2} ! appsink name=sound sync=false max-buffers=1 drop=true`, 1, () => null);
    await until('the microphone back', 20_000, async () => {
      await clock.advance(1000);
      return told.backs === time + 1;
    });
  }
});

test('a microphone that cannot even be asked for is said to be so', async () => {
  const { clock, told, probe } = listening();
  probe.start('no-such-element name=microphone ! appsink name=sound', 1, () => null);
  await clock.advance(1000);
  expect(told.faults).toEqual([expect.stringContaining('no-such-element')]);
  probe.stop();
});
