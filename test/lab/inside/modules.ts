/** The hardware of the laboratory is drivers of the kernel: to load one is to build the hardware in, to unbind one is to pull the plug. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { until } from '../../until.ts';
import type { Laboratory } from '../scenario.ts';
import type { Colour } from './viewer.ts';

const run = promisify(execFile);

/** A driver whose program still holds a device keeps whoever waits for its end. */
const driverBoundMs = 15_000;

/** Of vivid's menus. */
const noText = 2;
const testPatterns: Readonly<Record<Colour | 'noise', number>> = { red: 7, green: 8, noise: 21 };

/** Webcams with a capture node each, and nothing of the TV receiver that vivid can be as well. */
export async function buildInCameras(number: number): Promise<void> {
  const each = (value: string) => Array.from({ length: number }, () => value).join(',');
  await run('modprobe', ['vivid', `n_devs=${number}`, `node_types=${each('0x1')}`, `input_types=${each('0x00')}`]);
  await until(`${number} cameras`, driverBoundMs, () => cameraNodes().length === number);
}

/** Sound played to one device of the card is what the same subdevice of its other device captures. */
export async function buildInSoundCard(): Promise<void> {
  await run('modprobe', ['snd-aloop', 'pcm_substreams=1']);
  await until('the sound card', driverBoundMs, () => existsSync('/dev/snd/controlC0'));
}

/** Radios that hear each other, as networks wlan0 and following. */
export async function buildInRadios(number: number): Promise<void> {
  await run('modprobe', ['mac80211_hwsim', `radios=${number}`]);
}

/** Sockets for USB webcams, and the drivers of what is plugged into them: nothing looks for a driver by itself here. */
export async function openSockets(): Promise<void> {
  await run('modprobe', ['--all', 'vhci-hcd', 'uvcvideo', 'snd-usb-audio']);
}

/** What a line between two networks consists of. The kernel would look for these in its first file system, where they are not. */
export async function loadNetworkModules(): Promise<void> {
  await run('modprobe', ['--all', 'veth', 'sch_netem']);
}

export async function takeOut(module: 'vivid' | 'snd-aloop' | 'mac80211_hwsim'): Promise<void> {
  await run('modprobe', ['--remove', module], { timeout: driverBoundMs });
}

const plugs = {
  cameras: { driver: '/sys/bus/platform/drivers/vivid', device: 'vivid.0' },
  'sound-card': { driver: '/sys/bus/platform/drivers/snd_aloop', device: 'snd_aloop.0' },
} as const;

/** Resolves when the driver has let go; a sound card waits for the program that holds it. */
export async function unplug(what: keyof typeof plugs): Promise<void> {
  await writeFile(`${plugs[what].driver}/unbind`, plugs[what].device);
}

export async function plugIn(what: keyof typeof plugs): Promise<void> {
  await writeFile(`${plugs[what].driver}/bind`, plugs[what].device);
}

export function cameraNodes(): readonly string[] {
  return readdirSync('/dev')
    .filter((name) => /^video\d+$/.test(name))
    .map((name) => `/dev/${name}`)
    .sort();
}

/** The whole picture in one colour or of noise, which takes every bit that an encoder may give; without the numbers that the driver else writes into it. */
export async function paintCamera(node: string, picture: Colour | 'noise'): Promise<void> {
  await run('v4l2-ctl', ['--device', node, `--set-ctrl=test_pattern=${testPatterns[picture]},osd_text_mode=${noText}`], {
    timeout: driverBoundMs,
  });
}

/**
 * Plays a tone into one device of the sound card until the scenario is over: it is heard at the other one. Both have one format, that of
 * the first who opens: a player that meets somebody who just opens or closes the other fails, and begins anew.
 */
export async function playTone(laboratory: Laboratory, heardAtDevice: 0 | 1): Promise<void> {
  const sink = ['alsasink', `device=hw:Loopback,${1 - heardAtDevice}`];
  const words = ['audiotestsrc', 'volume=0.5', '!', 'audioconvert', '!', 'audioresample', '!', ...sink];
  const play = () => {
    const child = spawn('gst-launch-1.0', ['-q', ...words], { stdio: ['ignore', 'inherit', 'inherit'] });
    return { child, exited: once(child, 'exit') };
  };
  let player = play();
  laboratory.undoLater(async () => {
    player.child.kill('SIGKILL');
    await player.exited;
  });
  const status = `/proc/asound/Loopback/pcm${1 - heardAtDevice}p/sub0/status`;
  await until('the tone to play', driverBoundMs, async () => {
    if (player.child.exitCode !== null) player = play();
    return (await readFile(status, 'utf8')).includes('RUNNING');
  });
}

/** Processes that have a device open, also one whose node is gone by now. */
export function holdersOf(node: string): readonly string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && openFilesOf(name).some((file) => file.split(' ')[0] === node));
}

function openFilesOf(processId: string): readonly string[] {
  const folder = `/proc/${processId}/fd`;
  try {
    return readdirSync(folder).map((name) => readlinkSync(`${folder}/${name}`));
  } catch {
    // It ended, or closed one of them, while it was looked at.
    return [];
  }
}
