/** Cameras: V4L2 nodes that pictures can be taken from, and camera modules that libcamera drives. */
import type { CameraFact, UsbIdentity } from '#device/detect/facts.ts';
import type { DetectionTools, ReportProblem } from '#device/detect/tools.ts';
import { whyNotOpened } from '#device/detect/unusable-cameras.ts';
import { readUsbIdentity, safeForId, usbName, withDistinctIds } from '#device/detect/usb.ts';
import { isCaptureNode, parseV4l2Info, parseVideoModes } from '#device/detect/v4l2.ts';

/** Half a second on a small board, several on one that has just booted and reads from a slow card. */
const commandTimeoutMs = 5000;
/** A Raspberry Pi has about twenty nodes of its own. */
const maximumNodes = 64;
const classDirectory = '/sys/class/video4linux';
const firstInterface = '1.0';

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
  const modules = hasReceiver ? await readCameraModules(tools, names) : [];
  return withDistinctIds([...found.toSorted(byPlace), ...modules]);
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
    report(node.path, `${node.label}: ${whyNotOpened(outcome.exitCode, outcome.stderr ?? '')}`);
    return null;
  }
  if (!isCaptureNode(info)) return null;
  const modes = parseVideoModes(outcome.stdout);
  if (modes.length === 0) {
    report(node.path, `${info.card}: the camera names no picture format`);
    return null;
  }
  return {
    id: cameraId(node, info.busInfo, usb),
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
 * Not udev's link by id: where two cameras of one model have the same serial number or none there is one link for both, and it
 * leads to the one that came last. Off USB, the driver's bus info tells apart what shares one place in sysfs (VIDIOC_QUERYCAP
 * wants it to be unique).
 */
function cameraId(node: VideoNode, busInfo: string, usb: UsbIdentity | null): string {
  const index = node.index === '0' ? [] : [`index${safeForId(node.index)}`];
  if (usb === null) return [safeForId(platformPlace(node, busInfo)), ...index].join('-');
  // One USB device may hold two cameras (a pair for depth): each is an interface of its own.
  const interfaceName = node.device?.split('/').at(-1)?.split(':')[1] ?? firstInterface;
  const part = interfaceName === firstInterface ? [] : [safeForId(interfaceName)];
  return [usbName(usb), ...part, ...index].join('-');
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

/** The sensors' sub-devices are named "imx219 10-0010": driver, I2C bus and address. */
async function readCameraModules(tools: DetectionTools, names: readonly string[]): Promise<readonly CameraFact[]> {
  const subdevices = names.filter((name) => name.startsWith('v4l-subdev')).slice(0, maximumNodes);
  const modules = await Promise.all(
    subdevices.map(async (name) => {
      const directory = `${classDirectory}/${name}`;
      const [label, firmwareNode] = await Promise.all([tools.readFile(`${directory}/name`), tools.realPath(`${directory}/device/of_node`)]);
      const sensor = /^((?:imx|ov|gc|ar)\d+\w*) \d+-[0-9a-f]{4}$/.exec(label?.trim() ?? '')?.[1];
      return sensor === undefined ? [] : [cameraModule(sensor, firmwareNode)];
    }),
  );
  return modules.flat().toSorted((left, right) => byNumber(left.path, right.path));
}

/** libcamera calls a camera by its sensor's place in the device tree, below "/base". */
function cameraModule(sensor: string, firmwareNode: string | null): CameraFact {
  const path = /^\/sys\/firmware\/devicetree(\/base\/.+)$/.exec(firmwareNode ?? '')?.[1] ?? '';
  // "/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a": the bus tells two modules of a kind apart.
  const bus = path.split('/').at(-2) ?? '';
  const id = ['libcamera', sensor, ...(bus === '' ? [] : [safeForId(bus)])].join('-');
  return { id, name: sensor, driver: 'libcamera', path, links: [], kind: 'libcamera', usb: null, modes: [] };
}

function byNumber(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}

/** By where it is plugged in: which camera is the first one does not depend on the order of their finding. */
function byPlace(left: CameraFact, right: CameraFact): number {
  const place = ({ usb, id }: CameraFact) => `${usb?.place ?? ''} ${id} ${usb?.speedMbps ?? 0}`;
  return byNumber(place(left), place(right));
}
