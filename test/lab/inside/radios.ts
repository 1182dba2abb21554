/** Two radios in the air between them: one is the venue's access point, the other the device's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../until.ts';
import type { Laboratory } from '../scenario.ts';
import { buildInRadios, takeOut } from './modules.ts';

const networkName = 'laboratory';
const channelMHz = 2412;
const associationBoundMs = 60_000;

/** Resolves with the device's interface when it has joined the network. */
export async function joinWifi(laboratory: Laboratory): Promise<string> {
  await buildInRadios(2);
  laboratory.undoLater(() => takeOut('mac80211_hwsim'));
  const [accessPoint = '', station = ''] = await until('two radios', associationBoundMs, async () => {
    const found = (await readdir('/sys/class/net')).filter((name) => name.startsWith('wlan')).sort();
    return found.length === 2 && found;
  });
  const open = `ssid="${networkName}"\n  key_mgmt=NONE`;
  await runSupplicant(laboratory, accessPoint, `network={\n  ${open}\n  mode=2\n  frequency=${channelMHz}\n}\n`);
  await runSupplicant(laboratory, station, `network={\n  ${open}\n  scan_freq=${channelMHz}\n}\n`);
  return station;
}

async function runSupplicant(laboratory: Laboratory, networkInterface: string, configuration: string): Promise<void> {
  const file = join(laboratory.folder, `${networkInterface}.conf`);
  await writeFile(file, configuration);
  const child = spawn('wpa_supplicant', ['-D', 'nl80211', '-i', networkInterface, '-c', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(laboratory.logFile(networkInterface));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.pipe(log, { end: false });
    stream.on('data', (chunk) => {
      text = `${text}${chunk}`.slice(-4000);
    });
  }
  const exited = once(child, 'exit');
  laboratory.undoLater(async () => {
    child.kill('SIGTERM');
    await exited;
    log.end();
  });
  await until(`${networkInterface} in the network`, associationBoundMs, () => /AP-ENABLED|CTRL-EVENT-CONNECTED/.test(text));
}
