import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { detectHardware } from '#device/detect/detect.ts';
import { toInventory } from '#device/detect/inventory.ts';
import { localMachine } from '#device/detect/local-machine.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile } from '#device/profile/resolve.ts';
import { Inventory } from '#protocol/messages.ts';
import { fixture } from './fixture.ts';
import { type MadeUpMachine, toolsOf } from './made-up-machine.ts';

const usb = '/sys/devices/platform/scb/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0/usb1/1-1';
const gstreamer = {
  'gst-inspect-1.0': fixture('gst-inspect.debian-12-x86-64.txt'),
  'gst-inspect-1.0 --version': fixture('gst-inspect-version.debian-12-x86-64.txt'),
  'gst-inspect-1.0 x264enc': fixture('gst-inspect-x264enc.debian-12-x86-64.txt'),
  'gst-inspect-1.0 openh264enc': fixture('gst-inspect-openh264enc.debian-12-x86-64.txt'),
};

function listing(node: string): string {
  return `v4l2-ctl --device ${node} --info --list-formats-ext`;
}

function usbDevice(port: string, id: string, serial: string): Record<string, string> {
  const [vendor = '', product = ''] = id.split(':');
  return {
    [`${port}/idVendor`]: `${vendor}\n`,
    [`${port}/idProduct`]: `${product}\n`,
    [`${port}/serial`]: `${serial}\n`,
    [`${port}/speed`]: '480\n',
  };
}

function node(name: string, label: string, device: string, driver: string, index: string): Pick<MadeUpMachine, 'files' | 'links'> {
  const directory = `/sys/class/video4linux/${name}`;
  return {
    files: { [`${directory}/name`]: `${label}\n`, [`${directory}/index`]: `${index}\n` },
    links: { [`${directory}/device`]: device, [`${directory}/device/driver`]: `/sys/bus/drivers/${driver}` },
  };
}

/** Lines of "path: text" for files and "path -> path" for links. */
function recordedSysfs(name: string): MadeUpMachine {
  const lines = fixture(name).split('\n');
  const pairs = (separator: string) => lines.flatMap((line) => (line.includes(separator) ? [line.split(separator)] : []));
  return {
    files: Object.fromEntries(pairs(': ').map(([path = '', text = '']) => [path, `${text}\n`])),
    links: Object.fromEntries(pairs(' -> ')),
  };
}

function merge(...parts: readonly MadeUpMachine[]): MadeUpMachine {
  return {
    ...(parts.find((part) => part.architecture !== undefined) ?? {}),
    files: Object.assign({}, ...parts.map((part) => part.files ?? {})),
    links: Object.assign({}, ...parts.map((part) => part.links ?? {})),
    programs: Object.assign({}, ...parts.map((part) => part.programs ?? {})),
  };
}

const webcam = merge(
  node('video0', 'C270 HD WEBCAM', `${usb}/1-1.3/1-1.3:1.0`, 'uvcvideo', '0'),
  node('video1', 'C270 HD WEBCAM', `${usb}/1-1.3/1-1.3:1.0`, 'uvcvideo', '1'),
  {
    files: {
      ...usbDevice(`${usb}/1-1.3`, '046d:0825', 'A1B2C3D0'),
      '/proc/asound/cards': fixture('asound-cards.made-up.txt'),
      '/proc/asound/pcm': fixture('asound-pcm.made-up.txt'),
    },
    links: { '/sys/class/sound/card1/device': `${usb}/1-1.3/1-1.3:1.2` },
    programs: {
      [listing('/dev/video0')]: fixture('v4l2-ctl-c270.made-up.txt'),
      [listing('/dev/video1')]: fixture('v4l2-ctl-c270-metadata.made-up.txt'),
      ...gstreamer,
    },
  },
);

const name = 'usb-046d-0825-A1B2C3D0-0000_01_00.0-1.3';
const identity = { id: '046d:0825', serial: 'A1B2C3D0', port: '1-1.3', place: '0000:01:00.0-1.3', speedMbps: 480 };

const byIdLink: MadeUpMachine = {
  links: {
    '/dev/v4l/by-id/usb-046d_C270_HD_WEBCAM_A1B2C3D0-video-index0': '/dev/video0',
    '/dev/v4l/by-path/platform-fd500000.pcie-usb-0:1.3:1.0-video-index0': '/dev/video0',
  },
};

const cameraModule = merge(
  node('video10', 'unicam-image', '/sys/devices/platform/soc/fe801000.csi', 'unicam', '0'),
  node('video13', 'bcm2835-isp-capture0', '/sys/devices/platform/soc/bcm2835-isp', 'bcm2835-isp', '0'),
  node('video11', 'bcm2835-codec-encode', '/sys/devices/platform/soc/bcm2835-codec', 'bcm2835-codec', '0'),
  {
    files: { '/sys/class/video4linux/v4l-subdev0/name': 'imx219 10-0010\n' },
    links: { '/sys/class/video4linux/v4l-subdev0/device/of_node': '/sys/firmware/devicetree/base/soc/i2c0mux/i2c@1/imx219@10' },
  },
);

test('a webcam: one camera of its two nodes, with its own microphone', async () => {
  const hardware = await detectHardware(toolsOf(merge(webcam, byIdLink)));
  expect(hardware.cameras).toHaveLength(1);
  expect(hardware.cameras[0]).toMatchObject({
    id: 'usb-046d-0825-A1B2C3D0-0000_01_00.0-1.3',
    name: 'C270 HD WEBCAM',
    driver: 'uvcvideo',
    path: '/dev/video0',
    kind: 'v4l2',
    usb: identity,
    links: Object.keys(byIdLink.links ?? {}).toSorted(),
  });
  expect(hardware.microphones).toEqual([
    {
      id: 'usb-046d-0825-A1B2C3D0-0000_01_00.0-1.3-audio-0',
      name: 'C270 HD WEBCAM',
      card: 1,
      cardId: 'WEBCAM',
      device: 0,
      alsaDevice: 'hw:1,0',
      usb: identity,
      cameraId: 'usb-046d-0825-A1B2C3D0-0000_01_00.0-1.3',
    },
  ]);
  expect(hardware.problems).toEqual([]);
});

const videoClass = { files: { [`${usb}/1-1.3/1-1.3:1.0/bInterfaceClass`]: '0e\n' } };
const soundClass = { files: { [`${usb}/1-1.3/1-1.3:1.2/bInterfaceClass`]: '01\n' } };
const notReady = { kind: 'finished', exitCode: 1, stdout: '', stderr: 'Failed to open /dev/video0: Permission denied\n' } as const;
const notUsable: MadeUpMachine = { programs: { [listing('/dev/video0')]: notReady, [listing('/dev/video1')]: notReady } };

test.each<[string, MadeUpMachine, string | null]>([
  ['whose node udev has not given to anybody yet', merge(webcam, videoClass, soundClass, notUsable), name],
  ['that is none', merge(webcam, soundClass, notUsable), null],
])('the microphone of a webcam %s', async (_name, machine, cameraId) => {
  const { cameras, microphones } = await detectHardware(toolsOf(machine));
  expect(cameras).toEqual([]);
  expect(microphones.map((microphone) => microphone.cameraId)).toEqual([cameraId]);
});

test('without udev it has the same name', async () => {
  const { cameras } = await detectHardware(toolsOf(webcam));
  expect(cameras.map((camera) => camera.id)).toEqual(['usb-046d-0825-A1B2C3D0-0000_01_00.0-1.3']);
});

test('two cameras that share one place in sysfs have an id each', async () => {
  const cameras = fixture('v4l2-ctl-vivid-first.debian-12-x86-64.txt');
  const formats = cameras.slice(cameras.indexOf('ioctl: VIDIOC_ENUM_FMT'));
  const machine = merge(recordedSysfs('sysfs-vivid.debian-12-x86-64.txt'), {
    files: {
      '/proc/asound/cards': fixture('asound-cards-loopback.debian-12-x86-64.txt'),
      '/proc/asound/pcm': fixture('asound-pcm-loopback.debian-12-x86-64.txt'),
    },
    programs: {
      [listing('/dev/video0')]: cameras,
      [listing('/dev/video1')]: `${fixture('v4l2-ctl-vivid-second-info.debian-12-x86-64.txt')}${formats}`,
      ...gstreamer,
    },
  });
  const hardware = await detectHardware(toolsOf(machine));
  expect(hardware.cameras.map(({ id, path, driver, usb, modes }) => [id, path, driver, usb, modes.length])).toEqual([
    ['platform-vivid-000', '/dev/video0', 'vivid', null, 498],
    ['platform-vivid-001', '/dev/video1', 'vivid', null, 498],
  ]);
  expect(hardware.microphones.map(({ id, alsaDevice, cameraId }) => [id, alsaDevice, cameraId])).toEqual([
    ['card-Loopback-audio-0', 'hw:0,0', null],
    ['card-Loopback-audio-1', 'hw:0,1', null],
  ]);
  expect(hardware.problems).toEqual([]);
});

test('two webcams of one model in ports of one number, of the USB 2 and the USB 3 bus, keep their names in whatever order they come', async () => {
  const controller = '/sys/devices/pci0000:00/0000:00:14.0';
  const ports = { slow: `${controller}/usb1/1-2`, fast: `${controller}/usb2/2-2` };
  const named = async (...order: readonly (keyof typeof ports)[]) => {
    const plugged = order.map((name, card) => {
      const port = ports[name];
      return merge(node(`video${card}`, 'Webcam', `${port}/x:1.0`, 'uvcvideo', '0'), {
        files: { ...usbDevice(port, '1234:0001', ''), [`${port}/speed`]: name === 'slow' ? '480\n' : '5000\n' },
        links: { [`/sys/class/sound/card${card}/device`]: `${port}/x:1.2` },
        programs: { [listing(`/dev/video${card}`)]: fixture('v4l2-ctl-c270.made-up.txt') },
      });
    });
    const cards = {
      '/proc/asound/cards': order.map((_, card) => ` ${card} [Webcam${card}        ]: USB-Audio - Webcam\n`).join(''),
      '/proc/asound/pcm': order.map((_, card) => `0${card}-00: USB Audio : USB Audio : capture 1\n`).join(''),
    };
    const { cameras, microphones } = await detectHardware(toolsOf(merge(...plugged, { files: cards, programs: gstreamer })));
    return {
      cameras: cameras.map(({ id, path }) => [id, order[Number(path.at(-1))]]),
      microphones: microphones.map(({ id, card, cameraId }) => [id, order[card], cameraId]),
    };
  };
  const name = 'usb-1234-0001-0000_00_14.0-2';
  const expected = {
    cameras: [
      [name, 'slow'],
      [`${name}-2`, 'fast'],
    ],
    microphones: [
      [`${name}-audio-0`, 'slow', name],
      [`${name}-audio-0-2`, 'fast', `${name}-2`],
    ],
  };
  expect(await named('slow', 'fast')).toEqual(expected);
  expect(await named('fast', 'slow')).toEqual(expected);
});

test('sound cards that only play are told from microphones', async () => {
  const { microphones, playingCards } = await detectHardware(
    toolsOf({
      files: {
        '/proc/asound/cards':
          ' 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0\n                      vc4-hdmi-0\n 1 [C270           ]: USB-Audio - C270 HD WEBCAM\n                      x\n',
        '/proc/asound/pcm': '00-00: MAI PCM i2s-hifi-0 : MAI PCM i2s-hifi-0 : playback 1\n01-00: USB Audio : USB Audio : capture 1\n',
      },
    }),
  );
  expect(microphones.map(({ alsaDevice }) => alsaDevice)).toEqual(['hw:1,0']);
  expect(playingCards).toEqual(['vc4-hdmi-0']);
});

test('two cameras in one USB device have an id each', async () => {
  const second = merge(node('video2', 'C270 HD WEBCAM', `${usb}/1-1.3/1-1.3:1.4`, 'uvcvideo', '0'), {
    programs: { [listing('/dev/video2')]: fixture('v4l2-ctl-c270.made-up.txt') },
  });
  const { cameras } = await detectHardware(toolsOf(merge(webcam, second)));
  expect(cameras.map(({ id, path }) => [id, path])).toEqual([
    ['usb-046d-0825-A1B2C3D0-0000_01_00.0-1.3', '/dev/video0'],
    ['usb-046d-0825-A1B2C3D0-0000_01_00.0-1.3-1.4', '/dev/video2'],
  ]);
});

test('the same webcam under another number keeps its id', async () => {
  const moved = merge(node('video4', 'C270 HD WEBCAM', `${usb}/1-1.3/1-1.3:1.0`, 'uvcvideo', '0'), {
    files: usbDevice(`${usb}/1-1.3`, '046d:0825', 'A1B2C3D0'),
    programs: { [listing('/dev/video4')]: fixture('v4l2-ctl-c270.made-up.txt'), ...gstreamer },
  });
  const { cameras } = await detectHardware(toolsOf(moved));
  expect(cameras.map(({ id, path }) => [id, path])).toEqual([['usb-046d-0825-A1B2C3D0-0000_01_00.0-1.3', '/dev/video4']]);
});

test('two webcams stand in the order of their ports, whatever their numbers are', async () => {
  const second = merge(node('video2', 'HD Pro Webcam C920', `${usb}/1-1.2/1-1.2:1.0`, 'uvcvideo', '0'), {
    files: usbDevice(`${usb}/1-1.2`, '046d:082d', ''),
    programs: { [listing('/dev/video2')]: fixture('v4l2-ctl-c920.made-up.txt') },
  });
  const { cameras } = await detectHardware(toolsOf(merge(webcam, second)));
  expect(cameras.map((camera) => camera.path)).toEqual(['/dev/video2', '/dev/video0']);
  expect(cameras[0]?.usb).toEqual({ id: '046d:082d', serial: null, port: '1-1.2', place: '0000:01:00.0-1.2', speedMbps: 480 });
});

test('a camera module is never a webcam; with libcamerasrc it is a camera', async () => {
  const without = await detectHardware(toolsOf(merge(cameraModule, { programs: gstreamer })));
  expect(without.cameras).toEqual([]);
  expect(without.problems).toEqual([{ subject: 'libcamera', problem: expect.stringContaining('libcamerasrc') }]);

  const list = `${gstreamer['gst-inspect-1.0']}libcamera:  libcamerasrc: libcamera Source\n`;
  const having = await detectHardware(toolsOf(merge(cameraModule, { programs: { ...gstreamer, 'gst-inspect-1.0': list } })));
  expect(having.cameras).toEqual([
    {
      id: 'libcamera-imx219-i2c_1',
      name: 'imx219',
      driver: 'libcamera',
      path: '/base/soc/i2c0mux/i2c@1/imx219@10',
      links: [],
      kind: 'libcamera',
      usb: null,
      modes: [],
    },
  ]);
});

test('two camera modules of a kind have a name each; one whose place is not told has its sensor’s', async () => {
  const files = {
    '/sys/class/video4linux/v4l-subdev0/name': 'imx708 10-001a\n',
    '/sys/class/video4linux/v4l-subdev2/name': 'imx708 11-001a\n',
  };
  const tree = '/sys/firmware/devicetree/base/axi/pcie@120000/rp1';
  const links = {
    '/sys/class/video4linux/v4l-subdev0/device/of_node': `${tree}/i2c@88000/imx708@1a`,
    '/sys/class/video4linux/v4l-subdev2/device/of_node': `${tree}/i2c@80000/imx708@1a`,
  };
  const pi5 = merge(node('video0', 'rp1-cfe-csi2_ch0', '/sys/devices/platform/axi/1f00110000.csi', 'rp1-cfe', '0'), { files });
  const programs = { ...gstreamer, 'gst-inspect-1.0': `${gstreamer['gst-inspect-1.0']}libcamera:  libcamerasrc: libcamera Source\n` };
  const known = await detectHardware(toolsOf(merge(pi5, { links, programs })));
  expect(known.cameras.map(({ id, path }) => [id, path])).toEqual([
    ['libcamera-imx708-i2c_80000', '/base/axi/pcie@120000/rp1/i2c@80000/imx708@1a'],
    ['libcamera-imx708-i2c_88000', '/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a'],
  ]);
  const { cameras } = await detectHardware(toolsOf(merge(pi5, { programs })));
  expect(cameras.map(({ id, path }) => [id, path])).toEqual([
    ['libcamera-imx708', ''],
    ['libcamera-imx708-2', ''],
  ]);
});

test('a device tree’s model, without its zero byte', async () => {
  const { board } = await detectHardware(
    toolsOf({ architecture: 'aarch64', files: { '/proc/device-tree/model': 'Raspberry Pi 4 Model B Rev 1.5\0' } }),
  );
  expect(board).toEqual({ model: 'Raspberry Pi 4 Model B Rev 1.5', architecture: 'aarch64' });
});

test('an empty machine without any tool gives facts and problems, no error', async () => {
  const hardware = await detectHardware(toolsOf({}));
  expect(hardware).toMatchObject({ cameras: [], microphones: [], encoders: [], gstreamerVersion: null, board: { model: null } });
  expect(hardware.problems).toEqual([{ subject: 'gst-inspect-1.0', problem: 'gst-inspect-1.0 is not installed' }]);
});

test.each([
  ['does not answer', { kind: 'failed', reason: 'v4l2-ctl gave no answer within 2000 ms' } as const, 'gave no answer within 2000 ms'],
  ['cannot be opened', { kind: 'finished', exitCode: 1, stdout: '' } as const, 'ended with 1'],
  ['names no format', fixture('v4l2-ctl-old-format.made-up.txt').split('ioctl')[0] ?? '', 'no picture format'],
])('a camera that %s is a problem, not a camera', async (_name, answer, problem) => {
  const { cameras, problems } = await detectHardware(toolsOf(merge(webcam, { programs: { [listing('/dev/video0')]: answer } })));
  expect(cameras).toEqual([]);
  expect(problems).toEqual([{ subject: '/dev/video0', problem: expect.stringContaining(problem) }]);
});

test('this machine: encoders with their properties, in less than the time that a first picture can wait', async () => {
  const startedAt = performance.now();
  const hardware = await detectHardware(localMachine());
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(hardware.encoders.map((encoder) => encoder.element)).toContain('x264enc');
  expect(hardware.encoders.find((encoder) => encoder.element === 'x264enc')?.properties.length).toBeGreaterThan(20);
  expect(hardware.gstreamerVersion).toMatch(/^1\.\d+/);
});

test('the inventory fits its schema', async () => {
  const hardware = await detectHardware(toolsOf(merge(webcam, byIdLink)));
  const inventory = toInventory(hardware, resolveProfile(hardware, await loadProfiles()));
  expect(Compile(Inventory).Check(inventory)).toBe(true);
  expect(inventory).toMatchObject({
    board: { id: 'generic-x86-64', architecture: 'x86_64' },
    cameras: [{ usbId: '046d:0825', nativeH264: false }],
    encoders: ['openh264enc', 'x264enc'],
  });
});
