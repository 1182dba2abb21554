/** Who may import whom, and what may be written only in one place. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesIn, importsOf, read, root } from './source-files.ts';

const sources = (...folders: readonly string[]) => filesIn(...folders).filter((file) => /\.(ts|tsx|mjs)$/.test(file));

/** Stages that decide: they read no clock, file or socket, so that every case of theirs can be a row of a test. */
const pureFiles = [
  'device/detect/facts.ts',
  'device/detect/inventory.ts',
  'device/profile/resolve.ts',
  'device/plan/pipeline-plan.ts',
  'device/plan/plan.ts',
  'device/plan/picture.ts',
  'device/plan/usb-bandwidth.ts',
  'device/plan/camera-mode.ts',
  'device/plan/encoder-choice.ts',
  'device/plan/choose-picture.ts',
  'device/command-line/describe-hardware.ts',
  'device/settings/accept.ts',
  'device/settings/levels.ts',
  'device/media-host/flv.ts',
  'device/media-host/tag-bus.ts',
  'device/media-host/timeline.ts',
  'device/media-host/planner.ts',
  'device/media-host/connection-state.ts',
  'device/media-host/send-ledger.ts',
  'device/media-host/uplink-meter.ts',
  'device/media-host/bitrate-controller.ts',
  'device/media-host/rate-governor.ts',
  'device/media-host/adts.ts',
  'device/health/health-report.ts',
  'fleet-server/watchdog/decide.ts',
];

describe('rooms', () => {
  test.for([
    ['protocol', ['#protocol/']],
    ['hardware-profiles', ['#hardware-profiles/']],
    ['device', ['#device/', '#protocol/', '#hardware-profiles/']],
    ['fleet-server', ['#fleet-server/', '#protocol/', '#hardware-profiles/']],
    ['fleet-server/web', ['#protocol/']],
  ] as const)('%s imports only what it may', ([room, allowed]) => {
    const files = sources(room).filter((file) => room !== 'fleet-server' || !file.startsWith('fleet-server/web/'));
    const forbidden = files.flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith('#') && !allowed.some((start) => name.startsWith(start)))
        .map((name) => `${file} imports ${name}`),
    );
    expect(files.length).toBeGreaterThan(0);
    expect(forbidden).toEqual([]);
  });

  test('no import climbs out of its folder by dots', () => {
    // The dashboard is one room with a bundler of its own: inside it paths may climb.
    const climbing = sources('protocol', 'hardware-profiles', 'device', 'fleet-server').filter(
      (file) => !file.startsWith('fleet-server/web/') && importsOf(file).some((name) => name.startsWith('../')),
    );
    expect(climbing).toEqual([]);
  });

  test.for([
    ['device/example.ts', "import { x } from '#fleet-server/app.ts';\nexport const y = x;\n"],
    ['fleet-server/example.ts', "import { x } from '#device/agent.ts';\nexport const y = x;\n"],
    ['protocol/example.ts', "import { readFileSync } from 'node:fs';\nexport const y = readFileSync;\n"],
    ['fleet-server/web/example.ts', "import { x } from '#fleet-server/app.ts';\nexport const y = x;\n"],
    ['hardware-profiles/example.ts', "import { x } from '#protocol/topics.ts';\nexport const y = x;\n"],
  ] as const)('the build refuses a forbidden import in %s', ([file, content]) => {
    const folder = mkdtempSync(join(tmpdir(), 'makespacelive-walls-'));
    const { vcs: _ownHistory, ...rules } = JSON.parse(read('biome.json')) as Record<string, unknown>;
    writeFileSync(join(folder, 'biome.json'), JSON.stringify(rules));
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
    const biome = join(root, 'node_modules', '.bin', 'biome');
    const { status, stdout, stderr } = spawnSync(biome, ['lint', file], { cwd: folder, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(stdout + stderr).toContain('noRestrictedImports');
    expect(status).not.toBe(0);
  });
});

describe('one place for each thing', () => {
  test.for(pureFiles.map((file) => [file] as const))('%s imports nothing of Node', ([file]) => {
    expect(importsOf(file).filter((name) => name.startsWith('node:'))).toEqual([]);
  });

  test('topics are spelled only in the protocol', () => {
    expect(sources('device', 'fleet-server').filter((file) => read(file).includes('msl/v1'))).toEqual([]);
  });

  test('SQL stands only in the store and in files named -store', () => {
    const withSql = sources('fleet-server').filter((file) => /\.(selectFrom|insertInto|updateTable|deleteFrom)\(|\bsql`/.test(read(file)));
    expect(withSql.filter((file) => !file.startsWith('fleet-server/store/') && !file.endsWith('-store.ts'))).toEqual([]);
  });

  test('no shell is ever started', () => {
    const shells = sources('device', 'fleet-server', 'setup').filter((file) =>
      /\bexec(Sync)?\(|shell:\s*true/.test(read(file).replaceAll(/\.exec\(/g, '')),
    );
    expect(shells).toEqual([]);
  });
});

/** Tests of how several files of one room play together: they stand in the room's folder under a name of their own. */
const roomTests: readonly string[] = [
  'test/device/detect/plugging.test.ts',
  'test/device/plan/golden.test.ts',
  'test/device/media-host/recording-faults.test.ts',
  'test/device/media-host/recording-proof.test.ts',
  'test/device/faults.test.ts',
  'test/device/plan/run-plan.test.ts',
  'test/device/settings/bad-input.test.ts',
  'test/device/uplink/offline.test.ts',
  'test/fleet-server/alerts/telling-further.test.ts',
  'test/fleet-server/alerts/telling-later.test.ts',
  'test/fleet-server/broker/admission.test.ts',
  'test/fleet-server/broker/aedes-traps.test.ts',
  'test/fleet-server/broker/bounds.test.ts',
  'test/fleet-server/broker/conformance.test.ts',
  'test/fleet-server/broker/external/real-agent.test.ts',
  'test/fleet-server/broker/flood.test.ts',
  'test/fleet-server/broker/device-rights.test.ts',
  'test/fleet-server/broker/messages.test.ts',
  'test/fleet-server/broker/misbehaviour.test.ts',
  'test/fleet-server/broker/takeover.test.ts',
  'test/fleet-server/devices/lying-clock.test.ts',
  'test/fleet-server/http/rights.test.ts',
  'test/fleet-server/rollouts/waves-halted.test.ts',
  'test/fleet-server/relay/access.test.ts',
  'test/fleet-server/relay/adoption.test.ts',
  'test/hardware-profiles/profiles.test.ts',
  'test/setup/systemd/unit.test.ts',
];

describe('tests', () => {
  test('stand where the file stands that they test', () => {
    const mirrored = filesIn('test/protocol', 'test/hardware-profiles', 'test/device', 'test/fleet-server', 'test/setup').filter((file) =>
      file.endsWith('.test.ts'),
    );
    const existing = new Set(filesIn());
    const homeless = mirrored.filter((file) => {
      const source = file.replace(/^test\//, '').replace(/\.test\.ts$/, '');
      return !roomTests.includes(file) && !['.ts', '.tsx', '.mjs', '.sh'].some((ending) => existing.has(`${source}${ending}`));
    });
    expect(homeless).toEqual([]);
  });
});
