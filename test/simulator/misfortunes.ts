/** One thing that happens in a run: somebody asks for something, or something fails. By weights; what is drawn comes from the seed. */
import { FleetError } from '#fleet-server/errors.ts';
import type { Way } from './link.ts';
import {
  acknowledgeAlert,
  beginRollout,
  breakPicture,
  changeQuietHours,
  endMaintenance,
  flap,
  loseRelay,
  loseStream,
  planMaintenance,
  steerRollout,
} from './operations.ts';
import type { Simulation } from './simulation.ts';
import { isAllOnDisk, type Member, type Promised } from './world.ts';

type Misfortune = { readonly weight: number; happen(run: Simulation, member: Member): void | Promise<void> };

const table: readonly Misfortune[] = [
  { weight: 16, happen: (run) => changeSetting(run) },
  { weight: 10, happen: (run, member) => askForCommand(run, member) },
  { weight: 22, happen: (run, { agent }) => agent.happen(`said-${run.count}`) },
  { weight: 5, happen: (_run, { link }) => link?.close('device', 'connection-lost') },
  { weight: 3, happen: (_run, { link }) => link?.close('server', 'connection-lost') },
  { weight: 3, happen: (_run, member) => fallSilent(member, ['up', 'down']) },
  { weight: 2, happen: (_run, member) => fallSilent(member, ['up']) },
  { weight: 2, happen: (_run, member) => fallSilent(member, ['down']) },
  { weight: 2, happen: (_run, member) => closeUnnoticed(member, 'device') },
  { weight: 2, happen: (_run, member) => closeUnnoticed(member, 'server') },
  { weight: 3, happen: (_run, member) => turn(member) },
  { weight: 2, happen: (run, member) => flap(run, member) },
  { weight: 5, happen: (run, member) => turnDisk(run, member) },
  { weight: 6, happen: (run, member) => powerCut(run, member) },
  { weight: 4, happen: (run, { agent }) => jump(agent.wall, run.random.between(-1e9, 1e9)) },
  { weight: 2, happen: (run) => run.jumpServerClock(run.random.pick([-3_600_000, -20_000, 20_000, 3_600_000])) },
  { weight: 6, happen: (run) => killServerInTheMiddle(run) },
  { weight: 2, happen: (run) => killServer(run) },
  { weight: 1, happen: (run) => stopServer(run) },
  { weight: 4, happen: (run) => fillServerDisk(run) },
  { weight: 14, happen: (run, member) => breakPicture(run, member) },
  { weight: 3, happen: (run, member) => loseStream(run, member) },
  { weight: 3, happen: (run) => loseRelay(run) },
  { weight: 10, happen: (run) => beginRollout(run) },
  { weight: 4, happen: (run) => steerRollout(run) },
  { weight: 5, happen: (run, member) => planMaintenance(run, member) },
  { weight: 1, happen: (run) => endMaintenance(run) },
  { weight: 4, happen: (run) => changeQuietHours(run) },
  { weight: 3, happen: (run) => acknowledgeAlert(run) },
];
const weights = table.reduce((sum, { weight }) => sum + weight, 0);

export async function misfortune(run: Simulation): Promise<void> {
  run.count += 1;
  const member = run.random.pick(run.members as [Member, ...Member[]]);
  let left = run.random.between(1, weights);
  const chosen = table.find(({ weight }) => {
    left -= weight;
    return left <= 0;
  });
  await chosen?.happen(run, member);
}

function jump(wall: { offsetMs: number }, byMs: number): void {
  wall.offsetMs += byMs;
}

function turn(member: Member): void {
  member.isUnreachable = !member.isUnreachable;
}

function fallSilent({ link }: Member, ways: readonly Way[]): void {
  link?.fallSilent(ways);
}

/** One end is closed, and its goodbye never arrives. */
function closeUnnoticed({ link }: Member, end: 'device' | 'server'): void {
  link?.fallSilent([end === 'device' ? 'up' : 'down']);
  link?.close(end, 'connection-lost');
}

/** As a read-only card: nothing can be written at all. */
function turnDisk(run: Simulation, member: Member): void {
  member.isDiskRefusing = !member.isDiskRefusing;
  member.diskFreeSinceMs = run.time.nowMs;
  member.agent.state.failure = member.isDiskRefusing ? Object.assign(new Error('read-only file system'), { code: 'EROFS' }) : null;
}

/** For a while: somebody makes room. */
function fillServerDisk(run: Simulation): void {
  run.database.setFull(true);
  run.time.after(run.random.between(300, 6000), () => run.database.setFull(false));
}

async function powerCut(run: Simulation, member: Member): Promise<void> {
  if (!isAllOnDisk(member, run.time.nowMs)) return;
  // A killed process has its sockets closed by its system; a board without power closes nothing.
  if (run.random.chance(0.5)) fallSilent(member, ['up', 'down']);
  member.agent.kill();
  member.link?.close('device', 'connection-lost');
  if (run.sabotage === 'older settings after a power cut') {
    for (const name of ['settings.json', 'settings-copy.json']) member.agent.state.files.delete(name);
  }
  await member.agent.start();
}

/** Each change has a value of its own, which nothing else has. */
function changeSetting(run: Simulation): void {
  const setting = run.random.pick(run.settings as [Promised, ...Promised[]]);
  const server = run.liveServer();
  if (server === null || setting.isUnderWay) return;
  const value = nextValue(run, setting);
  setting.unanswered.push(value);
  setting.isUnderWay = true;
  const answered = (): void => {
    setting.isUnderWay = false;
    setting.acknowledged = value;
    setting.unanswered = [];
  };
  const { level, scope, key } = setting;
  const work = server.app.settings.patch({ level, scope }, { [key]: value }, 'admin');
  if (run.sabotage === 'setting answered before it is stored') answered();
  work.then(
    () => {
      if (server.isAlive) answered();
    },
    (cause: unknown) => {
      setting.isUnderWay = false;
      if (!server.isAlive) return;
      // Refused in words: then it is not in force either.
      setting.unanswered = setting.unanswered.filter((other) => other !== value);
      if (!(cause instanceof FleetError)) throw cause;
      run.answer(cause.message);
    },
  );
}

function nextValue(run: Simulation, { key }: Promised): number | string {
  if (key === 'AV_KEYFRAME_INTERVAL') return 1 + (run.count % 10);
  if (key === 'AV_AUDIO_BITRATE') return 32 + run.count;
  if (key === 'AV_VIDEO_BITRATE') return 1000 + run.count;
  const value = `secret-stream-key-${run.count}`;
  run.secretValues.add(value);
  return value;
}

function askForCommand(run: Simulation, { id }: Member): void {
  const server = run.liveServer();
  if (server === null) return;
  const kind = run.random.pick(['restart-pipeline', 'restart-pipeline', 'start-recording', 'restart-agent', 'rotate-credential']);
  server.app.commands.request({ deviceId: id, kind, arguments: {}, requestedBy: 'admin' }).then(
    (status) => {
      if (server.isAlive) run.commands.add(run.answer(status).id);
    },
    (cause: unknown) => {
      if (server.isAlive && !(cause instanceof FleetError)) throw cause;
    },
  );
}

/** Between two statements of whatever comes next, a change more often than not. */
function killServerInTheMiddle(run: Simulation): void {
  run.liveServer()?.killAfter(run.random.between(1, 120));
  if (run.random.chance(0.7)) changeSetting(run);
}

function killServer(run: Simulation): void {
  run.liveServer()?.kill(run.random.chance(0.5));
  run.startServerAfter(run.random.between(200, 12_000));
}

async function stopServer(run: Simulation): Promise<void> {
  const server = run.liveServer();
  await server?.stop().catch((cause: unknown) => {
    // Killed between two statements of its stopping.
    if (server.isAlive) throw cause;
  });
  run.startServerAfter(run.random.between(200, 5000));
}
