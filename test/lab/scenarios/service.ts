import { timeUntil, until } from '../../until.ts';
import { buildInCameras, buildInSoundCard, paintCamera, playTone, takeOut } from '../inside/modules.ts';
import { giveDevicesToTheirGroups, openService } from '../inside/service.ts';
import { smallPicture, streamingStation } from '../inside/station.ts';
import { isColour, listen, watch } from '../inside/viewer.ts';
import type { Scenario } from '../scenario.ts';

const boundMs = 60_000;
const audibleDecibels = -45;
/** A third of what the unit says, so that the scenario need not wait for it. */
const watchdogS = 20;

export const service: Scenario = {
  name: 'service',
  title: 'systemd starts the agent as its unit says, again when it dies or hangs while the stream goes on, and ends it in order',
  boundMs: 400_000,
  async run(laboratory) {
    const { check, figure, undoLater } = laboratory;
    await buildInSoundCard();
    undoLater(() => takeOut('snd-aloop'));
    await buildInCameras(1);
    undoLater(() => takeOut('vivid'));
    await paintCamera('/dev/video0', 'green');
    await playTone(laboratory, 0);
    await giveDevicesToTheirGroups();
    const systemd = await openService(laboratory, `[Service]\nWatchdogSec=${watchdogS}\n`);

    const begin = performance.now();
    const station = await streamingStation(laboratory, smallPicture, systemd.place);
    figure('from its start as a service to a running capture', Math.round(performance.now() - begin), 'ms');
    check('it is active', (await systemd.property('ActiveState')) === 'active');
    check('it runs as its own user', systemd.agentProcess() !== null && systemd.userId > 0, systemd.processes());
    const viewer = await watch(laboratory, station.address);
    await until('the camera at the far side', boundMs, () => isColour(viewer.frames.at(-1), 'green'));
    check('the microphone is heard', (await listen(station.address, 2)) > audibleDecibels);
    const statusText = await until('a word on what is streamed', boundMs, () => systemd.property('StatusText'));
    check('its status names the picture', statusText.includes('320x180'), statusText);

    const again = async (what: string, signal: 'SIGKILL' | 'SIGSTOP') => {
      const before = systemd.agentProcess();
      if (before === null) throw new Error('expected an agent to end');
      process.kill(before, signal);
      const tookMs = await timeUntil('another agent', boundMs, () => ![null, before].includes(systemd.agentProcess()));
      figure(`${what}: another one after`, tookMs, 'ms');
      await until('it to be ready', boundMs, async () => (await systemd.property('ActiveState')) === 'active');
      check('  one connection to the relay all the time', station.relay.publications.length === 1, station.relay.publications.length);
      check('  the viewer was never cut off', viewer.isWatching());
    };
    await again('the agent is killed', 'SIGKILL');
    await again(`the agent hangs, the watchdog is at ${watchdogS} s`, 'SIGSTOP');
    const restarts = await systemd.property('NRestarts');
    check('systemd has counted both', restarts === '2', restarts);
    const { length } = viewer.frames;
    await until('the picture goes on', boundMs, () => viewer.frames.length > length + 15);

    const stopMs = await timeUntil('it to stop', boundMs, () => systemd.systemctl('stop', 'makespacelive-agent.service').then(() => true));
    figure('stopped after', stopMs, 'ms');
    check('nothing of it is left', systemd.processes().length === 0, systemd.processes());
    const result = await systemd.property('Result');
    check('it ended in order', result === 'success', result);
  },
};
