/** Cameras: V4L2 nodes that pictures can be taken from, and camera modules that libcamera drives. */
import type { CameraFact, UsbIdentity } from '#device/detect/facts.ts';
import type { DetectionTools, ReportProblem } from '#device/detect/tools.ts';
import { readUsbIdentity, safeForId } from '#device/detect/usb.ts';
import { isCaptureNode, parseV4l2Info, parseVideoModes } from '#device/detect/v4l2.ts';

/** Half a second on a small board, several on one that has just booted and reads from a slow card. */
const commandTimeoutMs = 5000;
/** A Raspberry Pi has about twenty nodes of its own. */
const maximumNodes = 64;
const classDirectory = '/sys/class/video4linux';

/** Drivers whose nodes are parts of a camera pipeline, of an image processor or of a codec: never a webcam. */
const internalDrivers: readonly string[] = [
  'unicam',
  'bcm2835-unicam',
  'bcm2835-isp',
  'bcm2835-codec',
  'rp1-cfe',
  'pispbe',
  'rpi-hevc-dec',
  'rpivid',
];
/** Those that receive a sensor's pictures for libcamera. */
const receiverDrivers: readonly string[] = ['unicam', 'bcm2835-unicam', 'rp1-cfe'];

type VideoNode = {
  readonly name: string;
  readonly path: string;
  readonly driver: string;
  readonly label: string;
  /** The directory of the device in /sys/devices. */
  readonly device: string | null;
  readonly index: string;
};

export async function detectCameras(tools: DetectionTools, report: ReportProblem): Promise<readonly CameraFact[]> {
  const names = (await tools.readDirectory(classDirectory)).toSorted(byNumber);
  const videoNames = names.filter((name) => /^video\d+$/.test(name));
  if (videoNames.length > maximumNodes)
    report(classDirectory, `only the first ${maximumNodes} of ${videoNames.length} nodes were looked at`);
  const [links, nodes] = await Promise.all([
    readLinks(tools),
    Promise.all(videoNames.slice(0, maximumNodes).map((name) => readNode(tools, name))),
  ]);
  const isInternal = (driver: string) => internalDrivers.includes(driver);
  const webcams = await Promise.all(
    nodes.filter((node) => !isInternal(node.driver)).map((node) => readCamera(tools, node, links.get(node.path) ?? [], report)),
  );
  const found = webcams.flatMap((camera) => (camera === null || isInternal(camera.driver) ? [] : [camera]));
  const hasReceiver = nodes.some((node) => receiverDrivers.includes(node.driver));
  const module = hasReceiver ? await readCameraModule(tools, names) : null;
  return withDistinctIds([...found.toSorted(byPort), ...(module === null ? [] : [module])]);
}

async function readNode(tools: DetectionTools, name: string): Promise<VideoNode> {
  const directory = `${classDirectory}/${name}`;
  const [label, index, device, driver] = await Promise.all([
    tools.readFile(`${directory}/name`),
    tools.readFile(`${directory}/index`),
    tools.realPath(`${directory}/device`),
    tools.realPath(`${directory}/device/driver`),
  ]);
  return {
    name,
    path: `/dev/${name}`,
    driver: driver?.split('/').at(-1) ?? '',
    label: label?.trim() ?? '',
    device,
    index: index?.trim() ?? '0',
  };
}

/** Null for a node that gives no pictures. */
async function readCamera(
  tools: DetectionTools,
  node: VideoNode,
  links: readonly string[],
  report: ReportProblem,
): Promise<CameraFact | null> {
  const [outcome, usb] = await Promise.all([
    tools.run('v4l2-ctl', ['--device', node.path, '--info', '--list-formats-ext'], commandTimeoutMs),
    readUsbIdentity(tools, node.device),
  ]);
  if (outcome.kind === 'failed') {
    report(node.path, `${node.label}: ${outcome.reason}`);
    return null;
  }
  const info = parseV4l2Info(outcome.stdout);
  if (info === null) {
    report(node.path, `${node.label}: v4l2-ctl ended with ${outcome.exitCode} and told nothing of the driver`);
    return null;
  }
  if (!isCaptureNode(info)) return null;
  const modes = parseVideoModes(outcome.stdout);
  if (modes.length === 0) {
    report(node.path, `${info.card}: the camera names no picture format`);
    return null;
  }
  return {
    id: cameraId(node, info.busInfo, usb, links),
    name: info.card === '' ? node.label : info.card,
    driver: info.driver,
    path: node.path,
    links,
    kind: 'v4l2',
    usb,
    modes,
  };
}

/**
 * udev's link by id when there is one; without udev (in containers), the USB port and serial; else the driver's bus info, which
 * tells apart what shares one place in sysfs (V4L2's VIDIOC_QUERYCAP wants it to be unique).
 */
function cameraId(node: VideoNode, busInfo: string, usb: UsbIdentity | null, links: readonly string[]): string {
  const byId = links.find((link) => link.startsWith('/dev/v4l/by-id/'));
  if (byId !== undefined) return safeForId(byId.slice('/dev/v4l/by-id/'.length));
  const place = usb === null ? platformPlace(node, busInfo) : ['usb', usb.port, usb.serial].filter(Boolean).join('-');
  return `${safeForId(place)}-video-index${safeForId(node.index)}`;
}

function platformPlace(node: VideoNode, busInfo: string): string {
  if (busInfo !== '') return busInfo.replace(':', '-');
  return `platform-${node.device?.split('/').at(-1) ?? node.name}`;
}

/** Links under /dev/v4l by the node that they lead to. */
async function readLinks(tools: DetectionTools): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = await Promise.all(
    ['/dev/v4l/by-id', '/dev/v4l/by-path'].map(async (directory) => {
      const names = (await tools.readDirectory(directory)).toSorted().slice(0, maximumNodes * 2);
      return await Promise.all(
        names.map(async (name) => ({ link: `${directory}/${name}`, node: await tools.realPath(`${directory}/${name}`) })),
      );
    }),
  );
  const links = new Map<string, readonly string[]>();
  for (const { link, node } of found.flat()) {
    if (node !== null) links.set(node, [...(links.get(node) ?? []), link]);
  }
  return links;
}

/** The sensor's sub-device is named "imx219 10-0010": driver, I2C bus and address. */
async function readCameraModule(tools: DetectionTools, names: readonly string[]): Promise<CameraFact | null> {
  const labels = await Promise.all(
    names.filter((name) => name.startsWith('v4l-subdev')).map((name) => tools.readFile(`${classDirectory}/${name}/name`)),
  );
  const sensor = labels.map((label) => /^((?:imx|ov|gc|ar)\d+\w*) \d+-[0-9a-f]{4}$/.exec(label?.trim() ?? '')?.[1]).find(Boolean);
  if (sensor === undefined) return null;
  return { id: `libcamera-${sensor}`, name: sensor, driver: 'libcamera', path: '', links: [], kind: 'libcamera', usb: null, modes: [] };
}

function byNumber(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}

/** One USB device may hold two cameras (a pair for depth), each the first of its own interface. */
function withDistinctIds(cameras: readonly CameraFact[]): readonly CameraFact[] {
  return cameras.map((camera, index) => {
    const before = cameras.slice(0, index).filter(({ id }) => id === camera.id).length;
    return before === 0 ? camera : { ...camera, id: `${camera.id}-${before + 1}` };
  });
}

/** By where it is plugged in: which camera is the first one does not depend on the order of their finding. */
function byPort(left: CameraFact, right: CameraFact): number {
  const place = (camera: CameraFact) => `${camera.usb?.port ?? ''} ${camera.id}`;
  return byNumber(place(left), place(right));
}
