import { open } from 'node:fs/promises';
import { timeUntil, until } from '../../until.ts';
import { buildInCameras, cameraNodes, holdersOf, paintCamera, plugIn, takeOut, unplug } from '../inside/modules.ts';
import { smallPicture, streamingStation } from '../inside/station.ts';
import { type Colour, isColour, type SeenFrame, type Viewer, watch } from '../inside/viewer.ts';
import { backWithinMs, describeReturn } from '../returns.ts';
import type { Laboratory, Scenario } from '../scenario.ts';

/** Far above what is asked: what comes late is told with its time. */
const boundMs = 60_000;
/** An emulated machine takes a tenth of it. */
const longestWithoutFrameMs = 2000;

export const cameraUnplugged: Scenario = {
  name: 'camera-unplugged',
  title:
    'a camera that is pulled out and put in again, also under another number, is back by itself in the same stream; the third time health says so',
  boundMs: 400_000,
  async run(laboratory) {
    const { check, undoLater } = laboratory;
    await buildInCameras(1);
    undoLater(() => takeOut('vivid'));
    await paintCamera('/dev/video0', 'red');
    const station = await streamingStation(laboratory, smallPicture);
    const viewer = await watch(laboratory, station.address);
    await until('the camera at the far side', boundMs, () => isColour(viewer.frames.at(-1), 'red'));

    await pullOut(laboratory, viewer, 'red');
    const first = await putIn(laboratory, viewer, 'green');

    // Somebody who holds the old node keeps its number taken.
    const holder = await open(first);
    undoLater(() => holder.close());
    await pullOut(laboratory, viewer, 'green');
    const second = await putIn(laboratory, viewer, 'red');
    check('it came back under another number', second !== first, [first, second]);

    await pullOut(laboratory, viewer, 'red');
    await putIn(laboratory, viewer, 'green');
    const conditions = () => station.lastHealth()?.conditions.map(({ code }) => code) ?? [];
    // The one that was said while it was away may be the last so far.
    const isToldRight = () => conditions().includes('camera-unstable') && !conditions().includes('no-signal');
    await until('health to name a camera that comes and goes, and no lost signal any more', boundMs, isToldRight);

    check('the viewer was never cut off', viewer.isWatching());
    check('one connection to the relay all the time', station.relay.publications.length === 1, station.relay.publications.length);
    check('no complaint of the protocol', station.fleet.problems.length === 0, station.fleet.problems);
  },
};

async function pullOut({ check, figure }: Laboratory, { frames }: Viewer, shown: Colour): Promise<void> {
  const [node = ''] = cameraNodes();
  const seen = frames.length;
  const begin = performance.now();
  await unplug('cameras');
  const isOther = (frame: SeenFrame) => !isColour(frame, shown);
  await until('another picture than that of the camera', boundMs, () => frames.slice(seen).some(isOther));
  const first = frames.slice(seen).find(isOther);
  figure('pulled out: the card is seen after', Math.round((first?.atMs ?? 0) - begin), 'ms');
  await until('a second of the card', boundMs, () => (frames.at(-1)?.atMs ?? 0) > (first?.atMs ?? 0) + 1000);
  checkGap(check, frames.slice(seen - 1));
  // As long as somebody holds what is gone, its number is taken, and the camera comes back under another one.
  figure('  processes that hold what is gone', holdersOf(node).length, '', '0');
}

/** Answers with the node under which it is now. */
async function putIn({ check }: Laboratory, { frames }: Viewer, colour: Colour): Promise<string> {
  const seen = frames.length;
  const before = new Set(cameraNodes());
  const begin = performance.now();
  await plugIn('cameras');
  const node = await until('a node of the camera', boundMs, () => cameraNodes().find((name) => !before.has(name)));
  await paintCamera(node, colour);
  await timeUntil('the camera at the far side', boundMs, () => isColour(frames.at(-1), colour));
  const first = frames.slice(seen).find((frame) => isColour(frame, colour));
  const tookMs = Math.round((first?.atMs ?? 0) - begin);
  check(describeReturn(node, tookMs), tookMs <= backWithinMs, tookMs);
  checkGap(check, frames.slice(seen - 1));
  return node;
}

function checkGap(check: Laboratory['check'], frames: readonly SeenFrame[]): void {
  const gapMs = longestGapMs(frames);
  check(`  the longest time without a frame is ${gapMs} ms, of ${longestWithoutFrameMs}`, gapMs <= longestWithoutFrameMs, gapMs);
}

function longestGapMs(frames: readonly SeenFrame[]): number {
  const gaps = frames.slice(1).map(({ atMs }, index) => atMs - (frames[index]?.atMs ?? atMs));
  return Math.round(Math.max(0, ...gaps));
}
