import { setTimeout as delay } from 'node:timers/promises';
import { buildInCameras, takeOut } from '../inside/modules.ts';
import { smallPicture, streamingStation } from '../inside/station.ts';
import { openVenue } from '../inside/venue.ts';
import { watch } from '../inside/viewer.ts';
import type { Scenario } from '../scenario.ts';

const measuredMs = 30_000;

export const badNetwork: Scenario = {
  name: 'bad-network',
  title: 'a line with 200 ms of delay and 2 % of loss carries the stream in one connection',
  boundMs: 300_000,
  async run(laboratory) {
    const { check, figure, undoLater } = laboratory;
    await buildInCameras(1);
    undoLater(() => takeOut('vivid'));
    const venue = await openVenue(laboratory);
    await venue.setLine({ delayMs: 100, lossPercent: 2, rateKbps: 2000 });
    const station = await streamingStation(laboratory, smallPicture, venue);
    const viewer = await watch(laboratory, station.address);
    const from = viewer.frames.length;
    await delay(measuredMs);
    const framesPerSecond = (viewer.frames.length - from) / (measuredMs / 1000);
    figure('frames a second at the far side', Number(framesPerSecond.toFixed(1)), '/s', '15');
    check('at least two of three frames arrive', framesPerSecond > 10, framesPerSecond);
    check('one connection to the relay', station.relay.publications.length === 1, station.relay.publications.length);
    const [output] = station.lastHealth()?.outputs ?? [];
    figure('groups of pictures dropped', output?.droppedGroups ?? 0, '', '0');
  },
};
