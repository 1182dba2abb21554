import { readFile } from 'node:fs/promises';
import { BoardSampler } from '#device/health/board-sampler.ts';
import { systemClock } from '#device/media/clock.ts';
import { until } from '../../until.ts';
import { joinWifi } from '../inside/radios.ts';
import type { Scenario } from '../scenario.ts';

export const wireless: Scenario = {
  name: 'wireless',
  title: 'health tells the signal and the rate of the Wi-Fi that the device has joined',
  boundMs: 150_000,
  async run(laboratory) {
    const { check, figure } = laboratory;
    // Tools are asked seldom: each question here is a sampler's first.
    const sample = () => new BoardSampler({ stateDirectory: laboratory.folder, stateProblem: () => null, clock: systemClock }).sample();
    const before = await sample();
    check('no signal without a radio', before.wifiSignalDbm === undefined, before.wifiSignalDbm);
    const networkInterface = await joinWifi(laboratory);
    await until('a line of the interface', 10_000, async () => (await readFile('/proc/net/wireless', 'utf8')).includes(networkInterface));
    const { wifiSignalDbm, wifiRateMbps } = await sample();
    check('a signal', wifiSignalDbm !== undefined && wifiSignalDbm < 0 && wifiSignalDbm > -120, wifiSignalDbm);
    figure('signal', wifiSignalDbm ?? 0, 'dBm');
    check('a rate', wifiRateMbps !== undefined && wifiRateMbps > 0, wifiRateMbps);
    figure('rate', wifiRateMbps ?? 0, 'Mbit/s');
  },
};
