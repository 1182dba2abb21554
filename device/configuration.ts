/**
 * The agent's environment, read once at the start: every problem is listed, with what was expected and what came.
 *
 * INVARIANT: a setting (AV_*) that is wrong is left out and said so, and no reason not to start: no setting takes a device off the air. What
 * says where the agent belongs and where it keeps its files has nothing to fall back on.
 */
import { type LogLevel, logLevels } from '#device/logging.ts';
import type { Machine } from '#device/settings/prepare.ts';
import type { SettingRefusal } from '#protocol/messages.ts';
import {
  describeValue,
  isSettingKey,
  parseSetting,
  type SettingKey,
  type SettingProblem,
  type SettingValue,
  type SettingValues,
} from '#protocol/settings.ts';

export type FleetAccess = {
  /** Without a slash at the end. */
  readonly url: string;
  /** Needed until the device has joined. */
  readonly joinToken: string | null;
  /** Of the fleet's own certificate authority; null: those that Node knows. */
  readonly caFile: string | null;
};

export type Configuration = {
  readonly stateDirectory: string;
  /** Null: the agent streams on its own. */
  readonly fleet: FleetAccess | null;
  readonly settings: SettingValues;
  /** Settings whose value is none: they are not among `settings`. */
  readonly refused: readonly SettingProblem[];
  /** AGENT_BOARD_ID: what tells this board from others where its maker gave it no serial number; null unless set. */
  readonly boardId: string | null;
  readonly logLevel: LogLevel;
  /** Names that look like settings and are none: misspelt, or of another version. */
  readonly unknownNames: readonly string[];
};

export type ReadConfiguration =
  | { readonly kind: 'configuration'; readonly configuration: Configuration }
  | { readonly kind: 'problems'; readonly problems: readonly SettingProblem[] };

export type Environment = { readonly [name: string]: string | undefined };

/** What the reader must know of the machine. */
export type MachineFacts = {
  /** Null: this user has none. */
  readonly homeDirectory: string | null;
  /** On balena `/data` outlives the container. */
  readonly isBalenaDataWritable: boolean;
};

const joinTokenLength = { minimum: 16, maximum: 128 };

export function readConfiguration(environment: Environment, machine: MachineFacts): ReadConfiguration {
  const problems: SettingProblem[] = [];
  const refused: SettingProblem[] = [];
  const settings: { [K in SettingKey]?: SettingValue } = {};
  const unknownNames: string[] = [];
  for (const [name, raw] of Object.entries(environment)) {
    if (!name.startsWith('AV_')) continue;
    if (!isSettingKey(name)) {
      unknownNames.push(name);
      continue;
    }
    const parsed = parseSetting(name, raw);
    if (parsed.kind === 'problem') refused.push(parsed.problem);
    if (parsed.kind === 'value') settings[name] = parsed.value;
  }
  const stateDirectory = readStateDirectory(environment, machine, problems);
  const logLevel = readLogLevel(environment, problems);
  const fleet = readFleet(environment, problems);
  const boardId = readBoardId(environment, problems);
  if (problems.length > 0) return { kind: 'problems', problems: [...refused, ...problems] };
  return { kind: 'configuration', configuration: { stateDirectory, fleet, settings, refused, boardId, logLevel, unknownNames } };
}

function readStateDirectory(environment: Environment, machine: MachineFacts, problems: SettingProblem[]): string {
  const given = text(environment, 'AGENT_STATE_DIR');
  if (given !== undefined) {
    if (!given.startsWith('/')) problems.push({ key: 'AGENT_STATE_DIR', expected: 'an absolute path', came: describeValue(given) });
    return given;
  }
  if (text(environment, 'BALENA') !== undefined && machine.isBalenaDataWritable) return '/data/makespacelive';
  const stateHome = text(environment, 'XDG_STATE_HOME');
  if (stateHome?.startsWith('/')) return `${stateHome}/makespacelive`;
  if (machine.homeDirectory === null) {
    problems.push({ key: 'AGENT_STATE_DIR', expected: 'an absolute path, because this user has no home directory', came: 'nothing' });
  }
  return `${machine.homeDirectory}/.local/state/makespacelive`;
}

function readLogLevel(environment: Environment, problems: SettingProblem[]): LogLevel {
  const given = text(environment, 'AGENT_LOG_LEVEL')?.toLowerCase() ?? 'info';
  const level = logLevels.find((known) => known === given);
  if (level === undefined) problems.push({ key: 'AGENT_LOG_LEVEL', expected: logLevels.join(', '), came: describeValue(given) });
  return level ?? 'info';
}

function readBoardId(environment: Environment, problems: SettingProblem[]): string | null {
  const given = text(environment, 'AGENT_BOARD_ID') ?? null;
  if (given !== null && !/^[\w.:-]{4,64}$/.test(given)) {
    problems.push({ key: 'AGENT_BOARD_ID', expected: '4 to 64 letters, digits or . : _ -', came: describeValue(given) });
  }
  return given;
}

function readFleet(environment: Environment, problems: SettingProblem[]): FleetAccess | null {
  const address = text(environment, 'FLEET_URL');
  const joinToken = text(environment, 'FLEET_JOIN_TOKEN') ?? null;
  // Neither value is shown: one is a secret, and an address may have been given with a password in it.
  if (joinToken !== null && !isJoinToken(joinToken)) {
    const expected = `a join token of ${joinTokenLength.minimum} to ${joinTokenLength.maximum} characters without spaces`;
    problems.push({ key: 'FLEET_JOIN_TOKEN', expected, came: `${joinToken.length} characters that are not shown` });
  }
  if (address === undefined) {
    if (joinToken !== null) {
      problems.push({ key: 'FLEET_URL', expected: 'the fleet server’s address, because FLEET_JOIN_TOKEN is set', came: 'nothing' });
    }
    return null;
  }
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const expected = 'an address such as https://fleet.example.org';
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    problems.push({ key: 'FLEET_URL', expected, came: url === undefined ? 'something that is no address' : `the scheme ${url.protocol}` });
    return null;
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    problems.push({ key: 'FLEET_URL', expected, came: 'an address with a user name, a query or a fragment' });
    return null;
  }
  const caFile = text(environment, 'FLEET_CA_FILE') ?? null;
  if (caFile !== null && !caFile.startsWith('/')) {
    problems.push({ key: 'FLEET_CA_FILE', expected: 'a path from the root on', came: describeValue(caFile) });
  }
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`, joinToken, caFile };
}

function isJoinToken(token: string): boolean {
  return token.length >= joinTokenLength.minimum && token.length <= joinTokenLength.maximum && !/\s/.test(token);
}

/** Empty counts as unset: that is what an emptied variable in a dashboard or a compose file becomes. */
function text(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === undefined || value === '' ? undefined : value;
}

/** One line a problem, for the person who set the variables. */
export function describeProblems(problems: readonly SettingProblem[]): string {
  return ['Wrong configuration:', ...problems.map((problem) => `  ${describeProblem(problem)}`)].join('\n');
}

/** What settings are planned with besides the machine itself. */
export function environmentOf({
  settings,
  refused,
  fleet,
}: Configuration): Pick<Machine, 'environment' | 'refusedInEnvironment' | 'fleetUrl'> {
  return { environment: settings, refusedInEnvironment: refusalsOf(refused), fleetUrl: fleet?.url ?? null };
}

export function refusalsOf(problems: readonly SettingProblem[]): readonly SettingRefusal[] {
  return problems.map((problem) => ({ key: problem.key, reason: describeProblem(problem) }));
}

export function describeProblem({ key, expected, came }: SettingProblem): string {
  return `${key}: expected ${expected}, got ${came}`;
}
