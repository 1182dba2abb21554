import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Check } from '#protocol/compile.ts';
import { compile } from '#protocol/compile.ts';
import { decodeDownward } from '#protocol/envelope.ts';
import { EnrolmentAnswer } from '#protocol/model/enrolment.ts';
import { writtenChecksModule } from '#setup/bundle/written-checks.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const folderName = `agent-of-test-${process.pid}`;
const folder = join(root, '.build', folderName);

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'setup', 'bundle-agent.ts'), folderName], { cwd: root });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the bundle', () => {
  test('plans a pipeline', () => {
    const printed = execFileSync(process.execPath, [join(folder, 'agent.js'), '--print-pipeline'], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: tmpdir(), AV_VIDEO_SOURCE: 'test' },
    });
    expect(printed).toContain('pipeline: flvmux');
  });

  test('carries neither TypeBox nor what MQTT.js has for browsers', () => {
    const scripts = readdirSync(folder).filter((name) => name.endsWith('.js'));
    const text = scripts.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
    const unwanted = ['~kind', 'SocksClient', 'errorOrDestroy'];
    expect(unwanted.filter((word) => text.includes(word))).toEqual([]);
    expect(text.length).toBeLessThan(1_100_000);
  });

  test('says of a wrong message what the sources say of it', () => {
    const { explain } = createRequire(import.meta.url)(join(folder, 'explain-checks.cjs')) as {
      explain: (name: string, value: unknown) => readonly { instancePath: string; message: string }[];
    };
    const wrong = { v: 1, sentAt: '2026-11-21T08:00:00.000Z', body: { id: 'command-1', kind: 'RESTART', arguments: {}, deadline: 'soon' } };
    const decoded = decodeDownward('command', Buffer.from(JSON.stringify(wrong)));
    const [first] = explain('envelope-command', wrong);
    expect(decoded).toMatchObject({ code: 'wrong-shape', message: `${first?.instancePath} ${first?.message}` });
  });
});

describe('a written check', () => {
  test.for([
    ['what fits', { deviceId: 'd-1234', credential: 'c'.repeat(43) }, true],
    ['a field too many', { deviceId: 'd-1234', credential: 'c'.repeat(43), more: 1 }, true],
    ['characters of two units, enough of them', { deviceId: 'd-1234', credential: '😀'.repeat(43) }, true],
    ['characters of two units, too few', { deviceId: 'd-1234', credential: '😀'.repeat(42) }, false],
    ['a pattern that does not fit', { deviceId: 'D 1', credential: 'c'.repeat(43) }, false],
    ['a field too few', { deviceId: 'd-1234' }, false],
    ['nothing', null, false],
  ] as const)('takes %s as TypeBox does', async ([, value, fits]) => {
    const fromSources = compile(`answer-of-test-${Math.random()}`, EnrolmentAnswer);
    const name = `written-of-test-${Math.random()}`;
    compile(name, EnrolmentAnswer);
    const file = join(folder, `${name}.mjs`);
    writeFileSync(file, writtenChecksModule());
    const written = (await import(pathToFileURL(file).href)) as { compile: (name: string) => Check };
    expect(written.compile(name).Check(value)).toBe(fits);
    expect(fromSources.Check(value)).toBe(fits);
  });

  test('that was not there when the bundle was made is said at once', async () => {
    const file = join(folder, 'unknown.mjs');
    writeFileSync(file, writtenChecksModule());
    const written = (await import(pathToFileURL(file).href)) as { compile: (name: string) => Check };
    expect(() => written.compile('new-message')).toThrow('came new-message');
  });
});
